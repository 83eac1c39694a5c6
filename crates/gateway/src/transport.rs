//! The connections of a client: pooled, bounded in time, through TLS where the address says so.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use rustls::{ClientConfig, RootCertStore};

/// The longest that a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a connection is kept that nobody uses; less than any server keeps it, since a request on a
/// connection that its server is closing has an unknown outcome.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);
/// The largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Sends requests over pooled connections.
pub(crate) type Sender = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Why requests could not be sent to an address.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// Not `http://HOST…` or `https://HOST…`. The text is not repeated, since it may hold a password.
    #[error("the address is {problem}")]
    Url {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The certificates are none, or malformed.
    #[error("the certificates cannot be read")]
    Pem(#[from] rustls::pki_types::pem::Error),
    /// The library refused a certificate or its own settings.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
}

/// An address without user, query and fragment, whose path does not end in `/`.
pub(crate) fn parse_address(text: &str) -> Result<String, AddressError> {
    let wrong = |problem| AddressError::Url { problem };
    let uri: Uri = text.parse().map_err(|_| wrong("no URL"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(wrong("neither `http://…` nor `https://…`"));
    }
    let authority = uri.authority().ok_or_else(|| wrong("without a host"))?;
    if authority.as_str().contains('@') {
        return Err(wrong("with a user name, for which there is no use"));
    }
    if uri.query().is_some() || text.contains('#') {
        return Err(wrong("with a query or a fragment"));
    }
    if authority.host().is_empty() {
        return Err(wrong("without a host"));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// A sender that trusts the public certificate authorities and those of `extra_roots`, a text in PEM.
pub(crate) fn sender(
    extra_roots: Option<&[u8]>,
    connections_max: usize,
) -> Result<Sender, AddressError> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    if let Some(text) = extra_roots {
        let certificates: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(text).collect::<Result<_, _>>()?;
        if certificates.is_empty() {
            return Err(rustls::pki_types::pem::Error::NoItemsFound.into());
        }
        for certificate in certificates {
            roots.add(certificate)?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    Ok(Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(connections_max)
        .build(connector))
}

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// No connection came about: nothing was sent.
    #[error("no connection")]
    NotSent(#[source] hyper_util::client::legacy::Error),
    /// It may have been sent.
    #[error("the connection broke")]
    Broken(#[source] hyper_util::client::legacy::Error),
    /// The answer broke off, or was too large.
    #[error("the answer broke off")]
    Answer(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Sends a request once and reads the whole answer.
pub(crate) async fn send(
    sender: &Sender,
    request: Request<Full<Bytes>>,
) -> Result<(u16, Bytes), SendError> {
    let answered: Response<Incoming> = sender.request(request).await.map_err(|error| {
        if error.is_connect() {
            SendError::NotSent(error)
        } else {
            SendError::Broken(error)
        }
    })?;
    let status = answered.status().as_u16();
    let body = Limited::new(answered.into_body(), ANSWER_BYTES_MAX)
        .collect()
        .await
        .map_err(SendError::Answer)?;
    Ok((status, body.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::parse_address;

    #[test]
    fn addresses_are_understood() {
        for (text, expected) in [
            ("http://127.0.0.1:8090", "http://127.0.0.1:8090"),
            ("https://pay.example/", "https://pay.example"),
            ("https://pay.example/shop/", "https://pay.example/shop"),
            ("http://[::1]:8090", "http://[::1]:8090"),
        ] {
            assert_eq!(parse_address(text).unwrap(), expected);
        }
    }

    #[test]
    fn wrong_addresses_are_refused_without_showing_passwords() {
        for text in [
            "",
            "pay.example:80",
            "ftp://pay.example",
            "http://",
            "http://pay.example/?a=1",
            "http://pay.example/#a",
            "http://user:hidden@pay.example",
            "http://pay example",
        ] {
            let error = parse_address(text).unwrap_err().to_string();
            assert!(!error.contains("hidden"), "{error}");
        }
    }
}
