//! `JMeter`'s properties: the built-in ones, and property files.
//!
//! Source: `bin/jmeter.properties` of `JMeter` 5.6 for the values that matter to a run, the
//! documentation of `java.util.Properties.load` for the form of files.

/// Properties that are set before any file is read.
pub const BUILT_IN: [(&str, &str); 3] = [
    ("sampleresult.timestamp.start", "true"),
    ("summariser.name", "summary"),
    ("jmeter.version", JMETER_VERSION),
];

/// The version of `JMeter` that plans find themselves in.
pub const JMETER_VERSION: &str = "5.6.3";

/// Reads a property file: names and values, in the order of the file. Nothing is refused: a line that
/// says nothing else is a name without a value, as in Java.
pub fn parse(file: &[u8]) -> Vec<(String, String)> {
    // Files of this kind are in Latin-1; many are in UTF-8 nevertheless.
    let text = match std::str::from_utf8(file) {
        Ok(text) => text.to_owned(),
        Err(_) => file.iter().map(|byte| char::from(*byte)).collect(),
    };
    let mut properties = Vec::new();
    let mut logical = String::new();
    for line in text.lines() {
        let line = line.trim_start_matches([' ', '\t', '\u{c}']);
        if logical.is_empty() && (line.is_empty() || line.starts_with(['#', '!'])) {
            continue;
        }
        logical.push_str(line);
        if continues(&logical) {
            logical.pop();
            continue;
        }
        properties.push(split(&logical));
        logical.clear();
    }
    if !logical.is_empty() {
        properties.push(split(&logical));
    }
    properties
}

/// Whether a line ends in an odd number of backslashes.
fn continues(line: &str) -> bool {
    line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

/// The name ends at the first `=`, `:` or blank that has no backslash in front.
fn split(line: &str) -> (String, String) {
    let is_blank = |character: char| matches!(character, ' ' | '\t' | '\u{c}');
    let mut is_escaped = false;
    let end = line.find(|character: char| {
        let ends = !is_escaped && (matches!(character, '=' | ':') || is_blank(character));
        is_escaped = character == '\\' && !is_escaped;
        ends
    });
    let (name, rest) = line.split_at(end.unwrap_or(line.len()));
    let rest = rest.trim_start_matches(is_blank);
    let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (unescape(name), unescape(rest.trim_start_matches(is_blank)))
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    let mut units = Vec::new();
    while let Some(character) = characters.next() {
        let escaped = match character {
            '\\' => characters.next(),
            other => {
                plain.push(other);
                continue;
            }
        };
        match escaped {
            Some('t') => plain.push('\t'),
            Some('n') => plain.push('\n'),
            Some('r') => plain.push('\r'),
            Some('f') => plain.push('\u{c}'),
            Some('u') => {
                let digits: String = characters.by_ref().take(4).collect();
                units.push(u16::from_str_radix(&digits, 16).unwrap_or(0xfffd));
                // Two of them may make up one character.
                if characters.as_str().starts_with("\\u") && is_high_surrogate(&units) {
                    continue;
                }
                plain.push_str(&String::from_utf16_lossy(&units));
                units.clear();
            }
            Some(other) => plain.push(other),
            None => {}
        }
    }
    plain
}

fn is_high_surrogate(units: &[u16]) -> bool {
    matches!(units, [0xd800..=0xdbff])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_as_java_reads_them() {
        let check = |file: &str, expected: &[(&str, &str)]| {
            let read = parse(file.as_bytes());
            let read: Vec<_> = read.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            assert_eq!(read, expected, "{file}");
        };
        check("# a\n! b\n\n  users = 100 \n", &[("users", "100 ")]);
        check("a:1\nb 2\nc\n", &[("a", "1"), ("b", "2"), ("c", "")]);
        check("a=b=c:d", &[("a", "b=c:d")]);
        check("hosts=a,\\\n   b\nx=1", &[("hosts", "a,b"), ("x", "1")]);
        check("path=C:\\\\temp\\tx", &[("path", "C:\\temp\tx")]);
        check("a\\ b\\:c=d", &[("a b:c", "d")]);
        check("hand=\\u624b\\uD83D\\uDED2.", &[("hand", "手🛒.")]);
        check("a=\\u12", &[("a", "\u{12}")]);
        check("last=\\", &[("last", "")]);
        assert_eq!(parse(b"a=\xe9"), [("a".to_owned(), "é".to_owned())]);
    }
}
