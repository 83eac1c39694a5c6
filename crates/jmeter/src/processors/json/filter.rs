//! Filters of `JSONPath`: `[?(@.price < 10 && @.isbn)]`.

use super::super::pattern::Pattern;
use super::Json;
use super::evaluate::{self, Found};
use super::path::{Path, quoted};

/// How deep parentheses and filters may stand within each other.
const DEPTH: u32 = 50;

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Filter {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    /// Whether a path leads to anything.
    Exists(Path),
    Compare(Operand, Comparison, Operand),
}

#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Operand {
    Path(Path),
    Value(Json),
    Pattern(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Matches,
    In,
    NotIn,
    Contains,
    Size,
    Empty,
}

/// The longer ones first, where one begins another.
const COMPARISONS: [(&str, Comparison); 14] = [
    ("===", Comparison::Equal),
    ("!==", Comparison::NotEqual),
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("=~", Comparison::Matches),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
    ("in ", Comparison::In),
    ("nin ", Comparison::NotIn),
    ("contains ", Comparison::Contains),
    ("size ", Comparison::Size),
    ("empty ", Comparison::Empty),
];

/// Reads a condition up to a parenthesis that closes it.
pub(super) fn parse(text: &str, depth: u32) -> Result<(Filter, &str), &'static str> {
    if depth > DEPTH {
        return Err("its filters stand too deep within each other");
    }
    series(
        text,
        "||",
        depth,
        &|text| {
            let (filter, rest) =
                series(text, "&&", depth, &|text| single(text, depth), Filter::All)?;
            Ok((filter, rest))
        },
        Filter::Any,
    )
}

type Parsed<'t> = Result<(Filter, &'t str), &'static str>;

fn series<'t>(
    text: &'t str,
    between: &str,
    _depth: u32,
    one: &dyn Fn(&'t str) -> Parsed<'t>,
    join: fn(Vec<Filter>) -> Filter,
) -> Parsed<'t> {
    let (first, mut rest) = one(text)?;
    let mut filters = vec![first];
    while let Some(next) = rest.trim_start().strip_prefix(between) {
        let (filter, after) = one(next)?;
        filters.push(filter);
        rest = after;
    }
    match filters.pop() {
        Some(only) if filters.is_empty() => Ok((only, rest)),
        Some(last) => {
            filters.push(last);
            Ok((join(filters), rest))
        }
        None => Err("a condition is missing"),
    }
}

fn single(text: &str, depth: u32) -> Parsed<'_> {
    let text = text.trim_start();
    if let Some(rest) = text.strip_prefix('!')
        && !rest.starts_with('=')
    {
        if depth > DEPTH {
            return Err("its filters stand too deep within each other");
        }
        let (filter, rest) = single(rest, depth + 1)?;
        return Ok((Filter::Not(Box::new(filter)), rest));
    }
    if let Some(rest) = text.strip_prefix('(') {
        let (filter, rest) = parse(rest, depth + 1)?;
        let rest = rest
            .trim_start()
            .strip_prefix(')')
            .ok_or("a parenthesis is not closed")?;
        return Ok((filter, rest));
    }
    let (left, rest) = operand(text, depth)?;
    let after = rest.trim_start();
    let lower = after
        .get(..9.min(after.len()))
        .unwrap_or(after)
        .to_ascii_lowercase();
    let found = COMPARISONS.iter().find(|(sign, _)| lower.starts_with(sign));
    let Some((sign, comparison)) = found else {
        return match left {
            Operand::Path(path) => Ok((Filter::Exists(path), rest)),
            _ => Err(
                "a comparison is one of ==, !=, <, <=, >, >=, =~, in, nin, contains, size, empty",
            ),
        };
    };
    let right = after.get(sign.len()..).unwrap_or_default();
    let (right, rest) = operand(right.trim_start(), depth)?;
    Ok((Filter::Compare(left, *comparison, right), rest))
}

fn operand(text: &str, depth: u32) -> Result<(Operand, &str), &'static str> {
    match text.chars().next() {
        Some('@' | '$') => {
            let (path, rest) = Path::begin(text, depth + 1)?;
            Ok((Operand::Path(path), rest))
        }
        Some('\'' | '"') => {
            let (own, rest) = quoted(text)?;
            Ok((Operand::Value(Json::Text(own)), rest))
        }
        Some('/') => pattern(text),
        Some('[' | '{') => {
            let close = if text.starts_with('[') { ']' } else { '}' };
            let ends = text.match_indices(close).map(|(at, _)| at + 1);
            for end in ends.take(20) {
                let (own, rest) = text.split_at(end);
                if let Ok(value) = Json::parse(own) {
                    return Ok((Operand::Value(value), rest));
                }
            }
            Err("a list or object in it is not closed")
        }
        _ => {
            let ends = |c: char| matches!(c, ' ' | ')' | '&' | '|' | '=' | '<' | '>' | '!');
            let (word, rest) = text.split_at(text.find(ends).unwrap_or(text.len()));
            let value = Json::parse(word).map_err(|_| "a value in its filter is not understood")?;
            Ok((Operand::Value(value), rest))
        }
    }
}

/// `/pattern/flags`
fn pattern(text: &str) -> Result<(Operand, &str), &'static str> {
    let inside = text.strip_prefix('/').unwrap_or(text);
    let mut escaped = false;
    let end = inside.char_indices().find(|(_, c)| {
        let ends = *c == '/' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    let (end, _) = end.ok_or("a pattern is not closed")?;
    let (own, rest) = inside.split_at(end);
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    let flags_end = rest
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(rest.len());
    let (flags, rest) = rest.split_at(flags_end);
    let own = match flags {
        "" => own.to_owned(),
        flags => format!("(?{flags}){own}"),
    };
    Pattern::new(&own).map_err(|_| "a pattern in its filter is not valid")?;
    Ok((Operand::Pattern(own), rest))
}

impl Filter {
    /// Whether it holds of a value.
    pub(super) fn holds(&self, current: &Json, root: &Json) -> bool {
        match self {
            Self::All(filters) => filters.iter().all(|filter| filter.holds(current, root)),
            Self::Any(filters) => filters.iter().any(|filter| filter.holds(current, root)),
            Self::Not(filter) => !filter.holds(current, root),
            Self::Exists(path) => match evaluate::from(path, current, root) {
                Ok(Found::One(_)) => true,
                Ok(Found::Many(values)) => !values.is_empty(),
                Err(_) => false,
            },
            Self::Compare(left, comparison, Operand::Pattern(pattern)) => {
                let text = left.value(current, root).as_ref().and_then(Json::shown);
                let pattern = Pattern::new(pattern);
                *comparison == Comparison::Matches
                    && text.is_some_and(|text| pattern.is_ok_and(|own| own.is_whole(&text)))
            }
            Self::Compare(left, comparison, right) => {
                let (left, right) = (left.value(current, root), right.value(current, root));
                comparison.holds(left.as_ref(), right.as_ref())
            }
        }
    }
}

impl Operand {
    /// The value; none where a path leads nowhere.
    fn value(&self, current: &Json, root: &Json) -> Option<Json> {
        match self {
            Self::Value(value) => Some(value.clone()),
            Self::Pattern(_) => None,
            Self::Path(path) => match evaluate::from(path, current, root).ok()? {
                Found::One(value) => Some(value),
                Found::Many(values) => Some(Json::List(values)),
            },
        }
    }
}

impl Comparison {
    fn holds(self, left: Option<&Json>, right: Option<&Json>) -> bool {
        let (Some(left), Some(right)) = (left, right) else {
            return matches!(self, Self::NotEqual | Self::NotIn)
                && (left.is_some() || right.is_some());
        };
        let order = order(left, right);
        match (self, left, right) {
            (Self::Equal, ..) => equal(left, right),
            (Self::NotEqual, ..) => !equal(left, right),
            (Self::Less, ..) => order.is_some_and(std::cmp::Ordering::is_lt),
            (Self::LessOrEqual, ..) => order.is_some_and(std::cmp::Ordering::is_le),
            (Self::Greater, ..) => order.is_some_and(std::cmp::Ordering::is_gt),
            (Self::GreaterOrEqual, ..) => order.is_some_and(std::cmp::Ordering::is_ge),
            (Self::In, _, Json::List(values)) => values.iter().any(|own| equal(left, own)),
            (Self::NotIn, _, Json::List(values)) => !values.iter().any(|own| equal(left, own)),
            (Self::Contains, Json::List(values), _) => values.iter().any(|own| equal(own, right)),
            (Self::Contains, Json::Text(text), Json::Text(part)) => text.contains(part.as_str()),
            (Self::Size, _, Json::Integer(size)) => {
                length(left).is_some_and(|own| i64::try_from(own) == Ok(*size))
            }
            (Self::Empty, _, Json::Bool(empty)) => {
                length(left).is_some_and(|own| (own == 0) == *empty)
            }
            _ => false,
        }
    }
}

/// How many characters, elements or members a value has.
fn length(value: &Json) -> Option<usize> {
    match value {
        Json::Text(text) => Some(text.encode_utf16().count()),
        Json::List(values) => Some(values.len()),
        Json::Object(members) => Some(members.len()),
        _ => None,
    }
}

pub(super) fn number(value: &Json) -> Option<f64> {
    match value {
        Json::Integer(number) => Some(*number as f64),
        Json::Float(number) => Some(*number),
        Json::Big(text) => text.parse().ok(),
        _ => None,
    }
}

/// Numbers equal texts that read the same.
fn equal(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Text(text), other) | (other, Json::Text(text)) if number(other).is_some() => {
            text.trim().parse().ok() == number(other)
        }
        _ => match (number(left), number(right)) {
            (Some(left), Some(right)) => left.total_cmp(&right).is_eq(),
            _ => left == right,
        },
    }
}

fn order(left: &Json, right: &Json) -> Option<std::cmp::Ordering> {
    match (left, right) {
        (Json::Text(left), Json::Text(right)) => Some(left.cmp(right)),
        _ => number(left)?.partial_cmp(&number(right)?),
    }
}
