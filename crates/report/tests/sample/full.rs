//! The sample with everything that a long rehearsal adds: six pairs, capacity, ladder, histograms.

use std::time::Duration;

use double11_measure::histogram::LatencyHistogram;
use double11_report::conclude;
use double11_report::model::{
    Bound, CapacityBracket, CapacityProbe, CapacityReport, Comparison, ComparisonReason,
    ComparisonVerdict, CrossCheckKind, CrossCheckReason, CrossCheckResult, CrossCheckStatus,
    DifferenceComparison, Figure, HistogramExport, ImprovementReport, Interval, IntervalBound,
    Ladder, LadderRung, Metric, MetricComparison, PairFigures, PhaseReport, PrometheusPoint,
    PrometheusReport, RuleOfThree, RunReport, TunedBetween, Unit, VariantReport,
};

use super::{noise, report, whole};

const PAIRS: u32 = 6;

/// The whole report, concluded.
pub(crate) fn full() -> ImprovementReport {
    let mut report = report();
    "double11 rehearse --levers --seed 11".clone_into(&mut report.run.command);
    report.run.duration_s = Some(1_093.0);
    report.method.pairs = PAIRS;
    report.runs = (1..=PAIRS).flat_map(|pair| runs(&report, pair)).collect();
    report.method.order = report.runs.iter().map(|run| run.variant.clone()).collect();
    report.method.run_folders = report.runs.iter().map(|run| run.folder.clone()).collect();
    report.comparison = Some(comparison(&report));
    report.capacity = vec![
        capacity("baseline", None, Some((120.0, 140.0)), 150.0),
        capacity(
            "optimized",
            Some((21_500.0, 22_900.0)),
            Some((24_000.0, 25_600.0)),
            25_000.0,
        ),
    ];
    report.ladder = Some(ladder());
    for variant in &mut report.variants {
        let slow = variant.name == "baseline";
        variant.histogram = Some(HistogramExport {
            response_time: Some(histogram(if slow { 900.0 } else { 1.2 }, slow)),
            service_time: Some(histogram(if slow { 210.0 } else { 1.1 }, slow)),
        });
        variant.prometheus = Some(prometheus(variant));
    }
    conclude(&mut report);
    report
}

/// What a Prometheus saw of the same run: a little more at every look, and one gap.
fn prometheus(variant: &VariantReport) -> PrometheusReport {
    let mut results = variant
        .cross_check
        .as_ref()
        .map_or_else(Vec::new, |check| check.results.clone());
    let scrapes = CrossCheckResult {
        phase: None,
        kind: CrossCheckKind::Scrapes,
        what: "scrapes".to_owned(),
        generator: Some(15.0),
        shop: Some(15.0),
        limit: Some(0.0),
        status: CrossCheckStatus::Agrees,
        why: None,
    };
    results.insert(0, scrapes);
    for result in &mut results {
        if result.phase.as_deref() == Some("normal") {
            result.status = CrossCheckStatus::CannotCompare;
            result.why = Some(CrossCheckReason::ScrapesInside {
                scrapes: 3,
                needed: 4,
            });
        }
    }
    let points = variant.seconds.iter().skip(5).step_by(5).map(|second| {
        let seen = |value: Option<f64>| value.filter(|_| second.second != 25);
        PrometheusPoint {
            at_s: f64::from(second.second),
            generator_per_second: second.throughput_per_second,
            prometheus_per_second: seen(second.throughput_per_second.map(|rate| rate * 1.01)),
            generator_p95_ms: second.p95_ms,
            prometheus_p95_ms: seen(second.p95_ms.map(|time| time * 0.93)),
        }
    });
    PrometheusReport {
        version: Some("2.42.0".to_owned()),
        started_here: true,
        target: Some(format!(
            "instance=\"127.0.0.1:8080\",job=\"ecommerce-app\",variant=\"{}\"",
            variant.name
        )),
        interval_s: Some(5.0),
        scrapes: Some(15),
        scrape_mean_ms: Some(4.2),
        scrape_max_ms: Some(9.7),
        cpu_share: Some(0.017),
        points: points.collect(),
        results,
    }
}

/// Both runs of a pair, every second pair the other way round.
fn runs(report: &ImprovementReport, pair: u32) -> Vec<RunReport> {
    let mut names = ["baseline", "optimized"];
    if pair.is_multiple_of(2) {
        names.reverse();
    }
    let runs = names.iter().zip(['a', 'b']).map(|(name, position)| {
        let variant = report
            .variants
            .iter()
            .find(|variant| variant.name == *name)
            .expect("the sample has both");
        let phase = variant.phase("peak 20x").expect("the sample has it");
        RunReport {
            pair,
            variant: (*name).to_owned(),
            folder: format!("runs/2026-11-11T00-00-00Z/{pair}{position}-{name}"),
            judged: Some(shaken(phase, pair)),
            audit_passed: Some(true),
            cross_check_failed: Some(false),
            generator_limited: Some(false),
        }
    });
    runs.collect()
}

/// The same phase as another run might have seen it.
fn shaken(phase: &PhaseReport, pair: u32) -> PhaseReport {
    let jitter = 0.97 + 0.06 * noise(u64::from(pair) * 31 + phase.failed);
    let times = |value: Option<f64>| value.map(|value| value * jitter);
    PhaseReport {
        throughput_per_second: times(phase.throughput_per_second),
        orders_per_second: times(phase.orders_per_second),
        payments_per_second: times(phase.payments_per_second),
        verdict_p95_ms: phase.verdict_p95_ms.map(|value| {
            if phase.verdict_p95_is_lower_bound {
                value
            } else {
                value * jitter
            }
        }),
        cpu_share: times(phase.cpu_share).map(|share| share.min(1.0)),
        cpu_per_request_us: times(phase.cpu_per_request_us),
        ..phase.clone()
    }
}

fn comparison(report: &ImprovementReport) -> Comparison {
    let compared = |metric, unit, value: fn(&PhaseReport) -> Option<f64>| {
        let runs = pairs(report, unit, value);
        let ratios: Vec<f64> = runs
            .iter()
            .filter_map(|pair| Some(pair.optimised?.value / pair.baseline?.value))
            .collect();
        let mean = ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64;
        let limit = metric == Metric::ResponseTimeP95;
        MetricComparison {
            metric,
            runs,
            ratio: Some(Interval {
                estimate: mean.exp(),
                low: (!limit).then(|| mean.exp() / 1.03),
                high: Some(mean.exp() * 1.03),
                bound: if limit {
                    IntervalBound::AtMost
                } else {
                    IntervalBound::Exact
                },
            }),
            p_value: Some(0.000_02),
            adjusted_p_value: Some(0.000_06),
            verdict: ComparisonVerdict::Better,
            reason: ComparisonReason::Significant,
        }
    };
    Comparison {
        pairs: PAIRS,
        pairs_needed: 5,
        confidence_level: 0.95,
        minimum_effect: 0.05,
        metrics: vec![
            compared(Metric::Throughput, Unit::PerSecond, |phase| {
                phase.throughput_per_second
            }),
            compared(Metric::ResponseTimeP95, Unit::Milliseconds, |phase| {
                phase.verdict_p95_ms
            }),
            compared(Metric::CpuPerRequest, Unit::Microseconds, |phase| {
                phase.cpu_per_request_us
            }),
        ],
        differences: vec![
            DifferenceComparison {
                metric: Metric::ErrorRate,
                runs: pairs(report, Unit::Share, |phase| phase.error_rate),
                difference: Some(difference(-0.816)),
                none_seen: Some(RuleOfThree {
                    trials: 180_000,
                    upper_bound: 0.000_016_7,
                }),
            },
            DifferenceComparison {
                metric: Metric::Availability,
                runs: pairs(report, Unit::Share, |phase| phase.availability?.share()),
                difference: Some(difference(0.967)),
                none_seen: Some(RuleOfThree {
                    trials: 180,
                    upper_bound: 0.016_7,
                }),
            },
        ],
    }
}

fn difference(estimate: f64) -> Interval {
    Interval {
        estimate,
        low: Some(estimate - 0.004),
        high: Some(estimate + 0.004),
        bound: IntervalBound::Exact,
    }
}

fn pairs(
    report: &ImprovementReport,
    unit: Unit,
    value: fn(&PhaseReport) -> Option<f64>,
) -> Vec<PairFigures> {
    let figure = |pair, name: &str| {
        let run = report
            .runs
            .iter()
            .find(|run| run.pair == pair && run.variant == name)?;
        let phase = run.judged.as_ref()?;
        Some(Figure {
            value: value(phase)?,
            unit,
            bound: if unit == Unit::Milliseconds && phase.verdict_p95_is_lower_bound {
                Bound::AtLeast
            } else {
                Bound::Exact
            },
            windows: None,
        })
    };
    (1..=PAIRS)
        .map(|pair| PairFigures {
            baseline: figure(pair, "baseline"),
            optimised: figure(pair, "optimized"),
        })
        .collect()
}

type Ends = Option<(f64, f64)>;

fn capacity(variant: &str, strict: Ends, relaxed: Ends, most: f64) -> CapacityReport {
    let bracket = |ends: Ends, p95_limit_ms| CapacityBracket {
        p95_limit_ms,
        error_rate_limit: 0.01,
        holds_at: ends.map(|(low, _)| low),
        fails_at: ends.map_or(Some(40.0), |(_, high)| Some(high)),
        generator_limited: false,
    };
    let probe = |share: f64| {
        let offered = most * share;
        let p95 = if strict.is_some() { 2.0 } else { 60.0 } / (1.06 - share).max(0.0005);
        let holds = |ends: Ends| ends.is_some_and(|(low, _)| offered <= low);
        CapacityProbe {
            offered_per_second: offered,
            throughput_per_second: Some(offered.min(most * 0.95)),
            orders_per_second: Some(offered.min(most * 0.95) * 0.0866),
            verdict_p95_ms: Some(p95),
            verdict_p95_is_lower_bound: p95 > 5_000.0,
            error_rate: Some(if holds(relaxed) { 0.0 } else { 0.08 }),
            cpu_share: Some(share.min(1.0)),
            generator_limited: false,
            holds_strict: holds(strict),
            holds_relaxed: holds(relaxed),
        }
    };
    CapacityReport {
        variant: variant.to_owned(),
        strict: bracket(strict, 50.0),
        relaxed: bracket(relaxed, 1_000.0),
        probes: [0.25, 0.5, 1.0, 0.75, 0.875, 0.94, 0.97, 0.955]
            .map(probe)
            .to_vec(),
    }
}

/// Name, levers that are new, TPS, P95 in ms, CPU per transaction in µs.
const RUNGS: [(&str, &[&str], [f64; 3]); 8] = [
    ("baseline", &[], [184.0, 5_000.0, 5_430.0]),
    ("+ pool", &["pool"], [201.0, 5_000.0, 4_970.0]),
    (
        "tuned",
        &["indexes", "random-id"],
        [612.0, 1_310.0, 1_610.0],
    ),
    (
        "+ catalog-cache",
        &["catalog-cache"],
        [830.0, 240.0, 1_150.0],
    ),
    ("+ search-index", &["search-index"], [999.0, 31.0, 210.0]),
    ("+ cart-cache", &["cart-cache"], [999.0, 22.0, 190.0]),
    ("+ group-commit", &["group-commit"], [999.0, 4.9, 124.0]),
    ("optimized", &["admission"], [999.0, 4.6, 121.0]),
];

fn ladder() -> Ladder {
    let mut levers: Vec<String> = Vec::new();
    let rungs = RUNGS.map(|(name, added, [tps, p95, cpu])| {
        let added: Vec<String> = added.iter().map(|lever| (*lever).to_owned()).collect();
        levers.extend(added.iter().cloned());
        LadderRung {
            name: name.to_owned(),
            variant: (!name.starts_with('+')).then(|| name.to_owned()),
            added,
            levers: levers.clone(),
            throughput_per_second: Some(tps),
            orders_per_second: Some(tps * 0.0866),
            verdict_p95_ms: Some(p95),
            verdict_p95_is_lower_bound: p95 >= 5_000.0,
            error_rate: Some(if tps > 990.0 {
                0.0
            } else {
                1.0 - tps / 1_000.0
            }),
            cpu_per_request_us: Some(cpu),
            audit_passed: Some(true),
        }
    });
    let between = |metric| TunedBetween {
        metric,
        between: Some(true),
    };
    Ladder {
        phase: "peak 20x".to_owned(),
        offered_per_second: 1_000.0,
        rungs: rungs.to_vec(),
        tuned_between: vec![
            between(Metric::Throughput),
            between(Metric::ResponseTimeP95),
            between(Metric::CpuPerRequest),
        ],
    }
}

/// Times around a middle with a long tail; an overloaded shop ends at the time-out.
fn histogram(middle_ms: f64, overloaded: bool) -> String {
    let mut histogram = LatencyHistogram::new();
    for request in 0..30_000_u64 {
        let rank = noise(request + whole(middle_ms));
        let tail = 1.0 / (1.0 - rank * 0.999_9).powf(0.45);
        let ms = middle_ms * 0.5 * tail;
        let ms = if overloaded { ms.min(5_003.0) } else { ms };
        histogram.record(Duration::from_secs_f64(ms / 1_000.0));
    }
    histogram.to_base64()
}
