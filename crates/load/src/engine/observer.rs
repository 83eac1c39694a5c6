//! What is told of a run while it goes on.

use std::time::Duration;

use double11_measure::run::{PhaseProgress, Progress};
use double11_measure::sample::PhaseId;

use crate::health::GeneratorGlance;

/// A glance at a run, handed to the observer about once a second.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Time since the start of the run.
    pub elapsed: Duration,
    /// When the last phase ends.
    pub planned_end: Duration,
    /// The phase of this instant.
    pub phase: PhaseId,
    /// Figures so far.
    pub progress: Progress,
    /// Requests waiting for a connection or an answer; `None` where another engine sends them.
    pub in_flight: Option<u32>,
    /// Connections that are open, as the workers last reported about once a second; `None` where they
    /// are another engine's.
    pub connections: Option<u32>,
    /// Requests per second that the plan offers at this instant, and none after its end; `None` in
    /// the closed model, where the answers set the pace.
    pub offered_per_second: Option<f64>,
    /// How far the visits of this phase have come; steps that send nothing are left out.
    pub visits: PhaseProgress,
    /// Whether the generator keeps up.
    pub generator: GeneratorGlance,
}
