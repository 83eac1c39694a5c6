//! `XPathAssertion`, `XPath2Assertion` and `XMLAssertion`: what an XML answer must hold.

use std::borrow::Cow;

use double11_jmx::document::Element;

use super::assertion::Verdict;
use super::scope::Scope;
use super::xpath::{Found, Namespaces, Reading, XPathText, evaluate, well_formed};
use crate::compiler::Compiler;
use crate::sample::SampleResult;
use crate::user::User;

#[derive(Debug)]
pub(super) struct XPathAssertion {
    path: XPathText,
    reading: Reading,
    negated: bool,
    /// Whether it is the one of `XPath` 2.
    second: bool,
}

impl XPathAssertion {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        let second = element.class == "XPath2Assertion";
        for (property, what) in [
            ("XPath.report_errors", "faults of HTML are not told"),
            ("XPath.validate", "documents are not validated"),
        ] {
            if element.is(property, false) {
                compiler.refuse(element, format!("{what} ({property})"));
            }
        }
        let namespaces = if second {
            Namespaces::given(element.text("XPath.namespaces"))
        } else if element.is("XPath.namespace", false) {
            Namespaces::OfDocument
        } else {
            Namespaces::Ignored
        };
        let text = element.properties.text("XPath.xpath").unwrap_or("/");
        Self {
            path: XPathText::compile(text, element, compiler),
            reading: Reading {
                is_html: !second && element.is("XPath.tolerant", false),
                ..Reading::of_xml(namespaces)
            },
            negated: element.is("XPath.negate", false),
            second,
        }
    }

    pub(super) fn check(&self, scope: &Scope, user: &mut User, sample: &SampleResult) -> Verdict {
        let xml = match scope {
            Scope::Variable(name) => {
                let name = user.render(name);
                let text = user.variables.get(&name).unwrap_or_default();
                Cow::Owned(text.to_owned())
            }
            _ => sample.text(),
        };
        if xml.is_empty() && (!self.second || matches!(scope, Scope::Variable(_))) {
            return Verdict::nothing_there();
        }
        let text = self.path.text(user);
        if text.is_empty() && self.second {
            return Verdict::Holds;
        }
        let found = self.path.of(user);
        let found = found.and_then(|path| evaluate(&path, &xml, &self.reading));
        match found {
            Ok(found) if self.second => self.second_verdict(&found, &text),
            Ok(found) => self.verdict(&found, &text),
            Err(reason) if self.second => Verdict::Error(format!(
                "Exception occurred computing assertion with XPath:{text}, error:{reason}"
            )),
            Err(reason) => Verdict::Error(format!("SAXException: {reason}")),
        }
    }

    fn verdict(&self, found: &Found, text: &str) -> Verdict {
        match (found, self.negated) {
            (Found::Nodes(nodes), false) if nodes.is_empty() => {
                Verdict::Fails(format!("No Nodes Matched {text}"))
            }
            (Found::Nodes(nodes), true) if !nodes.is_empty() => Verdict::Fails(
                "Specified XPath was found... Turn off negate if this is not desired".to_owned(),
            ),
            (Found::Bool(true), true) => Verdict::Fails(format!("Nodes Matched for {text}")),
            (Found::Bool(false), false) => Verdict::Fails(format!("No Nodes Matched for {text}")),
            (Found::Text(_), _) => Verdict::Fails(format!("Cannot understand: {text}")),
            _ => Verdict::Holds,
        }
    }

    fn second_verdict(&self, found: &Found, text: &str) -> Verdict {
        let holds = match found {
            Found::Nodes(nodes) => !nodes.is_empty(),
            Found::Bool(value) => *value,
            Found::Text(_) => true,
        };
        // JMeter writes the message whether it holds or not.
        let message = if self.negated {
            format!("Nodes Matched for {text}")
        } else {
            format!("No Nodes Matched for {text}")
        };
        if holds == self.negated {
            Verdict::Fails(message)
        } else {
            Verdict::HoldsSaying(message)
        }
    }
}

/// `XMLAssertion`: the body is well-formed XML without a document type.
pub(super) fn check_xml(sample: &SampleResult) -> Verdict {
    let xml = sample.text();
    if xml.is_empty() {
        return Verdict::nothing_there();
    }
    let doctype = xml.contains("<!DOCTYPE").then(|| {
        "DOCTYPE is disallowed when the feature \
         \"http://apache.org/xml/features/disallow-doctype-decl\" set to true."
            .to_owned()
    });
    match doctype.map_or_else(|| well_formed(&xml), Err) {
        Ok(()) => Verdict::Holds,
        Err(reason) => Verdict::FailsWithError(reason),
    }
}
