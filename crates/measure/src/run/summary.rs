//! `summary.json`: what a run came to, by phase and step.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::availability::Availability;
use crate::histogram::LatencyHistogram;

/// The version of the form of `summary.json` and `timeseries.json`.
pub const SCHEMA_VERSION: u32 = 1;

/// A run, summed up. Times are milliseconds or seconds, as the names say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Every phase in order, the warm-up included.
    pub phases: Vec<PhaseSummary>,
    /// All measured phases as one (all phases if none is measured), named `whole`. Its
    /// availability counts the windows of its phases.
    pub whole: PhaseSummary,
    /// Visits of the measured phases.
    pub sessions: SessionSummary,
}

impl Summary {
    /// The phase of this name.
    pub fn phase(&self, name: &str) -> Option<&PhaseSummary> {
        self.phases.iter().find(|phase| phase.name == name)
    }
}

/// Visits that came to an end.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SessionSummary {
    /// How many.
    pub count: u64,
    /// Their mean duration, from the first planned start to the end of the last request.
    pub mean_duration_ms: Option<f64>,
}

/// One phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseSummary {
    /// Its name in the plan.
    pub name: String,
    /// Whether its figures count; `false` for a warm-up.
    pub measured: bool,
    /// When it began, in seconds since the start of the run.
    pub start_s: f64,
    /// How long it lasted: as planned, or until the run ended.
    pub duration_s: f64,
    /// Requests per second that were planned, if the plan says so.
    pub offered_per_second: Option<f64>,
    /// Visits that began in the phase and came to an end.
    pub visits: u64,
    /// All steps together.
    pub total: StepSummary,
    /// Each step, in plan order, those without a request included.
    pub steps: Vec<StepSummary>,
    /// Good windows of time.
    pub availability: Availability,
}

/// The requests of one step in one phase, by their planned starts.
///
/// `attempted` = `succeeded` + `expected_refusals` + `failed`; `dropped` and `never_sent` are among
/// the failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepSummary {
    /// The name of the step, or `total`.
    pub step: String,
    /// Requests that were planned.
    pub attempted: u64,
    /// Answered as wished.
    pub succeeded: u64,
    /// Answered with a refusal that the step expects.
    pub expected_refusals: u64,
    /// Anything else, dropped ones included.
    pub failed: u64,
    /// Planned, but dropped before sending.
    pub dropped: u64,
    /// Never sent: dropped, or no connection could be made.
    pub never_sent: u64,
    /// Began late, for want of a free connection.
    pub late: u64,
    /// `failed` ÷ `attempted`; `None` if nothing was attempted.
    pub error_rate: Option<f64>,
    /// Answered as wished within the phase, by the *end* of the request, whenever it was planned: an
    /// answer that comes after the phase is not the work of the phase.
    pub completed_successes: u64,
    /// The same of expected refusals.
    pub completed_refusals: u64,
    /// (`completed_successes` + `completed_refusals`) ÷ duration of the phase; `None` if it had no
    /// duration.
    pub throughput_per_second: Option<f64>,
    /// Failures by status code or kind (`"503"`, `"time-out"`, `"dropped"`, …).
    pub failures: BTreeMap<String, u64>,
    /// From the planned start to the end, of every request that was not dropped.
    pub response_time: Quantiles,
    /// From sending to the end, of every request that was sent.
    pub service_time: Quantiles,
    /// From sending to the first byte, of every request that was answered.
    pub time_to_first_byte: Quantiles,
    /// P95 of the response times in which a failed or dropped request counts as the longer of its
    /// response time and the request time-out, so that failing fast never looks good.
    pub verdict_p95_ms: Option<f64>,
    /// Whether the true verdict P95 may be above `verdict_p95_ms`: it lies among failed requests.
    pub verdict_p95_is_lower_bound: bool,
}

/// Percentiles by nearest rank, in milliseconds, `None` without a sample.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Quantiles {
    /// Samples.
    pub count: u64,
    /// The smallest.
    pub min_ms: Option<f64>,
    /// The arithmetic mean.
    pub mean_ms: Option<f64>,
    /// The median.
    pub p50_ms: Option<f64>,
    /// The 90th percentile.
    pub p90_ms: Option<f64>,
    /// The 95th percentile.
    pub p95_ms: Option<f64>,
    /// The 99th percentile.
    pub p99_ms: Option<f64>,
    /// The 99.9th percentile.
    pub p999_ms: Option<f64>,
    /// The largest.
    pub max_ms: Option<f64>,
}

impl From<&LatencyHistogram> for Quantiles {
    fn from(histogram: &LatencyHistogram) -> Self {
        let at = |percentile| histogram.percentile(percentile).map(milliseconds);
        Self {
            count: histogram.len(),
            min_ms: histogram.min().map(milliseconds),
            mean_ms: histogram.mean().map(milliseconds),
            p50_ms: at(50.0),
            p90_ms: at(90.0),
            p95_ms: at(95.0),
            p99_ms: at(99.0),
            p999_ms: at(99.9),
            max_ms: histogram.max().map(milliseconds),
        }
    }
}

/// Divided once from whole nanoseconds, so that the decimal text in the file is short.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1e6
}
