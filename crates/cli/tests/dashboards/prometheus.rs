//! A Prometheus that scrapes shops, and what can be asked of it.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::eventually;
use crate::servers::Running;

/// From one moment to another, in seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) from: f64,
    pub(crate) to: f64,
}

#[expect(
    clippy::disallowed_methods,
    reason = "Prometheus knows only the time of day"
)]
pub(crate) fn unix_seconds() -> f64 {
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::SystemTime::UNIX_EPOCH);
    since.unwrap().as_secs_f64()
}

pub(crate) struct Prometheus(Running);

impl Prometheus {
    /// Scrapes shops by variant, as `deploy/prometheus/prometheus.yml` does, at a distance of its own.
    pub(crate) fn start(folder: &Path, scrape_seconds: u32, shops: &[(&str, &str)]) -> Self {
        let targets = shops.iter().map(
            |(variant, authority)| json!({"targets": [authority], "labels": {"variant": variant}}),
        );
        let distance = format!("{scrape_seconds}s");
        // JSON is YAML.
        let text = json!({
            "global": {"scrape_interval": distance, "scrape_timeout": distance},
            "scrape_configs": [{
                "job_name": "ecommerce-app",
                "metrics_path": "/actuator/prometheus",
                "static_configs": targets.collect::<Vec<_>>(),
            }],
        });
        Self(Running::prometheus_with(folder, &text.to_string()))
    }

    /// Waits until so many targets have answered twice.
    pub(crate) fn await_first_scrapes(&self, targets: usize) {
        let expr = "count_over_time(up{job=\"ecommerce-app\"}[1m]) >= 2";
        eventually("two scrapes of each shop", Duration::from_secs(30), || {
            self.instant(expr, unix_seconds()).series.len() == targets
        });
    }

    /// Waits until a scrape is stored that began after this moment.
    pub(crate) fn await_scrape_after(&self, moment: f64) {
        let expr = "min(timestamp(up{job=\"ecommerce-app\"}))";
        eventually("another scrape", Duration::from_secs(30), || {
            let last = self.instant(expr, unix_seconds()).highest();
            last.is_some_and(|last| last > moment)
        });
    }

    /// The values of a query over a span, a second apart.
    pub(crate) fn range(&self, expr: &str, span: Span) -> Answer {
        let answer = self.ask(
            "query_range",
            &[
                ("query", expr),
                ("start", &format!("{:.3}", span.from)),
                ("end", &format!("{:.3}", span.to)),
                ("step", "1"),
            ],
        );
        let series = answer["data"]["result"].as_array().unwrap().iter();
        Answer {
            series: series.map(|one| values(&one["values"])).collect(),
        }
    }

    /// The value of a query at one moment.
    pub(crate) fn instant(&self, expr: &str, moment: f64) -> Answer {
        let moment = format!("{moment:.3}");
        let answer = self.ask("query", &[("query", expr), ("time", &moment)]);
        let series = answer["data"]["result"].as_array().unwrap().iter();
        Answer {
            series: series
                .map(|one| values(&Value::Array(vec![one["value"].clone()])))
                .collect(),
        }
    }

    /// The values of a label of a metric, as a dashboard's variable asks for them.
    pub(crate) fn label_values(&self, metric: &str, label: &str) -> Vec<String> {
        let answer = self.ask(&format!("label/{label}/values"), &[("match[]", metric)]);
        let values = answer["data"].as_array().unwrap().iter();
        values
            .map(|value| value.as_str().unwrap().to_owned())
            .collect()
    }

    fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let url = format!("{}/api/v1/{path}", self.0.url);
        let mut request = ureq::get(url);
        for (name, value) in parameters {
            request = request.query(name, value);
        }
        let mut response = request
            .config()
            .http_status_as_error(false)
            .build()
            .call()
            .unwrap();
        let answer: Value = response.body_mut().read_json().unwrap();
        assert_eq!(answer["status"], "success", "{parameters:?}: {answer}");
        answer
    }
}

/// The second of each pair, which Prometheus writes as text.
fn values(pairs: &Value) -> Vec<f64> {
    let pairs = pairs.as_array().unwrap().iter();
    pairs
        .map(|pair| pair[1].as_str().unwrap().parse().unwrap())
        .collect()
}

/// The values of each series of an answer.
#[derive(Debug)]
pub(crate) struct Answer {
    series: Vec<Vec<f64>>,
}

impl Answer {
    fn all(&self) -> impl Iterator<Item = f64> {
        self.series
            .iter()
            .flatten()
            .copied()
            .filter(|value| value.is_finite())
    }

    /// How many values are numbers.
    pub(crate) fn finite(&self) -> usize {
        self.all().count()
    }

    pub(crate) fn highest(&self) -> Option<f64> {
        self.all().reduce(f64::max)
    }
}
