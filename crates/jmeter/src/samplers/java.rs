//! The Java requests that come with `JMeter`: one that makes an answer up, and one that sleeps.

use std::sync::Arc;
use std::time::Duration;

use double11_jmx::document::Element;
use double11_jmx::template::Template;
use double11_load::tasks;

use super::begin;
use crate::compiler::Compiler;
use crate::sample::{Code, DataType, SampleResult};
use crate::user::User;

/// One of the two.
#[derive(Debug)]
pub struct JavaSampler {
    makes_up: bool,
    arguments: Vec<(String, Template)>,
}

impl JavaSampler {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Option<Self> {
        let class = element.text("classname");
        let makes_up = match class.rsplit('.').next().unwrap_or_default() {
            "JavaTest" => true,
            "SleepTest" => false,
            _ => {
                compiler.refuse(
                    element,
                    format!("Java class `{class}`: only `JavaTest` and `SleepTest` are run"),
                );
                return None;
            }
        };
        let arguments = element.element("arguments");
        let arguments = arguments
            .into_iter()
            .flat_map(|arguments| arguments.elements("Arguments.arguments"))
            .map(|argument| {
                let name = argument.text_or("Argument.name", &argument.name).to_owned();
                (name, compiler.template(argument.text("Argument.value")))
            });
        Some(Self {
            makes_up,
            arguments: arguments.collect(),
        })
    }

    fn argument(&self, name: &str, user: &mut User) -> Option<String> {
        let found = self.arguments.iter().find(|(own, _)| own == name);
        let text = found.map(|(_, template)| user.render(template).into_owned())?;
        (!text.is_empty()).then_some(text)
    }

    /// A whole number, also in the forms `0xff` and `#ff` and with leading noughts for octal ones.
    fn number(&self, name: &str, user: &mut User, default: u64) -> u64 {
        let Some(text) = self.argument(name, user) else {
            return default;
        };
        let lower = text.to_ascii_lowercase();
        let hexadecimal = lower.strip_prefix("0x").or(lower.strip_prefix('#'));
        let number = match (hexadecimal, lower.strip_prefix('0')) {
            (Some(digits), _) => u64::from_str_radix(digits, 16),
            (None, Some(digits)) if !digits.is_empty() => u64::from_str_radix(digits, 8),
            _ => lower.parse(),
        };
        number.unwrap_or(default)
    }

    pub(super) async fn sample(&self, user: &mut User) -> SampleResult {
        let mut result = begin(user);
        let (time, mask) = if self.makes_up {
            self.make_up(user, &mut result);
            let time = self.number("Sleep_Time", user, 100);
            (time, self.number("Sleep_Mask", user, 0xff))
        } else {
            result.success = true;
            let time = self.number("SleepTime", user, 1_000);
            (time, self.number("SleepMask", user, 0x3ff))
        };
        let now = user.run.clock.wall(result.start).millis();
        let mut sleep = time;
        if time > 0 && mask > 0 {
            sleep += u64::try_from(now).unwrap_or(0) % mask;
        }
        if sleep > 0 {
            let until = result.start + Duration::from_millis(sleep);
            result.success &= tasks::sleep_until(until).await.is_ok();
        }
        result.end = user.run.clock.now();
        result
    }

    fn make_up(&self, user: &mut User, result: &mut SampleResult) {
        if let Some(label) = self.argument("Label", user) {
            result.label = Arc::from(label);
        }
        let code = self.argument("ResponseCode", user).unwrap_or_default();
        result.code = Code::Text(code.into());
        let message = self.argument("ResponseMessage", user);
        result.message = message.unwrap_or_default().into();
        let status = self.argument("Status", user);
        result.success = status.is_none_or(|status| status.eq_ignore_ascii_case("OK"));
        result.request = self.argument("SamplerData", user).unwrap_or_default();
        result.sent_bytes = result.request.chars().count() as u64;
        let body = self.argument("ResultData", user).unwrap_or_default();
        result.body_bytes = body.len() as u64;
        result.bytes = result.body_bytes;
        result.body = body.into_bytes();
        result.data_type = DataType::Text;
    }
}
