//! What a path into an answer is to lead to: what the assertions on JSON have in common.

use double11_jmx::document::Element;

use super::pattern::PatternText;
use crate::compiler::Compiler;

#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are the boxes of the element"
)]
pub(super) struct JsonExpectation {
    pub(super) expected: PatternText,
    /// Whether the value counts, and not only that there is one.
    pub(super) validates: bool,
    pub(super) is_pattern: bool,
    pub(super) expects_null: bool,
    pub(super) inverted: bool,
}

impl JsonExpectation {
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
            expected,
            validates,
            is_pattern,
            expects_null: element.is("EXPECT_NULL", false),
            inverted: element.is("INVERT", false),
        }
    }
}
