//! Whether a plan runs: what of it is supported, what is ignored, and what is not supported, with the
//! line, the name and the reason of each.
//!
//! Only enabled elements count: a disabled one and all below it take no part, as in `JMeter`. Whether an
//! expression can be evaluated is asked of whoever evaluates it ([`Expressions`]).

use std::collections::BTreeMap;

use crate::document::{Document, Element, Property};
use crate::registry::{self, Support, Tier};
use crate::template::{Call, Sites, Template};

mod page;
mod report;

pub use report::{Finding, Include, Kind, Note, Report};

/// A language of expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// `__javaScript`, and conditions of If Controllers that are no plain texts.
    JavaScript,
    /// `__jexl2`, and `__jexl` of old.
    Jexl2,
    /// `__jexl3`.
    Jexl3,
    /// `__groovy`.
    Groovy,
}

/// Knows which expressions can be evaluated.
pub trait Expressions {
    /// Whether this text is in the subset, whatever is filled in.
    ///
    /// # Errors
    /// It is not; the text says what of it is not.
    fn accepts(&self, language: Language, expression: &Template) -> Result<(), String>;
}

/// Takes every expression for one that can be evaluated.
#[derive(Debug, Clone, Copy)]
pub struct AnyExpression;

impl Expressions for AnyExpression {
    fn accepts(&self, _: Language, _: &Template) -> Result<(), String> {
        Ok(())
    }
}

/// Checks a plan.
pub fn check(document: &Document, expressions: &dyn Expressions) -> Report {
    let mut walk = Walk {
        expressions,
        elements: BTreeMap::new(),
        functions: BTreeMap::new(),
        report: Report {
            plan: document.root.name.clone(),
            jmeter: document.jmeter.clone(),
            ..Report::default()
        },
    };
    walk.element(&document.root);
    for beside in &document.beside {
        walk.beside(beside);
    }
    for oddity in &document.oddities {
        walk.report.notes.push(Note {
            line: oddity.line,
            text: format!("{}; left out", oddity.text),
        });
    }
    walk.finish()
}

struct Walk<'e> {
    expressions: &'e dyn Expressions,
    elements: BTreeMap<String, usize>,
    functions: BTreeMap<String, usize>,
    report: Report,
}

impl Walk<'_> {
    fn element(&mut self, element: &Element) {
        if !element.enabled {
            self.report.disabled += 1;
            return;
        }
        self.report.enabled += 1;
        self.class(element);
        self.texts(element);
        self.condition(element);
        for child in &element.children {
            self.element(child);
        }
    }

    /// What stands beside the plan is not run, whatever it is.
    fn beside(&mut self, element: &Element) {
        if !element.enabled {
            return;
        }
        self.report.enabled += 1;
        let reason = match registry::element(&element.class) {
            Some((_, entry)) if entry.support == Support::Ignored => entry.note,
            _ => "it stands beside the plan and is not run",
        };
        let finding = Finding::of(element, Kind::Element, Tier::A, reason);
        self.report.ignored.push(finding);
        for child in &element.children {
            self.beside(child);
        }
    }

    fn class(&mut self, element: &Element) {
        let Some((_, entry)) = registry::element(&element.class) else {
            let reason = "not known: a plugin, or Java code of the plan's own";
            self.refuse(element, Kind::Element, Tier::Never, reason);
            return;
        };
        match entry.support {
            Support::Supported | Support::Expression => {
                *self.elements.entry(element.class.clone()).or_default() += 1;
            }
            Support::Ignored => {
                let finding = Finding::of(element, Kind::Element, entry.tier, entry.note);
                self.report.ignored.push(finding);
            }
            Support::Refused => self.refuse(element, Kind::Element, entry.tier, entry.note),
        }
        if element.class == "IncludeController" {
            self.report.includes.push(Include {
                line: element.line,
                path: element.text("IncludeController.includepath").to_owned(),
            });
        }
    }

    /// Functions in the name and in all properties, those of elements within it included.
    fn texts(&mut self, element: &Element) {
        self.text(element, &element.name);
        for (name, value) in element.properties.iter() {
            // Nobody ever fills in a comment.
            if name != "TestPlan.comments" {
                self.property(element, value);
            }
        }
    }

    fn property(&mut self, element: &Element, value: &Property) {
        match value {
            Property::Text(text) => self.text(element, text),
            Property::List(items) => {
                for (_, item) in items {
                    self.property(element, item);
                }
            }
            Property::Element(inner) => {
                for (_, inner) in inner.properties.iter() {
                    self.property(element, inner);
                }
            }
        }
    }

    fn text(&mut self, element: &Element, text: &str) {
        if !text.contains("${") {
            return;
        }
        match Template::try_parse(text, &mut Sites::default()) {
            Ok(template) => {
                for call in template.calls() {
                    self.call(element, call);
                }
            }
            Err(error) => {
                self.refuse(element, Kind::Text, Tier::B, &error.to_string());
            }
        }
    }

    fn call(&mut self, element: &Element, call: &Call) {
        let kind = Kind::Function(call.name.to_string());
        let Some(entry) = registry::function(&call.name) else {
            let reason = "not known: a plugin, or Java code of the plan's own";
            self.refuse(element, kind, Tier::Never, reason);
            return;
        };
        let accepted = match entry.support {
            Support::Supported | Support::Ignored => Ok(()),
            Support::Refused => Err(entry.note.to_owned()),
            Support::Expression => {
                let none = Template::default();
                let expression = call.arguments.first().unwrap_or(&none);
                self.expressions
                    .accepts(language_of(&call.name), expression)
            }
        };
        match accepted {
            Ok(()) => *self.functions.entry(call.name.to_string()).or_default() += 1,
            Err(reason) => self.refuse(element, kind, entry.tier, &reason),
        }
    }

    /// The condition of an If Controller, which is JavaScript unless the plan says otherwise.
    fn condition(&mut self, element: &Element) {
        let is_script =
            element.class == "IfController" && !element.is("IfController.useExpression", false);
        let text = element.text("IfController.condition");
        if !is_script || text.trim().is_empty() {
            return;
        }
        let template = Template::parse(text, &mut Sites::default());
        let accepted = self.expressions.accepts(Language::JavaScript, &template);
        if let Err(reason) = accepted {
            self.refuse(element, Kind::Condition, Tier::D, &reason);
        }
    }

    fn refuse(&mut self, element: &Element, kind: Kind, tier: Tier, reason: &str) {
        let finding = Finding::of(element, kind, tier, reason);
        self.report.refused.push(finding);
    }

    fn finish(mut self) -> Report {
        self.report.elements = by_count(self.elements);
        self.report.functions = by_count(self.functions);
        self.report
    }
}

/// The most frequent first, those of the same number by name.
fn by_count(counts: BTreeMap<String, usize>) -> Vec<(String, usize)> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

/// The language of a function that evaluates an expression.
fn language_of(function: &str) -> Language {
    match function {
        "__groovy" => Language::Groovy,
        "__javaScript" => Language::JavaScript,
        "__jexl3" => Language::Jexl3,
        _ => Language::Jexl2,
    }
}

#[cfg(test)]
mod tests;
