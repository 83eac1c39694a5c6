//! What a gateway, and a shop that is to use one, refuse at their start; no message shows a secret.

use crate::harness::{both, run};
use crate::stores::Kind;
use crate::world::{Setup, World, ledger_path};

/// A command line of two parts.
fn with(first: &[&str], more: &[&str]) -> Vec<String> {
    let words = first.iter().chain(more);
    words.map(|word| (*word).to_owned()).collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn wrong_options_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let short = folder.path().join("short.txt");
    std::fs::write(&short, "hidden\n").unwrap();
    let short = short.to_str().unwrap();
    let ledger = folder.path().join("ledger");
    let ledger = ledger.to_str().unwrap();
    let store = format!("sqlite:{}", folder.path().join("shop.db").display());
    let serve = |words| {
        with(
            &["serve", "--addr", "127.0.0.1:0", "--store", &store],
            words,
        )
    };
    let gateway = |words: &[&str]| {
        let first = ["gateway", "--ledger", ledger];
        with(&first, words)
    };
    let cases = [
        (
            gateway(&["--addr", "0.0.0.0:0"]),
            "reachable from other machines",
        ),
        (
            gateway(&["--gateway-secret-file", short]),
            "at least 16 bytes",
        ),
        (
            gateway(&["--gateway-secret", "hidden"]),
            "at least 16 bytes",
        ),
        (gateway(&["--gateway-secret-file", "/nowhere"]), "/nowhere"),
        (
            gateway(&["--gateway-secret", "hidden", "--gateway-secret-file", short]),
            "cannot be used with",
        ),
        (
            gateway(&["--callbacks", "http://127.0.0.1:1/x"]),
            "without a secret",
        ),
        (
            gateway(&[
                "--gateway-secret",
                "hidden-hidden-hidden",
                "--callbacks",
                "http://user:hidden@shop/x",
            ]),
            "with a user name",
        ),
        (gateway(&["--no-answer", "2"]), "not a share"),
        (gateway(&["--duplicate-callbacks", "0.1"]), "--callbacks"),
        (serve(&["--gateway", "ftp://pay"]), "neither `http://"),
        (
            serve(&["--gateway", "http://user:hidden@pay"]),
            "with a user name",
        ),
        (
            serve(&["--gateway", "http://pay", "--gateway-secret", "hidden"]),
            "at least 16 bytes",
        ),
        (serve(&["--gateway-name", "A/B"]), "is not a name"),
        (
            serve(&["--gateway", "http://pay", "--gateway-name", "sandbox"]),
            "the name of the shop's own gateway",
        ),
        (
            serve(&["--gateway", "https://pay", "--gateway-ca-cert", short]),
            "certificates cannot be read",
        ),
    ];
    for (words, expected) in cases {
        let output = run(&words);
        let said = both(&output);
        assert_eq!(output.status.code(), Some(2), "{words:?}: {said}");
        assert!(said.contains(expected), "{words:?}: {said}");
        assert!(!said.contains("hidden"), "{words:?}: {said}");
    }
    std::fs::write(ledger, "no ledger\n").unwrap();
    let output = run(gateway(&["--addr", "127.0.0.1:0"]));
    assert_eq!(output.status.code(), Some(3), "{}", both(&output));
}

#[test]
fn a_ledger_has_one_gateway() {
    let world = World::start(Kind::Sqlite, Setup::PLAIN).unwrap();
    let ledger = ledger_path(world.folder.path());
    let words = ["gateway", "--addr", "127.0.0.1:0", "--ledger"];
    let output = run(words.iter().copied().chain([ledger.to_str().unwrap()]));
    let said = both(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("in use by another process"), "{said}");
    // Without payments nothing is counted, and the audit has an empty ledger to agree with.
    world.end(&[]);
}
