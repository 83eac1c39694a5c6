//! `DebugPostProcessor`: a part of the sample that shows variables and properties.

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use crate::compiler::Compiler;
use crate::sample::{Code, DataType, SampleResult};
use crate::samplers::debug::{Shown, section};
use crate::user::User;

#[derive(Debug)]
pub(super) struct DebugPostProcessor {
    name: Template,
    sampler: bool,
    shown: Shown,
}

impl DebugPostProcessor {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        Self {
            name: compiler.template(&element.name),
            sampler: element.is("displaySamplerProperties", false),
            shown: Shown::of(element),
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
        self.shown.write(user, &mut request, &mut body);
        let length = body.len() as u64;
        let part = SampleResult {
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
        };
        sample.add_part(part);
    }
}
