//! An answer before it becomes HTTP.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName,
    HeaderValue, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};

use crate::metrics;

/// Says that an answer was first given to an earlier request with the same key.
static IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

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
    pub(crate) etag: Option<HeaderValue>,
    /// The rest of the request was not read, so that the connection cannot be used again.
    pub(crate) close: bool,
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
            close: false,
        }
    }

    pub(crate) fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self::new(status, ContentType::Json, body)
    }

    /// The bytes of the last answer on a connection that hyper no longer serves.
    pub(crate) fn as_last_words(&self) -> Vec<u8> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let reason = status.canonical_reason().unwrap_or_default();
        let head = format!(
            "HTTP/1.1 {} {reason}\r\ncontent-type: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            self.status,
            self.content_type.text(),
            self.body.len(),
        );
        [head.as_bytes(), &self.body].concat()
    }

    pub(crate) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static(self.content_type.text()),
        );
        if self.replayed {
            headers.insert(&IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
        }
        if self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        if let Some(etag) = self.etag {
            headers.insert(ETAG, etag);
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        }
        if self.content_type == ContentType::Html {
            headers.insert(
                CONTENT_SECURITY_POLICY,
                HeaderValue::from_static(PAGE_POLICY),
            );
            headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        }
        if self.close {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
