//! A glance at a run in progress: read from what is counted anyway, so that no sample costs more for it.

use std::time::Duration;

use super::{RunRecorder, second_of};
use crate::histogram::LatencyHistogram;
use crate::run::second::OpenSecond;
use crate::sample::PhaseId;

/// How many seconds the percentiles and the error rate of [`Progress`] look back.
const PROGRESS_SECONDS: u32 = 5;

/// A glance at a run in progress.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// The end of the latest sample, since the start of the run.
    pub elapsed: Duration,
    /// Answers in the last whole second.
    pub throughput_last_second: f64,
    /// P50 of the response times of the requests that were planned in the last five seconds and
    /// are over.
    pub p50_last_seconds: Option<Duration>,
    /// P95 of the same.
    pub p95_last_seconds: Option<Duration>,
    /// P99 of the same.
    pub p99_last_seconds: Option<Duration>,
    /// Requests that were planned in the last five seconds and are over.
    pub attempted_last_seconds: u64,
    /// Those of them that failed, dropped ones included.
    pub failed_last_seconds: u64,
    /// Requests that were planned and are over, in all phases.
    pub attempted: u64,
    /// Those that were refused in a way their step expects.
    pub expected_refusals: u64,
    /// Those that failed, dropped ones included.
    pub failed: u64,
    /// Those that were dropped.
    pub dropped: u64,
    /// Those that began late.
    pub late: u64,
}

impl Progress {
    /// Failed ÷ attempted of the last five seconds, 0 to 1; `None` when nothing was attempted.
    pub fn error_rate_last_seconds(&self) -> Option<f64> {
        (self.attempted_last_seconds > 0)
            .then(|| self.failed_last_seconds as f64 / self.attempted_last_seconds as f64)
    }
}

/// How far the visits of one phase have come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PhaseProgress {
    /// Visits that are over.
    pub visits: u64,
    /// The steps in plan order; those that send nothing stay at zero.
    pub steps: Vec<StepProgress>,
}

/// One step of a phase so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepProgress {
    /// Its name.
    pub name: String,
    /// Requests that were planned and are over.
    pub attempted: u64,
    /// Those that were refused in a way the step expects.
    pub expected_refusals: u64,
    /// Those that failed, dropped ones included.
    pub failed: u64,
}

impl RunRecorder {
    /// How the run is doing. Cheap enough for every second, not for every sample.
    pub fn snapshot(&self) -> Progress {
        let oldest = self.newest_second.saturating_sub(PROGRESS_SECONDS);
        let mut last_seconds = LatencyHistogram::new();
        let (mut attempted_last_seconds, mut failed_last_seconds) = (0, 0);
        for (_, second) in self.open.range(oldest..) {
            second.add_response_times(&mut last_seconds);
            let (attempted, failed) = second.attempted_and_failed();
            attempted_last_seconds += attempted;
            failed_last_seconds += failed;
        }
        let completed = second_of(self.latest_end)
            .checked_sub(1)
            .and_then(|last_whole| self.open.get(&last_whole))
            .map_or(0, OpenSecond::completed);
        let steps = self.phases.iter().flat_map(|phase| &phase.steps);
        Progress {
            elapsed: self.latest_end,
            throughput_last_second: completed as f64,
            p50_last_seconds: last_seconds.percentile(50.0),
            p95_last_seconds: last_seconds.percentile(95.0),
            p99_last_seconds: last_seconds.percentile(99.0),
            attempted_last_seconds,
            failed_last_seconds,
            attempted: self.attempted,
            expected_refusals: steps.map(|step| step.counts.expected_refusals).sum(),
            failed: self.failed,
            dropped: self.dropped,
            late: self.late,
        }
    }

    /// How far the visits of a phase have come. Like [`Self::snapshot`], for every second.
    ///
    /// # Panics
    /// If the phase is not in the [`RunShape`](super::RunShape).
    pub fn phase_progress(&self, phase: PhaseId) -> PhaseProgress {
        let tally = self
            .phases
            .get(usize::from(phase.0))
            .expect("the phase that is asked for is one of the run's");
        let steps = self.shape.steps.iter().zip(&tally.steps);
        PhaseProgress {
            visits: tally.visits,
            steps: steps
                .map(|(name, step)| StepProgress {
                    name: name.clone(),
                    attempted: step.counts.attempted,
                    expected_refusals: step.counts.expected_refusals,
                    failed: step.counts.failed,
                })
                .collect(),
        }
    }
}
