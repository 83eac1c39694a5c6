//! The service's answers: JSON, and problems as RFC 9457 describes them.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use crate::signature;

pub(super) type Answer = Response<Full<Bytes>>;

/// A kind of problem: its status, its stable code and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind(u16, &'static str, &'static str);

pub(super) const MALFORMED_JSON: Kind = Kind(400, "malformed_json", "The body is not JSON");
pub(super) const INVALID_REQUEST: Kind = Kind(
    400,
    "invalid_request",
    "The request does not have the form that is asked for",
);
pub(super) const INVALID_SIGNATURE: Kind = Kind(
    401,
    "invalid_signature",
    "The request is not signed with the shared secret, or not now",
);
pub(super) const NOT_FOUND: Kind = Kind(404, "not_found", "There is nothing at this path");
pub(super) const METHOD_NOT_ALLOWED: Kind = Kind(
    405,
    "method_not_allowed",
    "The path does not have this method",
);
pub(super) const REQUEST_TIMEOUT: Kind =
    Kind(408, "request_timeout", "The body did not arrive in time");
pub(super) const NOT_CAPTURED: Kind = Kind(409, "not_captured", "The attempt was not captured");
pub(super) const OTHER_CHARGE: Kind = Kind(
    409,
    "other_charge",
    "The attempt is known for another order or amount",
);
pub(super) const BODY_TOO_LARGE: Kind =
    Kind(413, "body_too_large", "The body is larger than allowed");
pub(super) const OUTCOME_UNKNOWN: Kind = Kind(
    503,
    "outcome_unknown",
    "The ledger cannot be written: it is not known what happened",
);

/// An answer that is no problem.
pub(super) fn ok(body: &Value) -> Answer {
    answer(StatusCode::OK, "application/json", body)
}

/// Why a request is refused, with what is special about this case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) kind: Kind,
    pub(super) detail: Option<String>,
}

impl From<Kind> for Refusal {
    fn from(kind: Kind) -> Self {
        Self { kind, detail: None }
    }
}

impl Kind {
    /// This problem, and what is special about it.
    pub(super) fn because(self, detail: impl Into<String>) -> Refusal {
        Refusal {
            kind: self,
            detail: Some(detail.into()),
        }
    }
}

impl Refusal {
    pub(super) fn answer(self) -> Answer {
        let Kind(status, code, title) = self.kind;
        let mut body =
            json!({"type": "about:blank", "title": title, "status": status, "code": code});
        if let Some(detail) = self.detail {
            body["detail"] = detail.into();
        }
        let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut answer = answer(code, "application/problem+json", &body);
        let headers = answer.headers_mut();
        if status == 503 {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if status == 401 {
            let scheme = HeaderValue::from_static(signature::HEADER);
            headers.insert(header::WWW_AUTHENTICATE, scheme);
        }
        answer
    }
}

/// The problem of a method that the path does not have.
pub(super) fn wrong_method(allow: &'static str) -> Answer {
    let mut answer = Refusal::from(METHOD_NOT_ALLOWED).answer();
    let allow = HeaderValue::from_static(allow);
    answer.headers_mut().insert(header::ALLOW, allow);
    answer
}

/// Whether the service can do its work.
pub(super) fn health(down: Option<&str>) -> Answer {
    match down {
        None => answer(StatusCode::OK, "application/json", &json!({"status": "UP"})),
        Some(why) => answer(
            StatusCode::SERVICE_UNAVAILABLE,
            "application/json",
            &json!({"status": "DOWN", "reason": why}),
        ),
    }
}

fn answer(status: StatusCode, content_type: &'static str, body: &Value) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body.to_string())));
    *answer.status_mut() = status;
    let content_type = HeaderValue::from_static(content_type);
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    answer
}
