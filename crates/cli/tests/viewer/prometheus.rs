//! A Prometheus of the test's own, on a free port, with its data in a temporary folder.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::harness::{eventually, free_port, skip};

/// How often it scrapes.
pub(crate) const SCRAPE: &str = "1s";

/// A running Prometheus; it ends when dropped.
pub(crate) struct Prometheus {
    child: Child,
    pub(crate) url: String,
}

impl Prometheus {
    /// Starts it with both shops as targets of the job `ecommerce-app`, on these ports. None, said aloud,
    /// where Prometheus is not installed.
    pub(crate) fn start(folder: &Path, baseline: u16, optimized: u16) -> Option<Self> {
        let configuration = format!(
            "global: {{scrape_interval: {SCRAPE}, scrape_timeout: {SCRAPE}}}\n\
             scrape_configs:\n\
             - job_name: ecommerce-app\n  \
               metrics_path: /actuator/prometheus\n  \
               static_configs:\n  \
               - {{targets: ['127.0.0.1:{baseline}'], labels: {{variant: baseline}}}}\n  \
               - {{targets: ['127.0.0.1:{optimized}'], labels: {{variant: optimized}}}}\n"
        );
        let file = folder.join("prometheus.yml");
        std::fs::write(&file, configuration).unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let log = std::fs::File::create(folder.join("prometheus.log")).unwrap();
        let started = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        let child = match started {
            Ok(child) => child,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                skip("Prometheus is not installed, run scripts/install-test-tools.sh");
                return None;
            }
            Err(error) => panic!("Prometheus cannot be started: {error}"),
        };
        let url = format!("http://{address}");
        let this = Self { child, url };
        eventually("Prometheus' start", Duration::from_secs(30), || {
            ureq::get(format!("{}/-/ready", this.url)).call().is_ok()
        });
        Some(this)
    }

    /// Ends it at once.
    pub(crate) fn stop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.stop();
    }
}
