//! What operators do in each language.

use std::cmp::Ordering;

use super::decimal::Decimal;
use super::value::{Object, Value};
use super::{Fault, Language};

type Result = std::result::Result<Value, Fault>;

pub(super) fn binary(operator: &str, left: &Value, right: &Value, language: Language) -> Result {
    match operator {
        "+" => plus(left, right, language),
        "-" | "*" | "/" | "%" => arithmetic(operator, left, right, language),
        "==" => equal(left, right, language).map(Value::Boolean),
        "!=" => equal(left, right, language).map(|equal| Value::Boolean(!equal)),
        "===" => Ok(Value::Boolean(identical(left, right))),
        "!==" => Ok(Value::Boolean(!identical(left, right))),
        "<" | ">" | "<=" | ">=" => ordered(operator, left, right, language),
        "<=>" => {
            let order = compared(left, right, language)?.map_or(0, |order| order as i32);
            Ok(Value::Integer(order))
        }
        "==~" | "=~" => matches(left, right, language).map(Value::Boolean),
        "!~" => matches(left, right, language).map(|matches| Value::Boolean(!matches)),
        "=^" => texts(left, right, |text, part| text.starts_with(part)),
        "=$" => texts(left, right, |text, part| text.ends_with(part)),
        _ => Err(Fault::new("an operator that is not known")),
    }
}

pub(super) fn minus(value: &Value, language: Language) -> Result {
    if language == Language::JavaScript {
        return Ok(Value::Double(-value.script_number()));
    }
    match value {
        Value::Integer(number) => Ok(Value::Integer(number.wrapping_neg())),
        Value::Long(number) => Ok(Value::Long(number.wrapping_neg())),
        Value::Double(number) => Ok(Value::Double(-number)),
        Value::Decimal(number) => Ok(Value::Decimal(number.negated())),
        _ => Err(Fault::new("a minus before what is no number")),
    }
}

fn plus(left: &Value, right: &Value, language: Language) -> Result {
    let text = |value: &Value| matches!(value, Value::Text(_));
    let glued = || {
        let mut glued = left.to_text(language);
        glued.push_str(&right.to_text(language));
        Ok(Value::text(&glued))
    };
    match language {
        Language::JavaScript => {
            let is_object = |value: &Value| matches!(value, Value::List(_) | Value::Object(_));
            if text(left) || text(right) || is_object(left) || is_object(right) {
                return glued();
            }
        }
        Language::Groovy | Language::Jexl3 => {
            if text(left) || (text(right) && language == Language::Jexl3) {
                return glued();
            }
            if text(right) && (left.as_number().is_some() || left.is_nothing()) {
                return glued();
            }
        }
        Language::Jexl2 => {
            if matches!(left, Value::Boolean(_)) || matches!(right, Value::Boolean(_)) {
                return Err(Fault::new("a sum with a truth value"));
            }
            // Texts that hold whole numbers are added.
            if text(left) || text(right) {
                let (Some(one), Some(another)) = (whole_in(left), whole_in(right)) else {
                    return glued();
                };
                return Ok(narrow(one.wrapping_add(another)));
            }
        }
    }
    arithmetic("+", left, right, language)
}

fn arithmetic(operator: &str, left: &Value, right: &Value, language: Language) -> Result {
    if language == Language::JavaScript {
        let (one, another) = (left.script_number(), right.script_number());
        return Ok(Value::Double(floating(operator, one, another)));
    }
    if let (Language::Groovy, Value::Text(text)) = (language, left) {
        return text_arithmetic(operator, text, right);
    }
    let (left, right) = (number(left, language)?, number(right, language)?);
    if let (Some(one), Some(another)) = (left.as_whole(), right.as_whole()) {
        if language == Language::Groovy && operator == "/" {
            return quotient(Decimal::whole(one), Decimal::whole(another));
        }
        let long = matches!(left, Value::Long(_)) || matches!(right, Value::Long(_));
        return whole(operator, one, another, language).map(|result| match language {
            Language::Groovy if long => Value::Long(result),
            // What does not fit wraps, as Java's `int` does.
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the lower 32 bits are what Java keeps"
            )]
            Language::Groovy => Value::Integer(result as i32),
            _ => narrow(result),
        });
    }
    if let (Some(one), Some(another)) = (decimal(&left), decimal(&right)) {
        let result = match operator {
            "+" => one.plus(another),
            "-" => one.plus(another.negated()),
            "*" => one.times(another),
            "/" => return quotient(one, another),
            _ => one.remainder(another),
        };
        let result = result.map(Value::Decimal);
        return result.ok_or_else(|| Fault::new("a decimal number with too many digits"));
    }
    let one = left.as_number().unwrap_or(f64::NAN);
    let another = right.as_number().unwrap_or(f64::NAN);
    if language.is_jexl() && another == 0.0 && matches!(operator, "/" | "%") {
        return Err(Fault::new("a division by zero"));
    }
    Ok(Value::Double(floating(operator, one, another)))
}

/// In Groovy, `-` takes the first occurrence of a text out, and `*` repeats.
fn text_arithmetic(operator: &str, text: &str, right: &Value) -> Result {
    match (operator, right.as_whole()) {
        ("-", _) => {
            let part = right.to_text(Language::Groovy);
            Ok(Value::text(&text.replacen(&part, "", 1)))
        }
        ("*", Some(times @ 0..=100_000)) if text.len() < 1_000 => {
            let times = usize::try_from(times).unwrap_or(0);
            Ok(Value::text(&text.repeat(times)))
        }
        _ => Err(Fault::new("arithmetic with what is no number")),
    }
}

fn quotient(one: Decimal, another: Decimal) -> Result {
    let quotient = one.divided(another).map(Value::Decimal);
    quotient.ok_or_else(|| Fault::new("a division by zero"))
}

fn floating(operator: &str, one: f64, another: f64) -> f64 {
    match operator {
        "+" => one + another,
        "-" => one - another,
        "*" => one * another,
        "/" => one / another,
        _ => one % another,
    }
}

fn whole(
    operator: &str,
    one: i64,
    another: i64,
    language: Language,
) -> std::result::Result<i64, Fault> {
    if another == 0 && matches!(operator, "/" | "%") {
        return Err(Fault::new("a division by zero"));
    }
    Ok(match operator {
        "+" => one.wrapping_add(another),
        "-" => one.wrapping_sub(another),
        "*" => one.wrapping_mul(another),
        "/" => one.wrapping_div(another),
        // JEXL 2 takes the remainder of mathematics, which is never negative.
        _ if language == Language::Jexl2 => one.wrapping_rem_euclid(another),
        _ => one.wrapping_rem(another),
    })
}

/// The operand of arithmetic: JEXL reads numbers in texts, Groovy does not.
fn number(value: &Value, language: Language) -> Result {
    match value {
        Value::Integer(_) | Value::Long(_) | Value::Double(_) | Value::Decimal(_) => {
            Ok(value.clone())
        }
        Value::Text(text) if language.is_jexl() => number_in(text),
        Value::Boolean(value) if language.is_jexl() => Ok(Value::Integer(i32::from(*value))),
        _ => Err(Fault::new("arithmetic with what is no number")),
    }
}

/// The number that JEXL sees in a text.
pub(super) fn number_in(text: &str) -> Result {
    if text.is_empty() {
        return Ok(Value::Integer(0));
    }
    if let Ok(number) = text.parse::<i64>() {
        return Ok(narrow(number));
    }
    let number = text.parse().map(Value::Double);
    number.map_err(|_| Fault::new("a text that is no number"))
}

fn whole_in(value: &Value) -> Option<i64> {
    match value {
        Value::Text(text) if text.is_empty() => Some(0),
        Value::Text(text) => text.parse().ok(),
        other => other.as_whole(),
    }
}

fn narrow(number: i64) -> Value {
    i32::try_from(number).map_or(Value::Long(number), Value::Integer)
}

fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Decimal(number) => Some(*number),
        other => other.as_whole().map(Decimal::whole),
    }
}

/// `==`
pub(super) fn equal(
    left: &Value,
    right: &Value,
    language: Language,
) -> std::result::Result<bool, Fault> {
    if left.is_nothing() || right.is_nothing() {
        return Ok(left.is_nothing() && right.is_nothing());
    }
    match (language, left, right) {
        (_, Value::Text(one), Value::Text(another)) => Ok(one == another),
        (_, Value::Boolean(one), Value::Boolean(another)) => Ok(one == another),
        (_, Value::Object(one), Value::Object(another)) => Ok(one == another),
        (Language::JavaScript, ..) => {
            let one = primitive(left);
            let another = primitive(right);
            if let (Value::Text(one), Value::Text(another)) = (&one, &another) {
                return Ok(one == another);
            }
            let (one, another) = (one.script_number(), another.script_number());
            Ok(one.total_cmp(&another) == Ordering::Equal || (one == 0.0 && another == 0.0))
                .map(|equal| equal && !one.is_nan())
        }
        (Language::Groovy, Value::List(one), Value::List(another)) => {
            let same = |(one, another)| equal(one, another, language).unwrap_or(false);
            Ok(one.len() == another.len() && one.iter().zip(another.iter()).all(same))
        }
        (Language::Groovy, ..) => {
            let numbers = left.as_number().is_some() && right.as_number().is_some();
            Ok(numbers && compared(left, right, language)? == Some(Ordering::Equal))
        }
        (_, Value::Boolean(_), _) | (_, _, Value::Boolean(_)) => {
            Ok(jexl_truth(left) == jexl_truth(right))
        }
        _ => Ok(compared(left, right, language)? == Some(Ordering::Equal)),
    }
}

/// What JEXL compares with a truth value: of texts only `true` is true.
fn jexl_truth(value: &Value) -> bool {
    value.is_true(Language::Jexl3)
}

fn primitive(value: &Value) -> Value {
    match value {
        Value::List(_) => Value::text(&value.to_text(Language::JavaScript)),
        other => other.clone(),
    }
}

fn identical(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Undefined, Value::Undefined) | (Value::Null, Value::Null) => true,
        (Value::Boolean(one), Value::Boolean(another)) => one == another,
        (Value::Text(one), Value::Text(another)) => one == another,
        (Value::Object(one), Value::Object(another)) => one == another,
        _ => match (left.as_number(), right.as_number()) {
            (Some(one), Some(another)) => one.partial_cmp(&another) == Some(Ordering::Equal),
            _ => false,
        },
    }
}

fn ordered(operator: &str, left: &Value, right: &Value, language: Language) -> Result {
    let Some(order) = compared(left, right, language)? else {
        return Ok(Value::Boolean(false));
    };
    Ok(Value::Boolean(match operator {
        "<" => order.is_lt(),
        ">" => order.is_gt(),
        "<=" => order.is_le(),
        _ => order.is_ge(),
    }))
}

/// The order of two values; `None` when one is not a number.
fn compared(
    left: &Value,
    right: &Value,
    language: Language,
) -> std::result::Result<Option<Ordering>, Fault> {
    if let (Value::Text(one), Value::Text(another)) = (left, right) {
        return Ok(Some(one.encode_utf16().cmp(another.encode_utf16())));
    }
    if let (Value::Object(Object::Date(one)), Value::Object(Object::Date(another))) = (left, right)
    {
        return Ok(Some(one.cmp(another)));
    }
    if language == Language::JavaScript {
        let (one, another) = (
            primitive(left).script_number(),
            primitive(right).script_number(),
        );
        return Ok(one.partial_cmp(&another));
    }
    if language == Language::Groovy && (left.is_nothing() || right.is_nothing()) {
        // Nothing is less than all else.
        return Ok(Some(right.is_nothing().cmp(&left.is_nothing())));
    }
    let (left, right) = match language {
        Language::Groovy => (character(left), character(right)),
        _ => (left.clone(), right.clone()),
    };
    let floats = matches!(left, Value::Double(_)) || matches!(right, Value::Double(_));
    let (left, right) = (number(&left, language)?, number(&right, language)?);
    if !floats && (matches!(left, Value::Double(_)) || matches!(right, Value::Double(_))) {
        return Err(Fault::new("a text that is no whole number"));
    }
    if let (Some(one), Some(another)) = (decimal(&left), decimal(&right)) {
        return Ok(Some(one.compared(another)));
    }
    let (one, another) = (left.as_number(), right.as_number());
    Ok(one
        .zip(another)
        .and_then(|(one, another)| one.partial_cmp(&another)))
}

/// A text of one character, as the number that Groovy compares with numbers.
fn character(value: &Value) -> Value {
    let Value::Text(text) = value else {
        return value.clone();
    };
    let mut units = text.encode_utf16();
    match (units.next(), units.next()) {
        (Some(unit), None) => Value::Integer(i32::from(unit)),
        _ => value.clone(),
    }
}

fn matches(left: &Value, right: &Value, language: Language) -> std::result::Result<bool, Fault> {
    let text = left.to_text(language);
    if let Value::List(items) = right {
        return Ok(items
            .iter()
            .any(|item| equal(left, item, language).unwrap_or(false)));
    }
    let pattern = format!("^(?:{})$", right.to_text(language));
    let pattern =
        fancy_regex::Regex::new(&pattern).map_err(|_| Fault::new("a pattern that is none"))?;
    pattern
        .is_match(&text)
        .map_err(|_| Fault::new("a pattern that takes too long"))
}

fn texts(left: &Value, right: &Value, holds: fn(&str, &str) -> bool) -> Result {
    match (left, right) {
        (Value::Text(text), Value::Text(part)) => Ok(Value::Boolean(holds(text, part))),
        _ => Err(Fault::new("an operator of texts with what is none")),
    }
}
