//! Debian's Prometheus and Alertmanager, and the tools that come with them.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::harness::{eventually, free_port, skip};

pub(crate) const PROMTOOL: &str = "promtool";
pub(crate) const AMTOOL: &str = "amtool";
const PROMETHEUS: &str = "prometheus";
const ALERTMANAGER: &str = "prometheus-alertmanager";

/// Whether all of these can be started; says so if not, which with `CI=true` is a failure.
pub(crate) fn present(names: &[&str]) -> bool {
    let missing = names.iter().find(|name| {
        let version = Command::new(name)
            .arg("--version")
            .stdin(Stdio::null())
            .output();
        !version.is_ok_and(|output| output.status.success())
    });
    if let Some(name) = missing {
        skip(&format!(
            "there is no {name}; Debian's packages are prometheus and prometheus-alertmanager"
        ));
    }
    missing.is_none()
}

/// Whether both servers can be started.
pub(crate) fn servers_present() -> bool {
    present(&[PROMETHEUS, ALERTMANAGER])
}

/// Runs a tool to its end, in `folder`.
pub(crate) fn run_in(folder: &Path, tool: &str, arguments: &[&str]) -> Output {
    Command::new(tool)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Runs a tool with something to read.
pub(crate) fn run_with_input(tool: &str, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(tool)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

/// A server that a test started; ended when dropped.
pub(crate) struct Running {
    child: Child,
    pub(crate) url: String,
}

impl Running {
    /// Prometheus with this configuration. It keeps its data and its log in `folder`. It repeats what
    /// fires every second instead of every minute, so that what it says before it knows Alertmanager is
    /// not waited for.
    pub(crate) fn prometheus(folder: &Path, configuration: &Path) -> Self {
        let data = folder.join("prometheus");
        Self::start(folder, PROMETHEUS, |address| {
            vec![
                format!("--config.file={}", configuration.display()),
                format!("--storage.tsdb.path={}", data.display()),
                format!("--web.listen-address={address}"),
                "--rules.alert.resend-delay=1s".to_owned(),
            ]
        })
    }

    /// Alertmanager with this configuration, without peers. It keeps its data and its log in `folder`.
    pub(crate) fn alertmanager(folder: &Path, configuration: &Path) -> Self {
        let data = folder.join("alertmanager");
        Self::start(folder, ALERTMANAGER, |address| {
            vec![
                format!("--config.file={}", configuration.display()),
                format!("--storage.path={}", data.display()),
                format!("--web.listen-address={address}"),
                "--cluster.listen-address=".to_owned(),
            ]
        })
    }

    fn start(folder: &Path, program: &str, arguments: impl Fn(&str) -> Vec<String>) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let log = folder.join(format!("{program}.log"));
        let file = std::fs::File::create(&log).unwrap();
        let child = Command::new(program)
            .args(arguments(&address))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .unwrap();
        let mut running = Self {
            child,
            url: format!("http://{address}"),
        };
        let ready = format!("{}/-/ready", running.url);
        eventually(program, Duration::from_secs(30), || {
            if let Some(status) = running.child.try_wait().unwrap() {
                panic!(
                    "{program} ended with {status}: {}",
                    std::fs::read_to_string(&log).unwrap()
                );
            }
            ureq::get(&ready).call().is_ok()
        });
        running
    }

    /// The address without its scheme.
    pub(crate) fn authority(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// What the server's interface answers at a path.
    pub(crate) fn get(&self, path: &str) -> Value {
        let mut answer = ureq::get(&format!("{}{path}", self.url)).call().unwrap();
        answer.body_mut().read_json().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
