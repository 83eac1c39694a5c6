//! A Prometheus of the test's own, stopped when dropped.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::harness::{eventually, free_port, skip};

/// Whether there is a Prometheus; says so where there is none.
pub(crate) fn is_installed() -> bool {
    let found = Command::new("prometheus")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if found.is_err() {
        skip("there is no prometheus (apt-get install prometheus)");
    }
    found.is_ok()
}

/// A running Prometheus.
pub(crate) struct Prometheus {
    child: Child,
    pub(crate) url: String,
}

impl Prometheus {
    /// Starts one that scrapes each of these addresses every second, each as a job of its own name.
    pub(crate) fn start(folder: &Path, jobs: &[(&str, &str)]) -> Self {
        Self::configured(folder, &configuration(jobs))
    }

    /// Starts one with a configuration.
    pub(crate) fn configured(folder: &Path, configuration: &str) -> Self {
        let folder = folder.join("prometheus");
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("prometheus.yml");
        std::fs::write(&file, configuration).unwrap();
        let port = free_port();
        let log = File::create(folder.join("log")).unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.join("data").display()
            ))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let server = Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
        };
        eventually("an answer of Prometheus", Duration::from_secs(20), || {
            server.query("1").is_some()
        });
        server
    }

    /// What an instant query answers.
    pub(crate) fn query(&self, query: &str) -> Option<Value> {
        let url = format!("{}/api/v1/query", self.url);
        let mut answer = ureq::get(url).query("query", query).call().ok()?;
        let answer: Value = answer.body_mut().read_json().ok()?;
        Some(answer["data"]["result"].clone())
    }

    /// Waits until each job was scraped `count` times more, whether that succeeded or not.
    pub(crate) fn scrapes_each(&self, count: usize) {
        let scraped = || {
            let answer = self.query("count_over_time(up[10m])").unwrap_or_default();
            let jobs = answer.as_array().cloned().unwrap_or_default();
            let counts = jobs.iter().filter_map(|job| job["value"][1].as_str());
            counts.map(|count| count.parse::<usize>().unwrap()).min()
        };
        let before = scraped().unwrap_or(0);
        eventually("scrapes", Duration::from_secs(30), || {
            scraped().is_some_and(|now| now >= before + count)
        });
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn configuration(jobs: &[(&str, &str)]) -> String {
    let global = "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n".to_owned();
    let jobs = jobs.iter().map(|(name, url)| {
        let address = url.replace("http://", "");
        format!(
            "  - job_name: {name}\n    metrics_path: /actuator/prometheus\n    \
             static_configs: [{{targets: ['{address}']}}]\n"
        )
    });
    [global]
        .into_iter()
        .chain(jobs)
        .collect::<Vec<_>>()
        .concat()
}
