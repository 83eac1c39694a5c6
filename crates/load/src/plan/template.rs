//! Templates of paths and JSON bodies: literal text with `${name}` in between.
//!
//! A name between the quotes of a JSON string stands for the text of the value, escaped; anywhere else
//! in a body for the value as JSON, so that an identifier goes back to the shop in the type in which it
//! came. In a path every value is percent-encoded.

/// A compiled template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Template {
    /// The pieces in order.
    pub pieces: Vec<Piece>,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Bytes that stand as they are.
    Literal(Vec<u8>),
    /// The value of a variable.
    Value {
        /// Index of the variable.
        variable: usize,
        /// How it is written.
        encoding: Encoding,
    },
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Percent-encoded UTF-8.
    Percent,
    /// The inside of a JSON string.
    JsonText,
    /// A JSON value.
    JsonValue,
}

/// A cut template whose names are not resolved yet.
#[derive(Debug)]
pub(super) struct Cut<'a> {
    pub(super) is_json: bool,
    pub(super) pieces: Vec<CutPiece<'a>>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum CutPiece<'a> {
    Literal(&'a str),
    /// A name and how its value is written.
    Name(&'a str, Encoding),
}

/// Cuts the template of a path.
pub(super) fn cut_path(text: &str) -> Result<Cut<'_>, String> {
    cut(text, false)
}

/// Cuts the template of a JSON body.
pub(super) fn cut_body(text: &str) -> Result<Cut<'_>, String> {
    cut(text, true)
}

fn cut(text: &str, is_json: bool) -> Result<Cut<'_>, String> {
    let mut pieces = Vec::new();
    let mut in_string = false;
    let mut rest_start = 0;
    while let Some((literal, rest)) = text
        .get(rest_start..)
        .and_then(|rest| rest.split_once("${"))
    {
        let Some((name, _)) = rest.split_once('}') else {
            return Err("`${` without a closing `}`".to_owned());
        };
        if is_json {
            in_string = ends_in_string(literal, in_string);
        }
        let encoding = match (is_json, in_string) {
            (false, _) => Encoding::Percent,
            (true, true) => Encoding::JsonText,
            (true, false) => Encoding::JsonValue,
        };
        pieces.push(CutPiece::Literal(literal));
        pieces.push(CutPiece::Name(name, encoding));
        rest_start += literal.len() + name.len() + "${}".len();
    }
    pieces.push(CutPiece::Literal(text.get(rest_start..).unwrap_or("")));
    Ok(Cut { is_json, pieces })
}

fn ends_in_string(literal: &str, mut in_string: bool) -> bool {
    let mut escaped = false;
    for byte in literal.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ => {}
        }
    }
    in_string
}

/// Whether a body with any value in the place of its names is JSON.
pub(super) fn check_body(cut: &Cut<'_>) -> Result<(), serde_json::Error> {
    let mut sample = String::new();
    for piece in &cut.pieces {
        match piece {
            CutPiece::Literal(literal) => sample.push_str(literal),
            CutPiece::Name(..) => sample.push('0'),
        }
    }
    serde_json::from_str::<serde::de::IgnoredAny>(&sample).map(|_| ())
}

/// A literal of a body without the white space between JSON tokens, so that a body is one line.
pub(super) fn without_white_space(literal: &str, in_string: &mut bool) -> Vec<u8> {
    let mut kept = Vec::with_capacity(literal.len());
    let mut escaped = false;
    for byte in literal.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if *in_string => escaped = true,
            b'"' => *in_string = !*in_string,
            b' ' | b'\t' | b'\r' | b'\n' if !*in_string => continue,
            _ => {}
        }
        kept.push(byte);
    }
    kept
}

/// Appends text in percent-encoding; only unreserved characters stand for themselves.
///
/// Source: RFC 3986 section 2.
pub(crate) fn percent_encode_into(text: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in text {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(byte);
        } else {
            out.extend_from_slice(&[
                b'%',
                HEX[usize::from(byte >> 4)],
                HEX[usize::from(byte & 15)],
            ]);
        }
    }
}
