//! Assertions: what must hold of a result for it to count as successful.

use std::sync::Arc;

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::duration_assertion::DurationAssertion;
use super::jmes_assertion::JmesAssertion;
use super::json_assertion::JsonAssertion;
use super::md5_assertion::Md5Assertion;
use super::response_assertion::ResponseAssertion;
use super::scope::Scope;
use super::size_assertion::SizeAssertion;
use super::xpath_assertion::{XPathAssertion, check_xml};
use crate::compiler::Compiler;
use crate::sample::{AssertionResult, Needs, SampleResult};
use crate::user::User;

/// How deep parts of parts are checked.
const DEPTH: u32 = 3;

/// An assertion of a plan.
#[derive(Debug)]
pub struct Assertion {
    name: Template,
    /// The name, when nothing in it is to be filled in: no text is made for each sample.
    literal_name: Option<Arc<str>>,
    scope: Scope,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Response(ResponseAssertion),
    Duration(DurationAssertion),
    Size(SizeAssertion),
    Md5(Md5Assertion),
    Json(JsonAssertion),
    Jmes(JmesAssertion),
    XPath(XPathAssertion),
    Xml,
}

/// What an assertion found, before it is put down under the assertion's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It holds.
    Holds,
    /// It holds, and leaves a message nevertheless.
    HoldsSaying(String),
    /// It does not hold, and why.
    Fails(String),
    /// It could not be checked, and why.
    Error(String),
    /// It could not be checked, which counts as a failure too.
    FailsWithError(String),
}

impl Assertion {
    /// Reads an assertion; `None` when the element is none.
    pub fn compile(element: &Element, compiler: &mut Compiler) -> Option<Self> {
        let kind = match element.class.as_str() {
            "ResponseAssertion" => Kind::Response(ResponseAssertion::compile(element, compiler)),
            "SizeAssertion" => Kind::Size(SizeAssertion::compile(element, compiler)),
            "MD5HexAssertion" => Kind::Md5(Md5Assertion::compile(element, compiler)),
            "JSONPathAssertion"
            | "com.atlantbh.jmeter.plugins.jsonutils.jsonpathassertion.JSONPathAssertion" => {
                Kind::Json(JsonAssertion::compile(element, compiler))
            }
            "JMESPathAssertion" => Kind::Jmes(JmesAssertion::compile(element, compiler)),
            "XPathAssertion" | "XPath2Assertion" => {
                Kind::XPath(XPathAssertion::compile(element, compiler))
            }
            "XMLAssertion" => Kind::Xml,
            "DurationAssertion" => Kind::Duration(DurationAssertion::compile(element, compiler)),
            _ => return None,
        };
        let name = compiler.template(&element.name);
        let scope = Scope::compile(element, "Assertion.scope", compiler);
        Some(Self {
            literal_name: name.literal().map(Arc::from),
            name,
            scope,
            kind,
        })
    }

    /// What it reads of a result.
    pub fn needs(&self) -> Needs {
        match &self.kind {
            Kind::Response(assertion) => assertion.needs(&self.scope),
            Kind::Md5(_) | Kind::Json(_) | Kind::Jmes(_) | Kind::XPath(_) | Kind::Xml => Needs {
                body: true,
                ..Needs::default()
            },
            Kind::Duration(_) | Kind::Size(_) => Needs::default(),
        }
    }

    /// Checks the results in scope: puts down what was found in their `assertions`, and marks those as
    /// failed of which it does not hold.
    pub fn check(&self, user: &mut User, sample: &mut SampleResult) {
        let name = match &self.literal_name {
            Some(name) => Arc::clone(name),
            None => user.render(&self.name).into(),
        };
        if self.scope != Scope::Parts {
            self.check_one(&name, user, sample);
        }
        if matches!(self.scope, Scope::Parts | Scope::All) {
            self.check_parts(&name, user, sample, DEPTH);
        }
    }

    fn check_one(&self, name: &Arc<str>, user: &mut User, sample: &mut SampleResult) {
        let verdict = match &self.kind {
            Kind::Response(assertion) => assertion.check(&self.scope, user, sample),
            Kind::Duration(assertion) => assertion.check(user, sample),
            Kind::Size(assertion) => assertion.check(&self.scope, user, sample),
            Kind::Md5(assertion) => assertion.check(user, sample),
            Kind::Json(assertion) => assertion.check(user, sample),
            Kind::Jmes(assertion) => assertion.check(user, sample),
            Kind::XPath(assertion) => assertion.check(&self.scope, user, sample),
            Kind::Xml => check_xml(sample),
        };
        let result = verdict.named(Arc::clone(name));
        sample.success &= !(result.failed || result.error);
        sample.assertions.push(result);
    }

    fn check_parts(&self, name: &Arc<str>, user: &mut User, sample: &mut SampleResult, depth: u32) {
        let mut failed = false;
        for part in &mut sample.sub_results {
            self.check_one(name, user, part);
            if depth > 0 {
                self.check_parts(name, user, part, depth - 1);
            }
            failed |= !part.success;
        }
        if failed && sample.success {
            let why = Verdict::Fails("One or more sub-samples failed".to_owned());
            sample.assertions.push(why.named(Arc::clone(name)));
            sample.success = false;
        }
    }
}

impl Verdict {
    /// What `JMeter` says when there is nothing to look at.
    pub(super) fn nothing_there() -> Self {
        Self::Fails("Response was null".to_owned())
    }

    fn named(self, name: Arc<str>) -> AssertionResult {
        let (failed, error, message) = match self {
            Self::Holds => (false, false, String::new()),
            Self::HoldsSaying(message) => (false, false, message),
            Self::Fails(message) => (true, false, message),
            Self::Error(message) => (false, true, message),
            Self::FailsWithError(message) => (true, true, message),
        };
        AssertionResult {
            name,
            failed,
            error,
            message,
        }
    }
}
