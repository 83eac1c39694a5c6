//! From bytes to text, and from places in the text to lines.

use std::borrow::Cow;

use super::error::{Place, ReadError};

/// A text in which places are asked for in rising order.
#[derive(Debug)]
pub(super) struct Lines<'t> {
    text: &'t str,
    at: usize,
    place: Place,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let place = Place { line: 1, column: 1 };
        Self { text, at: 0, place }
    }

    /// Line and column of the byte at `offset`; an earlier one than was asked for last costs a search
    /// from the beginning.
    pub(super) fn place(&mut self, offset: usize) -> Place {
        if offset < self.at {
            *self = Self::new(self.text);
        }
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let between = self.text.get(self.at..end).unwrap_or_default();
        let breaks = between.bytes().filter(|byte| *byte == b'\n').count();
        let last_line = between.rsplit('\n').next().unwrap_or_default();
        let columns = u32::try_from(last_line.chars().count()).unwrap_or(u32::MAX);
        if breaks > 0 {
            let breaks = u32::try_from(breaks).unwrap_or(u32::MAX);
            self.place.line = self.place.line.saturating_add(breaks);
            self.place.column = 1;
        }
        self.place.column = self.place.column.saturating_add(columns);
        self.at = end;
        self.place
    }
}

/// The text of a file, with line breaks as line feeds.
///
/// `JMeter` reads every plan as UTF-8, whatever its declaration says. So does this where the bytes are
/// UTF-8; otherwise a byte order mark or the declaration decides.
pub(super) fn text_of(bytes: &[u8]) -> Result<Cow<'_, str>, ReadError> {
    let text = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest)?,
        [0xFE, 0xFF, rest @ ..] => Cow::Owned(utf16(rest, u16::from_be_bytes)),
        [0xFF, 0xFE, rest @ ..] => Cow::Owned(utf16(rest, u16::from_le_bytes)),
        [0, b'<', 0, ..] => Cow::Owned(utf16(bytes, u16::from_be_bytes)),
        [b'<', 0, _, 0, ..] => Cow::Owned(utf16(bytes, u16::from_le_bytes)),
        _ => declared(bytes)?,
    };
    Ok(with_line_feeds(text))
}

fn declared(bytes: &[u8]) -> Result<Cow<'_, str>, ReadError> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(Cow::Borrowed(text));
    }
    let Some(encoding) = declared_encoding(bytes) else {
        return utf8(bytes);
    };
    match encoding.to_ascii_uppercase().as_str() {
        "UTF-8" | "UTF8" => utf8(bytes),
        "ISO-8859-1" | "LATIN1" | "ISO8859-1" | "WINDOWS-1252" | "CP1252" => Ok(Cow::Owned(
            bytes.iter().map(|byte| char::from(*byte)).collect(),
        )),
        _ => Err(ReadError::Encoding { encoding }),
    }
}

fn utf8(bytes: &[u8]) -> Result<Cow<'_, str>, ReadError> {
    std::str::from_utf8(bytes)
        .map(Cow::Borrowed)
        .map_err(|error| {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let text = String::from_utf8_lossy(good);
            ReadError::NotUtf8 {
                at: Lines::new(&text).place(text.len()),
            }
        })
}

fn utf16(bytes: &[u8], unit: impl Fn([u8; 2]) -> u16) -> String {
    let (pairs, _) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    char::decode_utf16(units)
        .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// What `encoding="…"` says in the first line.
fn declared_encoding(bytes: &[u8]) -> Option<String> {
    let head = bytes.get(..bytes.len().min(200)).unwrap_or_default();
    let head = String::from_utf8_lossy(head);
    let (declaration, _) = head.strip_prefix("<?xml")?.split_once("?>")?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value
        .chars()
        .next()
        .filter(|quote| "\"'".contains(*quote))?;
    let (name, _) = value.strip_prefix(quote)?.split_once(quote)?;
    Some(name.to_owned())
}

fn with_line_feeds(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains('\r') {
        return text;
    }
    Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
}
