//! `rediss://`, with a certificate that the system trusts and with one that it does not.

use std::net::TcpListener;
use std::process::Command;

use double11_servers::{Redis, Tool, present};
use double11_store::SharedCache;

use super::{is_up_again, offer, shop, version};

/// In the process that trusts the certificate: where the cache is.
const ADDRESS: &str = "DOUBLE11_TEST_TLS_CACHE";

#[test]
fn a_certificate_that_the_system_trusts_is_enough() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Some(url) = variable(ADDRESS) {
        return runtime.block_on(use_cache(&url));
    }
    if !present(Tool::Redis) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let signed = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    std::fs::write(&certificate, signed.cert.pem()).unwrap();
    std::fs::write(&key, signed.signing_key.serialize_pem()).unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port().to_string();
    drop(free);
    let _server = Redis::start_with(&[
        "--tls-port",
        &port,
        "--tls-cert-file",
        certificate.to_str().unwrap(),
        "--tls-key-file",
        key.to_str().unwrap(),
        "--tls-ca-cert-file",
        certificate.to_str().unwrap(),
        "--tls-auth-clients",
        "no",
    ])
    .unwrap();
    let url = format!("rediss://127.0.0.1:{port}");
    // The certificates that are trusted are read from the environment, which a process has one of.
    let trusting = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "tls::a_certificate_that_the_system_trusts_is_enough",
        ])
        .env("SSL_CERT_FILE", &certificate)
        .env(ADDRESS, &url)
        .output()
        .unwrap();
    assert!(trusting.status.success(), "{trusting:?}");
    let doubting = runtime.block_on(shop(&url));
    assert!(!doubting.is_up(), "nobody vouches for this certificate");
}

async fn use_cache(url: &str) {
    let cache = shop(url).await;
    // A machine with much to do may not shake hands within the time that a shop's start waits for it.
    is_up_again(&cache).await;
    offer(&cache, 1, 1).await;
    assert_eq!(version(&cache, 1).await, Some(1));
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test is told by its environment what to do"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
