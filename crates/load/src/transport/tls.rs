//! TLS for `https` targets.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::Target;

/// What every TLS connection of a run shares.
#[derive(Debug, Clone)]
pub struct TlsSettings {
    config: Arc<ClientConfig>,
    server: ServerName<'static>,
}

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The library refused a certificate or its own settings.
    #[error("TLS cannot be set up")]
    Library(#[from] rustls::Error),
    /// The host cannot be checked against a certificate.
    #[error("`{0}` is not a name that a certificate can be for")]
    ServerName(String),
    /// A file of certificates cannot be read.
    #[error("the certificates cannot be read")]
    Pem(#[from] rustls::pki_types::pem::Error),
}

impl TlsSettings {
    /// Settings for a target, which trust the public certificate authorities and `extra_roots`.
    ///
    /// # Errors
    /// [`TlsError`] when a root is malformed or the host is no name.
    pub fn new(target: &Target, extra_roots: &[CertificateDer<'static>]) -> Result<Self, TlsError> {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        for root in extra_roots {
            roots.add(root.clone())?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let server = ServerName::try_from(target.host().to_owned())
            .map_err(|_| TlsError::ServerName(target.host().to_owned()))?;
        Ok(Self {
            config: Arc::new(config),
            server,
        })
    }

    /// A new client side of a connection.
    pub(super) fn client(&self) -> Result<Box<ClientConnection>, rustls::Error> {
        ClientConnection::new(Arc::clone(&self.config), self.server.clone()).map(Box::new)
    }
}

/// The certificates of a PEM text.
///
/// # Errors
/// [`TlsError::Pem`] when the text holds none or a malformed one.
pub fn certificates_from_pem(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(text).collect::<Result<_, _>>()?;
    if certificates.is_empty() {
        return Err(TlsError::Pem(rustls::pki_types::pem::Error::NoItemsFound));
    }
    Ok(certificates)
}
