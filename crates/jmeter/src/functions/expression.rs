//! Expressions in JavaScript, JEXL and Groovy: one small evaluator for conditions and for the functions
//! `__javaScript`, `__jexl2`, `__jexl3` and `__groovy`.
//!
//! The subset is what plans are full of: comparisons, arithmetic, texts and their methods, variables and
//! properties, `Math`, random numbers. What is beyond it is refused by name and place when a plan is
//! compiled; loops, functions and classes of one's own are scripts, not expressions.
//!
//! Each language keeps its own ways with numbers and texts: `1+1` is `2` in all of them, `7/2` is `3.5` in
//! JavaScript and Groovy and `3` in JEXL, `"5" == 5` holds in JavaScript and JEXL and not in Groovy.
//!
//! Source: Rhino 1.7.14, Apache Commons JEXL 2.1 and 3.2, Groovy 3.0, as `JMeter` 5.5 brings them.

mod classes;
mod condition;
mod decimal;
mod evaluate;
mod lexer;
mod methods;
mod objects;
mod operators;
mod parser;
mod subset;
mod texts;
mod value;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use double11_jmx::template::{Part, Template};
use thiserror::Error;

use crate::user::User;
use evaluate::Evaluation;
use parser::{Node, Parser};
use value::Value;

pub use condition::Condition;
pub use subset::Subset;

/// The language of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// `__javaScript`, and conditions of If controllers that are not taken as expressions.
    JavaScript,
    /// `__jexl2`
    Jexl2,
    /// `__jexl3`
    Jexl3,
    /// `__groovy`
    Groovy,
}

/// What an expression finds under the names `vars`, `props`, `log`, `ctx` and their like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bindings {
    /// They are not defined, as in conditions.
    None,
    /// What the functions of `JMeter` offer.
    Functions,
}

/// An expression in the subset.
#[derive(Debug, Clone)]
pub struct Expression {
    node: Node,
    language: Language,
}

/// Why a text is no expression of the subset.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what} is not supported in an expression (character {at})")]
pub struct Unsupported {
    /// What it is.
    pub what: String,
    /// Where it stands in the text, in characters from 1.
    pub at: usize,
}

/// Why an expression yields nothing: an exception in `JMeter`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what}")]
pub struct Fault {
    /// What it met with.
    pub what: String,
}

impl Fault {
    fn new(what: &str) -> Self {
        Self {
            what: what.to_owned(),
        }
    }
}

impl Language {
    fn is_jexl(self) -> bool {
        matches!(self, Self::Jexl2 | Self::Jexl3)
    }
}

/// Longer texts are no expressions.
const LENGTH_MAX: usize = 64 << 10;

fn unsupported(what: &str, at: usize) -> Unsupported {
    Unsupported {
        what: what.to_owned(),
        at,
    }
}

/// Reads an expression that has everything filled in.
///
/// # Errors
/// It is not in the subset, or not in the language at all.
pub fn parse(text: &str, language: Language) -> Result<Expression, Unsupported> {
    if text.len() > LENGTH_MAX {
        return Err(unsupported("a text of this length", LENGTH_MAX));
    }
    let tokens = lexer::tokens(text, language)?;
    let node = Parser::new(tokens, language).program()?;
    Ok(Expression { node, language })
}

/// Whether a text is in the subset whatever is filled in: a variable stands for a number, a text or a
/// part of either.
///
/// # Errors
/// It is not.
pub fn check(template: &Template, language: Language) -> Result<(), Unsupported> {
    let mut text = String::new();
    for part in &template.parts {
        match part {
            Part::Text(own) => text.push_str(own),
            Part::Variable(_) | Part::Call(_) => text.push(lexer::FILLED),
        }
    }
    parse(&text, language).map(|_| ())
}

impl Expression {
    /// What it yields for a user, as the text that the language makes of it; empty for null but in
    /// JavaScript.
    ///
    /// # Errors
    /// An exception in `JMeter`.
    pub fn evaluate(&self, user: &mut User, bindings: Bindings) -> Result<String, Fault> {
        let mut evaluation = Evaluation {
            user,
            language: self.language,
            bindings,
            locals: HashMap::new(),
        };
        let value = evaluation.value(&self.node)?;
        match value {
            Value::Null | Value::Undefined if self.language != Language::JavaScript => {
                Ok(String::new())
            }
            // JEXL makes arrays, whose text says where they lie in memory.
            Value::List(_) if self.language.is_jexl() => Err(Fault::new("a list as the result")),
            value => Ok(value.to_text(self.language)),
        }
    }
}
