//! What all pairs of runs say together. The statistics are `measure`'s; here figures are handed to
//! them and their answers are put into the report's words.

use double11_measure::statistics::{
    self, Bound, CONFIDENCE_LEVEL, Direction, Inference, MINIMUM_EFFECT, NotComparable,
    Observation, PAIRS_MIN, Pair, RatioBound, Reason, Side, Verdict,
};
use double11_report::model::{self};
use double11_report::model::{
    Comparison, ComparisonReason, ComparisonVerdict, DifferenceComparison, Figure, Interval,
    IntervalBound, Metric, MetricComparison, PairFigures, PhaseReport, RuleOfThree,
};

/// The judged phase of both runs of a pair; `None` where a run has no such phase.
#[derive(Clone, Debug, Default)]
pub(crate) struct PairOfPhases {
    pub(crate) baseline: Option<PhaseReport>,
    pub(crate) optimised: Option<PhaseReport>,
}

/// The metrics that get a verdict, and which way each is good.
const JUDGED: [(Metric, Direction); 3] = [
    (Metric::Throughput, Direction::HigherIsBetter),
    (Metric::ResponseTimeP95, Direction::LowerIsBetter),
    (Metric::CpuPerRequest, Direction::LowerIsBetter),
];
/// The shares that are compared by their difference, without a verdict.
const SHARES: [Metric; 2] = [Metric::ErrorRate, Metric::Availability];

/// Compares the pairs.
pub(crate) fn comparison(pairs: &[PairOfPhases]) -> Comparison {
    let family: Vec<statistics::Comparison> = JUDGED
        .iter()
        .map(|&(metric, direction)| statistics::Comparison {
            direction,
            ratio: observations(pairs, metric)
                .and_then(|pairs| statistics::paired_log_ratio(&pairs, CONFIDENCE_LEVEL)),
        })
        .collect();
    let judgements = statistics::judge(&family);
    let metrics =
        JUDGED
            .iter()
            .zip(&family)
            .zip(&judgements)
            .map(|((&(metric, _), compared), judgement)| {
                let (verdict, reason) = words(judgement.verdict);
                let ratio = compared.ratio.ok();
                MetricComparison {
                    metric,
                    runs: figures(pairs, metric),
                    ratio: ratio.map(|ratio| Interval {
                        estimate: ratio.ratio,
                        bound: match ratio.bound {
                            RatioBound::Exact => IntervalBound::Exact,
                            RatioBound::AtMost => IntervalBound::AtMost,
                            RatioBound::AtLeast => IntervalBound::AtLeast,
                        },
                        low: ratio.inference.map(|inference| inference.interval.low),
                        high: ratio.inference.map(|inference| inference.interval.high),
                    }),
                    p_value: ratio.and_then(|ratio| Some(ratio.inference?.p_value)),
                    adjusted_p_value: judgement.p_adjusted,
                    verdict,
                    reason,
                }
            });
    Comparison {
        pairs: u32::try_from(pairs.len()).unwrap_or(u32::MAX),
        pairs_needed: u32::try_from(PAIRS_MIN).unwrap_or(u32::MAX),
        confidence_level: CONFIDENCE_LEVEL,
        minimum_effect: MINIMUM_EFFECT,
        metrics: metrics.collect(),
        differences: SHARES
            .iter()
            .map(|&share| difference(pairs, share))
            .collect(),
    }
}

fn words(verdict: Verdict) -> (ComparisonVerdict, ComparisonReason) {
    let reason = match verdict {
        Verdict::Better => return (ComparisonVerdict::Better, ComparisonReason::Significant),
        Verdict::Worse => return (ComparisonVerdict::Worse, ComparisonReason::Significant),
        Verdict::NotShown(reason) => reason,
    };
    let reason = match reason {
        Reason::TooFewPairs { .. } | Reason::NotComparable(NotComparable::NoPairs) => {
            ComparisonReason::TooFewPairs
        }
        Reason::NotSignificant => ComparisonReason::NotSignificant,
        Reason::BelowMinimumEffect => ComparisonReason::BelowMinimumEffect,
        Reason::BoundOnly => ComparisonReason::WrongSideOfBound,
        Reason::NotComparable(NotComparable::BothBounds) => ComparisonReason::BothBounds,
        // Every other reason is a figure that is not there or has no ratio.
        _ => ComparisonReason::MissingFigures,
    };
    (ComparisonVerdict::NotShown, reason)
}

fn figures(pairs: &[PairOfPhases], metric: Metric) -> Vec<PairFigures> {
    let of = |phase: &Option<PhaseReport>| {
        phase
            .as_ref()
            .and_then(|phase| double11_report::figure(metric, phase))
    };
    pairs
        .iter()
        .map(|pair| PairFigures {
            baseline: of(&pair.baseline),
            optimised: of(&pair.optimised),
        })
        .collect()
}

fn observations(pairs: &[PairOfPhases], metric: Metric) -> Result<Vec<Pair>, NotComparable> {
    let observation = |figure: Figure| Observation {
        value: figure.value,
        bound: match figure.bound {
            model::Bound::Exact => Bound::Exact,
            model::Bound::AtLeast => Bound::AtLeast,
        },
    };
    paired(pairs, metric, observation)
}

/// The figures of all pairs; a run without one gives the comparison up.
fn paired<T>(
    pairs: &[PairOfPhases],
    metric: Metric,
    of: impl Fn(Figure) -> T,
) -> Result<Vec<Pair<T>>, NotComparable> {
    figures(pairs, metric)
        .into_iter()
        .enumerate()
        .map(|(index, figures)| {
            let missing = |side| NotComparable::MissingFigure {
                pair: index + 1,
                side,
            };
            Ok(Pair {
                baseline: of(figures.baseline.ok_or_else(|| missing(Side::Baseline))?),
                optimized: of(figures.optimised.ok_or_else(|| missing(Side::Optimized))?),
            })
        })
        .collect()
}

fn difference(pairs: &[PairOfPhases], share: Metric) -> DifferenceComparison {
    let found = paired(pairs, share, |figure| figure.value)
        .and_then(|pairs| statistics::paired_difference(&pairs, CONFIDENCE_LEVEL));
    let end = |end: fn(&Inference) -> f64| {
        let inference = found.as_ref().ok()?.inference.as_ref()?;
        Some(end(inference))
    };
    DifferenceComparison {
        metric: share,
        runs: figures(pairs, share),
        difference: found.as_ref().ok().map(|found| Interval {
            estimate: found.difference,
            low: end(|inference| inference.interval.low),
            high: end(|inference| inference.interval.high),
            bound: IntervalBound::Exact,
        }),
        none_seen: none_seen(pairs, share),
    }
}

/// How rare failures of the judged side must be when none was seen: of requests for the error rate, of
/// windows for availability.
fn none_seen(pairs: &[PairOfPhases], share: Metric) -> Option<RuleOfThree> {
    let phases = || pairs.iter().filter_map(|pair| pair.optimised.as_ref());
    let (bad, trials) = match share {
        Metric::ErrorRate => (
            phases().map(|phase| phase.failed).sum::<u64>(),
            phases().map(|phase| phase.attempted).sum::<u64>(),
        ),
        _ => phases()
            .filter_map(|phase| phase.availability)
            .fold((0, 0), |(bad, all), windows| {
                (bad + windows.total - windows.good, all + windows.total)
            }),
    };
    let upper_bound = statistics::upper_bound_without_events(trials).filter(|_| bad == 0)?;
    Some(RuleOfThree {
        trials,
        upper_bound,
    })
}
