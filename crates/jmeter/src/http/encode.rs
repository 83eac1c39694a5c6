//! Texts as bytes, and forms.
//!
//! Source: `java.net.URLEncoder` and `URLDecoder`.

use super::url::push_percent;

/// The character sets that requests can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    Utf8,
    Latin1,
    Ascii,
}

impl Charset {
    /// The character set of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Some(Self::Utf8),
            "iso-8859-1" | "iso8859-1" | "iso8859_1" | "latin1" | "latin-1" | "iso_8859-1" => {
                Some(Self::Latin1)
            }
            "us-ascii" | "ascii" => Some(Self::Ascii),
            _ => None,
        }
    }

    /// The name that Java gives it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Latin1 => "ISO-8859-1",
            Self::Ascii => "US-ASCII",
        }
    }

    /// Appends a text; what the set does not have becomes `?`.
    pub(super) fn encode(self, text: &str, out: &mut Vec<u8>) {
        if self == Self::Utf8 || text.is_ascii() {
            out.extend_from_slice(text.as_bytes());
            return;
        }
        let last = if self == Self::Latin1 { 0xff } else { 0x7f };
        out.extend(text.chars().map(|character| {
            let code = u8::try_from(u32::from(character)).unwrap_or(b'?');
            if code <= last { code } else { b'?' }
        }));
    }

    fn decode(self, bytes: &[u8]) -> String {
        match self {
            Self::Utf8 | Self::Ascii => String::from_utf8_lossy(bytes).into_owned(),
            Self::Latin1 => bytes.iter().copied().map(char::from).collect(),
        }
    }
}

/// Appends a text as a form shows it: spaces as `+`, all but letters, digits and `.-*_` as `%XX`.
pub(super) fn encode_form(text: &str, charset: Charset, out: &mut Vec<u8>) {
    let mut buffer = Vec::new();
    let bytes = if charset == Charset::Utf8 || text.is_ascii() {
        text.as_bytes()
    } else {
        charset.encode(text, &mut buffer);
        &buffer
    };
    for &byte in bytes {
        match byte {
            b' ' => out.push(b'+'),
            b'.' | b'-' | b'*' | b'_' => out.push(byte),
            _ if byte.is_ascii_alphanumeric() => out.push(byte),
            _ => push_percent(byte, out),
        }
    }
}

/// A text that a form shows, read back; nothing when it is malformed, with Java's words.
pub(super) fn decode_form(text: &str, charset: Charset) -> Result<String, String> {
    if !text.contains(['%', '+']) {
        return Ok(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let Some(digits) = after.get(..2) else {
                    return Err("URLDecoder: Incomplete trailing escape (%) pattern".to_owned());
                };
                let digits = String::from_utf8_lossy(digits);
                let Ok(value) = u8::from_str_radix(&digits, 16) else {
                    return Err(format!(
                        "URLDecoder: Illegal hex characters in escape (%) pattern - Error at index 0 in: \"{digits}\""
                    ));
                };
                bytes.push(value);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => bytes.push(byte),
        }
    }
    Ok(charset.decode(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_written_and_read_as_java_does() {
        for (text, charset, expected) in [
            ("x y", Charset::Utf8, "x+y"),
            ("\u{fc}&=+*~", Charset::Utf8, "%C3%BC%26%3D%2B*%7E"),
            ("\u{fc}&=+*~", Charset::Latin1, "%FC%26%3D%2B*%7E"),
            ("\u{624b}", Charset::Latin1, "%3F"),
            ("a.b-c_d", Charset::Utf8, "a.b-c_d"),
        ] {
            let mut out = Vec::new();
            encode_form(text, charset, &mut out);
            let encoded = String::from_utf8(out).unwrap();
            assert_eq!(encoded, expected);
            if expected != "%3F" {
                assert_eq!(decode_form(&encoded, charset).unwrap(), text);
            }
        }
        assert!(decode_form("a%2", Charset::Utf8).is_err());
        assert!(
            decode_form("a%zz", Charset::Utf8)
                .unwrap_err()
                .contains("zz")
        );
    }
}
