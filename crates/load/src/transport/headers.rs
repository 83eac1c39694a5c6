//! Headers that every request to a target carries.

use std::fmt;

/// Headers that the transport writes itself, or that would change how a message is framed.
const REFUSED: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "idempotency-key",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers that ask for an answer in another form than the one a plan speaks of: encoded, in part,
/// or without its body. Bodies are read as they come.
const OF_ANOTHER_FORM: [&str; 4] = [
    "accept-encoding",
    "if-modified-since",
    "if-none-match",
    "range",
];

/// Headers by name. Their values may be secrets, so [`fmt::Debug`] does not show them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

/// Why a header cannot be sent. It never shows the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// There is no colon.
    #[error("a header is written `Name: value`")]
    Form,
    /// The name is not one.
    #[error("`{0}` is not the name of a header")]
    Name(String),
    /// The header is the transport's own business.
    #[error("the header `{0}` is set by the load engine itself")]
    Own(String),
    /// The header asks for an answer that the load engine does not decode.
    #[error(
        "the header `{0}` cannot be sent: it asks for an encoded, partial or empty body, and bodies \
         are not decoded"
    )]
    Undecoded(String),
    /// The header may stand in a request only once.
    #[error("the header `{0}` can be given only once")]
    Twice(String),
    /// The value has control characters or is not ASCII.
    #[error("the value of `{0}` has characters that cannot stand in a header")]
    Value(String),
}

impl Headers {
    /// Adds a header given as `Name: value`; a later one of the same name is sent besides.
    ///
    /// # Errors
    /// [`HeaderError`] when it is malformed or would break the framing of the request. `Host` is
    /// accepted, once.
    pub fn add(&mut self, line: &str) -> Result<(), HeaderError> {
        let (name, value) = line.split_once(':').ok_or(HeaderError::Form)?;
        let (name, value) = (name.trim(), value.trim());
        check_header_name(name)?;
        let is_host = |name: &str| name.eq_ignore_ascii_case("host");
        if is_host(name) && self.0.iter().any(|(given, _)| is_host(given)) {
            return Err(HeaderError::Twice(name.to_owned()));
        }
        let is_plain = |byte: u8| byte == b'\t' || (0x20..0x7f).contains(&byte);
        if !value.bytes().all(is_plain) {
            return Err(HeaderError::Value(name.to_owned()));
        }
        self.0.push((name.to_owned(), value.to_owned()));
        Ok(())
    }

    /// The names, in the order they were given.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(String, String)> {
        self.0.iter()
    }
}

/// Checks that a header of this name may be added to a request.
///
/// # Errors
/// [`HeaderError`] when it is no name, or one of a header that the engine must not send.
pub(crate) fn check_header_name(name: &str) -> Result<(), HeaderError> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(HeaderError::Name(name.to_owned()));
    }
    let lower = name.to_ascii_lowercase();
    if REFUSED.contains(&lower.as_str()) {
        return Err(HeaderError::Own(name.to_owned()));
    }
    if OF_ANOTHER_FORM.contains(&lower.as_str()) {
        return Err(HeaderError::Undecoded(name.to_owned()));
    }
    Ok(())
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn nothing_that_is_accepted_ends_a_line(line in "(?s).{0,30}:.{0,30}") {
            let mut headers = Headers::default();
            if headers.add(&line).is_ok() {
                let (name, value) = &headers.0[0];
                assert!(!name.is_empty() && !name.contains(':'));
                let is_control = |byte: u8| byte < 0x20 && byte != b'\t' || byte == 0x7f;
                assert!(!name.bytes().chain(value.bytes()).any(is_control));
            }
        }
    }

    #[test]
    fn what_would_break_a_request_is_refused_without_its_value() {
        for (line, expected) in [
            ("no colon", HeaderError::Form),
            (": secret", HeaderError::Name(String::new())),
            ("a b: secret", HeaderError::Name("a b".to_owned())),
            (
                "Content-Length: 3",
                HeaderError::Own("Content-Length".to_owned()),
            ),
            (
                "transfer-encoding: x",
                HeaderError::Own("transfer-encoding".to_owned()),
            ),
            (
                "Connection: close",
                HeaderError::Own("Connection".to_owned()),
            ),
            (
                "Idempotency-Key: k",
                HeaderError::Own("Idempotency-Key".to_owned()),
            ),
            ("X: sec\r\nret: y", HeaderError::Value("X".to_owned())),
            ("X: \u{624b}", HeaderError::Value("X".to_owned())),
        ] {
            let error = Headers::default().add(line).unwrap_err();
            assert_eq!(error, expected, "{line}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        let mut headers = Headers::default();
        headers.add("Authorization: Bearer a:b").unwrap();
        headers.add("X-Empty:").unwrap();
        headers.add("Host: shop.example").unwrap();
        assert_eq!(headers.names(), ["Authorization", "X-Empty", "Host"]);
        assert!(!format!("{headers:?}").contains("Bearer"));
    }

    #[test]
    fn a_second_host_is_refused() {
        let mut headers = Headers::default();
        headers.add("Host: shop.example").unwrap();
        let error = headers.add("host: secret").unwrap_err();
        assert_eq!(error, HeaderError::Twice("host".to_owned()));
        headers.add("X-Y: 1").unwrap();
        headers.add("X-Y: 2").unwrap();
        assert_eq!(headers.names(), ["Host", "X-Y", "X-Y"]);
    }

    #[test]
    fn what_asks_for_a_body_of_another_form_is_refused() {
        for name in [
            "Accept-Encoding",
            "Range",
            "If-None-Match",
            "If-Modified-Since",
        ] {
            let error = Headers::default()
                .add(&format!("{name}: secret"))
                .unwrap_err();
            assert_eq!(error, HeaderError::Undecoded(name.to_owned()));
            let shown = error.to_string();
            assert!(shown.contains("bodies are not decoded"), "{shown}");
            assert!(!shown.contains("secret"), "{shown}");
        }
    }
}
