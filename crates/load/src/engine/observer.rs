//! What is told of a run while it goes on.

use std::time::Duration;

use double11_measure::run::Progress;
use double11_measure::sample::PhaseId;

/// A glance at a run, handed to the observer about once a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// Time since the start of the run.
    pub elapsed: Duration,
    /// When the last phase ends.
    pub planned_end: Duration,
    /// The phase of this instant.
    pub phase: PhaseId,
    /// Figures so far.
    pub progress: Progress,
    /// Requests waiting for a connection or an answer.
    pub in_flight: u32,
}
