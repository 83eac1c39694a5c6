//! Starting the program, asking its shop, and ending only what was started here.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use double11_power_loss::Watch;
use rustix::process::{Pid, Signal, kill_process};

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_double11");

/// Whether the long counts are wanted (`make soak`).
#[expect(
    clippy::disallowed_methods,
    reason = "`make soak` says so by the environment"
)]
pub(crate) fn soak() -> bool {
    std::env::var("DOUBLE11_SOAK").is_ok_and(|value| value == "1")
}

/// Whether a missing tool is a failure instead of a skip.
#[expect(clippy::disallowed_methods, reason = "CI says so by the environment")]
pub(crate) fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

/// Says that a test cannot run here; with `CI=true` that is a failure.
pub(crate) fn skip(why: &str) {
    assert!(!in_ci(), "with CI=true nothing is skipped: {why}");
    eprintln!("skipped: {why}");
}

/// The seeds of a crash or race test: a few in `make test`, `soak_count` in `make soak`.
pub(crate) fn seeds(short: u64, soak_count: u64) -> std::ops::RangeInclusive<u64> {
    1..=if soak() { soak_count } else { short }
}

/// Runs the program to its end.
pub(crate) fn run<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Output {
    Command::new(PROGRAM)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Standard output and standard error of a finished program, for messages.
pub(crate) fn both(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!(
        "stdout:\n{}\nstderr:\n{}",
        text(&output.stdout),
        text(&output.stderr)
    )
}

/// A port that nobody else takes while this process lives, not even while the program that listens on it is
/// dead.
pub(crate) fn free_port() -> u16 {
    double11_servers::free_port().unwrap()
}

/// Waits until `done` holds; fails after `limit`.
pub(crate) fn eventually(what: &str, limit: Duration, mut done: impl FnMut() -> bool) {
    let start = now();
    while !done() {
        assert!(
            start.elapsed() < limit,
            "{what} did not happen within {limit:?}"
        );
        pause(Duration::from_millis(50));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests of processes need the real clock"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[expect(
    clippy::disallowed_methods,
    reason = "another process gives no event to wait for"
)]
pub(crate) fn pause(span: Duration) {
    std::thread::sleep(span);
}

/// A shop that runs as a process of its own; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) target: String,
    log: PathBuf,
}

impl Server {
    /// Starts `double11 serve` on a store in `folder`, and waits until it takes requests.
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::start_on(folder, 0, arguments)
    }

    /// The same on a given port.
    pub(crate) fn start_on(folder: &Path, port: u16, arguments: &[&str]) -> Self {
        Self::start_under(None, folder, port, arguments)
    }

    /// The same with what the shop asks of its disk written down.
    pub(crate) fn start_watched(
        watch: &Watch,
        folder: &Path,
        port: u16,
        arguments: &[&str],
    ) -> Self {
        Self::start_under(Some(watch), folder, port, arguments)
    }

    fn start_under(watch: Option<&Watch>, folder: &Path, port: u16, arguments: &[&str]) -> Self {
        let mut command = Command::new(PROGRAM);
        command
            .arg("serve")
            .args(["--store", &store_url(folder)])
            .args(["--addr", &format!("127.0.0.1:{port}")])
            .args(arguments);
        if let Some(watch) = watch {
            watch.over(&mut command);
        }
        Self::spawn(&mut command, folder.join("serve.log"))
    }

    /// Starts a shop as the command says, what it complains about in this file, and waits until it takes
    /// requests.
    pub(crate) fn spawn(command: &mut Command, log: PathBuf) -> Self {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file);
        let mut child = command.spawn().unwrap();
        let output = child.stdout.take().unwrap();
        let target = BufReader::new(output)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("listening on ").map(str::to_owned));
        let Some(target) = target else {
            drop(child.kill());
            drop(child.wait());
            panic!(
                "the shop did not start: {}",
                std::fs::read_to_string(&log).unwrap()
            );
        };
        Self { child, target, log }
    }

    /// The host and port that the shop listens on.
    pub(crate) fn authority(&self) -> &str {
        self.target.strip_prefix("http://").unwrap()
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks the shop to end and waits for it.
    pub(crate) fn terminate(self) -> ExitStatus {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        self.ended()
    }

    /// Waits until the shop ends.
    pub(crate) fn ended(mut self) -> ExitStatus {
        let start = now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "the shop does not end: {}",
                self.log()
            );
            pause(Duration::from_millis(20));
        }
    }

    /// What the shop said on standard error.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

/// The store file in a test's folder.
pub(crate) fn store_path(folder: &Path) -> PathBuf {
    folder.join("shop.db")
}

/// Its URL.
pub(crate) fn store_url(folder: &Path) -> String {
    format!("sqlite:{}", store_path(folder).display())
}

/// Waits until no attempt is processing and no refund is pending.
pub(crate) fn settle(folder: &Path) {
    let store = rusqlite::Connection::open_with_flags(
        store_path(folder),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
    )
    .unwrap();
    eventually("settling", Duration::from_secs(30), || {
        let open: i64 = store
            .query_row(
                "SELECT (SELECT COUNT(*) FROM payments WHERE state = 'processing') \
                 + (SELECT COUNT(*) FROM refunds WHERE state = 'pending')",
                [],
                |row| row.get(0),
            )
            .unwrap_or(1);
        open == 0
    });
}

/// Audits the store of a folder against ledgers that hold every write it was sent.
pub(crate) fn audit(folder: &Path, ledgers: &[PathBuf]) -> (bool, serde_json::Value) {
    try_audit(folder, ledgers).unwrap_or_else(|said| panic!("the audit did not finish: {said}"))
}

/// The same of a store that may be unreadable; then what the audit said instead.
pub(crate) fn try_audit(
    folder: &Path,
    ledgers: &[PathBuf],
) -> Result<(bool, serde_json::Value), String> {
    let mut arguments = vec![
        "audit".to_owned(),
        "--json".to_owned(),
        "--complete".to_owned(),
        "--store".to_owned(),
        store_url(folder),
    ];
    for ledger in ledgers {
        arguments.push("--ledger".to_owned());
        arguments.push(ledger.display().to_string());
    }
    let output = run(&arguments);
    let code = output.status.code();
    if !matches!(code, Some(0 | 1)) {
        return Err(both(&output));
    }
    let report = serde_json::from_slice(&output.stdout).unwrap();
    Ok((code == Some(0), report))
}

/// The checks of an audit report that failed, by id.
pub(crate) fn failed_checks(report: &serde_json::Value) -> Vec<String> {
    let checks = report["checks"].as_array().unwrap();
    let failed = checks.iter().filter(|check| check["status"] == "failed");
    failed
        .map(|check| check["id"].as_str().unwrap().to_owned())
        .collect()
}
