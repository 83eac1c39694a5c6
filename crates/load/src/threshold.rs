//! Thresholds: conditions on a run's figures under which it counts as failed, such as `p95>50ms`.
//!
//! The form is `METRIC[(STEP)] COMPARISON NUMBER[UNIT]`; it states what must *not* be. Figures are
//! those of the measured phases as a whole. A latency is a response time from the planned start in
//! which a failed or dropped request counts as at least the request time-out, so that failing fast
//! never keeps a threshold.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use double11_measure::histogram::LatencyHistogram;
use double11_measure::run::StepSummary;

use crate::engine::{RunManifest, RunOutcome};
use crate::plan::{Plan, Write};

/// A condition under which a run counts as failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    text: String,
    metric: Metric,
    step: Option<String>,
    comparison: Comparison,
    /// In the metric's own unit.
    bound: f64,
}

/// What is wrong with a threshold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}`: `{part}` {reason}")]
pub struct ThresholdError {
    /// The whole expression.
    pub text: String,
    /// The part that cannot be used.
    pub part: String,
    /// Why, and what is accepted.
    pub reason: String,
}

/// What a threshold came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The figure with its unit; `None` when the run has none.
    pub figure: Option<String>,
    /// Whether the condition held, so that the run failed; `None` when it cannot be told.
    pub violated: Option<bool>,
}

/// What is known of samples that no plan of this crate made, such as those of a `JMeter` plan.
#[derive(Debug, Clone)]
pub struct SampleFigures {
    /// The times of all samples.
    pub times: LatencyHistogram,
    /// Samples that failed.
    pub failed: u64,
    /// Samples a second.
    pub per_second: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Metric {
    /// A percentile of the response time.
    Percentile(f64),
    Mean,
    Max,
    ErrorRate,
    Availability,
    Throughput,
    /// Successful writes of a kind per second.
    Writes(Write),
    Attempted,
    Failed,
    Dropped,
    Late,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Above,
    AtLeast,
    Below,
    AtMost,
}

/// In which unit a metric is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Milliseconds,
    PerCent,
    PerSecond,
    Count,
}

const METRICS: &str = "is no metric; there are p50, p90, p95, p99, p99.9 or any other percentile, \
                       mean, max, error_rate, availability, tps, orders, payments, attempted, failed, \
                       dropped and late";

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = |part: &str, reason: String| {
            Err(ThresholdError {
                text: text.to_owned(),
                part: part.trim().to_owned(),
                reason,
            })
        };
        let Some((left, right)) = text.split_once(['<', '>']) else {
            let reason = "compares nothing; write for example `p95>50ms`".to_owned();
            return refuse(text, reason);
        };
        let is_above = text.as_bytes().get(left.len()) == Some(&b'>');
        let (is_equal, right) = match right.strip_prefix('=') {
            Some(rest) => (true, rest),
            None => (false, right),
        };
        let comparison = match (is_above, is_equal) {
            (true, false) => Comparison::Above,
            (true, true) => Comparison::AtLeast,
            (false, false) => Comparison::Below,
            (false, true) => Comparison::AtMost,
        };
        let (name, step) = match left.trim().split_once('(') {
            None => (left.trim(), None),
            Some((name, rest)) => match rest.trim_end().strip_suffix(')') {
                Some(step) => (name.trim(), Some(step.trim().to_owned())),
                None => return refuse(left, "lacks the closing `)` of its step".to_owned()),
            },
        };
        let Some(metric) = Metric::parse(name) else {
            return refuse(name, METRICS.to_owned());
        };
        if step.is_some() && matches!(metric, Metric::Availability | Metric::Writes(_)) {
            return refuse(
                left,
                "is a figure of the whole run and takes no step".to_owned(),
            );
        }
        match metric.unit().parse(right.trim()) {
            Ok(bound) => Ok(Self {
                text: text.trim().to_owned(),
                metric,
                step,
                comparison,
                bound,
            }),
            Err(reason) => refuse(right, reason.to_owned()),
        }
    }
}

/// The expression as it was given.
impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Threshold {
    /// Checks that the plan has what the threshold is about.
    ///
    /// # Errors
    /// [`ThresholdError`] when the plan has no such step, or writes no orders or payments.
    pub fn check(&self, plan: &Plan) -> Result<(), ThresholdError> {
        let names: Vec<&str> = plan
            .requesting_steps()
            .map(|step| step.name.as_str())
            .collect();
        self.check_steps(&names, &plan.writes().into_iter().collect())
    }

    /// Checks the same of a run that is over, by what is kept of its plan.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_kept(&self, manifest: &RunManifest) -> Result<(), ThresholdError> {
        let names = manifest.plan.steps.iter().map(String::as_str);
        self.check_steps(&names.collect::<Vec<_>>(), &manifest.plan.writes)
    }

    fn check_steps(&self, names: &[&str], written: &Written) -> Result<(), ThresholdError> {
        let refuse = |part: &str, reason: String| {
            Err(ThresholdError {
                text: self.text.clone(),
                part: part.to_owned(),
                reason,
            })
        };
        if let Some(wanted) = &self.step
            && !names.contains(&wanted.as_str())
        {
            let reason = format!("is no step of the plan; it has {}", names.join(", "));
            return refuse(wanted, reason);
        }
        if let Metric::Writes(write) = self.metric
            && !written.values().any(|kind| *kind == write)
        {
            let kind = write.kind();
            return refuse(
                &format!("{kind}s"),
                format!("no step of the plan writes a {kind}"),
            );
        }
        Ok(())
    }

    /// Judges a run.
    pub fn judge(&self, outcome: &RunOutcome) -> Judgement {
        let figure = self.figure(outcome);
        Judgement {
            figure: figure.map(|figure| self.metric.unit().show(figure)),
            violated: figure.map(|figure| self.comparison.holds(figure, self.bound)),
        }
    }

    /// Checks that the figure is one of users who wait for their answers, of whom no start is late or
    /// dropped.
    ///
    /// # Errors
    /// [`ThresholdError`] when it is about starts by the clock.
    pub fn check_closed(&self) -> Result<(), ThresholdError> {
        match self.metric {
            Metric::Dropped | Metric::Late => Err(ThresholdError {
                text: self.text.clone(),
                part: self.text.clone(),
                reason: "is about starts by the clock, and users who wait for answers have none"
                    .to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Checks that samples alone can tell the figure.
    ///
    /// # Errors
    /// [`ThresholdError`] when it takes a plan of this crate.
    pub fn check_samples(&self) -> Result<(), ThresholdError> {
        match self.metric {
            Metric::Availability | Metric::Writes(_) | Metric::Dropped | Metric::Late => {
                Err(ThresholdError {
                    text: self.text.clone(),
                    part: self.text.clone(),
                    reason: "is unknown of such a run; there are p50, p90, p95, p99, p99.9 or any \
                             other percentile, mean, max, error_rate, tps, attempted and failed"
                        .to_owned(),
                })
            }
            _ => Ok(()),
        }
    }

    /// The step it is about; none when it is about all of them.
    pub fn step(&self) -> Option<&str> {
        self.step.as_deref()
    }

    /// Judges samples: those of its step, or all; none where there are none.
    pub fn judge_samples(&self, samples: Option<&SampleFigures>) -> Judgement {
        let figure = samples.and_then(|samples| {
            let attempted = samples.times.len();
            match self.metric {
                Metric::Percentile(percentile) => {
                    samples.times.percentile(percentile).map(milliseconds)
                }
                Metric::Mean => samples.times.mean().map(milliseconds),
                Metric::Max => samples.times.max().map(milliseconds),
                Metric::ErrorRate => {
                    let rate = samples.failed as f64 * 100.0 / attempted as f64;
                    (attempted > 0).then_some(rate)
                }
                Metric::Throughput => Some(samples.per_second),
                Metric::Attempted => Some(attempted as f64),
                Metric::Failed => Some(samples.failed as f64),
                Metric::Availability | Metric::Writes(_) | Metric::Dropped | Metric::Late => None,
            }
        });
        Judgement {
            figure: figure.map(|figure| self.metric.unit().show(figure)),
            violated: figure.map(|figure| self.comparison.holds(figure, self.bound)),
        }
    }

    fn figure(&self, outcome: &RunOutcome) -> Option<f64> {
        let whole = &outcome.summary.whole;
        let steps = whole.steps.iter().zip(&outcome.verdict_times);
        let (summary, times) = match &self.step {
            None => {
                let mut all = LatencyHistogram::new();
                for times in &outcome.verdict_times {
                    all.merge(times);
                }
                (&whole.total, all)
            }
            Some(wanted) => {
                let (summary, times) = steps.clone().find(|(step, _)| step.step == *wanted)?;
                (summary, times.clone())
            }
        };
        match self.metric {
            Metric::Percentile(percentile) => times.percentile(percentile).map(milliseconds),
            Metric::Mean => times.mean().map(milliseconds),
            Metric::Max => times.max().map(milliseconds),
            Metric::Availability => whole.availability.share().map(|share| share * 100.0),
            Metric::Writes(write) => {
                let kind_of = |step: &StepSummary| {
                    let mut writes = outcome.writes.iter();
                    writes.any(|(name, kind)| *name == step.step && *kind == write)
                };
                let writing = whole.steps.iter().filter(|step| kind_of(step));
                let sum: f64 = writing.map(|step| step.completed_successes as f64).sum();
                (whole.duration_s > 0.0).then(|| sum / whole.duration_s)
            }
            metric => metric.counted(summary),
        }
    }
}

/// What the steps of a plan write, by name.
type Written = BTreeMap<String, Write>;

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

impl Metric {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "mean" => Self::Mean,
            "max" => Self::Max,
            "error_rate" => Self::ErrorRate,
            "availability" => Self::Availability,
            "tps" => Self::Throughput,
            "orders" => Self::Writes(Write::Order),
            "payments" => Self::Writes(Write::Payment),
            "attempted" => Self::Attempted,
            "failed" => Self::Failed,
            "dropped" => Self::Dropped,
            "late" => Self::Late,
            _ => {
                let digits = name.strip_prefix('p')?;
                if !digits.starts_with(|first: char| first.is_ascii_digit()) {
                    return None;
                }
                let percentile: f64 = digits.parse().ok()?;
                let in_range = percentile > 0.0 && percentile <= 100.0;
                return in_range.then_some(Self::Percentile(percentile));
            }
        })
    }

    fn unit(self) -> Unit {
        match self {
            Self::Percentile(_) | Self::Mean | Self::Max => Unit::Milliseconds,
            Self::ErrorRate | Self::Availability => Unit::PerCent,
            Self::Throughput | Self::Writes(_) => Unit::PerSecond,
            Self::Attempted | Self::Failed | Self::Dropped | Self::Late => Unit::Count,
        }
    }

    /// The figure of a metric that a summary holds as it is.
    fn counted(self, summary: &StepSummary) -> Option<f64> {
        match self {
            Self::ErrorRate => summary.error_rate.map(|rate| rate * 100.0),
            Self::Throughput => summary.throughput_per_second,
            Self::Attempted => Some(summary.attempted as f64),
            Self::Failed => Some(summary.failed as f64),
            Self::Dropped => Some(summary.dropped as f64),
            Self::Late => Some(summary.late as f64),
            Self::Percentile(_) | Self::Mean | Self::Max | Self::Availability | Self::Writes(_) => {
                None
            }
        }
    }
}

impl Comparison {
    fn holds(self, figure: f64, bound: f64) -> bool {
        match self {
            Self::Above => figure > bound,
            Self::AtLeast => figure >= bound,
            Self::Below => figure < bound,
            Self::AtMost => figure <= bound,
        }
    }
}

impl Unit {
    /// Reads a number with its unit.
    fn parse(self, text: &str) -> Result<f64, &'static str> {
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (digits, unit) = text.split_at(end);
        let number: f64 = digits.parse().map_err(|_| "is no number with a unit")?;
        let factor = match (self, unit.trim()) {
            (Self::Milliseconds, "us" | "µs") => Some(0.001),
            (Self::Milliseconds, "s") => Some(1_000.0),
            (Self::Milliseconds, "ms")
            | (Self::PerCent, "%")
            | (Self::Count, "")
            | (Self::PerSecond, "" | "/s") => Some(1.0),
            _ => None,
        };
        let expected = match self {
            Self::Milliseconds => "needs a unit of time: us, ms or s",
            Self::PerCent => "needs the unit %",
            Self::PerSecond => "is a number per second, with `/s` or nothing behind it",
            Self::Count => "is a plain number",
        };
        factor.map(|factor| number * factor).ok_or(expected)
    }

    fn show(self, figure: f64) -> String {
        match self {
            Self::Milliseconds => format!("{figure:.2} ms"),
            Self::PerCent => format!("{figure:.3} %"),
            Self::PerSecond => format!("{figure:.1}/s"),
            Self::Count => format!("{figure:.0}"),
        }
    }
}

#[cfg(test)]
mod tests;
