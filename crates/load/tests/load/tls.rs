//! `https` targets against a server with a certificate of the test's own authority.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

use double11_load::transport::{Target, certificates_from_pem};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::*;

struct Authority {
    root_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root_pem = params.self_signed(&key).unwrap().pem();
        Self {
            root_pem,
            issuer: Issuer::new(params, key),
        }
    }

    /// Serves `200` on every connection, with a certificate for `name`; the port.
    fn serve(&self, name: &str) -> u16 {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate: CertificateDer<'static> =
            params.signed_by(&key, &self.issuer).unwrap().into();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let stream = StreamOwned::new(connection, stream.unwrap());
                std::thread::spawn(move || answer_all(stream));
            }
        });
        port
    }
}

fn answer_all(stream: StreamOwned<ServerConnection, std::net::TcpStream>) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while stream.read_line(&mut line).is_ok_and(|read| read > 0) {
        if line == "\r\n" {
            // Large enough for several TLS records.
            let body = "x".repeat(50_000);
            if stream.get_mut().write_all(&answer(200, &body)).is_err() {
                return;
            }
        }
        line.clear();
    }
}

/// Successes and failures of 20 requests to `host`, when `trusted` is trusted.
fn against(port: u16, host: &str, trusted: Option<&str>) -> (u64, Vec<(String, u64)>) {
    let target = Target::parse(&format!("https://{host}:{port}")).unwrap();
    let mut options = options(plan(GET), target, vec![phase("only", 0.5, 40.0)]);
    options.connections = 2;
    if let Some(pem) = trusted {
        options.extra_roots = certificates_from_pem(pem.as_bytes()).unwrap();
    }
    let outcome = run(&options);
    (outcome.summary.whole.total.succeeded, failures(&outcome))
}

#[test]
fn a_trusted_server_is_measured() {
    let authority = Authority::new();
    let port = authority.serve("localhost");
    assert_eq!(
        against(port, "localhost", Some(&authority.root_pem)),
        (20, Vec::new())
    );
}

#[test]
fn several_authorities_may_stand_in_one_text() {
    let (ours, other) = (Authority::new(), Authority::new());
    let port = ours.serve("localhost");
    let both = format!("{}\n{}", other.root_pem, ours.root_pem);
    assert_eq!(certificates_from_pem(both.as_bytes()).unwrap().len(), 2);
    assert_eq!(against(port, "localhost", Some(&both)), (20, Vec::new()));
}

#[test]
fn a_wrong_certificate_fails() {
    let authority = Authority::new();
    let port = authority.serve("localhost");
    let all = || (0, vec![("tls".to_owned(), 20)]);
    assert_eq!(
        against(port, "localhost", None),
        all(),
        "nobody trusts this authority"
    );
    let other = Authority::new();
    assert_eq!(
        against(port, "localhost", Some(&other.root_pem)),
        all(),
        "another authority"
    );
    assert_eq!(
        against(port, "127.0.0.1", Some(&authority.root_pem)),
        all(),
        "another name"
    );
}

#[test]
fn a_server_without_tls_fails() {
    let server = Server::start(|_| Reply::Status(200, String::new()));
    let port: u16 = server
        .target()
        .authority()
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let (succeeded, seen) = against(port, "localhost", None);
    assert_eq!(succeeded, 0);
    assert_eq!(seen.iter().map(|(_, count)| count).sum::<u64>(), 20);
    assert!(certificates_from_pem(b"no certificate").is_err());
}
