//! One second of a run while it is accumulated: open with histograms, or closed and encoded.

use super::tallies::AddError;
use super::tally::{COUNT_MAX, Counts};
use super::time_series::{Second, SecondStep};
use crate::histogram::LatencyHistogram;
use crate::sample::{Failure, Outcome, Sample};

/// A second in which samples may still be recorded cheaply: one entry per step of the run.
#[derive(Debug)]
pub(super) struct OpenSecond {
    steps: Vec<OpenStep>,
}

#[derive(Debug, Default)]
struct OpenStep {
    counts: Counts,
    completed: u64,
    response_time: Option<LatencyHistogram>,
    service_time: Option<LatencyHistogram>,
}

impl OpenSecond {
    pub(super) fn new(steps: usize) -> Self {
        Self {
            steps: std::iter::repeat_with(OpenStep::default)
                .take(steps)
                .collect(),
        }
    }

    /// Makes room for one more step.
    pub(super) fn add_step(&mut self) {
        self.steps.push(OpenStep::default());
    }

    /// Takes up a second that had been closed.
    ///
    /// # Panics
    /// Never: the histograms were encoded by [`Self::close`].
    pub(super) fn reopen(steps: usize, second: &Second) -> Self {
        let mut open = Self::new(steps);
        open.add(second)
            .expect("this module encoded the second itself");
        open
    }

    /// Adds a second that had been closed, of this run or of another one with the same steps.
    pub(super) fn add(&mut self, second: &Second) -> Result<(), AddError> {
        for closed in &second.steps {
            let place = || format!("second {}, step {}", second.second, closed.step);
            let wrong = |what| {
                Err(AddError::Counts {
                    place: place(),
                    what,
                })
            };
            let Some(step) = self.steps.get_mut(usize::from(closed.step)) else {
                return wrong("the run has no such step");
            };
            let counts = Counts {
                attempted: closed.attempted,
                succeeded: closed.succeeded,
                expected_refusals: closed.expected_refusals,
                failed: closed.failed,
                dropped: closed.dropped,
                never_sent: closed.never_sent,
            };
            if counts.largest().max(closed.completed) > COUNT_MAX {
                return wrong("a count is out of range");
            }
            step.counts.merge(&counts);
            step.completed += closed.completed;
            for (sum, text, field) in [
                (
                    &mut step.response_time,
                    &closed.response_time,
                    "response_time",
                ),
                (&mut step.service_time, &closed.service_time, "service_time"),
            ] {
                let Some(text) = text else {
                    continue;
                };
                let read = LatencyHistogram::from_base64(text);
                let read = read.map_err(|source| AddError::Histogram {
                    place: format!("{}, `{field}`", place()),
                    source,
                })?;
                match sum {
                    Some(sum) => sum.merge(&read),
                    None => *sum = Some(read),
                }
            }
        }
        Ok(())
    }

    /// Records a request that was planned in this second.
    pub(super) fn record_planned(&mut self, sample: &Sample) {
        let step = &mut self.steps[usize::from(sample.step.0)];
        step.counts.record(sample);
        if !sample.is_dropped() {
            step.response_time
                .get_or_insert_default()
                .record(sample.response_time());
        }
        if let Some(service_time) = sample.service_time() {
            step.service_time
                .get_or_insert_default()
                .record(service_time);
        }
    }

    /// Records a request that ended in this second.
    pub(super) fn record_ended(&mut self, sample: &Sample) {
        let step = &mut self.steps[usize::from(sample.step.0)];
        step.completed += u64::from(is_answered(sample));
    }

    /// Answers that ended in this second, over all steps.
    pub(super) fn completed(&self) -> u64 {
        self.steps.iter().map(|step| step.completed).sum()
    }

    /// Requests that were planned in this second and those of them that failed, over all steps.
    pub(super) fn attempted_and_failed(&self) -> (u64, u64) {
        let counts = self.steps.iter().map(|step| &step.counts);
        counts.fold((0, 0), |(attempted, failed), counts| {
            (attempted + counts.attempted, failed + counts.failed)
        })
    }

    /// Adds the response times of all steps to a histogram.
    pub(super) fn add_response_times(&self, sum: &mut LatencyHistogram) {
        for histogram in self
            .steps
            .iter()
            .filter_map(|step| step.response_time.as_ref())
        {
            sum.merge(histogram);
        }
    }

    /// The second as it is written, with its histograms encoded.
    pub(super) fn close(self, second: u32) -> Second {
        let encode = |histogram: Option<LatencyHistogram>| {
            histogram.as_ref().map(LatencyHistogram::to_base64)
        };
        let steps = (0_u16..)
            .zip(self.steps)
            .filter(|(_, step)| step.counts.attempted > 0 || step.completed > 0)
            .map(|(index, step)| SecondStep {
                step: index,
                attempted: step.counts.attempted,
                succeeded: step.counts.succeeded,
                expected_refusals: step.counts.expected_refusals,
                failed: step.counts.failed,
                dropped: step.counts.dropped,
                never_sent: step.counts.never_sent,
                completed: step.completed,
                response_time: encode(step.response_time),
                service_time: encode(step.service_time),
            })
            .collect();
        Second { second, steps }
    }
}

/// Whether a complete answer came, whatever it said.
fn is_answered(sample: &Sample) -> bool {
    matches!(
        sample.outcome,
        Outcome::Success
            | Outcome::ExpectedRefusal
            | Outcome::Failed(Failure::Status | Failure::Extraction)
    )
}
