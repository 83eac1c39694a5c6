//! What all pairs of runs say together, and why two sides must not be compared at all.
//!
//! The unit of evidence is the run. The statistics are made elsewhere; here stands what came out.

use serde::{Deserialize, Serialize};

use super::improvement::{Figure, Metric};
use super::variant::PhaseReport;

/// The judged variant against the yardstick over every pair of runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Comparison {
    /// Pairs of runs that were made.
    pub pairs: u32,
    /// Pairs below which there is no interval and no “better” or “worse”.
    pub pairs_needed: u32,
    /// Confidence level of every interval, between 0 and 1, for instance 0.95.
    pub confidence_level: f64,
    /// Smallest change that counts, as a share: 0.05 means that a ratio between 1 ÷ 1.05 and 1.05
    /// is never called better or worse.
    pub minimum_effect: f64,
    /// The metrics that are judged, as ratios.
    pub metrics: Vec<MetricComparison>,
    /// Shares, as differences; they are shown and not judged.
    pub differences: Vec<DifferenceComparison>,
}

/// One judged metric over all pairs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MetricComparison {
    /// `Throughput`, `ResponseTimeP95` or `CpuPerRequest`.
    pub metric: Metric,
    /// The figures of each pair, in the order in which the pairs ran.
    pub runs: Vec<PairFigures>,
    /// Optimised ÷ baseline: geometric mean over the pairs, with its confidence interval.
    pub ratio: Option<Interval>,
    /// Probability of a difference at least this large by chance alone, between 0 and 1.
    pub p_value: Option<f64>,
    /// The same, adjusted by Holm's method for the number of judged metrics.
    pub adjusted_p_value: Option<f64>,
    /// What it comes to.
    pub verdict: ComparisonVerdict,
    /// Why.
    pub reason: ComparisonReason,
}

/// The two figures of one pair of runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PairFigures {
    /// The yardstick's.
    pub baseline: Option<Figure>,
    /// The judged variant's.
    pub optimised: Option<Figure>,
}

/// An estimate with its confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Interval {
    /// The estimate.
    pub estimate: f64,
    /// Lower end; `None` where there are too few pairs or the end is unknown.
    pub low: Option<f64>,
    /// Upper end; `None` where there are too few pairs or the end is unknown.
    pub high: Option<f64>,
    /// Whether the interval is for the true value or for a limit of it.
    pub bound: IntervalBound,
}

/// What an [`Interval`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum IntervalBound {
    /// The true value.
    Exact,
    /// The true value is at most this: the yardstick's figures are lower bounds.
    AtMost,
    /// The true value is at least this: the judged variant's figures are lower bounds.
    AtLeast,
}

/// Three-valued verdict on one metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ComparisonVerdict {
    /// The judged variant is better, by more than the minimum effect.
    Better,
    /// It is worse, by more than the minimum effect.
    Worse,
    /// Neither was shown.
    NotShown,
}

/// Why a [`MetricComparison`] has its verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum ComparisonReason {
    /// The adjusted p-value is small and the change is large enough.
    Significant,
    /// Chance alone may explain the difference.
    NotSignificant,
    /// The difference may be real but is smaller than the minimum effect.
    BelowMinimumEffect,
    /// There are fewer pairs than needed.
    TooFewPairs,
    /// Both sides are only lower bounds, so that their ratio says nothing.
    BothBounds,
    /// The limit that is known points away from the direction in which a verdict would be possible.
    WrongSideOfBound,
    /// A run lacks the figure.
    MissingFigures,
    /// Nothing is judged: a failed audit, a limited generator or sides that must not be compared
    /// take every verdict back, and a throttled shop that on latency.
    Reserved,
}

/// One share over all pairs, as a difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DifferenceComparison {
    /// `ErrorRate` or `Availability`.
    pub metric: Metric,
    /// The figures of each pair, in the order in which the pairs ran.
    pub runs: Vec<PairFigures>,
    /// Optimised − baseline, between −1 and 1: mean over the pairs, with its confidence interval.
    pub difference: Option<Interval>,
    /// Where the judged variant had no failure (no bad window) in any run: how many there may be.
    pub none_seen: Option<RuleOfThree>,
}

/// What can be said when nothing was seen: with 95 % confidence the true share is below 3 ÷ trials.
///
/// Source: Hanley and Lippman-Hand, “If nothing goes wrong, is everything all right?”, JAMA 249
/// (1983).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RuleOfThree {
    /// Requests or windows in which it could have been seen.
    pub trials: u64,
    /// The upper bound of the share, between 0 and 1.
    pub upper_bound: f64,
}

/// One run of one variant, as far as the table and the outcome need it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunReport {
    /// Which pair, from 1.
    pub pair: u32,
    /// Name of the variant.
    pub variant: String,
    /// Where its files are, relative to the report; empty where nothing was kept.
    pub folder: String,
    /// Figures of the judged phase.
    pub judged: Option<PhaseReport>,
    /// Whether the audit passed; `None` when there was none.
    pub audit_passed: Option<bool>,
    /// Whether a comparable cross-check differed; `None` when nothing could be compared.
    pub cross_check_failed: Option<bool>,
    /// Whether the load generator was the limit; `None` when its health was not recorded.
    pub generator_limited: Option<bool>,
}

/// Why the two sides must not be compared; any of them makes the outcome `CannotJudge`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Incomparable {
    /// They ran different plans.
    DifferentPlan {
        /// Name or hash of the yardstick's.
        baseline: String,
        /// Name or hash of the judged side's.
        optimised: String,
    },
    /// They ran the same plan with different seeds.
    DifferentSeed {
        /// The yardstick's.
        baseline: u64,
        /// The judged side's.
        optimised: u64,
    },
    /// Rates or lengths of their phases differ.
    DifferentSchedule {
        /// Which phase, where one can be named.
        phase: Option<String>,
    },
    /// They ran on different machines.
    DifferentHost {
        /// What differs, for instance `processor`.
        what: String,
        /// The yardstick's.
        baseline: String,
        /// The judged side's.
        optimised: String,
    },
    /// The generator had different limits.
    DifferentLimits {
        /// What differs, for instance `connections`.
        what: String,
        /// The yardstick's.
        baseline: String,
        /// The judged side's.
        optimised: String,
    },
    /// The load generator was the limit.
    GeneratorLimited {
        /// In a run of this variant.
        variant: String,
    },
    /// They sent different kinds of requests.
    DifferentSteps {
        /// Steps that only the yardstick's side has.
        baseline: Vec<String>,
        /// Steps that only the judged side has.
        optimised: Vec<String>,
    },
    /// There is no figure at all.
    NothingMeasured {
        /// For this variant.
        variant: String,
    },
    /// A run did not come to its planned end.
    Interrupted {
        /// The folder of the run.
        run: String,
    },
    /// A pair ran under other conditions than the first pair.
    UnlikeFirstPair {
        /// Which pair, from 2.
        pair: u32,
    },
}
