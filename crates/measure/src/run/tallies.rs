//! `tallies.json`: the counts and histograms that a summary is computed from, so that the runs of
//! several generators add up to the run of one, exactly.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::availability::WindowCount;
use crate::histogram::HistogramError;

/// What was counted of a run, by phase and step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunTallies {
    /// [`SCHEMA_VERSION`](super::SCHEMA_VERSION).
    pub schema_version: u32,
    /// Every phase in order, the warm-up included.
    pub phases: Vec<PhaseTallies>,
}

/// One phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseTallies {
    /// Its name.
    pub name: String,
    /// Visits that began in the phase and came to an end.
    pub visits: u64,
    /// Their durations together.
    pub visit_time: Duration,
    /// Requests by the second of their planned start, since the start of the phase.
    pub windows: BTreeMap<u64, WindowCount>,
    /// Each step, in plan order.
    pub steps: Vec<StepTallies>,
}

/// One step in one phase. What the counts mean is said at [`StepSummary`](super::StepSummary); the
/// histograms are in the form of
/// [`LatencyHistogram::to_base64`](crate::histogram::LatencyHistogram::to_base64).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepTallies {
    /// The name of the step.
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
    /// Never sent.
    pub never_sent: u64,
    /// Began late, for want of a free connection.
    pub late: u64,
    /// Answered as wished within the phase, by the end of the request.
    pub completed_successes: u64,
    /// The same of expected refusals.
    pub completed_refusals: u64,
    /// Failures by status code or kind.
    pub failures: BTreeMap<String, u64>,
    /// Response times of what did not fail.
    pub kept_time: String,
    /// Response times of what failed, but for what was dropped; `None` where nothing failed so.
    pub failed_time: Option<String>,
    /// Response times of everything that failed, counted as at least the request time-out; `None`
    /// where nothing failed.
    pub failed_verdict: Option<String>,
    /// Service times.
    pub service_time: String,
    /// Times to the first byte.
    pub time_to_first_byte: String,
}

/// Why figures of one run cannot be added to those of another.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddError {
    /// Written by a version that this one does not know.
    #[error("`schema_version` is {found}, this program reads {known}")]
    Version {
        /// That of the file.
        found: u32,
        /// The one that is known.
        known: u32,
    },
    /// The phases or steps are not those of the run.
    #[error("the {what} are {found}, expected {expected}")]
    Shape {
        /// `phases` or `steps`.
        what: &'static str,
        /// Those of the file.
        found: String,
        /// Those of the run.
        expected: String,
    },
    /// A histogram cannot be read.
    #[error("{place}")]
    Histogram {
        /// Phase or second, step and field.
        place: String,
        /// Why.
        #[source]
        source: HistogramError,
    },
    /// A failure is of no known kind.
    #[error("{place}: `{kind}` is no kind of failure")]
    Failure {
        /// Phase and step.
        place: String,
        /// The kind.
        kind: String,
    },
    /// Counts contradict each other or the histograms, or are out of range.
    #[error("{place}: {what}")]
    Counts {
        /// Phase or second, and step.
        place: String,
        /// What does not fit.
        what: &'static str,
    },
    /// Seconds are not in order of time, or beyond what is counted.
    #[error("second {second} is not later than the one before, or is beyond what is counted")]
    Order {
        /// The second.
        second: u32,
    },
}
