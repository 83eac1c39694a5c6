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
                        // On the side to which only a bound is known the interval is open.
                        low: ratio
                            .inference
                            .filter(|_| ratio.bound != RatioBound::AtMost)
                            .map(|inference| inference.interval.low),
                        high: ratio
                            .inference
                            .filter(|_| ratio.bound != RatioBound::AtLeast)
                            .map(|inference| inference.interval.high),
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

#[cfg(test)]
mod tests {
    use super::{PairOfPhases, comparison};
    use crate::seen::tests::phase;
    use double11_report::model::{ComparisonReason, ComparisonVerdict, Metric};

    /// Pairs whose baseline answers late, in vain or not, and whose other side answers in time.
    fn pairs(count: usize, baseline_is_bound: bool) -> Vec<PairOfPhases> {
        let pair = |index: usize| {
            let noise = 1.0 + 0.01 * index as f64;
            let mut baseline = phase(40.0 * noise, 9_000.0 * noise, 20_000.0 * noise);
            baseline.verdict_p95_is_lower_bound = baseline_is_bound;
            PairOfPhases {
                baseline: Some(baseline),
                optimised: Some(phase(1_000.0, 4.0, 170.0)),
            }
        };
        (0..count).map(pair).collect()
    }

    #[test]
    fn six_pairs_show_better_on_every_metric() {
        let found = comparison(&pairs(6, false));
        assert_eq!((found.pairs, found.metrics.len()), (6, 3));
        for metric in &found.metrics {
            assert_eq!(metric.verdict, ComparisonVerdict::Better, "{metric:?}");
            assert_eq!(metric.reason, ComparisonReason::Significant);
            let ratio = metric.ratio.unwrap();
            assert!(ratio.low.unwrap() < ratio.estimate && ratio.estimate < ratio.high.unwrap());
        }
        let errors = &found.differences[0];
        assert_eq!(errors.metric, Metric::ErrorRate);
        assert_eq!(errors.none_seen.unwrap().trials, 6 * 1_000);
    }

    #[test]
    fn an_interval_is_open_where_only_a_bound_is_known() {
        let found = comparison(&pairs(6, true));
        let p95 = found.metrics[1].ratio.unwrap();
        assert_eq!(found.metrics[1].verdict, ComparisonVerdict::Better);
        assert!(p95.low.is_none() && p95.high.unwrap() < 0.01, "{p95:?}");
    }

    #[test]
    fn few_pairs_and_missing_figures_show_nothing() {
        let few = comparison(&pairs(4, false));
        assert!(few.metrics.iter().all(|metric| {
            metric.verdict == ComparisonVerdict::NotShown
                && metric.reason == ComparisonReason::TooFewPairs
                && metric.ratio.unwrap().low.is_none()
        }));
        let mut gap = pairs(6, false);
        gap[3].optimised = None;
        let gap = comparison(&gap);
        assert!(gap.metrics.iter().all(|metric| {
            metric.reason == ComparisonReason::MissingFigures && metric.ratio.is_none()
        }));
    }
}
