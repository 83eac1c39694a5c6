//! `DebugPostProcessor`: a part of the sample that shows variables and properties.

use std::fmt::Write as _;
use std::sync::PoisonError;

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use crate::compiler::Compiler;
use crate::sample::{Code, DataType, SampleResult};
use crate::user::User;

#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are the boxes of the element"
)]
pub(super) struct DebugPostProcessor {
    name: Template,
    sampler: bool,
    variables: bool,
    properties: bool,
    system: bool,
}

impl DebugPostProcessor {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        Self {
            name: compiler.template(&element.name),
            sampler: element.is("displaySamplerProperties", false),
            variables: element.is("displayJMeterVariables", false),
            properties: element.is("displayJMeterProperties", false),
            system: element.is("displaySystemProperties", false),
        }
    }

    pub(super) fn process(&self, user: &mut User, sample: &mut SampleResult) {
        let start = user.run.clock.now();
        let mut request = String::new();
        let mut body = String::new();
        if self.sampler {
            // The properties of a sampler are those of JMeter's own object; none are shown.
            section(&mut request, &mut body, "SamplerProperties", Vec::new());
        }
        if self.variables {
            let variables = user.variables.iter().collect();
            section(&mut request, &mut body, "JMeterVariables", variables);
        }
        if self.properties {
            let properties = user.run.properties.read();
            let properties = properties.unwrap_or_else(PoisonError::into_inner);
            let properties = properties.iter();
            let properties = properties.map(|(name, value)| (name.as_str(), value.as_str()));
            section(
                &mut request,
                &mut body,
                "JMeterProperties",
                properties.collect(),
            );
        }
        if self.system {
            // There is no Java machine whose properties could be shown.
            section(&mut request, &mut body, "SystemProperties", Vec::new());
        }
        let length = body.len() as u64;
        sample.sub_results.push(SampleResult {
            label: user.render(&self.name).into(),
            start,
            end: user.run.clock.now(),
            code: Code::Status(200),
            message: "OK".into(),
            success: true,
            data_type: DataType::Text,
            bytes: length,
            body_bytes: length,
            request,
            body: body.into_bytes(),
            group_threads: sample.group_threads,
            all_threads: sample.all_threads,
            ..SampleResult::default()
        });
    }
}

/// A headline in both texts, and the pairs in the order of their names.
fn section(request: &mut String, body: &mut String, title: &str, mut pairs: Vec<(&str, &str)>) {
    pairs.sort_unstable();
    request.push_str(title);
    request.push('\n');
    body.push_str(title);
    body.push_str(":\n");
    for (name, value) in pairs {
        // Writing into a text cannot fail.
        let _written = writeln!(body, "{name}={value}");
    }
    body.push('\n');
}
