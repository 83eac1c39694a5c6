//! `JSONPathAssertion`, of `JMeter` and of the JSON plugins: what a path must lead to.

use double11_jmx::document::Element;

use super::assertion::Verdict;
use super::json::Json;
use super::json::evaluate::{Found, evaluate};
use super::json_expectation::JsonExpectation;
use super::json_extractor::plugin_text;
use super::json_path_text::JsonPathText;
use super::pattern::Pattern;
use crate::compiler::Compiler;
use crate::sample::SampleResult;
use crate::user::User;

#[derive(Debug)]
pub(super) struct JsonAssertion {
    path: JsonPathText,
    wanted: JsonExpectation,
}

impl JsonAssertion {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        Self {
            path: JsonPathText::compile(element.text("JSON_PATH"), element, compiler),
            wanted: JsonExpectation::compile(element, compiler),
        }
    }

    pub(super) fn check(&self, user: &mut User, sample: &SampleResult) -> Verdict {
        let text = sample.text();
        if text.is_empty() {
            return Verdict::nothing_there();
        }
        match (self.failure(&text, user), self.wanted.inverted) {
            (Some(why), false) => Verdict::Fails(why),
            (None, true) => {
                let path = self.path.text(user);
                Verdict::Fails(match (self.wanted.validates, self.wanted.expects_null) {
                    (false, _) => format!("Failed that JSONPath not exists: {path}"),
                    (true, true) => format!("Failed that JSONPath {path} not matches null"),
                    (true, false) => {
                        let expected = self.wanted.expected.text(user);
                        format!("Failed that JSONPath {path} not matches {expected}")
                    }
                })
            }
            _ => Verdict::Holds,
        }
    }

    /// Why it does not hold.
    fn failure(&self, text: &str, user: &mut User) -> Option<String> {
        let path = match self.path.of(user) {
            Ok(path) => path,
            Err(bad) => return Some(bad.to_string()),
        };
        let document = match Json::parse(text) {
            Ok(document) => document,
            Err(bad) => return Some(bad.to_string()),
        };
        let value = match evaluate(&path, &document) {
            Ok(Found::One(value)) => value,
            Ok(Found::Many(values)) => Json::List(values),
            Err(nothing) => return Some(nothing.to_string()),
        };
        let path_text = self.path.text(user);
        let expected = self.wanted.expected.text(user);
        if !self.wanted.validates {
            let empty = value == Json::List(Vec::new()) && !path.is_definite();
            return empty.then(|| {
                format!(
                    "JSONPath '{path_text}' is indefinite and the extracted Value is an empty Array. \
                     Please use an assertion value, to be sure to get a correct result. Expected \
                     value was '{expected}'"
                )
            });
        }
        let pattern = match self
            .wanted
            .is_pattern
            .then(|| self.wanted.expected.of(user))
            .transpose()
        {
            Ok(pattern) => pattern,
            Err(bad) => return Some(bad.to_string()),
        };
        if self.holds(&value, &expected, pattern.as_deref()) {
            return None;
        }
        let found = plugin_text(&value);
        Some(if self.wanted.expects_null {
            format!("Value in json path '{path_text}' expected to be null, but found '{found}'")
        } else if self.wanted.is_pattern {
            format!(
                "Value in json path '{path_text}' expected to match regexp '{expected}', but it did \
                 not match: '{found}'"
            )
        } else {
            format!(
                "Value in json path '{path_text}' expected to be '{expected}', but found '{found}'"
            )
        })
    }

    fn holds(&self, value: &Json, expected: &str, pattern: Option<&Pattern>) -> bool {
        let equals = |value: &Json| match pattern {
            Some(pattern) => pattern.is_whole(&plugin_text(value)),
            // What is no JSON is a text.
            None => match Json::parse(expected) {
                Ok(expected) => expected == *value,
                Err(_) => Json::Text(expected.to_owned()) == *value,
            },
        };
        let null = |value: &Json| self.wanted.expects_null && *value == Json::Null;
        match value {
            Json::List(values) if values.is_empty() && expected == "[]" => true,
            Json::List(values) => {
                values.iter().any(|own| null(own) || equals(own)) || equals(value)
            }
            _ => null(value) || equals(value),
        }
    }
}
