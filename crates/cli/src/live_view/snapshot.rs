//! The figures of one instant.

use std::time::Duration;

use double11_load::Observation;
use double11_load::health::GeneratorGlance;
use double11_measure::run::{PhaseProgress, Progress};

/// Where a run is at one instant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Snapshot {
    /// The phase of the plan.
    pub(crate) phase: String,
    /// Time since the start of the run.
    pub(crate) elapsed: Duration,
    /// When the last phase ends.
    pub(crate) planned: Duration,
    pub(crate) progress: Progress,
    /// Requests per second that the plan offers at this instant, if that is known.
    pub(crate) offered_per_second: Option<f64>,
    /// Requests waiting for a connection or an answer, if that is known.
    pub(crate) in_flight: Option<u32>,
    /// Connections that are open, if that is known.
    pub(crate) connections: Option<u32>,
    /// The funnel; empty when it is not known.
    pub(crate) visits: PhaseProgress,
    pub(crate) generator: GeneratorGlance,
}

impl Snapshot {
    /// With nothing but the figures of the recorder known.
    pub(crate) fn new(phase: &str, at: (Duration, Duration), progress: Progress) -> Self {
        let (elapsed, planned) = at;
        Self {
            phase: phase.to_owned(),
            elapsed,
            planned,
            progress,
            offered_per_second: None,
            in_flight: None,
            connections: None,
            visits: PhaseProgress::default(),
            generator: GeneratorGlance::default(),
        }
    }

    /// What the load engine tells of a phase with this name.
    pub(crate) fn observed(phase: &str, seen: &Observation) -> Self {
        Self {
            offered_per_second: seen.offered_per_second,
            in_flight: seen.in_flight,
            connections: seen.connections,
            visits: seen.visits.clone(),
            generator: seen.generator,
            ..Self::new(phase, (seen.elapsed, seen.planned_end), seen.progress)
        }
    }

    /// Whether every phase is over and only answers are waited for.
    pub(super) fn is_draining(&self) -> bool {
        self.elapsed >= self.planned
    }
}
