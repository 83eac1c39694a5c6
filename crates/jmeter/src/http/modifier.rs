//! Pre-processors that change the request of a HTTP sampler by what came before.
//!
//! A change holds for one sample: it is made in a copy of what the plan says, the [`Draft`], which the
//! sampler takes in place of its own.
//!
//! Source: `JMeter` 5.5, `org.apache.jmeter.protocol.http.modifier`.

mod anchor;
mod parameters;
mod rewriting;

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::HttpSampler;
use super::request::{Argument, Definition};
use crate::compiler::Compiler;
use crate::sample::Needs;
use crate::user::User;
use rewriting::Rewriting;

/// A request that was changed for one sample.
#[derive(Debug)]
pub(crate) struct Draft(pub(super) Definition);

/// Changes requests.
#[derive(Debug)]
pub struct Modifier(Kind);

#[derive(Debug)]
enum Kind {
    /// Puts a session's number into the address or the arguments.
    Rewriting(Rewriting),
    /// Follows a link or a form of the page before.
    Anchor,
    /// Gives arguments the values that an extractor found.
    Parameters(parameters::Parameters),
}

impl Modifier {
    /// Reads a modifier; `None` when the element is none.
    pub fn compile(element: &Element, compiler: &mut Compiler) -> Option<Self> {
        let kind = match element.class.as_str() {
            "URLRewritingModifier" => Kind::Rewriting(Rewriting::compile(element, compiler)),
            "AnchorModifier" => Kind::Anchor,
            "RegExUserParameters" => {
                Kind::Parameters(parameters::Parameters::compile(element, compiler))
            }
            _ => return None,
        };
        Some(Self(kind))
    }

    /// What it reads of the sample before.
    pub fn needs(&self) -> Needs {
        Needs {
            body: !matches!(self.0, Kind::Parameters(_)),
            ..Needs::default()
        }
    }

    /// Changes the request that comes next.
    pub(crate) fn apply(&self, user: &mut User, sampler: &HttpSampler) {
        let draft = user.draft.take();
        let mut draft = draft.unwrap_or_else(|| Box::new(Draft(sampler.definition.draft())));
        match &self.0 {
            Kind::Rewriting(rewriting) => rewriting.apply(user, &mut draft.0),
            Kind::Anchor => anchor::apply(user, &mut draft.0),
            Kind::Parameters(parameters) => parameters.apply(user, &mut draft.0),
        }
        user.draft = Some(draft);
    }
}

/// An argument that is set while the plan runs.
fn argument(name: &str, value: &str, is_encoded: bool, equals: &str) -> Argument {
    Argument {
        name: Template::of_text(name),
        value: Template::of_text(value),
        content_type: Template::of_text("text/plain"),
        is_encoded,
        equals: equals.to_owned(),
    }
}

#[cfg(test)]
mod tests;
