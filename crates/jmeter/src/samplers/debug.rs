//! The debug sampler: variables and properties as an answer.

use std::sync::PoisonError;

use double11_jmx::document::Element;

use super::begin;
use crate::sample::{Code, DataType, SampleResult};
use crate::user::User;

/// Shows variables and properties.
#[derive(Debug)]
pub struct DebugSampler(Shown);

/// Which of them an element shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown {
    variables: bool,
    properties: bool,
    system: bool,
}

impl DebugSampler {
    pub(super) fn compile(element: &Element) -> Self {
        Self(Shown::of(element))
    }

    pub(super) fn sample(&self, user: &mut User) -> SampleResult {
        let mut result = begin(user);
        let mut body = String::new();
        self.0.write(user, &mut result.request, &mut body);
        result.end = user.run.clock.now();
        result.code = Code::Status(200);
        result.message = "OK".into();
        result.success = true;
        result.data_type = DataType::Text;
        result.body_bytes = body.len() as u64;
        result.bytes = result.body_bytes;
        result.body = body.into_bytes();
        result
    }
}

impl Shown {
    pub(crate) fn of(element: &Element) -> Self {
        Self {
            variables: element.is("displayJMeterVariables", false),
            properties: element.is("displayJMeterProperties", false),
            system: element.is("displaySystemProperties", false),
        }
    }

    /// Appends the headlines to the request, and headlines and pairs to the body.
    pub(crate) fn write(self, user: &User, request: &mut String, body: &mut String) {
        if self.variables {
            let pairs = user.variables.iter().collect();
            section(request, body, "JMeterVariables", pairs);
        }
        if self.properties {
            let properties = user.run.properties.read();
            let properties = properties.unwrap_or_else(PoisonError::into_inner);
            let pairs = properties.iter();
            let pairs = pairs.map(|(name, value)| (name.as_str(), value.as_str()));
            section(request, body, "JMeterProperties", pairs.collect());
        }
        if self.system {
            // There is no Java machine whose properties could be shown.
            section(request, body, "SystemProperties", Vec::new());
        }
    }
}

/// A headline in both texts, and the pairs in the order of their names.
pub(crate) fn section(
    request: &mut String,
    body: &mut String,
    title: &str,
    mut pairs: Vec<(&str, &str)>,
) {
    pairs.sort_unstable();
    request.push_str(title);
    request.push('\n');
    body.push_str(title);
    body.push_str(":\n");
    for (name, value) in pairs {
        body.push_str(name);
        body.push('=');
        body.push_str(value);
        body.push('\n');
    }
    body.push('\n');
}
