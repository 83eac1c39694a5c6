//! What compiling a plan needs and finds: numbers for places that keep something, and problems.

use std::path::PathBuf;

use double11_jmx::document::Element;
use double11_jmx::template::{Sites, Template};

use crate::user::StateId;

/// Goes through the compilation of one plan.
#[derive(Debug, Default)]
pub struct Compiler {
    sites: Sites,
    states: u32,
    problems: Vec<Problem>,
    /// The folder of the plan; files with relative names are looked for there.
    pub folder: PathBuf,
}

/// Something in a plan that cannot be run as it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line of the element, from 1.
    pub line: u32,
    /// The class of the element.
    pub class: String,
    /// The name of the element in the plan.
    pub name: String,
    /// What is wrong, and what is accepted instead.
    pub text: String,
}

impl Compiler {
    /// Reads a text of the plan.
    pub fn template(&mut self, text: &str) -> Template {
        Template::parse(text, &mut self.sites)
    }

    /// Reads the text of a property.
    pub fn property(&mut self, element: &Element, property: &str) -> Template {
        self.template(element.text(property))
    }

    /// A number under which each user keeps something for one element.
    pub fn state(&mut self) -> StateId {
        let state = StateId(self.states);
        self.states += 1;
        state
    }

    /// Notes that an element cannot be run as it says.
    pub fn refuse(&mut self, element: &Element, text: impl Into<String>) {
        self.problems.push(Problem {
            line: element.line,
            class: element.class.clone(),
            name: element.name.clone(),
            text: text.into(),
        });
    }

    /// What was found so far.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}
