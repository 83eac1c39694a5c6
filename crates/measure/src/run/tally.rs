//! What is counted of the requests of one step in one phase.

use std::collections::BTreeMap;
use std::time::Duration;

use super::summary::{Quantiles, StepSummary, milliseconds};
use super::tallies::{AddError, StepTallies};
use crate::histogram::LatencyHistogram;
use crate::sample::{Failure, Outcome, Sample};

/// The largest count that is read from a file: any sum over shards stays far from the end of the range.
pub(super) const COUNT_MAX: u64 = 1 << 40;

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

    /// The largest of the counts.
    pub(super) fn largest(&self) -> u64 {
        let parts = [self.succeeded, self.expected_refusals, self.failed];
        let sent = [self.attempted, self.dropped, self.never_sent];
        parts.into_iter().chain(sent).max().unwrap_or_default()
    }

    pub(super) fn merge(&mut self, other: &Self) {
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
    pub(super) late: u64,
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

    /// As it is written into a file.
    pub(super) fn written(&self, step: &str) -> StepTallies {
        let Self {
            counts,
            completed_successes,
            completed_refusals,
            late,
            by_kind: _,
            by_status: _,
            kept_time,
            failed_time,
            failed_verdict,
            service_time,
            time_to_first_byte,
        } = self;
        let text = |histogram: &Option<LatencyHistogram>| {
            histogram.as_ref().map(LatencyHistogram::to_base64)
        };
        StepTallies {
            step: step.to_owned(),
            attempted: counts.attempted,
            succeeded: counts.succeeded,
            expected_refusals: counts.expected_refusals,
            failed: counts.failed,
            dropped: counts.dropped,
            never_sent: counts.never_sent,
            late: *late,
            completed_successes: *completed_successes,
            completed_refusals: *completed_refusals,
            failures: self.failures(),
            kept_time: kept_time.to_base64(),
            failed_time: text(failed_time),
            failed_verdict: text(failed_verdict),
            service_time: service_time.to_base64(),
            time_to_first_byte: time_to_first_byte.to_base64(),
        }
    }

    /// Reads back what [`Self::written`] made, for a phase of this name.
    pub(super) fn read(phase: &str, written: &StepTallies) -> Result<Self, AddError> {
        let place = || format!("phase `{phase}`, step `{}`", written.step);
        let decode = |field: &str, text: &String| {
            LatencyHistogram::from_base64(text).map_err(|source| AddError::Histogram {
                place: format!("{}, `{field}`", place()),
                source,
            })
        };
        let optional = |field: &str, text: &Option<String>| {
            let text = text.as_ref();
            text.map(|text| decode(field, text)).transpose()
        };
        let mut tally = Self {
            counts: Counts {
                attempted: written.attempted,
                succeeded: written.succeeded,
                expected_refusals: written.expected_refusals,
                failed: written.failed,
                dropped: written.dropped,
                never_sent: written.never_sent,
            },
            completed_successes: written.completed_successes,
            completed_refusals: written.completed_refusals,
            late: written.late,
            by_kind: [0; Failure::ALL.len()],
            by_status: BTreeMap::new(),
            kept_time: decode("kept_time", &written.kept_time)?,
            failed_time: optional("failed_time", &written.failed_time)?,
            failed_verdict: optional("failed_verdict", &written.failed_verdict)?,
            service_time: decode("service_time", &written.service_time)?,
            time_to_first_byte: decode("time_to_first_byte", &written.time_to_first_byte)?,
        };
        for (kind, &count) in &written.failures {
            tally
                .add_failures(kind, count)
                .ok_or_else(|| AddError::Failure {
                    place: place(),
                    kind: kind.clone(),
                })?;
        }
        let what = tally.contradiction();
        what.map_or(Ok(tally), |what| {
            Err(AddError::Counts {
                place: place(),
                what,
            })
        })
    }

    /// Counts failures of a kind or status by its name; `None` for one that is not known.
    fn add_failures(&mut self, name: &str, count: u64) -> Option<()> {
        let kind = Failure::ALL.iter().position(|kind| kind.name() == name);
        match kind.and_then(|kind| self.by_kind.get_mut(kind)) {
            Some(counted) => *counted = count,
            None => {
                self.by_status.insert(name.parse().ok()?, count);
            }
        }
        Some(())
    }

    /// What cannot be true of a tally that was recorded.
    fn contradiction(&self) -> Option<&'static str> {
        let counts = &self.counts;
        let kinds = self.by_kind.iter().chain(self.by_status.values());
        let wide = |count: &u64| u128::from(*count);
        let listed: u128 = kinds.map(wide).sum();
        let parts = [counts.succeeded, counts.expected_refusals, counts.failed];
        let parts: u128 = parts.iter().map(wide).sum();
        let len = |histogram: &Option<LatencyHistogram>| {
            histogram.as_ref().map_or(0, LatencyHistogram::len)
        };
        let kept = u128::from(self.kept_time.len());
        if counts.attempted.max(self.late) > COUNT_MAX
            || self.completed_successes.max(self.completed_refusals) > COUNT_MAX
        {
            Some("a count is out of range")
        } else if parts != wide(&counts.attempted) {
            Some("what succeeded, was refused and failed is not what was attempted")
        } else if listed != wide(&counts.failed) || len(&self.failed_verdict) != counts.failed {
            Some("the failures are not as many as failed")
        } else if counts.dropped > counts.never_sent || counts.never_sent > counts.failed {
            Some("more was dropped or never sent than failed")
        } else if kept + u128::from(counts.failed) != parts
            || len(&self.failed_time) != counts.failed - counts.dropped
        {
            Some("the response times are not as many as the answers")
        } else if self.service_time.len() != counts.attempted - counts.never_sent
            || self.time_to_first_byte.len() > counts.attempted
        {
            Some("the service times are not as many as what was sent")
        } else {
            None
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
