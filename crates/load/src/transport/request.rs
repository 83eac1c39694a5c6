//! Writing requests.

use std::ops::Range;

use super::Target;

/// The parts of a step's requests that are always the same, ready to be copied.
#[derive(Debug, Clone)]
pub struct RequestHead {
    /// Method, space and base path.
    start: Vec<u8>,
    /// Length of the method and the space.
    method_bytes: usize,
    /// From the space after the path to the end of the fixed headers.
    fixed: Vec<u8>,
    /// Whether the request says how long its body is.
    has_body: bool,
}

impl RequestHead {
    /// The head of requests with this method and these further headers. A header of the step wins over
    /// one of the target, and either over what is sent by default.
    pub fn new(target: &Target, method: &str, headers: &[(String, String)]) -> Self {
        let is_own = |name: &str| {
            headers
                .iter()
                .any(|(own, _)| own.eq_ignore_ascii_case(name))
        };
        let of_target = target.headers().iter().filter(|(name, _)| !is_own(name));
        let headers: Vec<&(String, String)> = of_target.chain(headers).collect();
        let sets = |name: &str| {
            headers
                .iter()
                .any(|(given, _)| given.eq_ignore_ascii_case(name))
        };
        let mut fixed = " HTTP/1.1\r\n".to_owned();
        if !sets("host") {
            fixed.push_str("Host: ");
            fixed.push_str(&target.authority());
            fixed.push_str("\r\n");
        }
        if !sets("accept") {
            fixed.push_str("Accept: application/json\r\n");
        }
        if !sets("user-agent") {
            fixed.push_str(concat!(
                "User-Agent: double11/",
                env!("CARGO_PKG_VERSION"),
                "\r\n"
            ));
        }
        for (name, value) in &headers {
            fixed.push_str(name.as_str());
            fixed.push_str(": ");
            fixed.push_str(value);
            fixed.push_str("\r\n");
        }
        let has_body = !matches!(method, "GET" | "DELETE" | "HEAD");
        if has_body && !sets("content-type") {
            fixed.push_str("Content-Type: application/json\r\n");
        }
        if has_body {
            fixed.push_str("Content-Length: ");
        }
        Self {
            start: format!("{method} {}", target.base_path()).into_bytes(),
            method_bytes: method.len() + 1,
            fixed: fixed.into_bytes(),
            has_body,
        }
    }

    /// Appends a whole request and tells where the path is in it, base path included.
    pub fn write(
        &self,
        path: &[u8],
        key: Option<&[u8]>,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Range<usize> {
        let path_start = out.len() + self.method_bytes;
        out.extend_from_slice(&self.start);
        out.extend_from_slice(path);
        let path_end = out.len();
        out.extend_from_slice(&self.fixed);
        if self.has_body {
            out.extend_from_slice(itoa::Buffer::new().format(body.len()).as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        if let Some(key) = key {
            out.extend_from_slice(b"Idempotency-Key: ");
            out.extend_from_slice(key);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(body);
        path_start..path_end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Headers;

    #[test]
    fn requests_are_written_in_full() {
        let target = Target::parse("http://shop:8080/v1").unwrap();
        let mut out = Vec::new();
        let head = RequestHead::new(&target, "POST", &[]);
        let path = head.write(b"/a?b=c", Some(b"k-1"), b"{}", &mut out);
        assert_eq!(out.get(path), Some(&b"/v1/a?b=c"[..]));
        let version = env!("CARGO_PKG_VERSION");
        let expected = format!(
            "POST /v1/a?b=c HTTP/1.1\r\nHost: shop:8080\r\nAccept: application/json\r\n\
             User-Agent: double11/{version}\r\nContent-Type: application/json\r\n\
             Content-Length: 2\r\nIdempotency-Key: k-1\r\n\r\n{{}}"
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let mut out = Vec::new();
        let headers = [
            ("Accept".to_owned(), "*/*".to_owned()),
            ("X-Y".to_owned(), "z".to_owned()),
        ];
        RequestHead::new(&target, "GET", &headers).write(b"/", None, b"", &mut out);
        let expected = format!(
            "GET /v1/ HTTP/1.1\r\nHost: shop:8080\r\nUser-Agent: double11/{version}\r\n\
             Accept: */*\r\nX-Y: z\r\n\r\n"
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn the_step_wins_over_the_target_and_the_target_over_defaults() {
        let mut of_target = Headers::default();
        for line in [
            "Host: other.example",
            "X-Y: target",
            "content-type: text/plain",
            "Authorization: Bearer t",
        ] {
            of_target.add(line).unwrap();
        }
        let target = Target::parse("http://shop:8080").unwrap();
        let target = target.with_headers(of_target);
        let headers = [("x-y".to_owned(), "step".to_owned())];
        let mut out = Vec::new();
        RequestHead::new(&target, "POST", &headers).write(b"/", None, b"{}", &mut out);
        let version = env!("CARGO_PKG_VERSION");
        let expected = format!(
            "POST / HTTP/1.1\r\nAccept: application/json\r\nUser-Agent: double11/{version}\r\n\
             Host: other.example\r\ncontent-type: text/plain\r\nAuthorization: Bearer t\r\n\
             x-y: step\r\nContent-Length: 2\r\n\r\n{{}}"
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
