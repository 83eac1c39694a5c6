//! `DurationAssertion`: how long a sample may take.

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::assertion::Verdict;
use super::number_format::grouped;
use super::whole_number;
use crate::compiler::Compiler;
use crate::sample::SampleResult;
use crate::user::User;

#[derive(Debug)]
pub(super) struct DurationAssertion {
    /// In milliseconds; zero and less allow everything.
    allowed: Template,
}

impl DurationAssertion {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        Self {
            allowed: compiler.property(element, "DurationAssertion.duration"),
        }
    }

    pub(super) fn check(&self, user: &mut User, sample: &SampleResult) -> Verdict {
        let allowed = whole_number(&user.render(&self.allowed));
        let took = i64::try_from(sample.elapsed().as_millis()).unwrap_or(i64::MAX);
        if allowed <= 0 || took <= allowed {
            return Verdict::Holds;
        }
        let (took, allowed) = (grouped(took), grouped(allowed));
        Verdict::Fails(format!(
            "The operation lasted too long: It took {took} milliseconds, but should not have lasted \
             longer than {allowed} milliseconds."
        ))
    }
}
