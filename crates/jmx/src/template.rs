//! Texts with `${variables}` and `${__functions(of, arguments)}`.
//!
//! A text is parsed once, when a plan is compiled, and rendered at each use by whoever runs the plan.
//! Of functions this module knows which names there are, because that decides what a text means:
//! `${__UUID}` is a call, `${__other}` a variable.
//!
//! Source: `JMeter`'s `FunctionParser`, `CompoundVariable` and `SimpleVariable`; the quirks are theirs.
//! A backslash before `$`, `,` or `\` is taken away only from texts in which something is filled in
//! and from arguments of functions: a property that is plain text keeps every backslash.

use thiserror::Error;

mod parser;

/// A text with parts to be filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    /// The parts, in order; none for an empty text. No two texts follow each other.
    pub parts: Vec<Part>,
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Stands for itself.
    Text(Box<str>),
    /// `${name}`: the value of a variable, or the text `${name}` itself where there is none.
    Variable(Box<str>),
    /// `${__name(arguments)}`.
    Call(Call),
}

/// A call of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The name, the two underscores included.
    pub name: Box<str>,
    /// The arguments, untrimmed; none for `${__name()}` and `${__name}`.
    pub arguments: Vec<Template>,
    /// Which call of the plan this is: functions that keep something between calls (`__counter`,
    /// `__StringFromFile`) keep it by this number.
    pub site: Site,
    /// The call as it is written, from `${` to `}`.
    pub source: Box<str>,
}

/// One place of a plan where a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Site(pub u32);

/// Gives each call of a plan its number.
#[derive(Debug, Clone, Default)]
pub struct Sites(u32);

/// Sites from here on are of texts that are made while a plan runs.
const MADE_WHILE_RUNNING: u32 = 1 << 31;

impl Site {
    /// Whether the call stands in a text that was made while the plan runs.
    pub fn is_made_while_running(self) -> bool {
        self.0 >= MADE_WHILE_RUNNING
    }
}

/// Why a text cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// Something else than `}` follows the closing parenthesis of a call, or nothing does.
    #[error("`}}` is missing after the call of `{name}` that begins at character {at}")]
    Unclosed {
        /// The function.
        name: String,
        /// Where the call begins in the text (or in the argument), in characters from 1.
        at: usize,
    },
    /// Calls stand in arguments of calls, too many levels deep.
    #[error("calls of functions stand within each other more than {limit} levels deep")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
}

/// The most levels of calls within arguments of calls.
pub const DEPTH_MAX: usize = 32;

impl Sites {
    /// Numbers for a text that is made while the plan runs; none of them is a place of the plan.
    pub fn made_while_running() -> Self {
        Self(MADE_WHILE_RUNNING)
    }

    /// The next number.
    pub fn another(&mut self) -> Site {
        let site = Site(self.0);
        self.0 += 1;
        site
    }
}

impl Template {
    /// Reads the text of a property. A text that cannot be read stands for itself, as in `JMeter`,
    /// which then leaves every property of the element as it is and says so in its log.
    pub fn parse(text: &str, sites: &mut Sites) -> Self {
        Self::try_parse(text, sites).unwrap_or_else(|_| Self::of_text(text))
    }

    /// Reads the text of a property.
    ///
    /// # Errors
    /// The text cannot be read. `JMeter` would start the plan all the same, with none of the variables
    /// of the element filled in.
    pub fn try_parse(text: &str, sites: &mut Sites) -> Result<Self, TemplateError> {
        let template = Self::try_parse_compound(text, sites)?;
        match template.parts.as_slice() {
            // Nothing is to be filled in: escapes stay. Where an unterminated `${` split the text,
            // its pieces are put together without it.
            [Part::Text(_)] if !parser::is_split(text) => Ok(Self::of_text(text)),
            _ => Ok(template),
        }
    }

    /// Reads a text that a function evaluates while the plan runs, such as the argument of `__eval`:
    /// escapes are taken away even when nothing is filled in, and what cannot be read is empty.
    pub fn parse_compound(text: &str, sites: &mut Sites) -> Self {
        Self::try_parse_compound(text, sites).unwrap_or_default()
    }

    fn try_parse_compound(text: &str, sites: &mut Sites) -> Result<Self, TemplateError> {
        parser::Parser::new(sites, text.len()).compile(text, DEPTH_MAX)
    }

    /// The text as it stands, with nothing to be filled in.
    pub fn of_text(text: &str) -> Self {
        let part = (!text.is_empty()).then(|| Part::Text(text.into()));
        Self {
            parts: part.into_iter().collect(),
        }
    }

    /// The text, when nothing in it is to be filled in.
    pub fn literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// All calls in it, those in arguments included, the outer before the inner.
    pub fn calls(&self) -> Vec<&Call> {
        let mut found = Vec::new();
        self.collect_calls(&mut found);
        found
    }

    fn collect_calls<'t>(&'t self, found: &mut Vec<&'t Call>) {
        for part in &self.parts {
            if let Part::Call(call) = part {
                found.push(call);
                for argument in &call.arguments {
                    argument.collect_calls(found);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
