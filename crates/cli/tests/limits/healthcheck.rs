//! `double11 healthcheck`.

use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::Duration;

use crate::harness::{PROGRAM, Server, both, free_port, now, run};

/// One line that says why, and no other exit code than 3.
fn not_healthy(output: &Output, why: &str) {
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{}", both(output));
    assert!(error.contains(why), "`{why}` is not in {error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn a_shop_that_takes_requests_is_healthy() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Server::start(folder.path(), &["--products", "200"]);
    let output = run(["healthcheck", shop.target.as_str()]);
    assert_eq!(output.status.code(), Some(0), "{}", both(&output));
    assert!(output.stderr.is_empty(), "{}", both(&output));
    // A container tells the check by the same variables as the shop.
    let by_environment = |name: &str, value: &str| {
        Command::new(PROGRAM)
            .arg("healthcheck")
            .env(name, value)
            .output()
            .unwrap()
    };
    let addr = format!("0.0.0.0:{}", shop.authority().rsplit_once(':').unwrap().1);
    for name in ["DOUBLE11_ADDR", "DOUBLE11_MANAGEMENT_ADDR"] {
        let output = by_environment(name, &addr);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", both(&output));
    }
    let page = format!("{}/no-such-page", shop.target);
    not_healthy(&run(["healthcheck", &page]), "not ready");
}

#[test]
fn a_shop_that_is_not_there_is_not() {
    let nobody = format!("http://127.0.0.1:{}", free_port());
    not_healthy(&run(["healthcheck", &nobody]), "not reachable");
    not_healthy(
        &run(["healthcheck", "http://no-such-host.invalid"]),
        "not reachable",
    );
    // It takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    let begun = now();
    let output = run(["healthcheck", &address, "--timeout", "300ms"]);
    not_healthy(&output, "no answer in time");
    assert!(begun.elapsed() < Duration::from_secs(3), "it kept waiting");
}

#[test]
fn an_address_that_is_none_is_wrong_usage() {
    for url in [
        "https://127.0.0.1",
        "127.0.0.1:8080",
        "http://u:hidden@shop",
    ] {
        let output = run(["healthcheck", url]);
        assert_eq!(output.status.code(), Some(2), "{url}: {}", both(&output));
        assert!(!both(&output).contains("hidden"), "{}", both(&output));
    }
}
