//! TLS for `https` targets.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

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
        let server = server_name(target.host())?;
        Ok(Self {
            config: Arc::new(config),
            server,
        })
    }

    /// Settings for a host whose certificate is not checked, as test tools do that must work against
    /// machines with certificates of their own making. Whoever is in between reads along.
    ///
    /// # Errors
    /// [`TlsError`] when the host is no name.
    pub fn unchecked(host: &str) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Arc::new(Unchecked(Arc::clone(&provider)));
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // One user speaks to few servers, and there may be many users, each with settings of its own.
        config.resumption = Resumption::in_memory_sessions(8);
        let config = Arc::new(config);
        let server = server_name(host)?;
        Ok(Self { config, server })
    }

    /// The same settings for another host; sessions are shared.
    ///
    /// # Errors
    /// [`TlsError`] when the host is no name.
    pub fn for_host(&self, host: &str) -> Result<Self, TlsError> {
        let config = Arc::clone(&self.config);
        let server = server_name(host)?;
        Ok(Self { config, server })
    }

    /// A new client side of a connection.
    pub(super) fn client(&self) -> Result<Box<ClientConnection>, rustls::Error> {
        ClientConnection::new(Arc::clone(&self.config), self.server.clone()).map(Box::new)
    }
}

fn server_name(host: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(host.to_owned()).map_err(|_| TlsError::ServerName(host.to_owned()))
}

/// Takes every certificate; that the other side holds its key is still proven.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
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
