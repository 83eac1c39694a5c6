//! Paired figures of runs: their ratio or difference, and how sure it is.

use serde::{Deserialize, Serialize};

use super::student::{inference, mean};

/// Whether a figure is the value itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// It is.
    Exact,
    /// The true value is at least this, as that of a percentile among failed requests.
    AtLeast,
}

/// The figure of one run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The figure, in whatever unit both sides share; comparable only above zero.
    pub value: f64,
    /// Whether it is the value itself.
    pub bound: Bound,
}

impl Observation {
    /// A figure that is the value itself.
    pub fn exact(value: f64) -> Self {
        Self {
            value,
            bound: Bound::Exact,
        }
    }

    /// A figure that the true value is at least.
    pub fn at_least(value: f64) -> Self {
        Self {
            value,
            bound: Bound::AtLeast,
        }
    }
}

/// The figures of a pair of runs: one after the other, with the same seed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pair<T = Observation> {
    /// Of the baseline.
    pub baseline: T,
    /// Of the optimised variant.
    pub optimized: T,
}

/// A side of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The baseline.
    Baseline,
    /// The optimised variant.
    Optimized,
}

impl std::fmt::Display for Side {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Baseline => "baseline",
            Self::Optimized => "optimised",
        })
    }
}

/// Why figures cannot be compared at all.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NotComparable {
    /// There is no pair.
    #[error("there is no pair of runs")]
    NoPairs,
    /// A run has no such figure. Leaving its pair out would let a run that went wrong improve the
    /// result, so that the whole comparison is given up. Never made by this module: for the caller
    /// who finds no figure.
    #[error("pair {pair}: the {side} run has no such figure")]
    MissingFigure {
        /// The pair, from 1.
        pair: usize,
        /// Its side.
        side: Side,
    },
    /// A figure is zero, negative, infinite or not a number, and has no logarithm.
    #[error("pair {pair}: the {side} figure is {value}, and only figures above zero have a ratio")]
    NotPositive {
        /// The pair, from 1.
        pair: usize,
        /// Its side.
        side: Side,
        /// The figure.
        value: f64,
    },
    /// A share is infinite or not a number.
    #[error("pair {pair}: the {side} figure is not a number")]
    NotFinite {
        /// The pair, from 1.
        pair: usize,
        /// Its side.
        side: Side,
    },
    /// Both sides have lower bounds among their figures: the ratio may be anything.
    #[error("figures of both sides are only lower bounds")]
    BothBounds,
    /// The confidence level does not lie between 0 and 1.
    #[error("a confidence level of {0} does not lie between 0 and 1")]
    Level(f64),
}

/// What a ratio that was computed from bounds says about the true one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RatioBound {
    /// No figure is a bound.
    Exact,
    /// Some baseline figure is a lower bound: the true ratio is at most the estimate, and the lower
    /// end of the interval is open.
    AtMost,
    /// Some optimised figure is a lower bound: the true ratio is at least the estimate, and the
    /// upper end of the interval is open.
    AtLeast,
}

/// The two ends of a confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// How sure a paired estimate is, by Student's t on the values of the pairs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Inference {
    /// The confidence level of the interval, between 0 and 1.
    pub level: f64,
    /// The two-sided interval, on the scale of the estimate.
    pub interval: Interval,
    /// The standard error of the mean; of a ratio: of the mean log ratio.
    pub standard_error: f64,
    /// Mean ÷ standard error; `None` where the values are all equal.
    pub t: Option<f64>,
    /// Pairs less one.
    pub degrees_of_freedom: usize,
    /// The two-sided p value of "no difference", 0–1. Where all values are equal it is 1 if they
    /// say "no difference" and 0 if not.
    pub p_value: f64,
}

/// The ratio optimised ÷ baseline over pairs of runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairedRatio {
    /// Pairs of runs.
    pub pairs: usize,
    /// The geometric mean of the pairs' ratios.
    pub ratio: f64,
    /// What the ratio is a bound of, if it is one.
    pub bound: RatioBound,
    /// `None` below [`PAIRS_MIN`](super::PAIRS_MIN) pairs. The interval is one of the ratio.
    pub inference: Option<Inference>,
}

/// The difference optimised − baseline over pairs of runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairedDifference {
    /// Pairs of runs.
    pub pairs: usize,
    /// The arithmetic mean of the pairs' differences.
    pub difference: f64,
    /// `None` below [`PAIRS_MIN`](super::PAIRS_MIN) pairs. The interval knows nothing of the range
    /// of a share and may reach beyond it.
    pub inference: Option<Inference>,
}

/// Compares figures above zero (throughput, percentiles, CPU time per request) by the logarithms of
/// their ratios.
///
/// The geometric mean ratio is exp(m), m being the mean of ln(optimised) − ln(baseline); its
/// interval at `level` is exp(m ± t·s/√n) with the quantile t of Student's distribution of n − 1
/// degrees of freedom. Figures that are lower bounds go in as they are, and the result says to which
/// side of it the true ratio lies.
///
/// # Errors
/// [`NotComparable`] where there is no pair, a figure is not above zero, both sides have bounds, or
/// the level is not between 0 and 1.
pub fn paired_log_ratio(pairs: &[Pair], level: f64) -> Result<PairedRatio, NotComparable> {
    check_level(pairs.len(), level)?;
    for (index, pair) in pairs.iter().enumerate() {
        for (side, observation) in sides(pair) {
            let value = observation.value;
            if !(value > 0.0 && value.is_finite()) {
                return Err(NotComparable::NotPositive {
                    pair: index + 1,
                    side,
                    value,
                });
            }
        }
    }
    let bound = ratio_bound(pairs)?;
    let mut magnitude = 1.0_f64;
    let log_ratios: Vec<f64> = pairs
        .iter()
        .map(|pair| {
            let baseline = pair.baseline.value.ln();
            let optimized = pair.optimized.value.ln();
            magnitude = magnitude.max(baseline.abs()).max(optimized.abs());
            optimized - baseline
        })
        .collect();
    let inference = inference(&log_ratios, magnitude, level).map(|on_logs| Inference {
        interval: Interval {
            low: on_logs.interval.low.exp(),
            high: on_logs.interval.high.exp(),
        },
        ..on_logs
    });
    Ok(PairedRatio {
        pairs: pairs.len(),
        ratio: mean(&log_ratios).exp(),
        bound,
        inference,
    })
}

/// Compares shares (error rate, availability), which may be zero and so have no ratio, by their
/// differences.
///
/// # Errors
/// [`NotComparable`] where there is no pair, a share is not a finite number, or the level is not
/// between 0 and 1.
pub fn paired_difference(
    pairs: &[Pair<f64>],
    level: f64,
) -> Result<PairedDifference, NotComparable> {
    check_level(pairs.len(), level)?;
    for (index, pair) in pairs.iter().enumerate() {
        for (side, value) in sides(pair) {
            if !value.is_finite() {
                return Err(NotComparable::NotFinite {
                    pair: index + 1,
                    side,
                });
            }
        }
    }
    let mut magnitude = 0.0_f64;
    let differences: Vec<f64> = pairs
        .iter()
        .map(|pair| {
            magnitude = magnitude.max(pair.baseline.abs()).max(pair.optimized.abs());
            pair.optimized - pair.baseline
        })
        .collect();
    Ok(PairedDifference {
        pairs: pairs.len(),
        difference: mean(&differences),
        inference: inference(&differences, magnitude, level),
    })
}

fn check_level(pairs: usize, level: f64) -> Result<(), NotComparable> {
    if !(level > 0.0 && level < 1.0) {
        Err(NotComparable::Level(level))
    } else if pairs == 0 {
        Err(NotComparable::NoPairs)
    } else {
        Ok(())
    }
}

fn sides<T: Copy>(pair: &Pair<T>) -> [(Side, T); 2] {
    [
        (Side::Baseline, pair.baseline),
        (Side::Optimized, pair.optimized),
    ]
}

fn ratio_bound(pairs: &[Pair]) -> Result<RatioBound, NotComparable> {
    let baseline = pairs
        .iter()
        .any(|pair| pair.baseline.bound == Bound::AtLeast);
    let optimized = pairs
        .iter()
        .any(|pair| pair.optimized.bound == Bound::AtLeast);
    match (baseline, optimized) {
        (false, false) => Ok(RatioBound::Exact),
        (true, false) => Ok(RatioBound::AtMost),
        (false, true) => Ok(RatioBound::AtLeast),
        (true, true) => Err(NotComparable::BothBounds),
    }
}
