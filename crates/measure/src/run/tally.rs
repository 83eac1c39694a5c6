//! What is counted of the requests of one step in one phase.

use std::collections::BTreeMap;
use std::time::Duration;

use super::summary::{Quantiles, StepSummary, milliseconds};
use crate::histogram::LatencyHistogram;
use crate::sample::{Failure, Outcome, Sample};

/// Counts that a phase and a second have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) attempted: u64,
    pub(super) succeeded: u64,
    pub(super) expected_refusals: u64,
    pub(super) failed: u64,
    pub(super) dropped: u64,
    pub(super) never_sent: u64,
}

impl Counts {
    pub(super) fn record(&mut self, sample: &Sample) {
        self.attempted += 1;
        match sample.outcome {
            Outcome::Success => self.succeeded += 1,
            Outcome::ExpectedRefusal => self.expected_refusals += 1,
            Outcome::Failed(_) => self.failed += 1,
        }
        self.dropped += u64::from(sample.is_dropped());
        self.never_sent += u64::from(sample.sent.is_none());
    }

    fn merge(&mut self, other: &Self) {
        let Self {
            attempted,
            succeeded,
            expected_refusals,
            failed,
            dropped,
            never_sent,
        } = other;
        self.attempted += attempted;
        self.succeeded += succeeded;
        self.expected_refusals += expected_refusals;
        self.failed += failed;
        self.dropped += dropped;
        self.never_sent += never_sent;
    }
}

/// Counts and histograms of one step in one phase.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) counts: Counts,
    /// Answered as wished within the phase, by the end of the request, whenever it was planned.
    completed_successes: u64,
    /// The same of expected refusals.
    completed_refusals: u64,
    late: u64,
    /// By kind, in the order of [`Failure::ALL`]; those with a known status are in `by_status`.
    by_kind: [u64; Failure::ALL.len()],
    by_status: BTreeMap<u16, u64>,
    /// Response times of what did not fail, which the verdict counts as they are.
    kept_time: LatencyHistogram,
    /// Response times of what failed, but for what was dropped.
    failed_time: Option<LatencyHistogram>,
    /// Those of everything that failed, counted as at least the time-out.
    failed_verdict: Option<LatencyHistogram>,
    service_time: LatencyHistogram,
    time_to_first_byte: LatencyHistogram,
}

impl Tally {
    pub(super) fn record(&mut self, sample: &Sample, request_timeout: Duration) {
        self.counts.record(sample);
        self.late += u64::from(sample.late);
        let response_time = sample.response_time();
        if let Some(service_time) = sample.service_time() {
            self.service_time.record(service_time);
        }
        if let Some(time_to_first_byte) = sample.time_to_first_byte() {
            self.time_to_first_byte.record(time_to_first_byte);
        }
        let Outcome::Failed(failure) = sample.outcome else {
            self.kept_time.record(response_time);
            return;
        };
        if !sample.is_dropped() {
            self.failed_time
                .get_or_insert_default()
                .record(response_time);
        }
        self.failed_verdict
            .get_or_insert_default()
            .record(response_time.max(request_timeout));
        match (failure, sample.status) {
            (Failure::Status, Some(status)) => *self.by_status.entry(status).or_default() += 1,
            _ => self.by_kind[failure as usize] += 1,
        }
    }

    /// Takes a request that ended within the phase.
    pub(super) fn record_completed(&mut self, sample: &Sample) {
        match sample.outcome {
            Outcome::Success => self.completed_successes += 1,
            Outcome::ExpectedRefusal => self.completed_refusals += 1,
            Outcome::Failed(_) => {}
        }
    }

    /// Response times with failures counted as at least the time-out.
    pub(super) fn verdict(&self) -> LatencyHistogram {
        with_failed(&self.kept_time, self.failed_verdict.as_ref())
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.counts.merge(&other.counts);
        self.completed_successes += other.completed_successes;
        self.completed_refusals += other.completed_refusals;
        self.late += other.late;
        for (sum, count) in self.by_kind.iter_mut().zip(other.by_kind) {
            *sum += count;
        }
        for (&status, count) in &other.by_status {
            *self.by_status.entry(status).or_default() += count;
        }
        self.kept_time.merge(&other.kept_time);
        merge_failed(&mut self.failed_time, other.failed_time.as_ref());
        merge_failed(&mut self.failed_verdict, other.failed_verdict.as_ref());
        self.service_time.merge(&other.service_time);
        self.time_to_first_byte.merge(&other.time_to_first_byte);
    }

    pub(super) fn summary(
        &self,
        step: &str,
        duration: Duration,
        request_timeout: Duration,
    ) -> StepSummary {
        let Counts {
            attempted,
            succeeded,
            expected_refusals,
            failed,
            dropped,
            never_sent,
        } = self.counts;
        let verdict = self.verdict().percentile(95.0);
        let response_time = with_failed(&self.kept_time, self.failed_time.as_ref());
        let seconds = duration.as_secs_f64();
        StepSummary {
            step: step.to_owned(),
            attempted,
            succeeded,
            expected_refusals,
            failed,
            dropped,
            never_sent,
            late: self.late,
            completed_successes: self.completed_successes,
            completed_refusals: self.completed_refusals,
            error_rate: (attempted > 0).then(|| failed as f64 / attempted as f64),
            throughput_per_second: (!duration.is_zero())
                .then(|| (self.completed_successes + self.completed_refusals) as f64 / seconds),
            failures: self.failures(),
            response_time: Quantiles::from(&response_time),
            service_time: Quantiles::from(&self.service_time),
            time_to_first_byte: Quantiles::from(&self.time_to_first_byte),
            verdict_p95_ms: verdict.map(milliseconds),
            verdict_p95_is_lower_bound: failed > 0
                && verdict.is_some_and(|verdict| verdict >= request_timeout),
        }
    }

    fn failures(&self) -> BTreeMap<String, u64> {
        let by_kind = Failure::ALL
            .iter()
            .zip(self.by_kind)
            .map(|(failure, count)| (failure.name().to_owned(), count));
        let by_status = self
            .by_status
            .iter()
            .map(|(status, &count)| (status.to_string(), count));
        by_kind
            .chain(by_status)
            .filter(|&(_, count)| count > 0)
            .collect()
    }
}

/// What did not fail and what did, in one.
fn with_failed(kept: &LatencyHistogram, failed: Option<&LatencyHistogram>) -> LatencyHistogram {
    let mut all = kept.clone();
    if let Some(failed) = failed {
        all.merge(failed);
    }
    all
}

fn merge_failed(sum: &mut Option<LatencyHistogram>, other: Option<&LatencyHistogram>) {
    if let Some(other) = other {
        sum.get_or_insert_default().merge(other);
    }
}
