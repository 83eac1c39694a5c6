use proptest::prelude::*;
use statrs::distribution::{ContinuousCDF as _, StudentsT};

use super::*;

fn pairs_of(figures: &[(f64, f64)]) -> Vec<Pair> {
    figures
        .iter()
        .map(|&(baseline, optimized)| Pair {
            baseline: Observation::exact(baseline),
            optimized: Observation::exact(optimized),
        })
        .collect()
}

fn close(actual: f64, expected: f64, relative: f64) -> bool {
    (actual - expected).abs() <= relative * expected.abs()
}

const SIX: [(f64, f64); 6] = [
    (100.0, 121.0),
    (110.0, 128.0),
    (105.0, 130.0),
    (98.0, 118.0),
    (102.0, 125.0),
    (101.0, 119.0),
];

/// Quantiles computed with 30 digits by mpmath from the incomplete beta function; to their three
/// decimals they are those of the NIST/SEMATECH e-Handbook of Statistical Methods, section 1.3.6.7.2.
#[test]
fn quantiles_of_students_t_agree_with_the_tables() {
    let check = |degrees: f64, expected: [f64; 5]| {
        let student = StudentsT::new(0.0, 1.0, degrees).unwrap();
        for (share, expected) in [0.9, 0.95, 0.975, 0.995, 0.9995].into_iter().zip(expected) {
            let actual = student.inverse_cdf(share);
            assert!(
                close(actual, expected, 1e-9),
                "{share} at {degrees} degrees: {actual}, expected {expected}"
            );
        }
    };
    check(
        4.0,
        [
            1.533_206_274_06,
            2.131_846_786_33,
            2.776_445_105_2,
            4.604_094_871_35,
            8.610_301_581_38,
        ],
    );
    check(
        5.0,
        [
            1.475_884_048_82,
            2.015_048_373_33,
            2.570_581_835_64,
            4.032_142_983_56,
            6.868_826_625_88,
        ],
    );
    check(
        9.0,
        [
            1.383_028_738_4,
            1.833_112_932_66,
            2.262_157_162_8,
            3.249_835_541_59,
            4.780_912_585_93,
        ],
    );
    check(
        30.0,
        [
            1.310_415_025_39,
            1.697_260_886_59,
            2.042_272_456_3,
            2.749_995_653_57,
            3.645_958_635_04,
        ],
    );
    check(
        120.0,
        [
            1.288_646_233_66,
            1.657_650_899_36,
            1.979_930_405_08,
            2.617_421_145_11,
            3.373_453_768_56,
        ],
    );
}

#[test]
fn p_values_of_students_t_agree_with_an_independent_computation() {
    for (t, degrees, expected) in [
        (0.5, 5.0, 0.638_298_871_641),
        (1.0, 4.0, 0.373_900_966_3),
        (2.0, 5.0, 0.101_939_478_83),
        (3.5, 5.0, 0.017_284_431_785_3),
        (10.0, 5.0, 0.000_170_947_575_743),
        (25.0, 4.0, 1.519_752_576_33e-5),
        (2.5, 30.0, 0.018_115_649_068_1),
    ] {
        let actual = 2.0 * StudentsT::new(0.0, 1.0, degrees).unwrap().sf(t);
        assert!(
            close(actual, expected, 1e-9),
            "{t} at {degrees} degrees: {actual}, expected {expected}"
        );
    }
}

/// The expected figures were computed with 30 digits by mpmath.
#[test]
fn a_worked_example_comes_out_as_computed_elsewhere() {
    let ratio = paired_log_ratio(&pairs_of(&SIX), CONFIDENCE_LEVEL).unwrap();
    let inference = ratio.inference.unwrap();
    for (name, actual, expected) in [
        ("ratio", ratio.ratio, 1.202_978_904_01),
        (
            "standard error",
            inference.standard_error,
            0.009_564_723_239_64,
        ),
        ("t", inference.t.unwrap(), 19.321_092_315_7),
        ("p", inference.p_value, 6.851_108_367_92e-6),
        ("low", inference.interval.low, 1.173_762_025_51),
        ("high", inference.interval.high, 1.232_923_038_94),
    ] {
        assert!(
            close(actual, expected, 1e-9),
            "{name}: {actual}, expected {expected}"
        );
    }
    assert_eq!((ratio.pairs, inference.degrees_of_freedom), (6, 5));
    assert_eq!(ratio.bound, RatioBound::Exact);
}

#[test]
fn figures_without_spread_give_a_point() {
    let check = |optimized: f64, p_value: f64| {
        let ratio =
            paired_log_ratio(&pairs_of(&[(3.3, 3.3 * optimized); 6]), CONFIDENCE_LEVEL).unwrap();
        let inference = ratio.inference.unwrap();
        assert!(close(ratio.ratio, optimized, 1e-12));
        assert!(close(inference.interval.low, ratio.ratio, 1e-12));
        assert!(close(inference.interval.high, ratio.ratio, 1e-12));
        assert_eq!(inference.t, None);
        assert!(
            close(inference.p_value, p_value, 0.0),
            "{}",
            inference.p_value
        );
    };
    check(1.0, 1.0);
    check(1.1, 0.0);
    // The same ratio from figures that are not the same: rounding is no spread.
    let figures: Vec<(f64, f64)> = (1..7_u32)
        .map(|index| (f64::from(index) / 7.0, f64::from(index) * 1.1 / 7.0))
        .collect();
    let ratio = paired_log_ratio(&pairs_of(&figures), CONFIDENCE_LEVEL).unwrap();
    assert_eq!(ratio.inference.unwrap().t, None);
}

#[test]
fn below_five_pairs_there_is_an_estimate_and_nothing_else() {
    for count in 1..PAIRS_MIN {
        let ratio = paired_log_ratio(&pairs_of(&SIX[..count]), CONFIDENCE_LEVEL).unwrap();
        assert!(ratio.ratio > 1.1);
        assert_eq!(ratio.inference, None);
        assert_eq!(
            judge(&[throughput(Ok(ratio))])[0],
            Judgement {
                verdict: Verdict::NotShown(Reason::TooFewPairs { pairs: count }),
                p_adjusted: None,
            }
        );
    }
    assert!(
        paired_log_ratio(&pairs_of(&SIX[..PAIRS_MIN]), CONFIDENCE_LEVEL)
            .unwrap()
            .inference
            .is_some()
    );
}

#[test]
fn what_cannot_be_compared_says_why() {
    let check = |pairs: &[Pair], level: f64, expected: &str| {
        let problem = paired_log_ratio(pairs, level).unwrap_err();
        assert_eq!(problem.to_string(), expected);
        let judged = judge(&[throughput(Err(problem))]);
        assert!(matches!(
            judged[0].verdict,
            Verdict::NotShown(Reason::NotComparable(_))
        ));
    };
    check(&[], 0.95, "there is no pair of runs");
    for (value, text) in [
        (0.0, "0"),
        (-1.0, "-1"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "inf"),
    ] {
        let mut figures = SIX;
        figures[2].1 = value;
        check(
            &pairs_of(&figures),
            0.95,
            &format!(
                "pair 3: the optimised figure is {text}, and only figures above zero have a ratio"
            ),
        );
    }
    check(
        &pairs_of(&SIX),
        1.0,
        "a confidence level of 1 does not lie between 0 and 1",
    );
    check(
        &pairs_of(&SIX),
        f64::NAN,
        "a confidence level of NaN does not lie between 0 and 1",
    );
    let mut both = pairs_of(&SIX);
    both[0].baseline.bound = Bound::AtLeast;
    both[3].optimized.bound = Bound::AtLeast;
    check(&both, 0.95, "figures of both sides are only lower bounds");
}

#[test]
fn a_bound_may_only_be_claimed_on_its_own_side() {
    // (side that is bounded, ratio, metric, verdict)
    let better = Some(true);
    let worse = Some(false);
    for (side, ratio, direction, expected) in [
        (Side::Baseline, 0.5, Direction::LowerIsBetter, better),
        (Side::Baseline, 2.0, Direction::LowerIsBetter, None),
        (Side::Optimized, 2.0, Direction::LowerIsBetter, worse),
        (Side::Optimized, 0.5, Direction::LowerIsBetter, None),
        (Side::Baseline, 0.5, Direction::HigherIsBetter, worse),
        (Side::Optimized, 2.0, Direction::HigherIsBetter, better),
    ] {
        let mut pairs = pairs_of(&SIX.map(|(baseline, _)| (baseline, baseline * ratio)));
        match side {
            Side::Baseline => pairs[1].baseline.bound = Bound::AtLeast,
            Side::Optimized => pairs[1].optimized.bound = Bound::AtLeast,
        }
        let compared = paired_log_ratio(&pairs, CONFIDENCE_LEVEL);
        assert_eq!(
            compared.unwrap().bound,
            match side {
                Side::Baseline => RatioBound::AtMost,
                Side::Optimized => RatioBound::AtLeast,
            }
        );
        let judged = judge(&[Comparison {
            direction,
            ratio: compared,
        }]);
        let verdict = match expected {
            Some(true) => Verdict::Better,
            Some(false) => Verdict::Worse,
            None => Verdict::NotShown(Reason::BoundOnly),
        };
        assert_eq!(judged[0].verdict, verdict, "{side} {ratio} {direction:?}");
    }
}

#[test]
fn the_minimum_effect_is_symmetrical_on_the_log_scale() {
    let check = |ratio: f64, direction: Direction, expected: Verdict| {
        let figures = SIX.map(|(baseline, _)| (baseline, baseline * ratio));
        let judged = judge(&[Comparison {
            direction,
            ratio: paired_log_ratio(&pairs_of(&figures), CONFIDENCE_LEVEL),
        }]);
        assert_eq!(judged[0].verdict, expected, "{ratio} {direction:?}");
    };
    let below = Verdict::NotShown(Reason::BelowMinimumEffect);
    check(1.05, Direction::HigherIsBetter, Verdict::Better);
    check(1.0499, Direction::HigherIsBetter, below);
    check(1.0 / 1.05, Direction::HigherIsBetter, Verdict::Worse);
    check(1.0 / 1.0499, Direction::HigherIsBetter, below);
    check(1.05, Direction::LowerIsBetter, Verdict::Worse);
    check(1.0 / 1.05, Direction::LowerIsBetter, Verdict::Better);
    check(
        1.0,
        Direction::LowerIsBetter,
        Verdict::NotShown(Reason::NotSignificant),
    );
}

#[test]
fn holm_adjusts_as_in_the_paper_and_keeps_the_size_of_the_family() {
    let check = |p_values: &[Option<f64>], expected: &[Option<f64>]| {
        let actual = holm(p_values);
        assert_eq!(actual.len(), expected.len());
        for (actual, expected) in actual.iter().zip(expected) {
            match (actual, expected) {
                (Some(actual), Some(expected)) => {
                    assert!(
                        (actual - expected).abs() < 1e-12,
                        "{p_values:?}: {actual}, expected {expected}"
                    );
                }
                _ => assert_eq!(actual.is_none(), expected.is_none(), "{p_values:?}"),
            }
        }
    };
    check(&[], &[]);
    check(&[Some(0.04)], &[Some(0.04)]);
    check(
        &[Some(0.01), Some(0.04), Some(0.03)],
        &[Some(0.03), Some(0.06), Some(0.06)],
    );
    check(&[Some(0.02), Some(0.02)], &[Some(0.04), Some(0.04)]);
    check(
        &[Some(0.9), Some(0.01), Some(0.8)],
        &[Some(1.0), Some(0.03), Some(1.0)],
    );
    // Two of three could not be judged: the third must still pass at a third of the level.
    check(&[None, Some(0.02), None], &[None, Some(0.06), None]);
    check(&[Some(f64::NAN), Some(0.02)], &[None, Some(0.04)]);
    check(&[Some(-0.5), Some(7.0)], &[Some(0.0), Some(1.0)]);
}

#[test]
fn bounds_without_events_are_those_of_the_sources() {
    assert_eq!(rule_of_three(0), None);
    assert_eq!(upper_bound_without_events(0), None);
    // Exact figures computed with 30 digits by mpmath.
    for (trials, three, exact) in [
        (1, 1.0, 0.95),
        (10, 0.3, 0.258_865_550_893),
        (100, 0.03, 0.029_513_049_607),
        (1000, 0.003, 0.002_991_249_545_1),
        (1_000_000, 3e-6, 2.995_727_786_35e-6),
    ] {
        assert!(close(rule_of_three(trials).unwrap(), three, 1e-12));
        assert!(close(
            upper_bound_without_events(trials).unwrap(),
            exact,
            1e-9
        ));
    }
}

#[test]
fn shares_are_compared_by_their_differences() {
    let share = |baseline: f64, optimized: f64| Pair {
        baseline,
        optimized,
    };
    let none = [share(0.0, 0.0); 6];
    let none = paired_difference(&none, CONFIDENCE_LEVEL).unwrap();
    assert!(close(none.difference, 0.0, 0.0));
    assert!(close(none.inference.unwrap().p_value, 1.0, 0.0));
    let fewer = [0.10, 0.12, 0.11, 0.09, 0.10, 0.11].map(|baseline| share(baseline, 0.01));
    let fewer = paired_difference(&fewer, CONFIDENCE_LEVEL).unwrap();
    let inference = fewer.inference.unwrap();
    assert!(close(fewer.difference, -0.095, 1e-9));
    // s = √0.00011, s/√6 times the quantile 2.570581835…
    assert!(close(
        inference.standard_error,
        (0.000_11_f64 / 6.0).sqrt(),
        1e-9
    ));
    assert!(close(
        inference.interval.high,
        -0.095 + 2.570_581_835_64 * (0.000_11_f64 / 6.0).sqrt(),
        1e-9
    ));
    let problem = paired_difference(&[share(0.0, f64::NAN)], CONFIDENCE_LEVEL).unwrap_err();
    assert_eq!(
        problem.to_string(),
        "pair 1: the optimised figure is not a number"
    );
}

#[test]
fn a_judgement_is_written_in_plain_words() {
    let text = |verdict: Verdict| serde_json::to_string(&verdict).unwrap();
    assert_eq!(text(Verdict::Better), r#"{"verdict":"better"}"#);
    assert_eq!(
        text(Verdict::NotShown(Reason::TooFewPairs { pairs: 1 })),
        r#"{"verdict":"not_shown","reason":{"too_few_pairs":{"pairs":1}}}"#
    );
}

fn throughput(ratio: Result<PairedRatio, NotComparable>) -> Comparison {
    Comparison {
        direction: Direction::HigherIsBetter,
        ratio,
    }
}

fn figures() -> impl Strategy<Value = Vec<(f64, f64)>> {
    proptest::collection::vec((1e-3..1e6_f64, 1e-3..1e6_f64), 5..12)
}

/// Ratios near the limits of a verdict, so that the properties meet all three.
fn near_figures() -> impl Strategy<Value = Vec<(f64, f64)>> {
    (
        0.85..1.18_f64,
        proptest::collection::vec((1.0..1e4_f64, 0.97..1.03_f64), 5..12),
    )
        .prop_map(|(ratio, runs)| {
            runs.into_iter()
                .map(|(baseline, noise)| (baseline, baseline * ratio * noise))
                .collect()
        })
}

fn any_observation() -> impl Strategy<Value = Observation> {
    (any::<f64>(), any::<bool>()).prop_map(|(value, bounded)| {
        if bounded {
            Observation::at_least(value)
        } else {
            Observation::exact(value)
        }
    })
}

fn verdict_on(figures: &[(f64, f64)]) -> Verdict {
    judge(&[throughput(paired_log_ratio(
        &pairs_of(figures),
        CONFIDENCE_LEVEL,
    ))])[0]
        .verdict
}

proptest! {
    #[test]
    fn swapping_the_sides_inverts_ratio_and_verdict(
        figures in prop_oneof![figures(), near_figures()],
    ) {
        let swapped: Vec<(f64, f64)> = figures.iter().map(|&(left, right)| (right, left)).collect();
        let there = paired_log_ratio(&pairs_of(&figures), CONFIDENCE_LEVEL).unwrap();
        let back = paired_log_ratio(&pairs_of(&swapped), CONFIDENCE_LEVEL).unwrap();
        prop_assert!(close(there.ratio, 1.0 / back.ratio, 1e-12));
        let (there, back) = (there.inference.unwrap(), back.inference.unwrap());
        prop_assert!(close(there.interval.low, 1.0 / back.interval.high, 1e-9));
        prop_assert!(close(there.p_value, back.p_value, 1e-9));
        let expected = match verdict_on(&swapped) {
            Verdict::Better => Verdict::Worse,
            Verdict::Worse => Verdict::Better,
            not_shown @ Verdict::NotShown(_) => not_shown,
        };
        prop_assert_eq!(verdict_on(&figures), expected);
    }

    #[test]
    fn another_unit_changes_nothing(figures in near_figures(), unit in 1e-6..1e6_f64) {
        let scaled: Vec<(f64, f64)> =
            figures.iter().map(|&(left, right)| (left * unit, right * unit)).collect();
        let one = paired_log_ratio(&pairs_of(&figures), CONFIDENCE_LEVEL).unwrap();
        let other = paired_log_ratio(&pairs_of(&scaled), CONFIDENCE_LEVEL).unwrap();
        prop_assert!(close(one.ratio, other.ratio, 1e-9));
        let (one, other) = (one.inference.unwrap(), other.inference.unwrap());
        prop_assert!(close(one.interval.low, other.interval.low, 1e-9));
        prop_assert!(close(one.interval.high, other.interval.high, 1e-9));
    }

    #[test]
    fn the_order_of_the_pairs_changes_nothing(
        (figures, shuffled) in prop_oneof![figures(), near_figures()]
            .prop_flat_map(|figures| (Just(figures.clone()), Just(figures).prop_shuffle())),
    ) {
        let one = paired_log_ratio(&pairs_of(&figures), CONFIDENCE_LEVEL).unwrap();
        let other = paired_log_ratio(&pairs_of(&shuffled), CONFIDENCE_LEVEL).unwrap();
        prop_assert!(close(one.ratio, other.ratio, 1e-12));
        prop_assert!(close(
            one.inference.unwrap().standard_error,
            other.inference.unwrap().standard_error,
            1e-9,
        ));
    }

    #[test]
    fn no_figures_make_it_panic(
        observations in proptest::collection::vec((any_observation(), any_observation()), 0..8),
        level in any::<f64>(),
    ) {
        let pairs: Vec<Pair> = observations
            .into_iter()
            .map(|(baseline, optimized)| Pair { baseline, optimized })
            .collect();
        let shares: Vec<Pair<f64>> = pairs
            .iter()
            .map(|pair| Pair { baseline: pair.baseline.value, optimized: pair.optimized.value })
            .collect();
        for level in [level, 0.95, f64::EPSILON, 1.0 - f64::EPSILON] {
            let ratio = paired_log_ratio(&pairs, level);
            prop_assert_eq!(judge(&[throughput(ratio)]).len(), 1);
            if let Ok(difference) = paired_difference(&shares, level) {
                prop_assert_eq!(difference.pairs, shares.len());
            }
        }
    }

    #[test]
    fn an_interval_holds_its_estimate_and_widens_with_the_level(
        figures in figures(),
        level in 0.01..0.999_f64,
    ) {
        let ratio = paired_log_ratio(&pairs_of(&figures), level).unwrap();
        let wider = paired_log_ratio(&pairs_of(&figures), level + 0.0005).unwrap();
        let interval = ratio.inference.unwrap().interval;
        let outer = wider.inference.unwrap().interval;
        prop_assert!(outer.low <= interval.low && interval.low <= ratio.ratio);
        prop_assert!(ratio.ratio <= interval.high && interval.high <= outer.high);
    }

    #[test]
    fn adjusting_never_lowers_a_p_value_nor_changes_their_order(
        p_values in proptest::collection::vec(proptest::option::of(0.0..1.0_f64), 0..6),
    ) {
        let adjusted = holm(&p_values);
        for (raw, adjusted) in p_values.iter().zip(&adjusted) {
            prop_assert_eq!(raw.is_some(), adjusted.is_some());
            prop_assert!(raw.unwrap_or(0.0) <= adjusted.unwrap_or(1.0));
        }
        for (one, one_adjusted) in p_values.iter().zip(&adjusted) {
            for (other, other_adjusted) in p_values.iter().zip(&adjusted) {
                if one < other {
                    prop_assert!(one_adjusted <= other_adjusted);
                }
            }
        }
    }
}
