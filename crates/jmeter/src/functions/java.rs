//! Java's ways with texts and numbers, where they differ from Rust's.

/// A number as `Double.toString` writes it.
///
/// Source: the documentation of `java.lang.Double.toString`; the shortest digits, as since Java 19.
pub(super) fn double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let size = value.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        return format!("{value:?}");
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    format!("{digits}{point}E{exponent}")
}

/// Units of UTF-16, which is what Java counts characters in.
pub(super) fn length(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    text.encode_utf16().count()
}

/// The part of a text between two positions that count units of UTF-16; `None` when they are outside.
pub(super) fn substring(text: &str, begin: usize, end: usize) -> Option<String> {
    if begin > end || end > length(text) {
        return None;
    }
    if text.is_ascii() {
        return text.get(begin..end).map(str::to_owned);
    }
    let units: Vec<u16> = text.encode_utf16().skip(begin).take(end - begin).collect();
    Some(String::from_utf16_lossy(&units))
}

/// The same with a large first letter.
pub(super) fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters).collect()
}

/// A replacement as Java's patterns take it, written for Rust's: `\` takes the next character as it is,
/// `$1` is a group.
pub(super) fn replacement(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(next) = characters.next() {
        match next {
            '\\' => match characters.next() {
                Some('$') => out.push_str("$$"),
                Some(other) => out.push(other),
                None => {}
            },
            '$' => {
                let mut group = String::new();
                while let Some(digit) = characters.next_if(char::is_ascii_digit) {
                    group.push(digit);
                }
                out.push_str("${");
                out.push_str(&group);
                out.push('}');
            }
            other => out.push(other),
        }
    }
    out
}
