//! `XPathExtractor` and `XPath2Extractor`: what an expression leads to in XML goes into variables.

use std::ops::ControlFlow;

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::matches::{Name, Wanted};
use super::scope::Scope;
use super::subject::Subject;
use super::whole_number;
use super::xpath::{Found, Markup, Namespaces, NodeText, Reading, XPathText, evaluate};
use crate::compiler::Compiler;
use crate::sample::{AssertionResult, Needs, SampleResult};
use crate::user::User;

#[derive(Debug)]
pub(super) struct XPathExtractor {
    scope: Scope,
    path: XPathText,
    reading: Reading,
    name: Template,
    variable: Template,
    default: Template,
    number: Template,
    /// Whether it is the one of `XPath` 2: elements have all their texts.
    second: bool,
}

impl XPathExtractor {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        let second = element.class == "XPath2Extractor";
        let prefix = if second {
            "XPathExtractor2"
        } else {
            "XPathExtractor"
        };
        let property = |name: &str| format!("{prefix}.{name}");
        for (name, what) in [
            ("report_errors", "faults of HTML are not told"),
            ("validate", "documents are not validated"),
        ] {
            if element.is(&property(name), false) {
                compiler.refuse(element, format!("{what} ({})", property(name)));
            }
        }
        let namespaces = if second {
            Namespaces::given(element.text(&property("namespaces")))
        } else if element.is(&property("namespace"), false) {
            Namespaces::OfDocument
        } else {
            Namespaces::Ignored
        };
        // Where no number is stated: all of the first kind, any one of the second.
        let every = if second { "0" } else { "-1" };
        let path = XPathText::compile(element.text(&property("xpathQuery")), element, compiler);
        Self {
            scope: Scope::compile(element, "Sample.scope", compiler),
            path,
            reading: Reading {
                namespaces,
                is_html: !second && element.is(&property("tolerant"), false),
                markup: element
                    .is(&property("fragment"), false)
                    .then_some(if second {
                        Markup::Indented
                    } else {
                        Markup::Compact
                    }),
            },
            name: compiler.template(&element.name),
            variable: compiler.property(element, &property("refname")),
            default: compiler.property(element, &property("default")),
            number: compiler.template(element.text_or(&property("matchNumber"), every)),
            second,
        }
    }

    pub(super) fn needs(&self) -> Needs {
        self.scope.needs_of_bodies()
    }

    pub(super) fn process(&self, user: &mut User, sample: &mut SampleResult) {
        let mut name = Name::new(&user.render(&self.variable));
        let default = user.render(&self.default);
        user.variables.set(name.base(), &*default);
        let before = user.variables.get(name.with("_matchNr"));
        let before: usize = before.and_then(|count| count.parse().ok()).unwrap_or(0);
        let before = before.min(user.variables.len());
        user.variables.set(name.with("_matchNr"), "0");
        user.variables.remove(name.with("_1"));
        let wanted = Wanted::numbered(whole_number(&user.render(&self.number)));
        let found = match self.found(wanted, user, sample) {
            Ok(found) => found,
            Err(reason) => {
                // The sample stays what it was: JMeter only notes the failure.
                sample.assertions.push(AssertionResult {
                    name: user.render(&self.name).into(),
                    failed: true,
                    error: false,
                    message: format!("{reason}\nSee log file for further details."),
                });
                return;
            }
        };
        let count = found.len().to_string();
        user.variables.set(name.with("_matchNr"), count);
        if let Some(Some(first)) = found.first() {
            user.variables.set(name.base(), first.as_str());
        }
        let kept = found.len();
        for (index, value) in found.into_iter().enumerate() {
            if let Some(value) = value {
                let variable = name.with(format_args!("_{}", index + 1));
                user.variables.set(variable, value);
            }
        }
        user.variables
            .remove(name.with(format_args!("_{}", kept + 1)));
        for number in kept + 2..=before {
            user.variables.remove(name.with(format_args!("_{number}")));
        }
    }

    /// The values of the wanted matches; none for an element that begins with no text.
    fn found(
        &self,
        wanted: Wanted,
        user: &mut User,
        sample: &SampleResult,
    ) -> Result<Vec<Option<String>>, String> {
        let text = self.path.text(user);
        if text.is_empty() && self.second {
            return Ok(Vec::new());
        }
        let path = self.path.of(user)?;
        let mut results = Vec::new();
        Subject::Body.visit(&self.scope, user, sample, &mut |xml| {
            if !(xml.is_empty() && matches!(self.scope, Scope::Variable(_))) {
                results.push(evaluate(&path, xml, &self.reading));
            }
            ControlFlow::Continue(())
        });
        let mut values = Vec::new();
        for result in results {
            match result? {
                Found::Nodes(nodes) => {
                    let nodes = match wanted {
                        Wanted::All => nodes,
                        wanted => {
                            let place = wanted.place(nodes.len(), user);
                            let node = place.and_then(|place| nodes.into_iter().nth(place));
                            node.into_iter().collect()
                        }
                    };
                    values.extend(nodes.into_iter().map(|node| self.value(node)));
                }
                Found::Bool(value) => values.push(Some(value.to_string())),
                Found::Text(value) => values.push(Some(value)),
            }
        }
        Ok(values)
    }

    fn value(&self, node: NodeText) -> Option<String> {
        if node.markup.is_some() {
            node.markup
        } else if self.second {
            Some(node.whole)
        } else {
            node.first
        }
    }
}
