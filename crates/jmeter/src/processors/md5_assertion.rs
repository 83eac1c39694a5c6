//! `MD5HexAssertion`: the checksum that a body must have.

use std::fmt::Write as _;

use double11_jmx::document::Element;
use double11_jmx::template::Template;
use md5::{Digest as _, Md5};

use super::assertion::Verdict;
use crate::compiler::Compiler;
use crate::sample::SampleResult;
use crate::user::User;

#[derive(Debug)]
pub(super) struct Md5Assertion {
    sum: Template,
}

impl Md5Assertion {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        Self {
            sum: compiler.property(element, "MD5HexAssertion.size"),
        }
    }

    pub(super) fn check(&self, user: &mut User, sample: &SampleResult) -> Verdict {
        if sample.body.is_empty() {
            return Verdict::nothing_there();
        }
        let wanted = user.render(&self.sum);
        if wanted.is_empty() {
            return Verdict::Fails("MD5Hex to test against is empty".to_owned());
        }
        let mut sum = String::with_capacity(32);
        for byte in Md5::digest(&sample.body) {
            // Writing into a text cannot fail.
            let _written = write!(sum, "{byte:02x}");
        }
        if sum.eq_ignore_ascii_case(&wanted) {
            return Verdict::Holds;
        }
        Verdict::Fails(format!(
            "Error asserting MD5 sum : got {sum} but should have been {wanted}"
        ))
    }
}
