//! The grammar of one line.

use super::parser::ParseErrorKind;
use super::{FamilyKind, Labels, Sample, parse_value};

/// What a line says.
pub(super) enum Line<'a> {
    /// Blank, or a comment.
    Nothing,
    Help {
        name: &'a str,
        text: String,
    },
    Type {
        name: &'a str,
        kind: FamilyKind,
    },
    Sample(Sample),
}

pub(super) fn read_line(line: &str) -> Result<Line<'_>, ParseErrorKind> {
    let line = line
        .strip_suffix('\r')
        .unwrap_or(line)
        .trim_start_matches(is_blank);
    if line.is_empty() {
        return Ok(Line::Nothing);
    }
    match line.strip_prefix('#') {
        Some(comment) => described(comment),
        None => sample(line).map(Line::Sample),
    }
}

/// A HELP or TYPE line; every other comment is nothing.
fn described(comment: &str) -> Result<Line<'_>, ParseErrorKind> {
    let (keyword, rest) = word(comment);
    if keyword != "HELP" && keyword != "TYPE" {
        return Ok(Line::Nothing);
    }
    let (name, rest) = metric_name(rest.trim_start_matches(is_blank))?;
    let rest = rest.trim_start_matches(is_blank);
    if keyword == "HELP" {
        let text = unescaped(rest, false).unwrap_or_else(|| rest.to_owned());
        return Ok(Line::Help { name, text });
    }
    let kind = match rest.trim_end_matches(is_blank) {
        "counter" => FamilyKind::Counter,
        "gauge" => FamilyKind::Gauge,
        "histogram" => FamilyKind::Histogram,
        "summary" => FamilyKind::Summary,
        "untyped" => FamilyKind::Untyped,
        other => return Err(ParseErrorKind::UnknownType(excerpt(other))),
    };
    Ok(Line::Type { name, kind })
}

fn sample(line: &str) -> Result<Sample, ParseErrorKind> {
    let (name, rest) = metric_name(line)?;
    let rest = rest.trim_start_matches(is_blank);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(inside) => labels(inside)?,
        None => (Labels::new(), rest),
    };
    let (value_text, rest) = word(rest);
    let value =
        parse_value(value_text).ok_or_else(|| ParseErrorKind::Value(excerpt(value_text)))?;
    let (timestamp_text, rest) = word(rest);
    let timestamp_ms = if timestamp_text.is_empty() {
        None
    } else {
        let timestamp = timestamp_text.parse();
        Some(timestamp.map_err(|_| ParseErrorKind::Timestamp(excerpt(timestamp_text)))?)
    };
    if !rest.trim_matches(is_blank).is_empty() {
        return Err(ParseErrorKind::TrailingText);
    }
    Ok(Sample {
        name: name.to_owned(),
        labels,
        value,
        timestamp_ms,
    })
}

/// Reads labels after the opening brace, up to and with the closing one.
fn labels(mut rest: &str) -> Result<(Labels, &str), ParseErrorKind> {
    let mut labels = Labels::new();
    loop {
        rest = rest.trim_start_matches(is_blank);
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((labels, after));
        }
        let (name, after_name) = label_name(rest)?;
        let after_equals = expect(after_name, '=')?;
        let value_start = expect(after_equals, '"')?;
        let (value, after_value) =
            quoted(value_start).ok_or_else(|| ParseErrorKind::LabelValue(name.to_owned()))?;
        if labels.insert(name.to_owned(), value).is_some() {
            return Err(ParseErrorKind::RepeatedLabel(name.to_owned()));
        }
        rest = after_value.trim_start_matches(is_blank);
        if let Some(after_comma) = rest.strip_prefix(',') {
            rest = after_comma;
        } else if !rest.starts_with('}') {
            return Err(ParseErrorKind::LabelSyntax('}'));
        }
    }
}

fn expect(text: &str, character: char) -> Result<&str, ParseErrorKind> {
    text.trim_start_matches(is_blank)
        .strip_prefix(character)
        .ok_or(ParseErrorKind::LabelSyntax(character))
}

/// Splits off a quoted value, after its opening quote.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut escaped = false;
    let end = text.find(|character| {
        let closes = character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
        closes
    })?;
    let (inside, rest) = text.split_at(end);
    Some((unescaped(inside, true)?, rest.strip_prefix('"')?))
}

/// Resolves `\\` and `\n`, and `\"` where quotes are escaped; `None` for any other escape.
fn unescaped(text: &str, quotes: bool) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        out.push(match character {
            '\\' => match characters.next()? {
                '\\' => '\\',
                'n' => '\n',
                '"' if quotes => '"',
                _ => return None,
            },
            other => other,
        });
    }
    Some(out)
}

fn metric_name(text: &str) -> Result<(&str, &str), ParseErrorKind> {
    name(text, |character| character == ':').ok_or(ParseErrorKind::MetricName)
}

fn label_name(text: &str) -> Result<(&str, &str), ParseErrorKind> {
    name(text, |_| false).ok_or(ParseErrorKind::LabelName)
}

/// Splits off a name of ASCII letters, digits, underscores and what else is allowed, which does not
/// begin with a digit.
fn name(text: &str, also: fn(char) -> bool) -> Option<(&str, &str)> {
    let in_name =
        |character: char| character.is_ascii_alphanumeric() || character == '_' || also(character);
    let end = text
        .find(|character| !in_name(character))
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    name.starts_with(|first: char| !first.is_ascii_digit())
        .then_some((name, rest))
}

/// Splits off the next word, after any blanks.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches(is_blank);
    text.split_at(text.find(is_blank).unwrap_or(text.len()))
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t')
}

fn excerpt(text: &str) -> String {
    const CHARACTERS_MAX: usize = 40;
    text.chars().take(CHARACTERS_MAX).collect()
}
