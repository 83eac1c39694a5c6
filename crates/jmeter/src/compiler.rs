//! What compiling a plan needs and finds: numbers for places that keep something, and problems.

use std::path::{Path, PathBuf};

use double11_jmx::document::Element;
use double11_jmx::template::{Sites, Template};

use crate::functions;
use crate::sample::Needs;
use crate::user::StateId;

/// Goes through the compilation of one plan.
#[derive(Debug, Default)]
pub struct Compiler {
    sites: Sites,
    states: u32,
    problems: Vec<Problem>,
    at: Problem,
    previous: Needs,
    /// The folder of the plan; files with relative names are looked for there.
    pub folder: PathBuf,
}

/// Something in a plan that cannot be run as it says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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
    /// For a plan in this folder.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            ..Self::default()
        }
    }

    /// Says which element is compiled; problems of the texts that follow are told of it.
    pub fn enter(&mut self, element: &Element) {
        self.at = Problem::of(element, "");
    }

    /// Reads a text of the plan. What is wrong with the functions that it calls is a problem of the
    /// element that was entered last.
    pub fn template(&mut self, text: &str) -> Template {
        let template = match Template::try_parse(text, &mut self.sites) {
            Ok(template) => template,
            Err(error) => {
                self.problems.push(Problem {
                    text: error.to_string(),
                    ..self.at.clone()
                });
                return Template::of_text(text);
            }
        };
        self.previous.body |= functions::reads_last_answer(&template);
        for text in functions::problems(&template) {
            self.problems.push(Problem {
                text,
                ..self.at.clone()
            });
        }
        template
    }

    /// Reads the text of a property.
    pub fn property(&mut self, element: &Element, property: &str) -> Template {
        self.enter(element);
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
        self.problems.push(Problem::of(element, text));
    }

    /// What the texts that were read so far read of the last sample: wherever they stand, every sampler
    /// may be the last.
    pub fn previous_needs(&self) -> Needs {
        self.previous
    }

    /// What was found so far.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl Problem {
    fn of(element: &Element, text: impl Into<String>) -> Self {
        Self {
            line: element.line,
            class: element.class.clone(),
            name: element.name.clone(),
            text: text.into(),
        }
    }
}
