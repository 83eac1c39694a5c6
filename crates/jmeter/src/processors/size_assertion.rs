//! `SizeAssertion`: how many bytes an answer, or a part of it, may have.

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::assertion::Verdict;
use super::number_format::grouped;
use super::scope::Scope;
use super::subject::code;
use super::whole_number;
use crate::compiler::Compiler;
use crate::sample::SampleResult;
use crate::user::User;

#[derive(Debug)]
pub(super) struct SizeAssertion {
    size: Template,
    operator: Template,
    part: Part,
}

#[derive(Debug, Clone, Copy)]
enum Part {
    All,
    Headers,
    Body,
    Code,
    Message,
}

impl SizeAssertion {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        let part = match element.text("Assertion.test_field") {
            "SizeAssertion.response_headers" => Part::Headers,
            "SizeAssertion.response_data" => Part::Body,
            "SizeAssertion.response_code" => Part::Code,
            "SizeAssertion.response_message" => Part::Message,
            _ => Part::All,
        };
        Self {
            size: compiler.property(element, "SizeAssertion.size"),
            operator: compiler.property(element, "SizeAssertion.operator"),
            part,
        }
    }

    pub(super) fn check(&self, scope: &Scope, user: &mut User, sample: &SampleResult) -> Verdict {
        let size = match scope {
            Scope::Variable(name) => {
                let name = user.render(name);
                let value = user.variables.get(&name);
                let Some(size) = value.and_then(|value| value.parse().ok()) else {
                    let value = value.unwrap_or("null");
                    return Verdict::Fails(format!(
                        "Error parsing variable name: {name} value: {value}"
                    ));
                };
                size
            }
            _ => self.part.size(sample),
        };
        let text = user.render(&self.size);
        let Ok(wanted) = text.parse::<i64>() else {
            return Verdict::Error(format!(
                "java.lang.NumberFormatException: For input string: \"{text}\""
            ));
        };
        let (holds, how) = match whole_number(&user.render(&self.operator)) {
            1 => (size == wanted, "been equal to"),
            2 => (size != wanted, "not been equal to"),
            3 => (size > wanted, "been greater than"),
            4 => (size < wanted, "been less than"),
            5 => (size >= wanted, "been greater or equal to"),
            6 => (size <= wanted, "been less than or equal to"),
            _ => (false, "ERROR - invalid condition"),
        };
        if holds {
            return Verdict::Holds;
        }
        let (size, wanted) = (grouped(size), grouped(wanted));
        Verdict::Fails(format!(
            "The result was the wrong size: It was {size} bytes, but should have {how} {wanted} bytes."
        ))
    }
}

impl Part {
    fn size(self, sample: &SampleResult) -> i64 {
        let bytes = match self {
            Self::All => sample.bytes,
            Self::Headers => sample.header_bytes,
            Self::Body => sample.body_bytes,
            Self::Code => code(sample).encode_utf16().count() as u64,
            Self::Message => sample.message.encode_utf16().count() as u64,
        };
        i64::try_from(bytes).unwrap_or(i64::MAX)
    }
}
