//! What may be claimed: better, worse, or not shown and why.

use serde::{Deserialize, Serialize};

use super::paired::{NotComparable, PairedRatio, RatioBound};
use super::{MINIMUM_EFFECT, PAIRS_MIN, SIGNIFICANCE_LEVEL, holm};

/// A ratio may miss the minimum effect by this much through rounding alone.
const ROUNDING: f64 = 1e-12;

/// Which way a metric is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// As throughput.
    HigherIsBetter,
    /// As a percentile of response time, or CPU time per request.
    LowerIsBetter,
}

/// One metric of the family to be judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// Which way it is good.
    pub direction: Direction,
    /// The ratio optimised ÷ baseline, or why there is none.
    pub ratio: Result<PairedRatio, NotComparable>,
}

/// What may be said about the optimised variant on one metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict", content = "reason")]
pub enum Verdict {
    /// It is better than the baseline by at least [`MINIMUM_EFFECT`].
    Better,
    /// It is worse by at least that.
    Worse,
    /// Neither was shown. That is no claim that both are equal.
    NotShown(Reason),
}

/// Why neither better nor worse was shown.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// The figures have no ratio.
    #[error(transparent)]
    NotComparable(NotComparable),
    /// Fewer than [`PAIRS_MIN`] pairs of runs.
    #[error("{pairs} pairs of runs, of at least {PAIRS_MIN} that a verdict needs")]
    TooFewPairs {
        /// How many there are.
        pairs: usize,
    },
    /// The difference may be chance: the adjusted p value is not below [`SIGNIFICANCE_LEVEL`].
    #[error("the difference may be chance")]
    NotSignificant,
    /// The ratio differs from 1, but by less than [`MINIMUM_EFFECT`].
    #[error("the difference is below the minimum effect")]
    BelowMinimumEffect,
    /// The estimate is only a bound, and the true ratio lies on that side of it where nothing can
    /// be claimed.
    #[error("the figures of one side are only lower bounds")]
    BoundOnly,
}

/// The verdict on one metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// What may be said.
    pub verdict: Verdict,
    /// The p value adjusted for the whole family by [`holm`](super::holm()); `None` where there is
    /// no p value.
    pub p_adjusted: Option<f64>,
}

/// Judges a family of metrics together, in their order.
///
/// Better or worse needs an interval (at least [`PAIRS_MIN`] pairs), an adjusted p value below
/// [`SIGNIFICANCE_LEVEL`] and an estimated ratio r with |ln r| ≥ ln(1 + [`MINIMUM_EFFECT`]). The
/// family is every metric that was planned, those without figures included.
pub fn judge(family: &[Comparison]) -> Vec<Judgement> {
    let p_values: Vec<Option<f64>> = family
        .iter()
        .map(|comparison| Some(comparison.ratio.ok()?.inference?.p_value))
        .collect();
    family
        .iter()
        .zip(holm(&p_values))
        .map(|(comparison, p_adjusted)| Judgement {
            verdict: verdict(comparison, p_adjusted).unwrap_or_else(Verdict::NotShown),
            p_adjusted,
        })
        .collect()
}

fn verdict(comparison: &Comparison, p_adjusted: Option<f64>) -> Result<Verdict, Reason> {
    let paired = comparison.ratio.map_err(Reason::NotComparable)?;
    if paired.pairs < PAIRS_MIN {
        return Err(Reason::TooFewPairs {
            pairs: paired.pairs,
        });
    }
    if p_adjusted.is_none_or(|p_value| p_value >= SIGNIFICANCE_LEVEL) {
        return Err(Reason::NotSignificant);
    }
    let log_ratio = paired.ratio.ln();
    if log_ratio.abs() < MINIMUM_EFFECT.ln_1p() - ROUNDING {
        return Err(Reason::BelowMinimumEffect);
    }
    let higher = log_ratio > 0.0;
    if paired.bound == RatioBound::AtMost && higher
        || paired.bound == RatioBound::AtLeast && !higher
    {
        return Err(Reason::BoundOnly);
    }
    let good = higher == (comparison.direction == Direction::HigherIsBetter);
    Ok(if good {
        Verdict::Better
    } else {
        Verdict::Worse
    })
}
