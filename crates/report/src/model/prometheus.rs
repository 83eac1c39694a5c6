//! The run as a Prometheus saw it.

use serde::{Deserialize, Serialize};

use super::cross_check::CrossCheckResult;

/// What a Prometheus that scraped the shop says of one run, held against the generator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PrometheusReport {
    /// Its version, where it tells.
    pub version: Option<String>,
    /// Whether the rehearsal started it, on the generator's processor.
    pub started_here: bool,
    /// Labels of the scraped target, as in a query; `None` where it was not found.
    pub target: Option<String>,
    /// Seconds between two scrapes.
    pub interval_s: Option<f64>,
    /// Scrapes that succeeded, from the one before the first request to the one after the last.
    pub scrapes: Option<u64>,
    /// Mean time that a scrape took, in ms.
    pub scrape_mean_ms: Option<f64>,
    /// Longest time that a scrape took, in ms.
    pub scrape_max_ms: Option<f64>,
    /// Processors that it used itself during the traffic, where the rehearsal started it: 0.02 is a
    /// fiftieth of one.
    pub cpu_share: Option<f64>,
    /// The comparisons.
    pub results: Vec<CrossCheckResult>,
    /// The run over time; each point looks back at four intervals.
    pub points: Vec<PrometheusPoint>,
}

/// One look back at the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PrometheusPoint {
    /// Seconds since the start of the run.
    pub at_s: f64,
    /// Answers per second by the generator.
    pub generator_per_second: Option<f64>,
    /// Requests per second by `rate`.
    pub prometheus_per_second: Option<f64>,
    /// P95 of the service time by the generator, in ms.
    pub generator_p95_ms: Option<f64>,
    /// P95 by `histogram_quantile`, in ms.
    pub prometheus_p95_ms: Option<f64>,
}
