//! `timeseries.json`: what happened in each second, exact enough to be cut and merged again.

use serde::{Deserialize, Serialize};

/// A run by the second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimeSeries {
    /// [`SCHEMA_VERSION`](super::SCHEMA_VERSION).
    pub schema_version: u32,
    /// When second 0 began, in milliseconds since 1970-01-01 UTC. The recorder knows no wall
    /// clock: whoever writes the file fills it in.
    pub start_unix_ms: Option<i64>,
    /// Names of the steps, in plan order.
    pub steps: Vec<String>,
    /// Seconds with any activity, in order.
    pub seconds: Vec<Second>,
}

/// One second of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Second {
    /// Seconds since the start of the run, rounded down.
    pub second: u32,
    /// The steps with any activity, in plan order.
    pub steps: Vec<SecondStep>,
}

/// One step in one second: by the second of the planned start, except `completed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecondStep {
    /// The index of the step in [`TimeSeries::steps`].
    pub step: u16,
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
    /// Requests that got a complete answer in this second, whatever the status, by the second of
    /// their *end*.
    pub completed: u64,
    /// Histogram of the response times in the form of
    /// [`LatencyHistogram::to_base64`](crate::histogram::LatencyHistogram::to_base64); of every
    /// request that was not dropped. `None` without one.
    pub response_time: Option<String>,
    /// Histogram of the service times, of every request that was sent. `None` without one.
    pub service_time: Option<String>,
}
