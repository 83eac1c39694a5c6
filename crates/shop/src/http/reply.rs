//! An answer before it becomes HTTP.

mod date;

use std::sync::Arc;

use bytes::Bytes;
use double11_gateway::signature;

use crate::metrics;

/// Room for the head of an answer, in bytes.
const HEAD_ROOM: usize = 256;

/// What a page may load and do: its own script and style, and requests to the shop itself.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What the body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContentType {
    Json,
    Problem,
    Metrics,
    Html,
    Script,
    Style,
}

impl ContentType {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Problem => "application/problem+json",
            Self::Metrics => metrics::CONTENT_TYPE,
            Self::Html => "text/html; charset=utf-8",
            Self::Script => "text/javascript; charset=utf-8",
            Self::Style => "text/css; charset=utf-8",
        }
    }
}

/// Status, body and the few headers that an answer may have.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
    content_type: ContentType,
    pub(crate) replayed: bool,
    pub(crate) retry_after: bool,
    pub(crate) allow: Option<&'static str>,
    pub(crate) etag: Option<Arc<str>>,
}

/// What becomes of the connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Stays,
    /// It stays, and the client has to be told.
    StaysSaidSo,
    Closes,
}

impl Reply {
    pub(crate) fn new(status: u16, content_type: ContentType, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self {
            status,
            body,
            content_type,
            replayed: false,
            retry_after: false,
            allow: None,
            etag: None,
        }
    }

    pub(crate) fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self::new(status, ContentType::Json, body)
    }

    /// Writes the answer as HTTP.
    pub(crate) fn write(&self, output: &mut Vec<u8>, without_body: bool, fate: Fate) {
        output.reserve(HEAD_ROOM + self.body.len());
        output.extend_from_slice(status_line(self.status).as_bytes());
        let mut field = |name: &str, value: &[u8]| {
            output.extend_from_slice(name.as_bytes());
            output.extend_from_slice(value);
            output.extend_from_slice(b"\r\n");
        };
        field("content-type: ", self.content_type.text().as_bytes());
        if self.status != 304 {
            let mut digits = itoa::Buffer::new();
            field(
                "content-length: ",
                digits.format(self.body.len()).as_bytes(),
            );
        }
        if self.replayed {
            field("idempotent-replayed: ", b"true");
        }
        if self.retry_after {
            field("retry-after: ", b"1");
        }
        if self.status == 401 {
            field("www-authenticate: ", signature::HEADER.as_bytes());
        }
        if let Some(allow) = self.allow {
            field("allow: ", allow.as_bytes());
        }
        if let Some(etag) = &self.etag {
            field("etag: ", etag.as_bytes());
            field("cache-control: ", b"no-cache");
        }
        if self.content_type == ContentType::Html {
            field("content-security-policy: ", PAGE_POLICY.as_bytes());
            field("x-content-type-options: ", b"nosniff");
        }
        match fate {
            Fate::Stays => {}
            Fate::StaysSaidSo => field("connection: ", b"keep-alive"),
            Fate::Closes => field("connection: ", b"close"),
        }
        date::with(|date| field("date: ", date));
        output.extend_from_slice(b"\r\n");
        if !without_body {
            output.extend_from_slice(&self.body);
        }
    }
}

/// The first line of an answer.
fn status_line(status: u16) -> &'static str {
    match status {
        200 => "HTTP/1.1 200 OK\r\n",
        201 => "HTTP/1.1 201 Created\r\n",
        202 => "HTTP/1.1 202 Accepted\r\n",
        304 => "HTTP/1.1 304 Not Modified\r\n",
        400 => "HTTP/1.1 400 Bad Request\r\n",
        401 => "HTTP/1.1 401 Unauthorized\r\n",
        402 => "HTTP/1.1 402 Payment Required\r\n",
        404 => "HTTP/1.1 404 Not Found\r\n",
        405 => "HTTP/1.1 405 Method Not Allowed\r\n",
        408 => "HTTP/1.1 408 Request Timeout\r\n",
        409 => "HTTP/1.1 409 Conflict\r\n",
        413 => "HTTP/1.1 413 Content Too Large\r\n",
        414 => "HTTP/1.1 414 URI Too Long\r\n",
        415 => "HTTP/1.1 415 Unsupported Media Type\r\n",
        422 => "HTTP/1.1 422 Unprocessable Content\r\n",
        431 => "HTTP/1.1 431 Request Header Fields Too Large\r\n",
        503 => "HTTP/1.1 503 Service Unavailable\r\n",
        _ => "HTTP/1.1 500 Internal Server Error\r\n",
    }
}

#[cfg(test)]
mod tests {
    use super::status_line;
    use crate::http::{endpoint_labels, problem_kinds};

    #[test]
    fn every_status_has_its_line() {
        let of_routes = endpoint_labels()
            .into_iter()
            .flat_map(|labels| labels.statuses.to_vec());
        let of_problems = problem_kinds().into_iter().map(|(status, _)| status);
        for status in of_routes.chain(of_problems).chain([304]) {
            let line = status_line(status);
            assert!(line.starts_with(&format!("HTTP/1.1 {status} ")), "{line}");
            assert!(line.ends_with("\r\n"), "{line}");
        }
    }
}
