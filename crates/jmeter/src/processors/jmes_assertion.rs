//! `JMESPathAssertion`: what a `JMESPath` must lead to.

use double11_jmx::document::Element;
use jmespath::Variable;

use super::assertion::Verdict;
use super::jmes_path::{JmesText, Order, shown};
use super::json_expectation::JsonExpectation;
use crate::compiler::Compiler;
use crate::sample::SampleResult;
use crate::user::User;

#[derive(Debug)]
pub(super) struct JmesAssertion {
    path: JmesText,
    wanted: JsonExpectation,
}

impl JmesAssertion {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        Self {
            path: JmesText::compile(element.text("JMES_PATH"), element, compiler),
            wanted: JsonExpectation::compile(element, compiler),
        }
    }

    pub(super) fn check(&self, user: &mut User, sample: &SampleResult) -> Verdict {
        let text = sample.text();
        if text.is_empty() {
            return Verdict::nothing_there();
        }
        let found = self.path.of(user).and_then(|path| path.search(&text));
        let holds = found.and_then(|value| self.holds(&value, &text, user));
        match holds {
            Ok(holds) if holds != self.wanted.inverted => Verdict::Holds,
            Ok(_) => Verdict::Fails(self.failure(user)),
            Err(_) if self.wanted.inverted => Verdict::Holds,
            Err(reason) => Verdict::Error(reason),
        }
    }

    fn holds(&self, value: &Variable, document: &str, user: &mut User) -> Result<bool, String> {
        if !self.wanted.validates {
            return Ok(!value.is_null());
        }
        if self.wanted.expects_null {
            return Ok(value.is_null());
        }
        let order = Order {
            document,
            expression: &self.path.text(user),
        };
        let own = shown(value, order);
        if self.wanted.is_pattern {
            let pattern = self
                .wanted
                .expected
                .of(user)
                .map_err(|bad| bad.to_string())?;
            return Ok(pattern.is_whole(&own));
        }
        let expected = self.wanted.expected.text(user);
        Ok(own == expected || Variable::from_json(&expected)? == *value)
    }

    fn failure(&self, user: &mut User) -> String {
        let not = if self.wanted.inverted { " not" } else { "" };
        if !self.wanted.validates {
            return format!("JMESPATH {} expected{not} to exist", self.path.text(user));
        }
        if self.wanted.expects_null {
            return format!("Value expected{not} to be null");
        }
        let how = if self.wanted.is_pattern {
            "match"
        } else {
            "be equal to"
        };
        format!(
            "Value expected{not} to {how} {}",
            self.wanted.expected.text(user)
        )
    }
}
