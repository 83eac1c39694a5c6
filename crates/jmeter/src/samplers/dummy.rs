//! The dummy sampler of the plugins: an answer that the plan makes up.

use std::time::Duration;

use double11_jmx::document::Element;
use double11_jmx::template::Template;
use double11_load::tasks;

use super::begin;
use crate::compiler::Compiler;
use crate::sample::{Code, DataType, Needs, SampleResult};
use crate::user::User;

/// Makes an answer up.
#[derive(Debug)]
pub struct DummySampler {
    waits: bool,
    success: bool,
    code: Template,
    message: Template,
    request: Template,
    answer: Template,
    response_ms: Template,
    latency_ms: Template,
    connect_ms: Template,
    url: Template,
    needs: Needs,
}

impl DummySampler {
    pub(super) fn compile(element: &Element, needs: Needs, compiler: &mut Compiler) -> Self {
        Self {
            waits: element.is("WAITING", false),
            success: element.is("SUCCESFULL", false),
            code: compiler.property(element, "RESPONSE_CODE"),
            message: compiler.property(element, "RESPONSE_MESSAGE"),
            request: compiler.property(element, "REQUEST_DATA"),
            answer: compiler.property(element, "RESPONSE_DATA"),
            response_ms: compiler.property(element, "RESPONSE_TIME"),
            latency_ms: compiler.property(element, "LATENCY"),
            connect_ms: compiler.property(element, "CONNECT"),
            url: compiler.property(element, "URL"),
            needs,
        }
    }

    pub(super) async fn sample(&self, user: &mut User) -> SampleResult {
        let mut result = begin(user);
        result.code = Code::Text(user.render(&self.code).into_owned().into());
        result.message = user.render(&self.message).into_owned().into();
        result.success = self.success;
        result.data_type = DataType::Text;
        let request = user.render(&self.request);
        if self.needs.request {
            result.request = request.into_owned();
        }
        let answer = user.render(&self.answer);
        result.body_bytes = answer.len() as u64;
        result.bytes = result.body_bytes;
        if self.needs.body {
            result.body = answer.into_owned().into_bytes();
        }
        let url = user.render(&self.url);
        if !url.is_empty() {
            result.url = Some(url.as_ref().into());
        }
        let response = millis(&self.response_ms, user);
        result.latency = millis(&self.latency_ms, user);
        result.connect = millis(&self.connect_ms, user);
        result.end = result.start + response;
        if self.waits && !response.is_zero() {
            result.success &= tasks::sleep_until(result.end).await.is_ok();
            result.end = user.run.clock.now();
        }
        result
    }
}

fn millis(template: &Template, user: &mut User) -> Duration {
    let millis = user.render(template).trim().parse().unwrap_or(0);
    Duration::from_millis(millis)
}
