//! JSON as `JMeter`'s extractors see it: in the order of the text, printed as `json-smart` prints it.

pub(super) mod evaluate;
pub(super) mod filter;
pub(super) mod path;

use std::fmt::Write as _;

/// How deep values may stand within values.
const DEPTH: u32 = 400;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    /// A number of more digits than the others hold, as it is written.
    Big(Box<str>),
    Text(String),
    List(Vec<Self>),
    /// Names and values, each name once.
    Object(Vec<(String, Self)>),
}

/// A text that is no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not JSON at byte {at}")]
pub(super) struct NotJson {
    pub(super) at: usize,
}

impl Json {
    /// Reads a text.
    pub(super) fn parse(text: &str) -> Result<Self, NotJson> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(0)?;
        reader.space();
        if reader.at < text.len() {
            return Err(reader.wrong());
        }
        Ok(value)
    }

    /// The member of an object.
    pub(super) fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => {
                let found = members.iter().find(|(own, _)| own == name);
                found.map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The value as `JMeter` puts it into a variable; `None` for null.
    pub(super) fn shown(&self) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Text(text) => text.clone(),
            Self::Object(members) => in_hash_order(members).written(),
            other => other.written(),
        })
    }

    /// The value as JSON.
    pub(super) fn written(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Integer(number) => out.push_str(&number.to_string()),
            Self::Float(number) => out.push_str(&java_double(*number)),
            Self::Big(number) => out.push_str(number),
            Self::Text(text) => write_text(text, out),
            Self::List(values) => {
                out.push('[');
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    value.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_text(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// An object whose members stand as in a `HashMap` of Java: `JMeter` copies an object that a path leads
/// to into one before it prints it, and only that one. Source: `java.util.HashMap`, `hash`.
fn in_hash_order(members: &[(String, Json)]) -> Json {
    let wanted = members.len() + members.len() / 3 + 1;
    let buckets = u32::try_from(wanted.next_power_of_two()).unwrap_or(1 << 30);
    let bucket = |name: &str| {
        let units = name.encode_utf16();
        let hash = units.fold(0_u32, |hash, unit| {
            hash.wrapping_mul(31).wrapping_add(u32::from(unit))
        });
        (hash ^ (hash >> 16)) & (buckets - 1)
    };
    let mut members = members.to_vec();
    members.sort_by_key(|(name, _)| bucket(name));
    Json::Object(members)
}

/// A text in quotation marks, with the escapes that `json-smart` makes: also of the slash.
pub(super) fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '/' => out.push_str("\\/"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2000}'..='\u{20ff}' => {
                // Writing into a text cannot fail.
                let _written = write!(out, "\\u{:04X}", u32::from(c));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// A number as `Double.toString` of Java writes it.
pub(super) fn java_double(number: f64) -> String {
    let size = number.abs();
    if number == 0.0 || (1e-3..1e7).contains(&size) {
        return format!("{number:?}");
    }
    let scientific = format!("{number:E}");
    match scientific.split_once('E') {
        Some((digits, power)) if !digits.contains('.') => format!("{digits}.0E{power}"),
        _ => scientific,
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn wrong(&self) -> NotJson {
        NotJson { at: self.at }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn takes(&mut self, wanted: u8) -> bool {
        self.space();
        let there = self.peek() == Some(wanted);
        self.at += usize::from(there);
        there
    }

    fn value(&mut self, depth: u32) -> Result<Json, NotJson> {
        self.space();
        if depth > DEPTH {
            return Err(self.wrong());
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"' | b'\'') => self.quoted().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                for (word, value) in [
                    ("true", Json::Bool(true)),
                    ("false", Json::Bool(false)),
                    ("null", Json::Null),
                ] {
                    if self.rest().starts_with(word) {
                        self.at += word.len();
                        return Ok(value);
                    }
                }
                Err(self.wrong())
            }
        }
    }

    fn list(&mut self, depth: u32) -> Result<Json, NotJson> {
        self.at += 1;
        let mut values = Vec::new();
        if self.takes(b']') {
            return Ok(Json::List(values));
        }
        loop {
            values.push(self.value(depth + 1)?);
            if self.takes(b']') {
                return Ok(Json::List(values));
            }
            if !self.takes(b',') {
                return Err(self.wrong());
            }
        }
    }

    fn object(&mut self, depth: u32) -> Result<Json, NotJson> {
        self.at += 1;
        let mut members: Vec<(String, Json)> = Vec::new();
        if self.takes(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.space();
            let name = match self.peek() {
                Some(b'"' | b'\'') => self.quoted()?,
                _ => return Err(self.wrong()),
            };
            if !self.takes(b':') {
                return Err(self.wrong());
            }
            let value = self.value(depth + 1)?;
            // Looking for the same name again is cheap among the few that objects have.
            let same = (members.len() < 64)
                .then(|| members.iter_mut().find(|(own, _)| *own == name))
                .flatten();
            match same {
                Some((_, own)) => *own = value,
                None => members.push((name, value)),
            }
            if self.takes(b'}') {
                return Ok(Json::Object(members));
            }
            if !self.takes(b',') {
                return Err(self.wrong());
            }
        }
    }

    fn number(&mut self) -> Result<Json, NotJson> {
        let rest = self.rest();
        let part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
        let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
        let text = rest.get(..end).unwrap_or_default();
        let Ok(float) = text.parse::<f64>() else {
            return Err(self.wrong());
        };
        self.at += end;
        Ok(match text.parse() {
            Ok(integer) => Json::Integer(integer),
            Err(_) if text.len() > 18 => Json::Big(text.into()),
            Err(_) => Json::Float(float),
        })
    }

    fn quoted(&mut self) -> Result<String, NotJson> {
        let quote = if self.peek() == Some(b'\'') {
            '\''
        } else {
            '"'
        };
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = self.rest();
            let end = rest.find([quote, '\\']).ok_or(self.wrong())?;
            text.push_str(rest.get(..end).unwrap_or_default());
            self.at += end + 1;
            if !rest.get(end..).is_some_and(|rest| rest.starts_with('\\')) {
                return Ok(text);
            }
            self.escape(&mut text)?;
        }
    }

    fn escape(&mut self, text: &mut String) -> Result<(), NotJson> {
        let letter = self.rest().chars().next().ok_or(self.wrong())?;
        self.at += letter.len_utf8();
        text.push(match letter {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => self.unicode()?,
            other => other,
        });
        Ok(())
    }

    fn unicode(&mut self) -> Result<char, NotJson> {
        let high = self.hex()?;
        if !(0xd800..0xdc00).contains(&high) {
            return Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        if self.rest().starts_with("\\u") {
            self.at += 2;
            let low = self.hex()?.wrapping_sub(0xdc00) & 0x3ff;
            let both = 0x1_0000 + ((high - 0xd800) << 10) + low;
            return Ok(char::from_u32(both).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex(&mut self) -> Result<u32, NotJson> {
        let digits = self.rest().get(..4).ok_or(self.wrong())?;
        let code = u32::from_str_radix(digits, 16).map_err(|_| self.wrong())?;
        self.at += 4;
        Ok(code)
    }
}

#[cfg(test)]
mod tests;
