//! What a check found.

use crate::document::Element;
use crate::registry::Tier;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The name of the plan.
    pub plan: String,
    /// The version of `JMeter` that wrote it; empty in old plans.
    pub jmeter: String,
    /// How many elements take part.
    pub enabled: usize,
    /// How many elements are disabled; what is below them is not counted.
    pub disabled: usize,
    /// Classes that are supported, with how many elements each has; the most frequent first.
    pub elements: Vec<(String, usize)>,
    /// Functions that are supported, with how many calls each has; the most frequent first.
    pub functions: Vec<(String, usize)>,
    /// What is accepted and does nothing.
    pub ignored: Vec<Finding>,
    /// What is not supported and would change the load.
    pub refused: Vec<Finding>,
    /// Other files that belong to the plan.
    pub includes: Vec<Include>,
    /// What else is worth knowing.
    pub notes: Vec<Note>,
}

/// Something in a plan that is ignored or not supported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The line of the element, from 1.
    pub line: u32,
    /// The class of the element.
    pub class: String,
    /// The name of the element.
    pub name: String,
    /// What of the element is meant.
    pub kind: Kind,
    /// The part of the survey that it belongs to.
    pub tier: Tier,
    /// Why.
    pub reason: String,
}

/// What of an element is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The element itself.
    Element,
    /// A call of this function in one of its texts.
    Function(String),
    /// Its condition.
    Condition,
    /// One of its texts.
    Text,
}

/// A file that a plan includes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// The line of the Include Controller.
    pub line: u32,
    /// The file, as the plan names it.
    pub path: String,
}

/// Something that is worth knowing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The line, from 1.
    pub line: u32,
    /// What it is.
    pub text: String,
}

impl Finding {
    pub(super) fn of(element: &Element, kind: Kind, tier: Tier, reason: &str) -> Self {
        Self {
            line: element.line,
            class: element.class.clone(),
            name: element.name.clone(),
            kind,
            tier,
            reason: reason.to_owned(),
        }
    }

    /// What is meant, in words: a class, a function, a condition.
    pub fn what(&self) -> String {
        match &self.kind {
            Kind::Element => self.class.clone(),
            Kind::Function(function) => function.clone(),
            Kind::Condition => format!("condition of {}", self.class),
            Kind::Text => format!("text of {}", self.class),
        }
    }
}

impl Report {
    /// Whether all of the plan runs.
    pub fn runs(&self) -> bool {
        self.refused.is_empty()
    }

    /// Adds what only the compiler of plans finds: an element that is supported, but not as this plan
    /// has it.
    pub fn refuse(&mut self, line: u32, class: &str, name: &str, reason: &str) {
        self.refused.push(Finding {
            line,
            class: class.to_owned(),
            name: name.to_owned(),
            kind: Kind::Element,
            tier: Tier::B,
            reason: reason.to_owned(),
        });
    }

    /// Takes in what was found in a file that the plan includes.
    pub fn include(&mut self, file: &str, included: Self) {
        let from = |mut finding: Finding| {
            finding.reason = format!("{} (in `{file}`)", finding.reason);
            finding
        };
        self.enabled += included.enabled;
        self.disabled += included.disabled;
        self.ignored.extend(included.ignored.into_iter().map(from));
        self.refused.extend(included.refused.into_iter().map(from));
        for note in included.notes {
            self.notes.push(Note {
                line: note.line,
                text: format!("{} (in `{file}`)", note.text),
            });
        }
        add(&mut self.elements, included.elements);
        add(&mut self.functions, included.functions);
    }
}

fn add(counts: &mut Vec<(String, usize)>, more: Vec<(String, usize)>) {
    for (name, count) in more {
        match counts.iter_mut().find(|(own, _)| *own == name) {
            Some((_, own)) => *own += count,
            None => counts.push((name, count)),
        }
    }
    counts.sort_by(|(one, few), (other, many)| many.cmp(few).then_with(|| one.cmp(other)));
}
