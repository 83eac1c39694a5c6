//! Looking up values in a JSON document by pointer, keeping their exact text.
//!
//! Money must not pass through a float, so a number is handed on digit by digit as the document wrote
//! it. The scanner stops at the value it looks for: what follows is not checked.
//!
//! Source: RFC 6901 (JSON Pointer), RFC 8259 (JSON).

use std::borrow::Cow;

/// Nesting deeper than this is refused.
const DEPTH_MAX: usize = 128;

/// Members that are found in one pass at most: the bits of a word.
const MEMBERS_MAX: usize = 64;

/// A parsed JSON pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    tokens: Vec<String>,
}

/// Why a text is not a JSON pointer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PointerError {
    /// A pointer that is not empty starts with a slash.
    #[error("a JSON pointer starts with `/`, as in `/order_id`")]
    NoSlash,
    /// `~` stands only before 0 or 1.
    #[error("in a JSON pointer `~` is written `~0` and `/` is written `~1`")]
    Escape,
}

/// What a document holds at a pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<'a> {
    /// A string, without its quotes and escapes.
    Text(Cow<'a, str>),
    /// A number, in the document's own digits.
    Number(&'a str),
    /// `true`, `false`, `null`, an array or an object, as written.
    Other(&'a str),
}

impl Pointer {
    /// Parses a pointer.
    ///
    /// # Errors
    /// [`PointerError`] when it does not start with `/` or holds a wrong escape.
    pub fn parse(text: &str) -> Result<Self, PointerError> {
        if text.is_empty() {
            return Ok(Self { tokens: Vec::new() });
        }
        let rest = text.strip_prefix('/').ok_or(PointerError::NoSlash)?;
        let tokens = rest
            .split('/')
            .map(unescape_token)
            .collect::<Result<_, _>>()?;
        Ok(Self { tokens })
    }

    /// The value at this pointer, or `None` where the document has none or is not JSON up to there.
    pub fn find<'a>(&self, document: &'a [u8]) -> Option<Found<'a>> {
        let mut scanner = Scanner { document, at: 0 };
        for token in &self.tokens {
            scanner.enter(token)?;
        }
        scanner.value()
    }
}

/// Hands on what a document holds at each of `count` pointers, by the pointer's place among them: the
/// same as [`Pointer::find`] for each, but members of the document itself are found in one pass over it.
pub(crate) fn find_each<'p, 'a>(
    count: usize,
    pointer: impl Fn(usize) -> &'p Pointer,
    document: &'a [u8],
    mut found: impl FnMut(usize, &Found<'a>),
) {
    let mut scanner = Scanner { document, at: 0 };
    let are_members = (0..count).all(|place| pointer(place).tokens.len() == 1);
    if are_members && count <= MEMBERS_MAX && scanner.peek() == Some(b'{') {
        let name = |place| pointer(place).tokens.first().map_or("", String::as_str);
        // Where the pass breaks off, the rest is not there.
        let _rest = scanner.find_members(count, name, &mut found);
        return;
    }
    for place in 0..count {
        if let Some(value) = pointer(place).find(document) {
            found(place, &value);
        }
    }
}

fn unescape_token(token: &str) -> Result<String, PointerError> {
    let mut plain = String::with_capacity(token.len());
    let mut characters = token.chars();
    while let Some(character) = characters.next() {
        plain.push(match character {
            '~' => match characters.next() {
                Some('0') => '~',
                Some('1') => '/',
                _ => return Err(PointerError::Escape),
            },
            other => other,
        });
    }
    Ok(plain)
}

/// Appends UTF-8 as the inside of a JSON string.
pub(crate) fn escape_into(text: &[u8], out: &mut Vec<u8>) {
    let is_special = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
    let mut rest = text;
    while let Some((plain, special)) = rest
        .iter()
        .position(is_special)
        .and_then(|index| rest.split_at_checked(index))
    {
        out.extend_from_slice(plain);
        if let Some((byte, behind)) = special.split_first() {
            escape_byte_into(*byte, out);
            rest = behind;
        }
    }
    out.extend_from_slice(rest);
}

fn escape_byte_into(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        other => {
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(other >> 4)]);
            out.push(HEX[usize::from(other & 15)]);
        }
    }
}

/// Appends UTF-8 as a JSON string with its quotes.
pub(crate) fn quote_into(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    escape_into(text, out);
    out.push(b'"');
}

/// Bytes up to the next quote or backslash, or to the end, and whether they are ASCII. Eight are looked
/// at in one step.
///
/// Source: G. Warren, “Hacker's Delight”, section 6-1: the lowest zero byte of a word.
fn string_part(bytes: &[u8]) -> (usize, bool) {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let (mut at, mut seen) = (0, 0);
    let mut rest = bytes;
    while let Some((chunk, behind)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let quotes = zeros(word ^ (ONES * u64::from(b'"')));
        let stops = quotes | zeros(word ^ (ONES * u64::from(b'\\')));
        if stops != 0 {
            let bits = stops.trailing_zeros() & !7;
            seen |= word & ((1 << bits) - 1);
            return (at + bits as usize / 8, seen & HIGHS == 0);
        }
        seen |= word;
        at += chunk.len();
        rest = behind;
    }
    for byte in rest {
        if matches!(byte, b'"' | b'\\') {
            break;
        }
        seen |= u64::from(*byte);
        at += 1;
    }
    (at, seen & HIGHS == 0)
}

/// A string as it stands in a document.
#[derive(Clone, Copy)]
struct Quoted<'a> {
    /// With its quotes.
    bytes: &'a [u8],
    /// Whether it is ASCII without escapes, and so stands for itself.
    is_plain: bool,
}

struct Scanner<'a> {
    document: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&mut self) -> Option<u8> {
        while matches!(
            self.document.get(self.at),
            Some(b' ' | b'\t' | b'\n' | b'\r')
        ) {
            self.at += 1;
        }
        self.document.get(self.at).copied()
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    /// Moves to the member or element `token` of the container that starts here.
    fn enter(&mut self, token: &str) -> Option<()> {
        match self.peek()? {
            b'{' => self.enter_object(token),
            b'[' => self.enter_array(token),
            _ => None,
        }
    }

    fn enter_object(&mut self, token: &str) -> Option<()> {
        self.take(b'{')?;
        loop {
            let name = self.string()?;
            self.take(b':')?;
            if name.is(token)? {
                return Some(());
            }
            self.skip()?;
            self.take(b',')?;
        }
    }

    /// Hands on the first value of each member that is asked for; `None` where there is no further one.
    fn find_members<'p>(
        &mut self,
        count: usize,
        name: impl Fn(usize) -> &'p str,
        found: &mut impl FnMut(usize, &Found<'a>),
    ) -> Option<()> {
        self.take(b'{')?;
        let mut missing = (0..count).fold(0_u64, |bits, place| bits | 1 << place);
        while missing != 0 {
            let member = self.string()?;
            self.take(b':')?;
            let mut met = 0_u64;
            for place in 0..count {
                if missing & (1 << place) != 0 && member.is(name(place))? {
                    met |= 1 << place;
                }
            }
            let start = self.at;
            let value = if met == 0 { None } else { self.value() };
            if let Some(value) = &value {
                for place in 0..count {
                    if met & (1 << place) != 0 {
                        found(place, value);
                    }
                }
            } else {
                self.at = start;
                self.skip()?;
            }
            missing &= !met;
            if missing != 0 {
                self.take(b',')?;
            }
        }
        Some(())
    }

    fn enter_array(&mut self, token: &str) -> Option<()> {
        let canonical = token == "0" || !token.starts_with('0');
        let index: usize = token
            .parse()
            .ok()
            .filter(|_| canonical && !token.starts_with('+'))?;
        self.take(b'[')?;
        if self.peek()? == b']' {
            return None;
        }
        for _ in 0..index {
            self.skip()?;
            self.take(b',')?;
        }
        Some(())
    }

    /// The value that starts here.
    fn value(&mut self) -> Option<Found<'a>> {
        let first = self.peek()?;
        let start = self.at;
        if first == b'"' {
            return Some(Found::Text(self.string()?.unquote()?));
        }
        self.skip()?;
        let text = std::str::from_utf8(self.document.get(start..self.at)?).ok()?;
        Some(match first {
            b'-' | b'0'..=b'9' if is_number(text) => Found::Number(text),
            b'{' | b'[' => Found::Other(text),
            _ if matches!(text, "true" | "false" | "null") => Found::Other(text),
            _ => return None,
        })
    }

    /// The string that starts here.
    fn string(&mut self) -> Option<Quoted<'a>> {
        if self.peek()? != b'"' {
            return None;
        }
        let start = self.at;
        let mut rest = self.document.get(start + 1..)?;
        let mut is_plain = true;
        loop {
            let (stop, is_ascii) = string_part(rest);
            is_plain &= is_ascii;
            match rest.get(stop..)? {
                [b'"', behind @ ..] => {
                    self.at = self.document.len() - behind.len();
                    break;
                }
                [b'\\', _, behind @ ..] => {
                    is_plain = false;
                    rest = behind;
                }
                _ => return None,
            }
        }
        let bytes = self.document.get(start..self.at)?;
        Some(Quoted { bytes, is_plain })
    }

    /// Moves behind the value that starts here.
    fn skip(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.string()?;
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                    if depth > DEPTH_MAX {
                        return None;
                    }
                    continue;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    self.at += 1;
                }
                b',' | b':' if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                b',' | b':' => return None,
                _ => self.skip_bare(),
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    /// Moves behind a number or a word.
    fn skip_bare(&mut self) {
        while let Some(byte) = self.document.get(self.at) {
            if matches!(byte, b',' | b':' | b'}' | b']' | b'{' | b'[' | b'"')
                || byte.is_ascii_whitespace()
            {
                return;
            }
            self.at += 1;
        }
    }
}

impl<'a> Quoted<'a> {
    fn inside(self) -> &'a [u8] {
        self.bytes
            .get(1..self.bytes.len().saturating_sub(1))
            .unwrap_or_default()
    }

    /// Whether the string is this text; `None` when it is none.
    fn is(self, text: &str) -> Option<bool> {
        if self.is_plain {
            return Some(self.inside() == text.as_bytes());
        }
        self.unquote().map(|unquoted| unquoted == text)
    }

    fn unquote(self) -> Option<Cow<'a, str>> {
        if !self.is_plain && self.inside().contains(&b'\\') {
            return serde_json::from_slice::<String>(self.bytes)
                .ok()
                .map(Cow::Owned);
        }
        std::str::from_utf8(self.inside()).ok().map(Cow::Borrowed)
    }
}

/// Whether a text is a JSON number.
pub(crate) fn is_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    let unsigned = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let rest = match unsigned {
        [b'0', rest @ ..] => Some(rest),
        other => digits(other),
    };
    let rest = match rest {
        Some([b'.', fraction @ ..]) => digits(fraction),
        other => other,
    };
    match rest {
        Some([b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..]) => {
            digits(exponent) == Some(&[])
        }
        other => other == Some(&[]),
    }
}

/// What follows at least one digit.
fn digits(bytes: &[u8]) -> Option<&[u8]> {
    let count = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    bytes.get(count..).filter(|_| count > 0)
}

#[cfg(test)]
mod tests;
