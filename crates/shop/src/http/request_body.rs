//! Reads a request body within its limits of size and time, and checks what it claims to be.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::HeaderMap;
use hyper::body::{Body, Incoming};
use hyper::header::CONTENT_TYPE;

use super::problem::{self, Problem};

/// A request's headers and its body, not yet read.
pub(crate) struct Upload<'headers> {
    pub(crate) headers: &'headers HeaderMap,
    pub(crate) body: Incoming,
}

/// What a body is held to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimits {
    pub(crate) bytes: usize,
    pub(crate) timeout: Duration,
}

impl Upload<'_> {
    /// The whole body.
    pub(crate) async fn read(self, limits: BodyLimits) -> Result<Bytes, Problem> {
        check_content_type(self.headers)?;
        let too_large = || {
            Problem::from(problem::BODY_TOO_LARGE)
                .detail(format!("at most {} bytes are accepted", limits.bytes))
        };
        // A length that is announced as too large is refused before a byte of it is read.
        if self.body.size_hint().lower() > limits.bytes as u64 {
            return Err(too_large());
        }
        match tokio::time::timeout(limits.timeout, collect(self.body, limits.bytes)).await {
            Ok(Ok(Some(body))) => Ok(body),
            Ok(Ok(None)) => Err(too_large()),
            Ok(Err(error)) => Err(Problem::from(problem::INVALID_REQUEST)
                .detail(format!("the body is broken: {error}"))),
            Err(_) => Err(Problem::from(problem::REQUEST_TIMEOUT)
                .detail(format!("the body took longer than {:?}", limits.timeout))),
        }
    }
}

/// The frames of a body, joined; none when they are more than allowed.
async fn collect(mut body: Incoming, bytes_max: usize) -> Result<Option<Bytes>, hyper::Error> {
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        if first.len() + joined.len() + data.len() > bytes_max {
            return Ok(None);
        }
        // Nearly every body comes in one piece, which is then handed on without a copy.
        if first.is_empty() && joined.is_empty() {
            first = data;
        } else {
            if joined.is_empty() {
                joined.extend_from_slice(&std::mem::take(&mut first));
            }
            joined.extend_from_slice(&data);
        }
    }
    Ok(Some(if joined.is_empty() {
        first
    } else {
        joined.freeze()
    }))
}

/// JSON or nothing said.
fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Ok(());
    };
    let text = value.to_str().unwrap_or_default();
    let media = text.split(';').next().unwrap_or_default().trim();
    let is_json = media.eq_ignore_ascii_case("application/json")
        || media
            .to_ascii_lowercase()
            .strip_prefix("application/")
            .is_some_and(|subtype| subtype.ends_with("+json"));
    if is_json {
        Ok(())
    } else {
        Err(problem::UNSUPPORTED_MEDIA_TYPE.into())
    }
}
