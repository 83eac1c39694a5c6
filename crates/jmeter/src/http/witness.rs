//! Somebody who looks at certain requests as they were sent, and at what came of them.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

/// Looks at requests by method and path, whatever the plan calls them. Redirects and embedded resources
/// are requests of their own.
pub trait Witness: Debug + Send + Sync {
    /// Whether a request is to be shown, of a sample of this name, by this method and to this path. Its
    /// answer is kept for it, also where nobody else reads it. Asked for every request, before it is sent.
    fn wants(&self, label: &Arc<str>, method: &str, path: &str) -> bool;

    /// Shows one that was sent, when it is over. Called on the threads of the users.
    fn saw(&self, exchange: Exchange<'_>);
}

/// A request that was sent, and what came of it.
#[derive(Debug)]
pub struct Exchange<'a> {
    /// The name of the sample.
    pub label: &'a Arc<str>,
    /// The method.
    pub method: &'a str,
    /// The path, without a query.
    pub path: &'a str,
    /// Head and body as they were sent.
    pub request: &'a [u8],
    /// When its sample began, on the run's clock.
    pub began: Duration,
    /// When it was over.
    pub ended: Duration,
    /// The status of a complete answer.
    pub status: Option<u16>,
    /// The body of a complete answer, decoded from its content coding.
    pub body: &'a [u8],
}

impl<'a> Exchange<'a> {
    /// The value of a header of the request.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        let lines = self.head().split(|byte| *byte == b'\n').skip(1);
        let mut values = lines.filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let (own, value) = line.split_at_checked(colon)?;
            let is_it = own.eq_ignore_ascii_case(name.as_bytes());
            is_it.then(|| value.get(1..).unwrap_or_default().trim_ascii())
        });
        values.next()
    }

    /// The body of the request.
    pub fn request_body(&self) -> &'a [u8] {
        self.request
            .get(self.head().len()..)
            .and_then(|rest| rest.strip_prefix(HEAD_END))
            .unwrap_or_default()
    }

    fn head(&self) -> &'a [u8] {
        let mut windows = self.request.windows(HEAD_END.len());
        let end = windows.position(|window| window == HEAD_END);
        self.request
            .get(..end.unwrap_or(self.request.len()))
            .unwrap_or_default()
    }
}

/// What stands between head and body.
const HEAD_END: &[u8] = b"\r\n\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_and_body_of_a_request_are_told_apart() {
        let check = |request: &str, header: Option<&str>, body: &str| {
            let exchange = Exchange {
                label: &"A".into(),
                method: "POST",
                path: "/",
                request: request.as_bytes(),
                began: Duration::ZERO,
                ended: Duration::ZERO,
                status: None,
                body: b"",
            };
            let found = exchange.header("idempotency-key");
            assert_eq!(found, header.map(str::as_bytes), "{request}");
            assert_eq!(exchange.request_body(), body.as_bytes(), "{request}");
        };
        let key = "POST / HTTP/1.1\r\nHost: a\r\nIdempotency-Key:  k 1\r\n\r\n{\"a\":\r\n\r\n1}";
        check(key, Some("k 1"), "{\"a\":\r\n\r\n1}");
        check("POST / HTTP/1.1\r\nHost: a\r\n\r\n", None, "");
        check("POST / HTTP/1.1\r\nHost: a", None, "");
    }
}
