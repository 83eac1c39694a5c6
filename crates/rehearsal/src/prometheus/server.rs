//! A Prometheus as a child process, with its files in a folder of its own.

use std::fs::{self, File};
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use double11_monitor::prometheus::Prometheus;
use rustix::process::{Pid, Signal, kill_process};

use super::PrometheusFailure;
use super::configuration::{RULES, configuration};
use crate::clock;

/// How long it may take until it answers.
const READY_LIMIT: Duration = Duration::from_secs(30);
/// How long it may take to end.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// How long it may take for the first answers.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// Between two looks whether it is there.
const LOOK: Duration = Duration::from_millis(50);

/// A running Prometheus, on the processors of this process. Dropped, it is stopped, and its data are
/// removed unless they are to be kept.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    pub(super) url: String,
    folder: PathBuf,
    keep_data: bool,
}

impl Server {
    /// Starts it without a target and waits until it answers.
    pub(super) fn start(
        program: &Path,
        folder: &Path,
        keep_data: bool,
    ) -> Result<Self, PrometheusFailure> {
        let failed = PrometheusFailure::Start;
        fs::create_dir_all(folder).map_err(failed)?;
        let folder = folder.canonicalize().map_err(failed)?;
        write_targets(&folder, "[]").map_err(failed)?;
        let main = configuration(&folder.join(TARGETS));
        let rules = RULES.map(|(name, text)| (name, text.to_owned()));
        for (name, text) in [(CONFIGURATION, main)].into_iter().chain(rules) {
            fs::write(folder.join(name), text).map_err(failed)?;
        }
        let port = free_port().map_err(failed)?;
        let child = command(program, &folder, port)
            .map_err(failed)?
            .spawn()
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => PrometheusFailure::NotFound {
                    program: program.to_owned(),
                },
                _ => failed(error),
            });
        let server = Self {
            child: child.inspect_err(|_| {
                // The folder was made here and holds nothing of worth.
                drop(fs::remove_dir_all(&folder));
            })?,
            url: format!("http://127.0.0.1:{port}"),
            folder,
            keep_data,
        };
        server.until_ready()
    }

    fn until_ready(mut self) -> Result<Self, PrometheusFailure> {
        let client = Prometheus::new(&self.url, ANSWER_LIMIT)?;
        let begun = clock::steady();
        loop {
            let ended = self.child.try_wait().map_err(PrometheusFailure::Start)?;
            if ended.is_some() || begun.elapsed() > READY_LIMIT {
                return Err(PrometheusFailure::Ended {
                    last_words: self.last_words(),
                });
            }
            if client.number("1", None).is_ok() {
                return Ok(self);
            }
            clock::pause(LOOK);
        }
    }

    /// The id of its process.
    pub(super) fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Has it scrape one shop, by its variant and address, or none.
    pub(super) fn scrape(&self, shop: Option<(&str, &str)>) -> io::Result<()> {
        let text = match shop {
            None => "[]".to_owned(),
            Some((variant, target)) => {
                let address = target.split_once("://").map_or(target, |(_, rest)| rest);
                let address = address.split('/').next().unwrap_or(address);
                serde_json::json!([{"targets": [address], "labels": {"variant": variant}}])
                    .to_string()
            }
        };
        write_targets(&self.folder, &text)
    }

    fn last_words(&self) -> String {
        let text = fs::read_to_string(self.folder.join(LOG)).unwrap_or_default();
        let last = text.lines().rev().find(|line| !line.trim().is_empty());
        last.unwrap_or("it said nothing").to_owned()
    }

    fn end(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // The process may have ended by itself.
            kill_process(pid, Signal::TERM).ok();
        }
        let asked = clock::steady();
        while asked.elapsed() < STOP_LIMIT {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            clock::pause(LOOK);
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.end();
        }
        if !self.keep_data {
            // What cannot be removed is a few files that nobody asked for.
            drop(fs::remove_dir_all(&self.folder));
        }
    }
}

const CONFIGURATION: &str = "prometheus.yml";
const TARGETS: &str = "targets.json";
const LOG: &str = "prometheus.log";

fn command(program: &Path, folder: &Path, port: u16) -> io::Result<Command> {
    let log = File::create(folder.join(LOG))?;
    let mut command = Command::new(program);
    let path = |option: &str, name: &str| {
        let mut argument = std::ffi::OsString::from(option);
        argument.push(folder.join(name));
        argument
    };
    command
        .arg(path("--config.file=", CONFIGURATION))
        .arg(path("--storage.tsdb.path=", "data"))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--log.level=warn")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    Ok(command)
}

/// Replaces the list of targets at once, so that no half of it is ever read.
fn write_targets(folder: &Path, text: &str) -> io::Result<()> {
    let fresh = folder.join(".targets.new");
    fs::write(&fresh, text)?;
    fs::rename(fresh, folder.join(TARGETS))
}

/// A port of the loopback interface that was free a moment ago.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
