//! Taking samples one by one, in memory that does not grow with their number.

mod progress;
pub(super) mod tallies;

use std::collections::BTreeMap;
use std::time::Duration;

use super::availability::{AVAILABLE_WITHIN, Availability, WindowCount, availability};
use super::second::OpenSecond;
use super::summary::{PhaseSummary, SCHEMA_VERSION, SessionSummary, Summary, milliseconds};
use super::tally::Tally;
use super::time_series::{Second, TimeSeries};
use crate::histogram::LatencyHistogram;
use crate::sample::{PhaseId, Sample, StepId};

pub use progress::{PhaseProgress, Progress, StepProgress};

/// Seconds beyond the request time-out for which a second is kept open for samples that end late.
const OPEN_MARGIN_SECONDS: u64 = 2;

/// The steps and phases of a run, which the ids in its samples point into.
#[derive(Debug, Clone, PartialEq)]
pub struct RunShape {
    /// Names of the steps, in plan order; at most 65,536.
    pub steps: Vec<String>,
    /// The phases in order of time; at most 65,536.
    pub phases: Vec<PhaseShape>,
}

/// One phase as it is planned.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseShape {
    /// Its name.
    pub name: String,
    /// When it begins, since the start of the run.
    pub start: Duration,
    /// How long it lasts.
    pub duration: Duration,
    /// Whether its figures count; `false` for a warm-up.
    pub measured: bool,
    /// Requests per second that are planned, if the plan says so.
    pub offered_per_second: Option<f64>,
}

/// Accumulates the samples of one run.
///
/// Samples may come in any order. Seconds older than the latest sample by more than the request
/// time-out and two seconds are encoded, so that what is held in histograms depends on the time-out
/// and the number of steps, not on the length of the run; a straggler takes its second up again.
#[derive(Debug)]
pub struct RunRecorder {
    shape: RunShape,
    request_timeout: Duration,
    phases: Vec<PhaseTally>,
    open: BTreeMap<u32, OpenSecond>,
    closed: BTreeMap<u32, Second>,
    newest_second: u32,
    latest_end: Duration,
    attempted: u64,
    failed: u64,
    dropped: u64,
    late: u64,
}

#[derive(Debug)]
struct PhaseTally {
    steps: Vec<Tally>,
    /// By second since the start of the phase.
    windows: BTreeMap<u64, WindowCount>,
    visits: u64,
    visit_time: Duration,
}

impl RunRecorder {
    /// An empty recorder for a run of this shape. `request_timeout` is the longest that the load
    /// engine waits for an answer; failures count as at least that in the verdict's P95.
    pub fn new(shape: RunShape, request_timeout: Duration) -> Self {
        let phases = shape
            .phases
            .iter()
            .map(|_| PhaseTally::new(shape.steps.len()))
            .collect();
        Self {
            shape,
            request_timeout,
            phases,
            open: BTreeMap::new(),
            closed: BTreeMap::new(),
            newest_second: 0,
            latest_end: Duration::ZERO,
            attempted: 0,
            failed: 0,
            dropped: 0,
            late: 0,
        }
    }

    /// Adds a step that the shape did not know, for runs whose steps come to light while they go on.
    /// `None` when there are as many as can be told apart.
    pub fn add_step(&mut self, name: &str) -> Option<StepId> {
        let step = StepId(u16::try_from(self.shape.steps.len()).ok()?);
        self.shape.steps.push(name.to_owned());
        for phase in &mut self.phases {
            phase.steps.push(Tally::default());
        }
        for second in self.open.values_mut() {
            second.add_step();
        }
        Some(step)
    }

    /// Takes one sample.
    ///
    /// # Panics
    /// If its step or phase is not in the [`RunShape`].
    pub fn record(&mut self, sample: &Sample) {
        assert!(
            usize::from(sample.step.0) < self.shape.steps.len(),
            "the step of a sample is one of the run's"
        );
        self.attempted += 1;
        self.failed += u64::from(sample.is_failed());
        self.dropped += u64::from(sample.is_dropped());
        self.late += u64::from(sample.late);
        self.record_in_phase(sample);
        self.record_completed(sample);
        let planned_second = second_of(sample.planned);
        let end_second = second_of(sample.end);
        self.latest_end = self.latest_end.max(sample.end);
        let newest = planned_second.max(end_second);
        if newest > self.newest_second {
            self.newest_second = newest;
            self.close_old_seconds();
        }
        let open = self.open_second(planned_second);
        open.record_planned(sample);
        if end_second == planned_second {
            open.record_ended(sample);
        } else {
            self.open_second(end_second).record_ended(sample);
        }
    }

    /// Notes that a visit of a phase is over, `duration` after its first planned start.
    ///
    /// # Panics
    /// If the phase is not in the [`RunShape`].
    pub fn visit_finished(&mut self, phase: PhaseId, duration: Duration) {
        let tally = self.phase_mut(phase);
        tally.visits += 1;
        tally.visit_time = tally.visit_time.saturating_add(duration);
    }

    /// The response times of each step, in plan order, over the phases that count, in which a failed
    /// or dropped request has the longer of its response time and the request time-out. The summary's
    /// `verdict_p95_ms` is a percentile of these.
    pub fn verdict_times(&self) -> Vec<LatencyHistogram> {
        let mut steps = vec![LatencyHistogram::new(); self.shape.steps.len()];
        for index in self.counted() {
            for (sum, tally) in steps.iter_mut().zip(&self.phases[index].steps) {
                sum.merge(&tally.verdict());
            }
        }
        steps
    }

    /// Sums up the run, which ended at `ended` since its start: phases beyond that count as long as
    /// they really lasted.
    pub fn finish(mut self, ended: Duration) -> (Summary, TimeSeries) {
        let summary = self.summary(ended);
        for (second, open) in std::mem::take(&mut self.open) {
            self.closed.insert(second, open.close(second));
        }
        let time_series = TimeSeries {
            schema_version: SCHEMA_VERSION,
            start_unix_ms: None,
            steps: self.shape.steps,
            seconds: self
                .closed
                .into_values()
                .filter(|second| !second.steps.is_empty())
                .collect(),
        };
        (summary, time_series)
    }

    fn record_in_phase(&mut self, sample: &Sample) {
        let timeout = self.request_timeout;
        let phase_start = self.shape.phases[usize::from(sample.phase.0)].start;
        let phase = self.phase_mut(sample.phase);
        phase.steps[usize::from(sample.step.0)].record(sample, timeout);
        let second = sample.planned.saturating_sub(phase_start).as_secs();
        let in_time = !sample.is_failed() && sample.response_time() <= AVAILABLE_WITHIN;
        phase.windows.entry(second).or_default().add(WindowCount {
            requests: 1,
            in_time: u64::from(in_time),
        });
    }

    /// Counts the answer for the phase in which it came.
    fn record_completed(&mut self, sample: &Sample) {
        let begun = self
            .shape
            .phases
            .partition_point(|phase| phase.start <= sample.end);
        let Some(index) = begun.checked_sub(1) else {
            return;
        };
        let Some(shape) = self.shape.phases.get(index) else {
            return;
        };
        if sample.end >= shape.start.saturating_add(shape.duration) {
            return;
        }
        let tally = self.phases.get_mut(index).map(|phase| &mut phase.steps);
        if let Some(step) = tally.and_then(|steps| steps.get_mut(usize::from(sample.step.0))) {
            step.record_completed(sample);
        }
    }

    fn phase_mut(&mut self, phase: PhaseId) -> &mut PhaseTally {
        self.phases
            .get_mut(usize::from(phase.0))
            .expect("the phase of a sample is one of the run's")
    }

    fn open_second(&mut self, second: u32) -> &mut OpenSecond {
        let steps = self.shape.steps.len();
        let closed = &mut self.closed;
        self.open.entry(second).or_insert_with(|| {
            closed.remove(&second).map_or_else(
                || OpenSecond::new(steps),
                |closed| OpenSecond::reopen(steps, &closed),
            )
        })
    }

    fn close_old_seconds(&mut self) {
        let kept = self
            .request_timeout
            .as_secs()
            .saturating_add(1 + OPEN_MARGIN_SECONDS);
        let kept = u32::try_from(kept).unwrap_or(u32::MAX);
        let oldest_open = self.newest_second.saturating_sub(kept);
        let still_open = self.open.split_off(&oldest_open);
        for (second, open) in std::mem::replace(&mut self.open, still_open) {
            self.closed.insert(second, open.close(second));
        }
    }

    fn summary(&self, ended: Duration) -> Summary {
        let phases: Vec<PhaseSummary> = self
            .shape
            .phases
            .iter()
            .zip(&self.phases)
            .map(|(shape, tally)| self.phase_summary(shape, tally, ended))
            .collect();
        let counted = self.counted();
        let visits: u64 = counted.iter().map(|&index| self.phases[index].visits).sum();
        let visit_time: Duration = counted
            .iter()
            .map(|&index| self.phases[index].visit_time)
            .sum();
        Summary {
            schema_version: SCHEMA_VERSION,
            whole: self.whole(&phases, &counted),
            phases,
            sessions: SessionSummary {
                count: visits,
                mean_duration_ms: (visits > 0).then(|| milliseconds(visit_time) / visits as f64),
            },
        }
    }

    /// Indexes of the measured phases; of all when none is.
    fn counted(&self) -> Vec<usize> {
        let any_measured = self.shape.phases.iter().any(|phase| phase.measured);
        (0..self.phases.len())
            .filter(|&index| self.shape.phases[index].measured || !any_measured)
            .collect()
    }

    fn phase_summary(
        &self,
        shape: &PhaseShape,
        tally: &PhaseTally,
        ended: Duration,
    ) -> PhaseSummary {
        let duration = shape.duration.min(ended.saturating_sub(shape.start));
        let mut phase = self.summary_of_steps(&tally.steps, duration);
        phase.name.clone_from(&shape.name);
        phase.measured = shape.measured;
        phase.start_s = shape.start.as_secs_f64();
        phase.offered_per_second = shape.offered_per_second;
        phase.visits = tally.visits;
        phase.availability = availability(&tally.windows);
        phase
    }

    /// The phases at the indexes `counted` as one.
    fn whole(&self, phases: &[PhaseSummary], counted: &[usize]) -> PhaseSummary {
        let mut steps = vec![Tally::default(); self.shape.steps.len()];
        for &index in counted {
            for (sum, tally) in steps.iter_mut().zip(&self.phases[index].steps) {
                sum.merge(tally);
            }
        }
        let of = |index: &usize| &phases[*index];
        let duration_s: f64 = counted.iter().map(|index| of(index).duration_s).sum();
        let total = counted
            .iter()
            .map(|index| of(index).availability.total)
            .sum();
        let mut whole = self.summary_of_steps(&steps, Duration::from_secs_f64(duration_s));
        whole.measured = counted.iter().any(|index| of(index).measured);
        whole.visits = counted.iter().map(|index| of(index).visits).sum();
        whole.start_s = counted.first().map_or(0.0, |index| of(index).start_s);
        whole.availability = Availability {
            good: counted
                .iter()
                .map(|index| of(index).availability.good)
                .sum(),
            total,
            resolution: (total > 0).then(|| 1.0 / total as f64),
            windows_merged: counted
                .iter()
                .any(|index| of(index).availability.windows_merged),
        };
        whole
    }

    /// A phase summary with nothing but its steps, their total and its duration filled in.
    fn summary_of_steps(&self, tallies: &[Tally], duration: Duration) -> PhaseSummary {
        let mut total = Tally::default();
        let steps = self
            .shape
            .steps
            .iter()
            .zip(tallies)
            .map(|(name, tally)| {
                total.merge(tally);
                tally.summary(name, duration, self.request_timeout)
            })
            .collect();
        PhaseSummary {
            name: "whole".to_owned(),
            measured: false,
            start_s: 0.0,
            duration_s: duration.as_secs_f64(),
            visits: 0,
            offered_per_second: None,
            total: total.summary("total", duration, self.request_timeout),
            steps,
            availability: availability(&BTreeMap::new()),
        }
    }
}

impl PhaseTally {
    fn new(steps: usize) -> Self {
        Self {
            steps: vec![Tally::default(); steps],
            windows: BTreeMap::new(),
            visits: 0,
            visit_time: Duration::ZERO,
        }
    }
}

fn second_of(instant: Duration) -> u32 {
    u32::try_from(instant.as_secs()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
