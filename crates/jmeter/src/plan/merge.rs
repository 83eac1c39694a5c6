//! Config elements fill in what samplers leave empty.
//!
//! Source: `JMeter`, `TestCompiler.configureWithConfigElements`, `AbstractTestElement.mergeIn`,
//! `MultiProperty.mergeIn` and `HTTPSamplerBase.applies`.

use std::borrow::Cow;

use double11_jmx::document::{Element, Property};

/// The forms whose config elements a HTTP sampler takes.
const OF_HTTP: [&str; 3] = ["HttpDefaultsGui", "SimpleConfigGui", "LoginConfigGui"];
/// The form whose config elements other samplers take.
const OF_ALL: [&str; 1] = ["SimpleConfigGui"];

/// A HTTP sampler with the defaults that stand in its scope, the nearest first.
pub(super) fn http<'a>(sampler: &'a Element, configs: &[&Element]) -> Cow<'a, Element> {
    merged(sampler, configs, &OF_HTTP)
}

/// Any other sampler with the config elements that stand in its scope.
pub(super) fn other<'a>(sampler: &'a Element, configs: &[&Element]) -> Cow<'a, Element> {
    merged(sampler, configs, &OF_ALL)
}

fn merged<'a>(sampler: &'a Element, configs: &[&Element], forms: &[&str]) -> Cow<'a, Element> {
    let mut own = Cow::Borrowed(sampler);
    for config in configs {
        let form = config.gui_class.rsplit('.').next().unwrap_or_default();
        if config.class == "ConfigTestElement" && forms.contains(&form) {
            merge(own.to_mut(), config);
        }
    }
    own
}

/// What is missing or empty is taken over, lists are joined, elements in elements are merged.
fn merge(own: &mut Element, config: &Element) {
    if own.name.is_empty() {
        own.name.clone_from(&config.name);
    }
    for (name, property) in config.properties.iter() {
        let value = match (own.properties.get(name), property) {
            (None, _) => property.clone(),
            (Some(Property::Text(text)), _) if text.is_empty() => property.clone(),
            (Some(Property::List(items)), Property::List(more)) => {
                Property::List(items.iter().chain(more).cloned().collect())
            }
            (Some(Property::Element(inner)), Property::Element(more)) => {
                let mut inner = inner.clone();
                merge(&mut inner, more);
                Property::Element(inner)
            }
            _ => continue,
        };
        own.properties.set(name, value);
    }
}
