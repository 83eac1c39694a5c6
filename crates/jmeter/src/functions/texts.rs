//! Texts changed, escaped and measured.

use std::borrow::Cow;

use super::{Invocation, entities, java};
use crate::user::Trouble;

/// `__changeCase(text, UPPER or LOWER or CAPITALIZE, variable)`
pub(super) fn change_case(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let text = call.argument(0);
    let mode = call.argument(1);
    let changed = match mode.to_uppercase().as_str() {
        "" | "UPPER" => text.to_uppercase(),
        "LOWER" => text.to_lowercase(),
        "CAPITALIZE" => java::capitalized(&text),
        _ => text.into_owned(),
    };
    call.yields(&changed, 2);
    Ok(())
}

/// `__caseFormat(text, mode, variable)`, of the functions plugin.
pub(super) fn case_format(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let text = call.argument(0);
    let mode = call.argument(1).to_uppercase();
    let formatted = match mode.as_str() {
        "" | "LOWER_CAMEL_CASE" => camel(&text, false),
        "UPPER_CAMEL_CASE" => camel(&text, true),
        "SNAKE_CASE" | "LOWER_UNDERSCORE" => words(&text).join("_").to_lowercase(),
        "KEBAB_CASE" | "LISP_CASE" | "SPINAL_CASE" | "LOWER_HYPHEN" => {
            words(&text).join("-").to_lowercase()
        }
        "TRAIN_CASE" => words(&text).join("-").to_uppercase(),
        "UPPER_UNDERSCORE" => words(&text).join("_").to_uppercase(),
        _ => text.into_owned(),
    };
    call.yields(&formatted, 2);
    Ok(())
}

fn camel(text: &str, first_too: bool) -> String {
    let words = words(text).into_iter().map(str::to_lowercase).enumerate();
    let cased = words.map(|(index, word)| match index {
        0 if !first_too => word,
        _ => java::capitalized(&word),
    });
    cased.collect()
}

/// The words of a text; an empty one where a delimiter leads, none where one trails.
fn words(text: &str) -> Vec<&str> {
    let delimiter = |c: char| matches!(c, '-' | '_' | ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c');
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(delimiter) {
        let (word, after) = rest.split_at(at);
        words.push(word);
        rest = after.trim_start_matches(delimiter);
    }
    if !rest.is_empty() || words.is_empty() {
        words.push(rest);
    }
    words
}

/// `__uppercase(text, variable)`, of the functions plugin.
pub(super) fn uppercase(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let text = call.argument(0).to_uppercase();
    call.yields(&text, 1);
    Ok(())
}

/// `__lowercase(text, variable)`, of the functions plugin.
pub(super) fn lowercase(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let text = call.argument(0).to_lowercase();
    call.yields(&text, 1);
    Ok(())
}

/// `__strLen(text, variable)`, of the functions plugin.
pub(super) fn length(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let length = java::length(&call.argument(0)).to_string();
    call.yields(&length, 1);
    Ok(())
}

/// `__substring(text, begin, end, variable)`, of the functions plugin.
pub(super) fn substring(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let text = call.argument(0);
    let begin = call.argument(1);
    let begin = usize::try_from(call.whole(begin.trim())?);
    let end = call.argument(2);
    let end = usize::try_from(call.whole(end.trim())?);
    let part = match (begin, end) {
        (Ok(begin), Ok(end)) => java::substring(&text, begin, end),
        _ => None,
    };
    let Some(part) = part else {
        return Err(call.trouble("positions outside of the text"));
    };
    call.yields(&part, 3);
    Ok(())
}

/// `__strReplace(text, part, replacement, variable)`, of the functions plugin.
pub(super) fn replace(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let text = call.argument(0);
    let part = call.argument(1);
    let replacement = call.argument(2);
    let text = text.replace(part.as_ref(), &replacement);
    call.yields(&text, 3);
    Ok(())
}

/// `__if(actual, expected, when equal, otherwise, variable)`, of the functions plugin.
pub(super) fn if_equal(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let equal = call.argument(0) == call.argument(1);
    let chosen = call.argument(if equal { 2 } else { 3 });
    call.yields(&chosen, 4);
    Ok(())
}

/// `__char(numbers…)`: characters by their numbers, as Java reads numbers: `65`, `0x41`, `#41`, `0101`.
pub(super) fn char(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let mut units = Vec::new();
    for index in 0..call.count() {
        let text = call.argument(index);
        // As in Java's conversion of a number to a character, the lower 16 bits count.
        let number = decoded(text.trim());
        let unit = number.and_then(|number| u16::try_from(number & 0xffff).ok());
        units.extend(unit);
    }
    call.out.push_str(&String::from_utf16_lossy(&units));
    Ok(())
}

fn decoded(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = if let Some(digits) = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"))
        .or_else(|| digits.strip_prefix('#'))
    {
        (16, digits)
    } else if digits.len() > 1 && digits.starts_with('0') {
        (8, digits.split_at(1).1)
    } else {
        (10, digits)
    };
    let first_is_digit = digits.starts_with(|c: char| c.is_digit(radix));
    let number = i64::from_str_radix(digits, radix).ok()?;
    first_is_digit.then_some(if negative { -number } else { number })
}

/// `__escapeOroRegexpChars(text, variable)`: a backslash before all that is no letter, digit or `_`.
pub(super) fn escape_oro(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let text = call.argument(0);
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if !character.is_alphanumeric() && character != '_' {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    call.yields(&escaped, 1);
    Ok(())
}

/// `__escapeHtml(text)`: the entities of HTML 4.
pub(super) fn escape_html(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let text = call.argument(0);
    entities::escape_html(&text, call.out);
    Ok(())
}

/// `__unescapeHtml(text)`: the entities of HTML 4 and numbers.
pub(super) fn unescape_html(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let text = call.argument(0);
    entities::unescape_html(&text, call.out);
    Ok(())
}

/// `__escapeXml(text)`: what XML 1.0 has no character for is left out.
pub(super) fn escape_xml(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    for character in call.argument(0).chars() {
        match character {
            '"' => call.out.push_str("&quot;"),
            '&' => call.out.push_str("&amp;"),
            '<' => call.out.push_str("&lt;"),
            '>' => call.out.push_str("&gt;"),
            '\'' => call.out.push_str("&apos;"),
            '\t' | '\n' | '\r' => call.out.push(character),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => {}
            '\x7f'..='\u{84}' | '\u{86}'..='\u{9f}' => {
                let escaped = format!("&#{};", u32::from(character));
                call.out.push_str(&escaped);
            }
            _ => call.out.push(character),
        }
    }
    Ok(())
}

/// `__unescape(text)`: the escapes of Java's texts.
pub(super) fn unescape(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let text = call.argument(0);
    match unescaped(&text) {
        Some(text) => call.out.push_str(&text),
        None => return Err(call.trouble("Less than 4 hex digits in unicode value")),
    }
    Ok(())
}

fn unescaped(text: &str) -> Option<String> {
    // Units of UTF-16, for a character outside of the basic plane is written as two escapes.
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, after) = rest.split_at(at);
        units.extend(before.encode_utf16());
        let after = after.split_at(1).1;
        let (unit, taken) = escape(after)?;
        units.extend(unit);
        rest = after.split_at(taken).1;
    }
    units.extend(rest.encode_utf16());
    Some(String::from_utf16_lossy(&units))
}

/// What follows a backslash: the unit it stands for, and how many bytes it takes.
fn escape(after: &str) -> Option<(Option<u16>, usize)> {
    let bytes = after.as_bytes();
    Some(match bytes.first() {
        Some(b'0'..=b'7') => {
            let most = if bytes[0] <= b'3' { 3 } else { 2 };
            let digits = bytes.iter().take(most);
            let digits = digits
                .take_while(|byte| matches!(byte, b'0'..=b'7'))
                .count();
            (
                u16::from_str_radix(after.split_at(digits).0, 8).ok(),
                digits,
            )
        }
        Some(b'u') => {
            let letters = bytes.iter().take_while(|byte| **byte == b'u').count();
            let plus = usize::from(bytes.get(letters) == Some(&b'+'));
            let start = letters + plus;
            let unit = u16::from_str_radix(after.get(start..start + 4)?, 16).ok()?;
            (Some(unit), start + 4)
        }
        Some(b'b') => (Some(8), 1),
        Some(b't') => (Some(9), 1),
        Some(b'n') => (Some(10), 1),
        Some(b'f') => (Some(12), 1),
        Some(b'r') => (Some(13), 1),
        Some(b'\\' | b'"' | b'\'') => (Some(u16::from(bytes[0])), 1),
        _ => (None, 0),
    })
}

/// `__urlencode(text)`: as in the query of a form, in UTF-8.
pub(super) fn url_encode(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let text = call.argument(0);
    call.out
        .extend(form_urlencoded::byte_serialize(text.as_bytes()));
    Ok(())
}

/// `__urldecode(text)`
pub(super) fn url_decode(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let text = call.argument(0);
    match url_decoded(&text) {
        Some(text) => call.out.push_str(&text),
        None => return Err(call.trouble("Illegal hex characters in escape (%) pattern")),
    }
    Ok(())
}

/// A text from the form of URLs; `None` where an escape is none.
pub(super) fn url_decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['%', '+']) {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = std::str::from_utf8(after.get(..2)?).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = &after[2..];
            }
            other => bytes.push(*other),
        }
    }
    Some(Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()))
}
