//! Addresses, as Java's `URL` and `URI` read them and as the request line shows them.
//!
//! Source: RFC 2396 with the extensions of `java.net.URI`; RFC 3986 section 5 for relative references.

use std::fmt::Write as _;
use std::sync::Arc;

use super::failure::Exception;

/// An address that a request can go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Url {
    /// As result files show it.
    pub(super) text: Arc<str>,
    pub(super) is_tls: bool,
    /// The host, an IPv6 address in brackets.
    pub(super) host: String,
    /// The port, if it is written.
    pub(super) port: Option<u16>,
    /// Path and query as they are written; the path may be empty.
    pub(super) path: String,
    pub(super) query: Option<String>,
    /// What `Host` says, if that is another server than the one that is asked.
    pub(super) told_host: Option<String>,
    /// The address of the plan, when another server is asked in its place.
    origin: Option<Arc<Self>>,
}

impl Url {
    /// Reads an address. Java's own words for what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, Exception> {
        Self::read(text).map_err(|exception| Exception {
            url: Some(text.into()),
            ..exception
        })
    }

    fn read(text: &str) -> Result<Self, Exception> {
        check(text)?;
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let is_tls = scheme.eq_ignore_ascii_case("https");
        if !is_tls && !scheme.eq_ignore_ascii_case("http") {
            return Err(Exception::new(
                "org.apache.http.conn.UnsupportedSchemeException",
                format!("{scheme} protocol is not supported"),
            ));
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let authority = authority.rsplit('@').next().unwrap_or_default();
        let (host, port) = split_port(authority);
        if host.is_empty() {
            return Err(Exception::new(
                "org.apache.http.client.ClientProtocolException",
                format!("URI does not specify a valid host name: {text}"),
            ));
        }
        let port = match port {
            None | Some("") => None,
            Some(port) => Some(port.parse::<u16>().map_err(|_| {
                Exception::new(
                    "java.lang.IllegalArgumentException",
                    format!("port out of range:{port}"),
                )
            })?),
        };
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        Ok(Self {
            text: text.into(),
            is_tls,
            host: host.to_owned(),
            port,
            path: path.to_owned(),
            query,
            told_host: None,
            origin: None,
        })
    }

    /// The address that a reference on a page at this one means.
    pub(super) fn join(&self, reference: &str) -> Result<Self, Exception> {
        let reference = reference.trim();
        let scheme = if self.is_tls { "https" } else { "http" };
        let text = if is_absolute(reference) {
            reference.to_owned()
        } else if let Some(rest) = reference.strip_prefix("//") {
            format!("{scheme}://{rest}")
        } else {
            let origin = format!("{scheme}://{}", self.authority());
            let (path, tail) = split_path(reference);
            let path = if path.is_empty() {
                if tail.is_empty() || tail.starts_with('#') {
                    let query = self.query.as_ref().map(|query| format!("?{query}"));
                    return Self::parse(&sanitised(&format!(
                        "{origin}{}{}{tail}",
                        self.path,
                        query.unwrap_or_default()
                    )));
                }
                self.path.clone()
            } else if path.starts_with('/') {
                path.to_owned()
            } else {
                let folder = self
                    .path
                    .rfind('/')
                    .map_or("/", |end| self.path.get(..=end).unwrap_or("/"));
                format!("{folder}{path}")
            };
            format!("{origin}{}{tail}", without_dots(&path))
        };
        Self::parse(&sanitised(&text))
    }

    /// The same path and query elsewhere, where this is still known; `Host` may go on to name this
    /// server.
    pub(super) fn moved_to(&self, other: &Self, keeps_host: bool) -> Self {
        Self {
            told_host: keeps_host.then(|| self.authority()),
            origin: Some(Arc::new(self.clone())),
            ..self.at(other)
        }
    }

    /// The address that the plan means by this one: passwords, cookies and relative references go by it.
    pub(super) fn origin(&self) -> &Self {
        self.origin.as_deref().unwrap_or(self)
    }

    /// Whether the same server is asked.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        self.is_tls == other.is_tls
            && self.host == other.host
            && self.port_or_default() == other.port_or_default()
    }

    /// The same path and query on the server of another address.
    pub(super) fn at(&self, other: &Self) -> Self {
        let scheme = if other.is_tls { "https" } else { "http" };
        let mut text = format!("{scheme}://{}{}", other.authority(), self.path);
        if let Some(query) = &self.query {
            text.push('?');
            text.push_str(query);
        }
        Self {
            text: text.into(),
            is_tls: other.is_tls,
            host: other.host.clone(),
            port: other.port,
            path: self.path.clone(),
            query: self.query.clone(),
            told_host: None,
            origin: None,
        }
    }

    /// The host and the port, if one is written.
    pub(super) fn authority(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    /// The port that connections go to.
    pub(super) fn port_or_default(&self) -> u16 {
        self.port.unwrap_or(if self.is_tls { 443 } else { 80 })
    }

    /// The host, without the brackets of an IPv6 address.
    pub(super) fn bare_host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The path that cookies are for.
    pub(super) fn path_or_root(&self) -> &str {
        if self.path.is_empty() {
            "/"
        } else {
            &self.path
        }
    }

    /// Appends path and query as the request line shows them: without doubled slashes, and in ASCII.
    pub(super) fn write_target(&self, out: &mut Vec<u8>) {
        if self.path.is_empty() {
            out.push(b'/');
        }
        let mut before = 0;
        for &byte in self.path.as_bytes() {
            if byte != b'/' || before != b'/' {
                push_ascii(byte, out);
            }
            before = byte;
        }
        if let Some(query) = &self.query {
            out.push(b'?');
            query.bytes().for_each(|byte| push_ascii(byte, out));
        }
    }
}

fn push_ascii(byte: u8, out: &mut Vec<u8>) {
    if byte.is_ascii() {
        out.push(byte);
    } else {
        push_percent(byte, out);
    }
}

/// Appends a byte as `%XX`.
pub(super) fn push_percent(byte: u8, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.extend([
        b'%',
        DIGITS[usize::from(byte >> 4)],
        DIGITS[usize::from(byte & 15)],
    ]);
}

fn is_absolute(reference: &str) -> bool {
    let lower = reference.get(..8).unwrap_or(reference).to_ascii_lowercase();
    lower.starts_with("http://") || lower.starts_with("https://")
}

fn split_path(reference: &str) -> (&str, &str) {
    let end = reference.find(['?', '#']).unwrap_or(reference.len());
    reference.split_at_checked(end).unwrap_or((reference, ""))
}

/// Host and port, which may be empty.
pub(super) fn split_port(authority: &str) -> (&str, Option<&str>) {
    let after_address = authority.rfind(']').map_or(0, |end| end + 1);
    match authority
        .get(after_address..)
        .and_then(|rest| rest.find(':'))
    {
        None => (authority, None),
        Some(colon) => {
            let host = authority.get(..after_address + colon);
            let port = authority.get(after_address + colon + 1..);
            (host.unwrap_or_default(), port)
        }
    }
}

/// A path without its segments `.` and `..`.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." && kept.len() > 1 {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    kept.join("/")
}

/// An address whose illegal characters are written as `%XX`, as links and redirects are read.
fn sanitised(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        let is_plain = character.is_ascii_alphanumeric()
            || "-_.!~*'(),;:$&+=@/?#%[]".contains(character)
            || !character.is_ascii();
        if is_plain {
            out.push(character);
        } else {
            let code = u32::from(character);
            // Writing to a string cannot fail.
            write!(out, "%{code:02X}").unwrap_or_default();
        }
    }
    out
}

/// The parts of an address that Java names in its complaints.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Path,
    Query,
    Fragment,
}

/// Complains as `java.net.URI` does.
fn check(text: &str) -> Result<(), Exception> {
    let syntax = |what: &str, index: usize| {
        let message = format!("{what} at index {index}: {text}");
        Err(Exception::new("java.net.URISyntaxException", message))
    };
    let Some((scheme, rest)) = text.split_once("://") else {
        return syntax("Expected scheme-specific part", text.len());
    };
    let authority_at = scheme.len() + 3;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = rest.get(..end).unwrap_or_default();
    if rest.is_empty() {
        return Err(Exception::new(
            "java.net.URISyntaxException",
            format!(
                "Expected scheme-specific part at index {}: {scheme}:",
                scheme.len() + 1
            ),
        ));
    }
    let is_authority =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'(),;:$&+=@[]%".contains(&byte);
    if !authority
        .bytes()
        .all(|byte| is_authority(byte) || !byte.is_ascii())
    {
        return syntax("Illegal character in authority", authority_at);
    }
    let mut part = Part::Path;
    let mut index = authority_at + authority.len();
    let target = rest.get(end..).unwrap_or_default();
    let bytes = target.as_bytes();
    for (at, character) in target.char_indices() {
        match character {
            '?' if part == Part::Path => part = Part::Query,
            '#' if part != Part::Fragment => part = Part::Fragment,
            '%' => {
                let digits = bytes.get(at + 1..at + 3).unwrap_or_default();
                if digits.len() < 2 || !digits.iter().all(u8::is_ascii_hexdigit) {
                    return syntax("Malformed escape pair", index);
                }
            }
            _ if is_legal(character, part) => {}
            _ => {
                let place = match part {
                    Part::Path => "Illegal character in path",
                    Part::Query => "Illegal character in query",
                    Part::Fragment => "Illegal character in fragment",
                };
                return syntax(place, index);
            }
        }
        index += character.len_utf16();
    }
    Ok(())
}

fn is_legal(character: char, part: Part) -> bool {
    if !character.is_ascii() {
        return !character.is_control() && !character.is_whitespace();
    }
    character.is_ascii_alphanumeric()
        || "-_.!~*'(),;:$&+=@/".contains(character)
        || (part != Part::Path && "?[]".contains(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &Url) -> String {
        let mut out = Vec::new();
        url.write_target(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn addresses_are_read_and_written_as_requests_show_them() {
        for (text, authority, expected) in [
            ("http://a", "a", "/"),
            ("http://a:8080/p%20q?a=b", "a:8080", "/p%20q?a=b"),
            ("https://[::1]:444//x//y?z=//", "[::1]:444", "/x/y?z=//"),
            ("http://a/\u{fc}?d=\u{fc}#f", "a", "/%C3%BC?d=%C3%BC"),
            ("http://u:p@a?q", "a", "/?q"),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!(url.authority(), authority);
            assert_eq!(target(&url), expected, "{text}");
            assert_eq!(&*url.text, text);
        }
    }

    #[test]
    fn wrong_addresses_are_refused_in_the_words_of_java() {
        for (text, class, message) in [
            (
                "http://127.0.0.1:18099/?a=x+y&c d=p",
                "java.net.URISyntaxException",
                "Illegal character in query at index 31: http://127.0.0.1:18099/?a=x+y&c d=p",
            ),
            (
                "http://127.0.0.1:18099/\u{624b}\u{6a5f}|x[1]",
                "java.net.URISyntaxException",
                "Illegal character in path at index 25: http://127.0.0.1:18099/\u{624b}\u{6a5f}|x[1]",
            ),
            (
                "http://a b:18099/",
                "java.net.URISyntaxException",
                "Illegal character in authority at index 7: http://a b:18099/",
            ),
            (
                "http://",
                "java.net.URISyntaxException",
                "Expected scheme-specific part at index 5: http:",
            ),
            (
                "http://:18099/",
                "org.apache.http.client.ClientProtocolException",
                "URI does not specify a valid host name: http://:18099/",
            ),
            (
                "ftp://a/",
                "org.apache.http.conn.UnsupportedSchemeException",
                "ftp protocol is not supported",
            ),
            (
                "http://a:99999/",
                "java.lang.IllegalArgumentException",
                "port out of range:99999",
            ),
        ] {
            let exception = Url::parse(text).unwrap_err();
            assert_eq!(exception.class, class);
            assert_eq!(exception.message, message);
        }
    }

    #[test]
    fn references_are_read_relative_to_their_page() {
        let page = Url::parse("http://a:81/b/c/d?q=1").unwrap();
        for (reference, expected) in [
            ("http://x/y", "http://x/y"),
            ("//x/y", "http://x/y"),
            ("/y?z", "http://a:81/y?z"),
            ("y", "http://a:81/b/c/y"),
            ("./y", "http://a:81/b/c/y"),
            ("../y", "http://a:81/b/y"),
            ("../../../y", "http://a:81/y"),
            ("..", "http://a:81/b/"),
            ("?n=2", "http://a:81/b/c/d?n=2"),
            ("y z|", "http://a:81/b/c/y%20z%7C"),
        ] {
            assert_eq!(
                &*page.join(reference).unwrap().text,
                expected,
                "{reference}"
            );
        }
    }
}
