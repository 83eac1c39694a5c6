//! What the check of a plan asks about expressions.

use double11_jmx::check::{self, Expressions};
use double11_jmx::template::Template;

use super::Language;

/// Knows which expressions this runner evaluates.
#[derive(Debug, Clone, Copy)]
pub struct Subset;

impl Expressions for Subset {
    fn accepts(&self, language: check::Language, expression: &Template) -> Result<(), String> {
        let language = match language {
            check::Language::JavaScript => Language::JavaScript,
            check::Language::Jexl2 => Language::Jexl2,
            check::Language::Jexl3 => Language::Jexl3,
            check::Language::Groovy => Language::Groovy,
        };
        super::check(expression, language).map_err(|why| why.to_string())
    }
}
