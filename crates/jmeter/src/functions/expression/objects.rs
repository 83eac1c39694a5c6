//! What the runner and Java offer to expressions: variables, properties, the log, numbers, classes.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::classes::Class;
use super::value::{Object, Value};
use super::{Fault, Language};
use crate::functions::choosing;
use crate::log::Level;
use crate::sample::Code;
use crate::user::User;

type Result = std::result::Result<Value, Fault>;

/// The class that stands in the log for what expressions write there.
const LOGGER: &str = "o.a.j.f.Expression";

pub(super) fn method(
    of: Object,
    name: &str,
    arguments: &[Value],
    user: &mut User,
    language: Language,
) -> Result {
    let text = |index: usize| {
        let argument = arguments.get(index);
        argument.map_or(String::new(), |value| value.to_text(language))
    };
    let found = match (of, name, arguments.len()) {
        (Object::Variables, "get", 1) => nullable(user.variables.get(&text(0))),
        (Object::Variables, "put", 2) => {
            user.variables.set(&text(0), text(1));
            Value::Null
        }
        (Object::Variables, "remove", 1) => {
            let former = nullable(user.variables.get(&text(0)));
            user.variables.remove(&text(0));
            former
        }
        (Object::Properties, "get" | "getProperty", 1) => {
            nullable(user.run.property(&text(0)).as_deref())
        }
        (Object::Properties, "getProperty", 2) => {
            Value::text(&user.run.property(&text(0)).unwrap_or_else(|| text(1)))
        }
        (Object::Properties, "put" | "setProperty", 2) => {
            nullable(user.run.set_property(&text(0), &text(1)).as_deref())
        }
        (Object::Properties, "containsKey", 1) => {
            Value::Boolean(user.run.property(&text(0)).is_some())
        }
        (Object::Log, _, 1) => {
            let level = match name {
                "info" => Level::Info,
                "warn" => Level::Warn,
                "error" => Level::Error,
                "debug" => Level::Debug,
                _ => return missing(name),
            };
            user.run.log.line(level, LOGGER, &text(0));
            Value::Null
        }
        (Object::Context, "getThreadNum", 0) => {
            Value::Integer(i32::try_from(user.number.saturating_sub(1)).unwrap_or(i32::MAX))
        }
        (Object::Sampler, "getName", 0) => Value::text(&user.sampler),
        (Object::Previous, _, 0) => return previous(name, user),
        (Object::Random, ..) => return random(name, arguments, user, language),
        (Object::Date(millis), _, 0) => return date(millis, name, language),
        (Object::Class(class), ..) => return class_method(class, name, arguments, user, language),
        _ => return missing(name),
    };
    Ok(found)
}

fn missing(name: &str) -> Result {
    Err(Fault::new(&format!(
        "`{name}` called on what has no such method"
    )))
}

fn nullable(text: Option<&str>) -> Value {
    text.map_or(Value::Null, Value::text)
}

fn previous(name: &str, user: &User) -> Result {
    let Some(previous) = &user.previous else {
        return Err(Fault::new("there is no sample yet"));
    };
    let millis = i64::try_from(previous.elapsed().as_millis()).unwrap_or(i64::MAX);
    Ok(match name {
        "isSuccessful" => Value::Boolean(previous.success),
        "getResponseCode" => Value::text(&match &previous.code {
            Code::Status(status) => status.to_string(),
            Code::Text(text) => text.to_string(),
        }),
        "getResponseMessage" => Value::text(&previous.message),
        "getSampleLabel" => Value::text(&previous.label),
        "getTime" => Value::Long(millis),
        _ => return missing(name),
    })
}

fn random(name: &str, arguments: &[Value], user: &mut User, language: Language) -> Result {
    let bound = |index: usize| arguments.get(index).and_then(Value::as_number);
    let random = &mut user.random;
    #[expect(clippy::cast_possible_truncation, reason = "bounds are whole numbers")]
    let (low, high) = match (bound(0), bound(1)) {
        (None, _) => (i64::from(i32::MIN), i64::from(i32::MAX) + 1),
        (Some(high), None) => (0, high as i64),
        (Some(low), Some(high)) => (low as i64, high as i64),
    };
    if low >= high {
        return Err(Fault::new("a bound that must be greater"));
    }
    let drawn = choosing::between(random, low, high - 1);
    Ok(match name {
        "nextInt" if language == Language::JavaScript => Value::Double(drawn as f64),
        "nextInt" => Value::Integer(i32::try_from(drawn).unwrap_or(i32::MAX)),
        "nextLong" if arguments.is_empty() => Value::Long(random.bits().cast_signed()),
        "nextLong" => Value::Long(drawn),
        "nextDouble" => Value::Double(random.unit()),
        "nextBoolean" => Value::Boolean(random.bits() & 1 == 1),
        _ => return missing(name),
    })
}

pub(super) fn creation(
    class: Class,
    arguments: &[Value],
    user: &User,
    language: Language,
) -> Result {
    match (class, arguments) {
        (Class::Random, _) => Ok(Value::Object(Object::Random)),
        (Class::Date, []) => Ok(Value::Object(Object::Date(now_millis(user)))),
        (Class::Date, [millis]) => {
            let millis = match language {
                Language::JavaScript => Some(millis.script_number()),
                _ => millis.as_number(),
            };
            let millis = millis.filter(|millis| millis.is_finite());
            #[expect(
                clippy::cast_possible_truncation,
                reason = "fractions of milliseconds are cut off"
            )]
            let millis = millis.map(|millis| Value::Object(Object::Date(millis as i64)));
            millis.ok_or_else(|| Fault::new("a date that is none"))
        }
        _ => Err(Fault::new("`new` with these arguments")),
    }
}

/// The time of the day, in milliseconds since 1970.
pub(crate) fn now_millis(user: &User) -> i64 {
    let clock = &user.run.clock;
    clock.wall(clock.now()).millis()
}

fn date(millis: i64, name: &str, language: Language) -> Result {
    if name == "getTime" {
        return Ok(match language {
            Language::JavaScript => Value::Double(millis as f64),
            _ => Value::Long(millis),
        });
    }
    if language != Language::JavaScript {
        return missing(name);
    }
    let Ok(at) = Timestamp::from_millisecond(millis) else {
        return Err(Fault::new("a date that is none"));
    };
    let at: Zoned = at.to_zoned(TimeZone::system());
    let part = match name {
        "getFullYear" => i32::from(at.year()),
        "getMonth" => i32::from(at.month()) - 1,
        "getDate" => i32::from(at.day()),
        "getDay" => i32::from(at.weekday().to_sunday_zero_offset()),
        "getHours" => i32::from(at.hour()),
        "getMinutes" => i32::from(at.minute()),
        "getSeconds" => i32::from(at.second()),
        "getMilliseconds" => i32::from(at.millisecond()),
        _ => return missing(name),
    };
    Ok(Value::Double(f64::from(part)))
}

fn class_method(
    class: Class,
    name: &str,
    arguments: &[Value],
    user: &mut User,
    language: Language,
) -> Result {
    match (class, name, arguments) {
        (Class::Math, "random", []) => Ok(Value::Double(user.random.unit())),
        (Class::Math, ..) => math(name, arguments, language),
        (Class::System, "currentTimeMillis", []) => Ok(Value::Long(now_millis(user))),
        (Class::System, "nanoTime", []) => {
            let nanos = user.run.clock.now().as_nanos();
            Ok(Value::Long(i64::try_from(nanos).unwrap_or(i64::MAX)))
        }
        (Class::Date, "now", []) if language == Language::JavaScript => {
            Ok(Value::Double(now_millis(user) as f64))
        }
        (Class::Uuid, "randomUUID", []) => {
            Ok(Value::text(&choosing::random_uuid(&mut user.random)))
        }
        (Class::ThreadLocalRandom, "current", []) => Ok(Value::Object(Object::Random)),
        (Class::ContextService, "getNumberOfThreads", []) => Ok(Value::Integer(
            i32::try_from(user.run.active()).unwrap_or(i32::MAX),
        )),
        (Class::RandomText, _, [count]) => random_text(name, count, user),
        (Class::Text, "valueOf", [value]) => Ok(Value::text(&value.to_text(language))),
        (Class::Integer | Class::Long | Class::Double | Class::Boolean, _, [value, ..]) => {
            parsed(class, name, value, language)
        }
        _ => missing(name),
    }
}

fn random_text(name: &str, count: &Value, user: &mut User) -> Result {
    let letters: Vec<char> = ('A'..='Z').chain('a'..='z').collect();
    let digits: Vec<char> = ('0'..='9').collect();
    let characters = match name {
        "randomAlphabetic" => letters,
        "randomNumeric" => digits,
        "randomAlphanumeric" => [letters, digits].concat(),
        _ => return missing(name),
    };
    let count = count.as_number().filter(|count| (0.0..1e6).contains(count));
    let Some(count) = count else {
        return Err(Fault::new("a count that is not possible"));
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked above"
    )]
    let count = count as usize;
    let random = &mut user.random;
    let one = |_| characters[choosing::index(random, characters.len())];
    Ok(Value::text(&(0..count).map(one).collect::<String>()))
}

fn parsed(class: Class, name: &str, value: &Value, language: Language) -> Result {
    let text = value.to_text(language);
    if name == "toString" {
        return Ok(Value::text(&text));
    }
    let fault = |_| Fault::new("a text that is no number");
    match (class, name) {
        (Class::Integer, "parseInt" | "valueOf") => text
            .parse()
            .map(Value::Integer)
            .map_err(|error: std::num::ParseIntError| fault(error.to_string())),
        (Class::Long, "parseLong" | "valueOf") => text
            .parse()
            .map(Value::Long)
            .map_err(|error: std::num::ParseIntError| fault(error.to_string())),
        (Class::Double, "parseDouble" | "valueOf") => text
            .trim()
            .parse()
            .map(Value::Double)
            .map_err(|error: std::num::ParseFloatError| fault(error.to_string())),
        (Class::Boolean, "parseBoolean" | "valueOf") => {
            Ok(Value::Boolean(text.eq_ignore_ascii_case("true")))
        }
        _ => missing(name),
    }
}

fn math(name: &str, arguments: &[Value], language: Language) -> Result {
    let number = |value: &Value| match language {
        Language::JavaScript => value.script_number(),
        _ => value.as_number().unwrap_or(f64::NAN),
    };
    let numbers: Vec<f64> = arguments.iter().map(number).collect();
    let whole = arguments.iter().all(|value| value.as_whole().is_some());
    let result = match (name, numbers.as_slice()) {
        ("floor", [one]) => one.floor(),
        ("ceil", [one]) => one.ceil(),
        ("round", [one]) => {
            let rounded = (one + 0.5).floor();
            if language == Language::JavaScript {
                return Ok(Value::Double(rounded));
            }
            #[expect(
                clippy::cast_possible_truncation,
                reason = "as in Java, beyond the ends are the ends"
            )]
            return Ok(Value::Long(rounded as i64));
        }
        ("sqrt", [one]) => one.sqrt(),
        ("exp", [one]) => one.exp(),
        ("log", [one]) => one.ln(),
        ("pow", [one, another]) => one.powf(*another),
        ("abs", [one]) => one.abs(),
        ("max", [_, ..]) => numbers.iter().copied().fold(f64::NEG_INFINITY, larger),
        ("min", [_, ..]) => -numbers
            .iter()
            .map(|number| -number)
            .fold(f64::NEG_INFINITY, larger),
        _ => return missing(name),
    };
    let keeps_type =
        matches!(name, "abs" | "max" | "min") && whole && language != Language::JavaScript;
    #[expect(clippy::cast_possible_truncation, reason = "whole numbers stay whole")]
    Ok(match i32::try_from(result as i64) {
        Ok(result) if keeps_type => Value::Integer(result),
        Err(_) if keeps_type => Value::Long(result as i64),
        _ => Value::Double(result),
    })
}

/// The larger of two; not a number when either is none.
fn larger(one: f64, another: f64) -> f64 {
    if one.is_nan() || another.is_nan() {
        return f64::NAN;
    }
    one.max(another)
}

pub(super) fn constant(class: Class, name: &str, language: Language) -> Result {
    let number = match (class, name) {
        (Class::Math, "PI") => Value::Double(std::f64::consts::PI),
        (Class::Math, "E") => Value::Double(std::f64::consts::E),
        (Class::Integer, "MAX_VALUE") => Value::Integer(i32::MAX),
        (Class::Integer, "MIN_VALUE") => Value::Integer(i32::MIN),
        (Class::Long, "MAX_VALUE") => Value::Long(i64::MAX),
        (Class::Long, "MIN_VALUE") => Value::Long(i64::MIN),
        _ => return missing(name),
    };
    Ok(match (language, number.as_number()) {
        (Language::JavaScript, Some(number)) => Value::Double(number),
        _ => number,
    })
}

pub(super) fn number_method(
    of: &Value,
    name: &str,
    arguments: &[Value],
    language: Language,
) -> Result {
    let Some(number) = of.as_number() else {
        return match (name, of) {
            ("toString", _) => Ok(Value::text(&of.to_text(language))),
            ("equals", Value::Boolean(_)) => Ok(Value::Boolean(
                matches!((of, arguments), (Value::Boolean(one), [Value::Boolean(other)]) if one == other),
            )),
            _ => missing(name),
        };
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "as in Java, beyond the ends are the ends"
    )]
    Ok(match (name, arguments) {
        ("toString", []) => Value::text(&of.to_text(language)),
        ("toFixed", _) => {
            let places = arguments.first().map_or(0.0, Value::script_number);
            if !(0.0..=20.0).contains(&places) {
                return Err(Fault::new("a number of places that is not possible"));
            }
            #[expect(clippy::cast_sign_loss, reason = "checked above")]
            let places = places as usize;
            Value::text(&format!("{number:.places$}"))
        }
        _ if language == Language::JavaScript && matches!(of, Value::Double(_)) => {
            return missing(name);
        }
        ("intValue" | "toInteger", []) => {
            Value::Integer(of.as_whole().map_or(number as i32, |whole| whole as i32))
        }
        ("longValue" | "toLong", []) => Value::Long(of.as_whole().unwrap_or(number as i64)),
        ("doubleValue" | "toDouble", []) => Value::Double(number),
        ("equals", [other]) => {
            let same_type = std::mem::discriminant(of) == std::mem::discriminant(other);
            let equal = super::operators::equal(of, other, language)?;
            Value::Boolean(same_type && equal)
        }
        ("abs", []) => return math("abs", std::slice::from_ref(of), language),
        _ => return missing(name),
    })
}

/// A function that belongs to nothing.
pub(super) fn function(name: &str, arguments: &[Value], language: Language) -> Result {
    let first = arguments.first().cloned().unwrap_or(Value::Undefined);
    let text = first.to_text(language);
    Ok(match name {
        "size" => match &first {
            Value::List(items) => Value::count(items.len(), language),
            Value::Text(text) => Value::count(crate::functions::java::length(text), language),
            _ => return Err(Fault::new("`size` of what has none")),
        },
        "empty" => Value::Boolean(match &first {
            Value::Text(text) => text.is_empty(),
            Value::List(items) => items.is_empty(),
            other => other.is_nothing() || other.as_number() == Some(0.0),
        }),
        "Boolean" => Value::Boolean(first.is_true(language)),
        "Number" if arguments.is_empty() => Value::Double(0.0),
        "Number" => Value::Double(first.script_number()),
        "String" => Value::text(&text),
        "isNaN" => Value::Boolean(first.script_number().is_nan()),
        "parseInt" => {
            let radix = arguments.get(1).map_or(0.0, Value::script_number);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped"
            )]
            Value::Double(whole_at_start(&text, radix.clamp(0.0, 36.0) as u32))
        }
        "parseFloat" => Value::Double(number_at_start(&text)),
        "encodeURIComponent" => Value::text(&encoded(&text)),
        "decodeURIComponent" => match decoded(&text) {
            Some(text) => Value::text(&text),
            None => return Err(Fault::new("a text that is not encoded")),
        },
        _ => return missing(name),
    })
}

fn whole_at_start(text: &str, radix: u32) -> f64 {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let hexadecimal = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"));
    let (radix, digits) = match hexadecimal {
        Some(digits) if matches!(radix, 0 | 16) => (16, digits),
        _ if radix < 2 => (10, digits),
        _ => (radix, digits),
    };
    let mut number = None;
    for digit in digits.chars().map_while(|c| c.to_digit(radix)) {
        number = Some(number.unwrap_or(0.0) * f64::from(radix) + f64::from(digit));
    }
    number.map_or(f64::NAN, |number: f64| sign * number)
}

fn number_at_start(text: &str) -> f64 {
    let text = text.trim();
    let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
    let like_a_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E');
    let numbers = ends.map_while(|end| {
        text.get(..end)
            .filter(|part| part.chars().all(like_a_number))
    });
    let longest = numbers.filter_map(|part| part.parse::<f64>().ok()).last();
    longest.unwrap_or(f64::NAN)
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte);
    let mut out = String::new();
    for byte in text.bytes() {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            let digits = [byte >> 4, byte & 15].into_iter();
            let digits = digits.filter_map(|digit| char::from_digit(u32::from(digit), 16));
            out.extend(digits.map(|digit| digit.to_ascii_uppercase()));
        }
    }
    out
}

fn decoded(text: &str) -> Option<String> {
    let plus = text.replace('+', "%2B");
    crate::functions::texts::url_decoded(&plus).map(std::borrow::Cow::into_owned)
}
