//! Debian's Prometheus and Alertmanager on free ports, ended when dropped. Every test target of the
//! program that wants one includes this file.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::harness::{eventually, free_port, skip};

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

/// Whether there is a Prometheus.
pub(crate) fn prometheus_present() -> bool {
    present(&[PROMETHEUS])
}

/// Whether both servers can be started.
pub(crate) fn servers_present() -> bool {
    present(&[PROMETHEUS, ALERTMANAGER])
}

/// A server that a test started; ended when dropped.
pub(crate) struct Running {
    child: Child,
    pub(crate) url: String,
}

impl Running {
    /// Prometheus with this configuration, which it keeps with its data and its log in `folder`.
    pub(crate) fn prometheus_with(folder: &Path, configuration: &str) -> Self {
        let file = folder.join("prometheus.yml");
        std::fs::write(&file, configuration).unwrap();
        Self::prometheus(folder, &file)
    }

    /// Prometheus with this configuration. It keeps its data and its log in `folder`. It repeats what
    /// fires every second instead of every minute, so that what it says before it knows Alertmanager is
    /// not waited for.
    pub(crate) fn prometheus(folder: &Path, configuration: &Path) -> Self {
        let data = folder.join("prometheus-data");
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
        let data = folder.join("alertmanager-data");
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

    /// Ends it at once, if that has not happened yet.
    pub(crate) fn stop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
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
        self.stop();
    }
}
