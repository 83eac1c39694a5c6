//! A Prometheus as a child process, with its files in a folder of its own.

use std::fs::{self, File};
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use double11_load::transport::CertificateDer;
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
/// How often it is started, each time on another port, while ports turn out to be taken.
const STARTS_MAX: u32 = 4;
/// What it says of a port that is taken: the text of `EADDRINUSE`.
const TAKEN: &str = "address already in use";
/// Between two looks whether it is there.
const LOOK: Duration = Duration::from_millis(50);

/// How a Prometheus is started.
#[derive(Debug)]
pub(super) struct ServerSpec<'spec> {
    /// Our own program, which starts the other so that it ends with this process, however that ends.
    pub(super) own_program: &'spec Path,
    /// The program; a bare name is looked for on the path.
    pub(super) program: &'spec Path,
    /// For its files.
    pub(super) folder: &'spec Path,
    /// Whether its data are kept.
    pub(super) keep_data: bool,
    /// Certificate authorities of shops that are asked by https; with none the system's are trusted.
    pub(super) roots: &'spec [CertificateDer<'static>],
}

/// What our own program ends with where it did not find the other, as shells do.
const NOT_FOUND: i32 = 127;

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
    /// Starts it without a target and waits until it answers; on another port if somebody else took the one
    /// that was free.
    pub(super) fn start(spec: &ServerSpec<'_>) -> Result<Self, PrometheusFailure> {
        let mut started = Self::start_once(spec);
        for _ in 1..STARTS_MAX {
            match &started {
                Err(PrometheusFailure::Ended { last_words }) if last_words.contains(TAKEN) => {
                    started = Self::start_once(spec);
                }
                _ => break,
            }
        }
        started
    }

    fn start_once(spec: &ServerSpec<'_>) -> Result<Self, PrometheusFailure> {
        let failed = PrometheusFailure::Start;
        fs::create_dir_all(spec.folder).map_err(failed)?;
        let folder = spec.folder.canonicalize().map_err(failed)?;
        write_targets(&folder, "[]").map_err(failed)?;
        let authorities = folder.join(AUTHORITIES);
        if !spec.roots.is_empty() {
            fs::write(&authorities, pem(spec.roots)).map_err(failed)?;
        }
        let authorities = (!spec.roots.is_empty()).then_some(authorities.as_path());
        let main = configuration(&folder.join(TARGETS), authorities);
        let rules = RULES.map(|(name, text)| (name, text.to_owned()));
        for (name, text) in [(CONFIGURATION, main)].into_iter().chain(rules) {
            fs::write(folder.join(name), text).map_err(failed)?;
        }
        let port = free_port().map_err(failed)?;
        let child = command(spec, &folder, port).map_err(failed)?.spawn();
        let server = Self {
            child: child.map_err(failed)?,
            url: format!("http://127.0.0.1:{port}"),
            folder,
            keep_data: spec.keep_data,
        };
        server.until_ready(spec.program)
    }

    fn until_ready(mut self, program: &Path) -> Result<Self, PrometheusFailure> {
        let client = Prometheus::new(&self.url, ANSWER_LIMIT)?;
        let begun = clock::steady();
        loop {
            let ended = self.child.try_wait().map_err(PrometheusFailure::Start)?;
            if ended.is_some_and(|status| status.code() == Some(NOT_FOUND)) {
                // The folder was made here and holds nothing of worth.
                self.keep_data = false;
                return Err(PrometheusFailure::NotFound {
                    program: program.to_owned(),
                });
            }
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
            Some((variant, target)) => target_group(variant, target).to_string(),
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
const AUTHORITIES: &str = "authorities.pem";

fn command(spec: &ServerSpec<'_>, folder: &Path, port: u16) -> io::Result<Command> {
    let log = File::create(folder.join(LOG))?;
    let mut command = Command::new(spec.own_program);
    let path = |option: &str, name: &str| {
        let mut argument = std::ffi::OsString::from(option);
        argument.push(folder.join(name));
        argument
    };
    command
        .args(["end-with-parent", "--"])
        .arg(spec.program)
        .arg(path("--config.file=", CONFIGURATION))
        .arg(path("--storage.tsdb.path=", "data"))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--log.level=warn")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    Ok(command)
}

/// The one target of Prometheus' job, as a file of targets has it.
///
/// Source: Prometheus, configuration, `relabel_config`: the label `__scheme__` of a target goes before the
/// scheme of its job.
fn target_group(variant: &str, target: &str) -> serde_json::Value {
    let (scheme, address) = target.split_once("://").unwrap_or(("http", target));
    let address = address.split('/').next().unwrap_or(address);
    let labels = serde_json::json!({"variant": variant, "__scheme__": scheme});
    serde_json::json!([{"targets": [address], "labels": labels}])
}

/// Certificates as text.
///
/// Source: RFC 7468: base64 in lines of 64 characters between two labels.
fn pem(certificates: &[CertificateDer<'_>]) -> String {
    let mut text = String::new();
    for certificate in certificates {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        // 48 bytes are 64 characters.
        for line in certificate.chunks(48) {
            text.push_str(&base64::engine::general_purpose::STANDARD.encode(line));
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
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

#[cfg(test)]
mod tests {
    use double11_load::transport::{CertificateDer, certificates_from_pem};
    use serde_json::json;

    use super::{pem, target_group};

    #[test]
    fn an_https_shop_is_scraped_by_https() {
        let group = |target| {
            let group = target_group("baseline", target);
            let one = &group[0];
            let labels = &one["labels"];
            assert_eq!(labels["variant"], "baseline");
            (one["targets"].clone(), labels["__scheme__"].clone())
        };
        let check = |target, address: &str, scheme: &str| {
            assert_eq!(group(target), (json!([address]), json!(scheme)), "{target}");
        };
        check("http://127.0.0.1:8080", "127.0.0.1:8080", "http");
        check("https://shop.example", "shop.example", "https");
        check("https://shop.example:8443/eu", "shop.example:8443", "https");
    }

    #[test]
    fn authorities_are_written_as_they_were_read() {
        let certificates = [0, 47, 48, 49, 1_000].map(|length| {
            let bytes: Vec<u8> = (0..=255).cycle().take(length).collect();
            CertificateDer::from(bytes)
        });
        let read = certificates_from_pem(pem(&certificates).as_bytes()).unwrap();
        assert_eq!(read, certificates);
    }
}
