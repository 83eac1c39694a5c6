//! Methods of texts.

use std::rc::Rc;

use super::value::Value;
use super::{Fault, Language};
use crate::functions::java;

/// No text grows beyond this many bytes.
const LENGTH_MAX: usize = 16 << 20;

type Result = std::result::Result<Value, Fault>;

/// A method of a text, with its arguments.
pub(super) struct Method<'a> {
    pub(super) text: &'a Rc<str>,
    pub(super) name: &'a str,
    pub(super) arguments: &'a [Value],
    pub(super) language: Language,
}

impl Method<'_> {
    pub(super) fn call(&self) -> Result {
        let text = self.text.as_ref();
        Ok(match self.name {
            "length" | "size" => Value::count(java::length(text), self.language),
            "toString" => Value::Text(Rc::clone(self.text)),
            "toUpperCase" => Value::text(&text.to_uppercase()),
            "toLowerCase" => Value::text(&text.to_lowercase()),
            "trim" | "strip" => Value::text(text.trim()),
            "isEmpty" => Value::Boolean(text.is_empty()),
            "isBlank" => Value::Boolean(text.trim().is_empty()),
            "equals" => Value::Boolean(self.is_equal(false)),
            "equalsIgnoreCase" => Value::Boolean(self.is_equal(true)),
            "contains" | "includes" => Value::Boolean(text.contains(&self.text_at(0)?)),
            "startsWith" => Value::Boolean(text.starts_with(&self.text_at(0)?)),
            "endsWith" => Value::Boolean(text.ends_with(&self.text_at(0)?)),
            "concat" => Value::text(&format!("{text}{}", self.text_at(0)?)),
            "indexOf" | "lastIndexOf" => self.position()?,
            "substring" | "slice" | "substr" | "charAt" | "charCodeAt" => self.part()?,
            "replace" | "replaceAll" | "replaceFirst" | "matches" => self.replaced()?,
            "split" | "tokenize" => self.split()?,
            "repeat" | "padLeft" | "padRight" => self.filled()?,
            "compareTo" | "compareToIgnoreCase" => self.compared()?,
            "hashCode" => Value::Integer(hash(text)),
            "capitalize" => Value::text(&java::capitalized(text)),
            "reverse" => Value::text(&text.chars().rev().collect::<String>()),
            _ => return self.converted(),
        })
    }

    fn text_at(&self, index: usize) -> std::result::Result<String, Fault> {
        match self.arguments.get(index) {
            Some(value) if self.language != Language::JavaScript && value.is_nothing() => {
                Err(Fault::new("null in place of a text"))
            }
            Some(value) => Ok(value.to_text(self.language)),
            None => Err(Fault::new("an argument that is missing")),
        }
    }

    /// A whole number among the arguments.
    fn number_at(&self, index: usize) -> std::result::Result<Option<i64>, Fault> {
        let Some(value) = self.arguments.get(index) else {
            return Ok(None);
        };
        let number = match self.language {
            Language::JavaScript => Some(value.script_number()),
            _ => value.as_number(),
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "positions beyond any text are cut off there"
        )]
        let whole = number.map(|number| number as i64);
        whole
            .map(Some)
            .ok_or_else(|| Fault::new("an argument that is no number"))
    }

    fn is_equal(&self, ignores_case: bool) -> bool {
        match self.arguments.first() {
            Some(Value::Text(other)) if ignores_case => {
                self.text.to_lowercase() == other.to_lowercase()
            }
            Some(Value::Text(other)) => self.text == other,
            _ => false,
        }
    }

    fn position(&self) -> Result {
        let units: Vec<u16> = self.text.encode_utf16().collect();
        let part: Vec<u16> = self.text_at(0)?.encode_utf16().collect();
        let from = usize::try_from(self.number_at(1)?.unwrap_or(0)).unwrap_or(0);
        let last = units.len().checked_sub(part.len());
        let is_at = |at: &usize| units[*at..].starts_with(&part);
        let found = last.and_then(|last| match self.name {
            "indexOf" => (from..=last).find(is_at),
            _ => (0..=last).rev().find(is_at),
        });
        Ok(match (found, self.language) {
            (Some(at), language) => Value::count(at, language),
            (None, Language::JavaScript) => Value::Double(-1.0),
            (None, _) => Value::Integer(-1),
        })
    }

    fn part(&self) -> Result {
        let length = i64::try_from(java::length(self.text)).unwrap_or(i64::MAX);
        let first = self.number_at(0)?.unwrap_or(0);
        let second = self.number_at(1)?;
        let script = self.language == Language::JavaScript;
        let from_end = |at: i64| {
            if at < 0 {
                (length + at).max(0)
            } else {
                at.min(length)
            }
        };
        let (begin, end) = match self.name {
            "charAt" | "charCodeAt" if script && !(0..length).contains(&first) => {
                return Ok(match self.name {
                    "charAt" => Value::text(""),
                    _ => Value::Double(f64::NAN),
                });
            }
            "charAt" | "charCodeAt" => (first, first.saturating_add(1)),
            "substr" => {
                let begin = from_end(first);
                let count = second.unwrap_or(length).clamp(0, length);
                (begin, (begin + count).min(length))
            }
            "slice" => {
                let (begin, end) = (from_end(first), from_end(second.unwrap_or(length)));
                (begin, end.max(begin))
            }
            _ if script => {
                let (one, another) = (
                    first.clamp(0, length),
                    second.unwrap_or(length).clamp(0, length),
                );
                (one.min(another), one.max(another))
            }
            _ => (first, second.unwrap_or(length)),
        };
        let part = usize::try_from(begin).ok().zip(usize::try_from(end).ok());
        let part = part.and_then(|(begin, end)| java::substring(self.text, begin, end));
        let Some(part) = part else {
            return Err(Fault::new("a position outside of the text"));
        };
        if self.name == "charCodeAt" {
            let unit = part.encode_utf16().next().unwrap_or_default();
            return Ok(Value::Double(f64::from(unit)));
        }
        Ok(Value::text(&part))
    }

    fn replaced(&self) -> Result {
        let part = self.text_at(0)?;
        if self.name == "replace" {
            let new = self.text_at(1)?;
            // JavaScript replaces the first only.
            let replaced = match self.language {
                Language::JavaScript => self.text.replacen(&part, &new, 1),
                _ => self.text.replace(&part, &new),
            };
            return bounded(&replaced);
        }
        let pattern = match self.name {
            "matches" => format!("^(?:{part})$"),
            _ => part,
        };
        let regex =
            fancy_regex::Regex::new(&pattern).map_err(|_| Fault::new("a pattern that is none"))?;
        if self.name == "matches" {
            let matches = regex.is_match(self.text.as_ref());
            return matches
                .map(Value::Boolean)
                .map_err(|_| Fault::new("a pattern that takes too long"));
        }
        let new = java::replacement(&self.text_at(1)?);
        let limit = usize::from(self.name == "replaceFirst");
        let replaced = regex.try_replacen(self.text.as_ref(), limit, new.as_str());
        let replaced = replaced.map_err(|_| Fault::new("a pattern that takes too long"))?;
        bounded(&replaced)
    }

    fn split(&self) -> Result {
        let delimiter = match self.arguments.first() {
            None => " ".to_owned(),
            Some(_) => self.text_at(0)?,
        };
        let pieces: Vec<Value> = if self.name == "tokenize" {
            let pieces = self.text.split(|c| delimiter.contains(c));
            pieces
                .filter(|piece| !piece.is_empty())
                .map(Value::text)
                .collect()
        } else if self.language == Language::JavaScript {
            self.text
                .split(delimiter.as_str())
                .map(Value::text)
                .collect()
        } else {
            let regex = fancy_regex::Regex::new(&delimiter);
            let regex = regex.map_err(|_| Fault::new("a pattern that is none"))?;
            let mut pieces: Vec<&str> = regex
                .split(self.text.as_ref())
                .map_while(std::result::Result::ok)
                .collect();
            // Java leaves empty pieces at the end out.
            while pieces.len() > 1 && pieces.last().is_some_and(|piece| piece.is_empty()) {
                pieces.pop();
            }
            pieces.into_iter().map(Value::text).collect()
        };
        Ok(Value::List(pieces.into()))
    }

    fn filled(&self) -> Result {
        let count = usize::try_from(self.number_at(0)?.unwrap_or(0));
        let count = count.map_err(|_| Fault::new("a negative count"))?;
        if count.saturating_mul(self.text.len().max(1)) > LENGTH_MAX {
            return Err(Fault::new("a text that is too long"));
        }
        if self.name == "repeat" {
            return Ok(Value::text(&self.text.repeat(count)));
        }
        let with = match self.arguments.get(1) {
            None => " ".to_owned(),
            Some(_) => self.text_at(1)?,
        };
        let missing = count.saturating_sub(java::length(self.text));
        let padding: String = with.chars().cycle().take(missing).collect();
        Ok(Value::text(&match self.name {
            "padLeft" => format!("{padding}{}", self.text),
            _ => format!("{}{padding}", self.text),
        }))
    }

    fn compared(&self) -> Result {
        let (one, another) = (self.text.to_string(), self.text_at(0)?);
        let (one, another) = match self.name {
            "compareTo" => (one, another),
            _ => (one.to_lowercase(), another.to_lowercase()),
        };
        let mut pairs = one.encode_utf16().zip(another.encode_utf16());
        let difference = pairs.find(|(one, another)| one != another);
        let lengths = [java::length(&one), java::length(&another)];
        let lengths = lengths.map(|length| i32::try_from(length).unwrap_or(i32::MAX));
        let difference = difference.map_or(lengths[0] - lengths[1], |(one, another)| {
            i32::from(one) - i32::from(another)
        });
        Ok(Value::Integer(difference))
    }

    /// Numbers in texts, as Groovy reads them.
    fn converted(&self) -> Result {
        let text = self.text.trim();
        let no_number = || Fault::new("a text that is no number");
        match self.name {
            "toInteger" => text.parse().map(Value::Integer).map_err(|_| no_number()),
            "toLong" => text.parse().map(Value::Long).map_err(|_| no_number()),
            "toDouble" => text.parse().map(Value::Double).map_err(|_| no_number()),
            "toBigDecimal" => {
                let number = super::decimal::Decimal::parse(text);
                number.map(Value::Decimal).ok_or_else(no_number)
            }
            "toBoolean" => {
                let lower = text.to_lowercase();
                Ok(Value::Boolean(matches!(lower.as_str(), "true" | "y" | "1")))
            }
            "isInteger" => Ok(Value::Boolean(text.parse::<i32>().is_ok())),
            "isLong" => Ok(Value::Boolean(text.parse::<i64>().is_ok())),
            "isNumber" | "isDouble" => Ok(Value::Boolean(text.parse::<f64>().is_ok())),
            _ => Err(Fault::new("a method that texts have not")),
        }
    }
}

fn bounded(text: &str) -> Result {
    if text.len() > LENGTH_MAX {
        return Err(Fault::new("a text that is too long"));
    }
    Ok(Value::text(text))
}

/// Java's hash of a text.
fn hash(text: &str) -> i32 {
    let add = |hash: i32, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit));
    text.encode_utf16().fold(0, add)
}
