//! What becomes of a sample that brought no answer: the names of Java's exceptions, which people's
//! filters and dashboards know, and the messages beside them.
//!
//! Source: results of `JMeter` 5.5 on Java 17.

use double11_load::tasks::{Failure, FailureKind};
use double11_load::transport::{ResponseError, TransportError};

use super::url::Url;
use crate::sample::{Code, DataType, SampleResult};

/// A Java exception: its class and its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exception {
    pub(super) class: &'static str,
    pub(super) message: String,
    /// The address that it is about, when that was no address.
    pub(super) url: Option<Box<str>>,
    /// Whether Java cannot even make an address of it.
    pub(super) is_malformed: bool,
}

impl Exception {
    pub(super) fn new(class: &'static str, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
            url: None,
            is_malformed: false,
        }
    }

    /// What Java says of a text that is no address.
    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self {
            is_malformed: true,
            ..Self::new("java.net.MalformedURLException", message)
        }
    }

    /// Makes the sample one that failed for this. The body is the exception, without the stack that
    /// `JMeter` adds.
    pub(super) fn fail(self, result: &mut SampleResult) {
        let body = format!("{}: {}", self.class, self.message);
        result.data_type = DataType::Text;
        result.bytes = u64::try_from(body.len()).unwrap_or(u64::MAX);
        result.body_bytes = result.bytes;
        result.header_bytes = 0;
        result.body = body.into_bytes();
        result.code = Code::Text(format!("Non HTTP response code: {}", self.class).into());
        result.message = format!("Non HTTP response message: {}", self.message).into();
        result.success = false;
    }
}

/// What a failed exchange is called; `resolved` are the addresses of the host as Java shows them.
pub(super) fn of_exchange(failure: &Failure, url: &Url, resolved: &str) -> Exception {
    let place = format!("{}:{}", url.host, url.port_or_default());
    let connect = |why: &str| format!("Connect to {place} [{resolved}] failed: {why}");
    match &failure.kind {
        FailureKind::ConnectTimeout => Exception::new(
            "org.apache.http.conn.ConnectTimeoutException",
            connect("Connect timed out"),
        ),
        FailureKind::ResponseTimeout => {
            Exception::new("java.net.SocketTimeoutException", "Read timed out")
        }
        FailureKind::Stopped => Exception::new("java.net.SocketException", "Socket closed"),
        FailureKind::Transport(error) => match error {
            TransportError::Connect(error) => Exception::new(
                "org.apache.http.conn.HttpHostConnectException",
                connect(words(error)),
            ),
            TransportError::Tls(error) => {
                Exception::new("javax.net.ssl.SSLHandshakeException", error.to_string())
            }
            TransportError::Io(error) => Exception::new("java.net.SocketException", words(error)),
            TransportError::Response(error) => {
                of_response(*error, &place, failure.first_byte_at.is_some())
            }
        },
    }
}

fn of_response(error: ResponseError, place: &str, has_begun: bool) -> Exception {
    match error {
        ResponseError::Truncated if !has_begun => Exception::new(
            "org.apache.http.NoHttpResponseException",
            format!("{place} failed to respond"),
        ),
        ResponseError::Truncated => Exception::new(
            "org.apache.http.ConnectionClosedException",
            "Premature end of chunk coded message body: closing chunk expected",
        ),
        ResponseError::Cut { expected, received } => Exception::new(
            "org.apache.http.ConnectionClosedException",
            format!(
                "Premature end of Content-Length delimited message body \
                 (expected: {expected}; received: {received})"
            ),
        ),
        ResponseError::Chunk => Exception::new(
            "org.apache.http.MalformedChunkCodingException",
            "Bad chunk header",
        ),
        _ => Exception::new("org.apache.http.client.ClientProtocolException", "null"),
    }
}

/// The operating system's reason in Java's words.
fn words(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "Connection refused",
        std::io::ErrorKind::ConnectionReset => "Connection reset",
        std::io::ErrorKind::BrokenPipe => "Broken pipe",
        std::io::ErrorKind::HostUnreachable => "No route to host",
        std::io::ErrorKind::NetworkUnreachable => "Network is unreachable",
        std::io::ErrorKind::TimedOut => "Connection timed out",
        std::io::ErrorKind::AddrNotAvailable => "Cannot assign requested address",
        std::io::ErrorKind::PermissionDenied => "Permission denied",
        _ => "Connection failed",
    }
}
