use super::*;
use crate::model::{Incomparable, PhaseReport, Severity, Throttling};
use crate::{model, sample};

fn outcome_after(change: impl FnOnce(&mut ImprovementReport)) -> Outcome {
    let mut report = sample::report();
    change(&mut report);
    conclude(&mut report);
    report.outcome
}

fn judged(report: &mut ImprovementReport, variant: usize) -> &mut PhaseReport {
    let phase = report.method.judged_phase.clone();
    report.variants[variant]
        .phases
        .iter_mut()
        .find(|candidate| candidate.name == phase)
        .unwrap()
}

fn row_of(report: &ImprovementReport, metric: Metric) -> &ImprovementRow {
    report
        .improvement
        .iter()
        .find(|row| row.metric == metric)
        .unwrap()
}

#[test]
fn the_sample_passes_and_shows_what_the_baseline_misses() {
    let report = sample::report();
    assert_eq!(report.outcome, Outcome::Passed);
    let expected = [
        (Metric::Throughput, TargetVerdict::Met, Some(false)),
        (Metric::OrderRate, TargetVerdict::Met, Some(false)),
        (Metric::PaymentRate, TargetVerdict::Met, Some(false)),
        (Metric::ResponseTimeP95, TargetVerdict::Met, Some(false)),
        (Metric::ErrorRate, TargetVerdict::Met, Some(false)),
        (Metric::Availability, TargetVerdict::Met, Some(false)),
        (Metric::CpuShare, TargetVerdict::Met, Some(false)),
        (Metric::CpuPerRequest, TargetVerdict::Finding, None),
    ];
    let found: Vec<_> = report
        .improvement
        .iter()
        .map(|row| (row.metric, row.verdict, row.baseline_meets_target))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn targets_hold_exactly_at_their_edge() {
    let check = |metric: Metric, value: f64, expected: TargetVerdict| {
        let mut report = sample::report();
        let phase = judged(&mut report, 1);
        match metric {
            Metric::Throughput => phase.throughput_per_second = Some(value),
            // A shop that serves all that is asked for cannot miss them.
            Metric::OrderRate | Metric::PaymentRate => {
                phase.succeeded = phase.attempted / 2;
                let orders = metric == Metric::OrderRate;
                let rates = (&mut phase.orders_per_second, &mut phase.payments_per_second);
                *(if orders { rates.0 } else { rates.1 }) = Some(value);
            }
            Metric::ResponseTimeP95 => phase.verdict_p95_ms = Some(value),
            Metric::ErrorRate => phase.error_rate = Some(value),
            Metric::CpuShare => phase.cpu_share = Some(value),
            Metric::Availability | Metric::CpuPerRequest => unreachable!("not part of this table"),
        }
        conclude(&mut report);
        assert_eq!(
            row_of(&report, metric).verdict,
            expected,
            "{metric:?} {value}"
        );
        let outcome = if expected == TargetVerdict::Met {
            Outcome::Passed
        } else {
            Outcome::Failed
        };
        assert_eq!(report.outcome, outcome, "{metric:?} {value}");
    };
    for (metric, met, missed) in [
        (Metric::Throughput, 500.0, 499.9),
        (Metric::OrderRate, 58.0, 57.9),
        (Metric::PaymentRate, 25.0, 24.9),
        (Metric::ResponseTimeP95, 49.99, 50.0),
        (Metric::ErrorRate, 0.009_99, 0.01),
        (Metric::CpuShare, 0.6, 0.61),
    ] {
        check(metric, met, TargetVerdict::Met);
        check(metric, missed, TargetVerdict::Missed);
    }
}

#[test]
fn a_rate_that_was_never_asked_for_is_not_missed() {
    let reason_of = |metric: Metric, change: &dyn Fn(&mut PhaseReport)| {
        let mut report = sample::report();
        report.runs.clear();
        change(judged(&mut report, 1));
        conclude(&mut report);
        let row = row_of(&report, metric);
        (row.verdict, row.reason, report.outcome)
    };
    let served = |offered: f64, orders: f64| {
        move |phase: &mut PhaseReport| {
            phase.offered_per_second = Some(offered);
            phase.throughput_per_second = Some(offered.min(499.0));
            phase.orders_per_second = Some(orders);
            phase.attempted = 10_000;
            (phase.succeeded, phase.expected_refusals, phase.failed) = (10_000, 0, 0);
        }
    };
    let not_offered = |offered_per_second| {
        (
            TargetVerdict::NotJudged,
            Reason::NotOffered { offered_per_second },
            Outcome::CannotJudge,
        )
    };
    let missed = (TargetVerdict::Missed, Reason::Misses, Outcome::Failed);
    let found = reason_of(Metric::Throughput, &served(100.0, 60.0));
    assert_eq!(found, not_offered(100.0));
    assert_eq!(reason_of(Metric::Throughput, &served(500.0, 60.0)), missed);
    // Orders are a part of the requests: all of them were served, and they were too few.
    let found = reason_of(Metric::OrderRate, &served(100.0, 9.0));
    assert_eq!(found, not_offered(100.0));
    let some_refused = |phase: &mut PhaseReport| {
        served(100.0, 9.0)(phase);
        (phase.succeeded, phase.expected_refusals) = (9_800, 200);
    };
    let (verdict, reason, _) = reason_of(Metric::OrderRate, &some_refused);
    assert_eq!((verdict, reason), (missed.0, missed.1));
}

#[test]
fn a_latency_under_throttling_is_not_judged() {
    let throttling = |throttled| {
        Some(Throttling {
            periods: 300,
            throttled,
            waited_s: 0.5,
        })
    };
    let found = |baseline: Option<u64>, optimised: Option<u64>| {
        let mut report = sample::report();
        judged(&mut report, 0).throttling = baseline.and_then(throttling);
        judged(&mut report, 1).throttling = optimised.and_then(throttling);
        conclude(&mut report);
        let row = row_of(&report, Metric::ResponseTimeP95);
        let throughput = row_of(&report, Metric::Throughput);
        assert_eq!(throughput.verdict, TargetVerdict::Met, "others are judged");
        assert!(
            row.optimised.is_some() && row.baseline.is_some(),
            "both are shown"
        );
        (
            row.verdict,
            row.reason,
            row.baseline_meets_target,
            report.outcome,
        )
    };
    let (met, not) = (TargetVerdict::Met, TargetVerdict::NotJudged);
    let (passed, cannot) = (Outcome::Passed, Outcome::CannotJudge);
    let only = Reason::OnlyOptimisedMeets;
    let throttled = Reason::Throttled {
        periods: 300,
        throttled: 1,
    };
    assert_eq!(found(None, None), (met, only, Some(false), passed));
    assert_eq!(found(Some(0), Some(0)), (met, only, Some(false), passed));
    assert_eq!(
        found(Some(0), Some(1)),
        (not, throttled, Some(false), cannot)
    );
    let unknown = Reason::BaselineUnknown;
    assert_eq!(found(Some(7), Some(0)), (met, unknown, None, passed));
    assert_eq!(found(Some(7), Some(1)), (not, throttled, None, cannot));
}

#[test]
fn the_throttling_of_any_run_counts() {
    let mut report = sample::full();
    let run = report
        .runs
        .iter_mut()
        .rfind(|run| run.variant == "optimized");
    run.unwrap().judged.as_mut().unwrap().throttling = Some(Throttling {
        periods: 40,
        throttled: 2,
        waited_s: 0.1,
    });
    conclude(&mut report);
    let row = row_of(&report, Metric::ResponseTimeP95);
    let expected = Reason::Throttled {
        periods: 40,
        throttled: 2,
    };
    assert_eq!(row.reason, expected);
    // Neither the table nor the sentence calls a latency better that is the limit's; the rest is judged.
    for compared in &report.comparison.as_ref().unwrap().metrics {
        let is_latency = compared.metric == Metric::ResponseTimeP95;
        assert_eq!(compared.reason == ComparisonReason::Reserved, is_latency);
    }
    let (_, claims) = report.sentence.split_once("is better in").unwrap();
    assert!(!claims.contains("P95"), "{}", report.sentence);
}

#[test]
fn availability_says_how_coarse_it_is() {
    let check = |good, total, verdict, reason: fn(&Reason) -> bool| {
        let mut report = sample::report();
        judged(&mut report, 1).availability = Some(model::Availability { good, total });
        conclude(&mut report);
        let row = row_of(&report, Metric::Availability);
        assert_eq!(row.verdict, verdict, "{good}/{total}");
        assert!(reason(&row.reason), "{good}/{total}: {:?}", row.reason);
    };
    let coarse = |reason: &Reason| matches!(reason, Reason::CoarseWindows { .. });
    check(30, 30, TargetVerdict::Met, coarse);
    check(29, 30, TargetVerdict::Missed, |reason| {
        *reason == Reason::Misses
    });
    check(1799, 1800, TargetVerdict::Met, |reason| {
        *reason == Reason::OnlyOptimisedMeets
    });
    check(1798, 1800, TargetVerdict::Missed, |reason| {
        *reason == Reason::Misses
    });
    check(0, 0, TargetVerdict::NotJudged, |reason| {
        *reason == Reason::NotMeasured
    });
}

#[test]
fn what_outweighs_what() {
    assert_eq!(
        outcome_after(|report| report.variants[0].audit.as_mut().unwrap().passed = false),
        Outcome::Failed
    );
    let differ = |report: &mut ImprovementReport| {
        report.variants[0].cross_check.as_mut().unwrap().results[0].status =
            CrossCheckStatus::Differs;
    };
    assert_eq!(outcome_after(differ), Outcome::Failed);
    let limit = |report: &mut ImprovementReport| {
        report.variants[1].generator.as_mut().unwrap().limited = true;
    };
    assert_eq!(outcome_after(limit), Outcome::CannotJudge);
    assert_eq!(
        outcome_after(|report| {
            limit(report);
            judged(report, 1).error_rate = Some(0.5);
        }),
        Outcome::CannotJudge,
        "a limited generator proves nothing about the shop"
    );
    assert_eq!(
        outcome_after(|report| {
            limit(report);
            differ(report);
        }),
        Outcome::Failed
    );
    assert_eq!(
        outcome_after(|report| report.findings[0].severity = Severity::Failure),
        Outcome::Failed
    );
    assert_eq!(
        outcome_after(|report| judged(report, 1).verdict_p95_ms = None),
        Outcome::CannotJudge
    );
    assert_eq!(
        outcome_after(|report| judged(report, 1).orders_per_second = None),
        Outcome::Passed,
        "a shop of the user's own may have no orders"
    );
}

#[test]
fn what_the_baseline_misses_fails_nothing() {
    assert_eq!(
        outcome_after(|report| {
            let phase = judged(report, 0);
            phase.error_rate = Some(1.0);
            phase.throughput_per_second = Some(0.0);
        }),
        Outcome::Passed
    );
    let mut report = sample::report();
    judged(&mut report, 0).throughput_per_second = Some(0.0);
    conclude(&mut report);
    assert_eq!(row_of(&report, Metric::Throughput).ratio, None);
}

#[test]
fn a_variant_alone_cannot_be_judged() {
    assert_eq!(
        outcome_after(|report| report.variants.truncate(1)),
        Outcome::CannotJudge
    );
    assert_eq!(
        outcome_after(|report| report.variants.clear()),
        Outcome::CannotJudge
    );
}

#[test]
fn with_several_runs_the_table_shows_medians_and_pooled_shares() {
    let mut report = sample::full();
    let optimised: Vec<&mut model::RunReport> = report
        .runs
        .iter_mut()
        .filter(|run| run.variant == "optimized")
        .collect();
    // One run in six fell to pieces: the medians do not see it, error rate and availability do.
    for (index, run) in optimised.into_iter().enumerate() {
        let phase = run.judged.as_mut().unwrap();
        let broken = index == 3;
        phase.throughput_per_second = Some(if broken { 10.0 } else { 1_000.0 });
        phase.verdict_p95_ms = Some(if broken { 5_000.0 } else { 4.0 });
        phase.verdict_p95_is_lower_bound = broken;
        phase.attempted = 30_000;
        phase.failed = if broken { 9_000 } else { 0 };
        phase.availability = Some(model::Availability {
            good: if broken { 0 } else { 30 },
            total: 30,
        });
    }
    conclude(&mut report);
    let optimised = |metric| row_of(&report, metric).optimised.unwrap();
    assert!((optimised(Metric::Throughput).value - 1_000.0).abs() < 1e-9);
    let p95 = optimised(Metric::ResponseTimeP95);
    assert!((p95.value - 4.0).abs() < 1e-9 && p95.bound == Bound::Exact);
    assert!((optimised(Metric::ErrorRate).value - 0.05).abs() < 1e-9);
    assert_eq!(optimised(Metric::Availability).windows, Some((150, 180)));
    assert_eq!(report.outcome, Outcome::Failed);
    assert!(report.sentence.contains("medians of 6 runs each"));
}

#[test]
fn any_run_can_spoil_the_outcome() {
    let check = |change: fn(&mut ImprovementReport), expected: Outcome| {
        let mut report = sample::full();
        assert_eq!(report.outcome, Outcome::Passed);
        change(&mut report);
        conclude(&mut report);
        assert_eq!(report.outcome, expected);
    };
    check(
        |report| report.runs[7].audit_passed = Some(false),
        Outcome::Failed,
    );
    check(
        |report| report.runs[4].cross_check_failed = Some(true),
        Outcome::Failed,
    );
    check(
        |report| report.runs[9].generator_limited = Some(true),
        Outcome::CannotJudge,
    );
    check(
        |report| report.runs[3].judged.as_mut().unwrap().verdict_p95_ms = None,
        Outcome::Passed,
    );
    check(
        |report| {
            let run = report
                .runs
                .iter_mut()
                .find(|run| run.variant == "optimized");
            run.unwrap().judged = None;
        },
        Outcome::CannotJudge,
    );
    check(
        |report| {
            report.incomparable.push(Incomparable::DifferentSeed {
                baseline: 1,
                optimised: 2,
            });
        },
        Outcome::CannotJudge,
    );
}

#[test]
fn what_may_not_be_judged_loses_its_verdicts() {
    let check = |change: fn(&mut ImprovementReport), reserved: bool| {
        let mut report = sample::full();
        change(&mut report);
        conclude(&mut report);
        for compared in &report.comparison.as_ref().unwrap().metrics {
            assert_eq!(compared.reason == ComparisonReason::Reserved, reserved);
            assert_eq!(compared.verdict == ComparisonVerdict::NotShown, reserved);
        }
        assert_eq!(report.sentence.contains("is better in"), !reserved);
        assert!(!report.sentence.contains("No difference was shown"));
    };
    check(|_| {}, false);
    check(|report| report.runs[7].audit_passed = Some(false), true);
    check(|report| report.runs[9].generator_limited = Some(true), true);
    check(
        |report| {
            report.incomparable.push(Incomparable::DifferentSeed {
                baseline: 1,
                optimised: 2,
            });
        },
        true,
    );
}

#[test]
fn an_unknown_baseline_meets_nothing() {
    let mut report = sample::report();
    judged(&mut report, 0).cpu_share = None;
    conclude(&mut report);
    let row = row_of(&report, Metric::CpuShare);
    assert_eq!(row.verdict, TargetVerdict::Met);
    assert_eq!(row.reason, Reason::BaselineUnknown);
}

#[test]
fn a_lower_bound_below_the_limit_proves_nothing() {
    let mut report = sample::report();
    let phase = judged(&mut report, 1);
    phase.verdict_p95_ms = Some(30.0);
    phase.verdict_p95_is_lower_bound = true;
    conclude(&mut report);
    let row = row_of(&report, Metric::ResponseTimeP95);
    assert_eq!(row.verdict, TargetVerdict::NotJudged);
    assert_eq!(report.outcome, Outcome::CannotJudge);
}
