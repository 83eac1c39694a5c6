//! `JMESPathAssertion`: what a `JMESPath` must lead to.

use double11_jmx::document::Element;
use jmespath::Variable;

use super::assertion::Verdict;
use super::jmes_path::{JmesText, shown};
use super::pattern::PatternText;
use crate::compiler::Compiler;
use crate::sample::SampleResult;
use crate::user::User;

#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are the boxes of the element"
)]
pub(super) struct JmesAssertion {
    path: JmesText,
    expected: PatternText,
    validates: bool,
    is_pattern: bool,
    expects_null: bool,
    inverted: bool,
}

impl JmesAssertion {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        let validates = element.is("JSONVALIDATION", false);
        let is_pattern = element.is("ISREGEX", true);
        let expected = element.text("EXPECTED_VALUE");
        let expected = if validates && is_pattern {
            PatternText::compile(expected, element, compiler)
        } else {
            PatternText::text_only(expected, compiler)
        };
        Self {
            path: JmesText::compile(element.text("JMES_PATH"), element, compiler),
            expected,
            validates,
            is_pattern,
            expects_null: element.is("EXPECT_NULL", false),
            inverted: element.is("INVERT", false),
        }
    }

    pub(super) fn check(&self, user: &mut User, sample: &SampleResult) -> Verdict {
        let text = sample.text();
        if text.is_empty() {
            return Verdict::nothing_there();
        }
        let found = self.path.of(user).and_then(|path| path.search(&text));
        let holds = found.and_then(|value| self.holds(&value, user));
        match holds {
            Ok(holds) if holds != self.inverted => Verdict::Holds,
            Ok(_) => Verdict::Fails(self.failure(user)),
            Err(_) if self.inverted => Verdict::Holds,
            Err(reason) => Verdict::Error(reason),
        }
    }

    fn holds(&self, value: &Variable, user: &mut User) -> Result<bool, String> {
        if !self.validates {
            return Ok(!value.is_null());
        }
        if self.expects_null {
            return Ok(value.is_null());
        }
        let own = shown(value);
        if self.is_pattern {
            let pattern = self.expected.of(user).map_err(|bad| bad.to_string())?;
            return Ok(pattern.is_whole(&own));
        }
        let expected = self.expected.text(user);
        Ok(own == expected || Variable::from_json(&expected)? == *value)
    }

    fn failure(&self, user: &mut User) -> String {
        let not = if self.inverted { " not" } else { "" };
        if !self.validates {
            return format!("JMESPATH {} expected{not} to exist", self.path.text(user));
        }
        if self.expects_null {
            return format!("Value expected{not} to be null");
        }
        let how = if self.is_pattern {
            "match"
        } else {
            "be equal to"
        };
        format!("Value expected{not} to {how} {}", self.expected.text(user))
    }
}
