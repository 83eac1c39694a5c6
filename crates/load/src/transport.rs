//! The HTTP/1.1 client: raw non-blocking connections, one request at a time on each, optional TLS.
//!
//! Nothing here knows plans or schedules. [`ResponseReader`] is the protocol without any socket,
//! [`Connection`] puts it on one; whoever owns an event loop drives them. There is deliberately no
//! pipelining, no redirect, no cookie, no decompression: what is sent is what was asked for.

mod chunked;
mod connection;
mod headers;
mod known_heads;
mod reason;
mod request;
mod response;
mod target;
mod tls;

pub use connection::{Buffers, Connection, Progress, TransportError};
pub(crate) use headers::check_header_name;
pub use headers::{HeaderError, Headers};
pub use known_heads::KnownHeads;
pub use reason::reason_phrase;
pub use request::RequestHead;
pub use response::{BodyAt, Expected, Fed, Limits, ResponseError, ResponseHead, ResponseReader};
pub use rustls::pki_types::CertificateDer;
pub use target::{Target, TargetError};
pub use tls::{TlsError, TlsSettings, certificates_from_pem};
