//! The shop is killed at the peak and started again; nothing acknowledged may be lost.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::harness::{
    PROGRAM, Server, audit, both, failed_checks, free_port, pause, seeds, settle,
};

/// Shoppers at the peak against a port, as a process of its own.
pub(crate) fn storm(folder: &Path, port: u16, seed: u64, rate: &str, duration: &str) -> Child {
    Command::new(PROGRAM)
        .args([
            "load",
            "funnel",
            "--peak",
            "--rate",
            rate,
            "--duration",
            duration,
        ])
        .args(["--target", &format!("http://127.0.0.1:{port}")])
        .args([
            "--products",
            "2000",
            "--connections",
            "128",
            "--samples",
            "errors",
        ])
        .args(["--seed", &seed.to_string(), "--timeout", "2s"])
        .arg("--out")
        .arg(folder.join("run"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// How the shop is started that has to die.
pub(crate) fn serve(variant: &str) -> [&str; 8] {
    [
        "--variant",
        variant,
        "--products",
        "2000",
        "--payment-window",
        "3s",
        // Long enough that payments are in process whenever the kill comes.
        "--gateway-latency",
        "80ms",
    ]
}

/// Waits until the shoppers have gone and nothing is in process any more.
pub(crate) fn calm(folder: &Path, storm: Child) {
    let storm = storm.wait_with_output().unwrap();
    assert!(
        matches!(storm.status.code(), Some(0 | 4)),
        "{}",
        both(&storm)
    );
    settle(folder);
}

/// Audits the store against what the shoppers were told; the numbers of writes that were
/// acknowledged and of those with an unknown outcome.
pub(crate) fn assert_clean(folder: &Path, what: &str) -> (usize, usize) {
    let ledger = folder.join("run/client-ledger.jsonl");
    let (passed, report) = audit(folder, std::slice::from_ref(&ledger));
    assert!(passed, "{what}: {:?}\n{report:#}", failed_checks(&report));
    let text = std::fs::read_to_string(&ledger).unwrap();
    let count = |outcome: &str| text.lines().filter(|line| line.contains(outcome)).count();
    let acknowledged = count(r#""acknowledged""#);
    assert!(
        acknowledged > 50,
        "only {acknowledged} writes were acknowledged"
    );
    (acknowledged, count(r#""unknown""#))
}

/// Kills and audits once; tells how many writes had an unknown outcome.
fn survives(variant: &str, rate: &str, seed: u64) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let serve = serve(variant);
    let server = Server::start_on(folder.path(), port, &serve);
    let storm = storm(folder.path(), port, seed, rate, "6s");
    // Somewhere between 2.0 and 4.5 s, another instant for every seed.
    pause(Duration::from_millis(2_000 + seed * 733 % 2_500));
    server.kill();
    let server = Server::start_on(folder.path(), port, &serve);
    calm(folder.path(), storm);
    assert!(server.terminate().success());
    assert_clean(folder.path(), &format!("seed {seed}")).1
}

fn survives_all(variant: &str, rate: &str) {
    let seeds = seeds(2, 20);
    let unknown: usize = seeds
        .clone()
        .map(|seed| survives(variant, rate, seed))
        .sum();
    assert!(
        unknown > 0,
        "no kill hit a write in process; they prove nothing"
    );
    let count = seeds.clone().count();
    println!(
        "soak: kill_at_the_peak_{variant}: {count} of {count} seeds ({}..={}): audit clean, \
         {unknown} writes of unknown outcome",
        seeds.start(),
        seeds.end()
    );
}

#[test]
fn kill_at_the_peak_baseline() {
    survives_all("baseline", "250");
}

#[test]
fn kill_at_the_peak_optimized() {
    survives_all("optimized", "800");
}
