//! The tree of a plan: elements, their properties, and the lines they stand on.
//!
//! [`read`] makes it from a file. Disabled elements are in the tree; whoever compiles a plan leaves
//! them and what is below them out. Classes nobody knows are in it too.

use std::borrow::Cow;

mod error;
mod names;
mod reader;
mod source;
mod xml;

pub use error::{Limits, Place, ReadError};
pub use reader::read;

/// A plan as its file says it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Document {
    /// The version of `JMeter` that wrote it; empty in old plans.
    pub jmeter: String,
    /// The version of the table of aliases that it was written with.
    pub properties: String,
    /// The element `TestPlan`.
    pub root: Element,
    /// Elements beside the `TestPlan`, such as the work bench of old plans, whose recorders and
    /// servers `JMeter` does not run from its command line.
    pub beside: Vec<Element>,
    /// What was not understood and left out.
    pub oddities: Vec<Oddity>,
}

/// Something in a file that was not understood and left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oddity {
    /// The line, from 1.
    pub line: u32,
    /// What it is.
    pub text: String,
}

/// One element of a plan, and what stands below it in the tree.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Element {
    /// The test class by its short name, aliases resolved: `HTTPSamplerProxy`, `ThreadGroup`. A class
    /// that is not `JMeter`'s own keeps its whole name.
    pub class: String,
    /// The class of its form in `JMeter`'s window, by its short name; tells some elements apart that
    /// share a test class.
    pub gui_class: String,
    /// Its name in the plan.
    pub name: String,
    /// Whether it takes part.
    pub enabled: bool,
    /// The line of the file that it begins on, from 1.
    pub line: u32,
    /// Its properties, in the order of the file.
    pub properties: Properties,
    /// The elements below it.
    pub children: Vec<Self>,
}

/// Properties by their names, in the order of the file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Properties(Vec<(String, Property)>);

/// The value of a property.
#[derive(Debug, Clone, PartialEq)]
pub enum Property {
    /// A text, number or truth value, as it is written.
    Text(String),
    /// A list; what its items are called does not count but for old plans, which keep a hash there.
    List(Vec<(String, Self)>),
    /// An element within an element: an argument, a header, a loop controller.
    Element(Box<Element>),
}

impl Element {
    /// An element of this class with nothing in it.
    pub fn new(class: &str, name: &str) -> Self {
        Self {
            class: class.to_owned(),
            name: name.to_owned(),
            enabled: true,
            ..Self::default()
        }
    }

    /// The same with a further property of text.
    #[must_use]
    pub fn with(mut self, property: &str, value: &str) -> Self {
        self.properties
            .set(property, Property::Text(value.to_owned()));
        self
    }

    /// The same with a list of texts as a property.
    #[must_use]
    pub fn with_list(mut self, property: &str, values: &[&str]) -> Self {
        let texts = values
            .iter()
            .map(|value| (String::new(), Property::Text((*value).to_owned())));
        self.properties
            .set(property, Property::List(texts.collect()));
        self
    }

    /// The same with a list of elements as a property.
    #[must_use]
    pub fn with_elements(mut self, property: &str, values: Vec<Self>) -> Self {
        let elements = values
            .into_iter()
            .map(|value| (value.name.clone(), Property::Element(Box::new(value))));
        self.properties
            .set(property, Property::List(elements.collect()));
        self
    }

    /// The same with a further element below it.
    #[must_use]
    pub fn with_child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// The text of a property; empty when it is missing or no text.
    pub fn text(&self, property: &str) -> &str {
        self.properties.text(property).unwrap_or_default()
    }

    /// The text of a property, or `default` when it is missing or empty.
    pub fn text_or<'a>(&'a self, property: &str, default: &'a str) -> &'a str {
        match self.text(property) {
            "" => default,
            text => text,
        }
    }

    /// Whether a property says `true`; `default` when it is missing or empty. As in `JMeter`, any text
    /// but `true` (in any case) means no.
    pub fn is(&self, property: &str, default: bool) -> bool {
        match self.text(property).trim() {
            "" => default,
            text => text.eq_ignore_ascii_case("true"),
        }
    }

    /// The items of a list that are texts.
    pub fn texts(&self, property: &str) -> impl Iterator<Item = &str> {
        self.properties
            .list(property)
            .iter()
            .filter_map(|(_, value)| value.as_text())
    }

    /// The items of a list that are elements; also of a list within an element property, such as
    /// `HTTPsampler.Arguments`, whose own list is called `Arguments.arguments`.
    pub fn elements(&self, property: &str) -> impl Iterator<Item = &Self> {
        self.properties
            .list(property)
            .iter()
            .filter_map(|(_, value)| value.as_element())
    }

    /// The element that is the value of a property.
    pub fn element(&self, property: &str) -> Option<&Self> {
        self.properties.get(property).and_then(Property::as_element)
    }
}

impl Properties {
    /// The value of a property.
    pub fn get(&self, name: &str) -> Option<&Property> {
        let found = self.0.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value)
    }

    /// The text of a property that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Property::as_text)
    }

    /// The items of a property that is a list; none when it is missing or no list.
    pub fn list(&self, name: &str) -> &[(String, Property)] {
        match self.get(name) {
            Some(Property::List(items)) => items,
            _ => &[],
        }
    }

    /// Sets a property; one of the same name is replaced.
    pub fn set(&mut self, name: &str, value: Property) {
        match self.0.iter_mut().find(|(own, _)| own == name) {
            Some((_, own)) => *own = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// Names and values, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Property)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl Property {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The element, if it is one.
    pub fn as_element(&self) -> Option<&Element> {
        match self {
            Self::Element(element) => Some(element),
            _ => None,
        }
    }
}

impl From<Cow<'_, str>> for Property {
    fn from(text: Cow<'_, str>) -> Self {
        Self::Text(text.into_owned())
    }
}

#[cfg(test)]
mod tests;
