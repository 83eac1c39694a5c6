//! A Prometheus that scrapes addresses as jobs of their own, and what can be asked of it.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::harness::eventually;
use crate::servers::Running;

/// A running Prometheus.
pub(crate) struct Prometheus {
    pub(crate) url: String,
    _server: Running,
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
        let server = Running::prometheus_with(&folder, configuration);
        Self {
            url: server.url.clone(),
            _server: server,
        }
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
