//! What expressions yield, and how each language sees it as a text, a number or a truth.

use std::rc::Rc;

use super::Language;
use super::classes::Class;
use super::decimal::Decimal;
use crate::functions::java;

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Undefined,
    Null,
    Boolean(bool),
    Integer(i32),
    Long(i64),
    Double(f64),
    Decimal(Decimal),
    Text(Rc<str>),
    List(Rc<[Self]>),
    Object(Object),
}

/// What the runner offers to expressions, and the few things that they make.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Object {
    Variables,
    Properties,
    Log,
    Context,
    Previous,
    Sampler,
    Random,
    /// Milliseconds since 1970.
    Date(i64),
    Class(Class),
}

impl Value {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Undefined | Self::Null)
    }

    /// The value as a text, as the language would put it into one.
    pub(super) fn to_text(&self, language: Language) -> String {
        match self {
            Self::Undefined => "undefined".to_owned(),
            Self::Null => "null".to_owned(),
            Self::Boolean(value) => value.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::Long(value) => value.to_string(),
            Self::Double(value) if language == Language::JavaScript => script_number(*value),
            Self::Double(value) => java::double(*value),
            Self::Decimal(value) => value.to_string(),
            Self::Text(text) => text.to_string(),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(|item| item.to_text(language)).collect();
                match language {
                    Language::JavaScript => items.join(","),
                    _ => format!("[{}]", items.join(", ")),
                }
            }
            Self::Object(object) => format!("{object:?}"),
        }
    }

    /// Whether the language takes it as true.
    pub(super) fn is_true(&self, language: Language) -> bool {
        match self {
            Self::Undefined | Self::Null => false,
            Self::Boolean(value) => *value,
            Self::Integer(value) => *value != 0,
            Self::Long(value) => *value != 0,
            Self::Double(value) => *value != 0.0 && !value.is_nan(),
            Self::Decimal(value) => value.number() != 0.0,
            Self::Text(text) if language.is_jexl() => !text.is_empty() && text.as_ref() != "false",
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => language == Language::JavaScript || !items.is_empty(),
            Self::Object(_) => true,
        }
    }

    /// A number of this type, seen as one of floating point; `None` for all else.
    pub(super) fn as_number(&self) -> Option<f64> {
        match self {
            Self::Integer(value) => Some(f64::from(*value)),
            Self::Long(value) => Some(*value as f64),
            Self::Double(value) => Some(*value),
            Self::Decimal(value) => Some(value.number()),
            _ => None,
        }
    }

    /// A whole number of this type.
    pub(super) fn as_whole(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(i64::from(*value)),
            Self::Long(value) => Some(*value),
            _ => None,
        }
    }

    /// The number that JavaScript sees in it.
    pub(super) fn script_number(&self) -> f64 {
        match self {
            Self::Null => 0.0,
            Self::Boolean(value) => f64::from(u8::from(*value)),
            Self::Text(text) => number_in(text.trim()),
            Self::Object(Object::Date(millis)) => *millis as f64,
            other => other.as_number().unwrap_or(f64::NAN),
        }
    }

    /// A number as the language's methods yield one for a count.
    pub(super) fn count(count: usize, language: Language) -> Self {
        match language {
            Language::JavaScript => Self::Double(count as f64),
            _ => Self::Integer(i32::try_from(count).unwrap_or(i32::MAX)),
        }
    }
}

fn number_in(text: &str) -> f64 {
    if text.is_empty() {
        return 0.0;
    }
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u64::from_str_radix(digits, 16).map_or(f64::NAN, |number| number as f64);
    }
    let like_a_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E');
    match text {
        "Infinity" | "+Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        _ if text.chars().all(like_a_number) => text.parse().unwrap_or(f64::NAN),
        _ => f64::NAN,
    }
}

/// A number as JavaScript writes it.
///
/// Source: ECMA-262, section 7.1.12.1 (`ToString` applied to the number type).
pub(super) fn script_number(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let size = value.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    if (1e-6..1e21).contains(&size) {
        return format!("{value}");
    }
    let text = format!("{value:e}");
    match text.split_once("e-") {
        Some(_) => text,
        None => text.replace('e', "e+"),
    }
}
