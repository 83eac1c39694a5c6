//! The comparison of paired runs: estimates, intervals and three-valued verdicts.
//!
//! The unit of evidence is the run, never the request: the requests of one run share its machine,
//! its caches and its luck, so that a million of them say no more about the next run than a few do.
//! A figure is taken once per run, the runs come in pairs of one baseline and one optimised run, and
//! the spread between the pairs is the only spread that an interval or a test knows. The formulas
//! with their sources and the proof by simulation are in `docs/STATISTICS.md`.
//!
//! [`paired_log_ratio`] compares figures above zero, [`paired_difference`] shares, [`judge`] says
//! what may be claimed. Every function is pure and none panics, whatever the figures.

mod holm;
mod paired;
mod student;
mod verdict;
mod zero_events;

pub use holm::holm;
pub use paired::{
    Bound, Inference, Interval, NotComparable, Observation, Pair, PairedDifference, PairedRatio,
    RatioBound, Side, paired_difference, paired_log_ratio,
};
pub use verdict::{Comparison, Direction, Judgement, Reason, Verdict, judge};
pub use zero_events::{rule_of_three, upper_bound_without_events};

/// The confidence level of the intervals that are reported.
pub const CONFIDENCE_LEVEL: f64 = 0.95;

/// The adjusted p value below which a difference counts as shown: the chance of any false "better"
/// or "worse" in the whole family when nothing differs.
pub const SIGNIFICANCE_LEVEL: f64 = 0.05;

/// The smallest effect that is called better or worse. On the log scale, so that it does not matter
/// which side is called the baseline: a ratio of at least 1.05, or of at most 1 / 1.05 ≈ 0.952.
pub const MINIMUM_EFFECT: f64 = 0.05;

/// Pairs of runs below which there is no interval, no p value and no better or worse: the spread of
/// fewer figures is itself hardly known.
pub const PAIRS_MIN: usize = 5;

#[cfg(test)]
mod simulations;
#[cfg(test)]
mod tests;
