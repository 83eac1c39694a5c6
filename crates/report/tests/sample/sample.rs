//! A realistic report for tests: a baseline that collapses with time-outs at ten times the normal
//! traffic, an optimised shop that stays flat. Every figure is made up, none was measured.

use std::collections::BTreeMap;

use double11_report::conclude;
use double11_report::model::{
    AuditCheck, AuditReport, AuditStatus, Availability, CrossCheckKind, CrossCheckReason,
    CrossCheckReport, CrossCheckResult, CrossCheckStatus, FileFact, FileKind, Finding, FindingKind,
    FunnelStep, GeneratorHealth, Heatmap, HeatmapColumn, HostFacts, ImprovementReport, MethodFacts,
    Outcome, PhaseReport, PlanFacts, Quantiles, RunFacts, SCHEMA_VERSION, SecondPoint, Severity,
    Source, StepReport, TimeBasis, VariantReport, Warning,
};

pub(crate) use full::full;

mod full;

/// Name, measured, multiple of normal traffic, start, length, offered per second.
const PHASES: [(&str, bool, f64, f64, f64, f64); 4] = [
    ("warm-up", false, 1.0, 0.0, 5.0, 50.0),
    ("normal", true, 1.0, 5.0, 15.0, 50.0),
    ("peak 10x", true, 10.0, 20.0, 20.0, 500.0),
    ("peak 20x", true, 20.0, 40.0, 30.0, 1000.0),
];
const STEPS: [(&str, f64); 7] = [
    ("visit", 1.0),
    ("browse", 0.85),
    ("search", 0.60),
    ("view_detail", 0.45),
    ("add_cart", 0.45),
    ("checkout", 0.24),
    ("payment", 0.18),
];
const VISITS: f64 = 10_830.0;

/// The whole report, concluded.
pub(crate) fn report() -> ImprovementReport {
    let mut report = ImprovementReport {
        schema_version: SCHEMA_VERSION,
        run: run_facts(),
        host: host_facts(),
        plan: plan_facts(),
        variants: vec![baseline(), optimised()],
        runs: Vec::new(),
        comparison: None,
        incomparable: Vec::new(),
        capacity: Vec::new(),
        ladder: None,
        improvement: Vec::new(),
        outcome: Outcome::CannotJudge,
        sentence: String::new(),
        findings: findings(),
        warnings: vec![Warning::Other {
            text: "The machine's clock frequency changed during the run; close other programs and \
                   repeat for figures that are to be quoted."
                .to_owned(),
        }],
        method: method_facts(),
    };
    conclude(&mut report);
    report
}

fn run_facts() -> RunFacts {
    RunFacts {
        started_at: "2026-11-11T00:00:00Z".to_owned(),
        duration_s: Some(163.0),
        command: "double11 rehearse --quick --seed 11".to_owned(),
        seed: 11,
        version: "0.1.0".to_owned(),
        git_commit: Some("0123456789ab".to_owned()),
    }
}

fn host_facts() -> HostFacts {
    HostFacts {
        cpu_model: Some("Example Processor 9000 @ 2.90GHz".to_owned()),
        logical_cpus: Some(2),
        memory_bytes: Some(24 << 30),
        operating_system: Some("Debian GNU/Linux 12".to_owned()),
        kernel: Some("6.1.0".to_owned()),
        file_system: Some("ext4".to_owned()),
        fdatasync_ms: Some(0.26),
        shop_cpus: Some("CPU 0".to_owned()),
        generator_cpus: Some("CPU 1".to_owned()),
        shop_limits: None,
    }
}

fn plan_facts() -> PlanFacts {
    PlanFacts {
        name: "funnel".to_owned(),
        hash: Some("9f8e7d6c5b4a3928".to_owned()),
        normal_per_second: Some(50.0),
        connections: Some(512),
        max_in_flight: Some(4096),
        request_timeout_ms: 5000.0,
        products: Some(100_000),
        payment_window_s: Some(20.0),
        store: Some("SQLite".to_owned()),
    }
}

fn method_facts() -> MethodFacts {
    let file = |name: &str, what: FileKind| FileFact {
        name: name.to_owned(),
        what,
    };
    MethodFacts {
        source: Source::Rehearsal,
        time_basis: TimeBasis::ResponseTime,
        pairs: 1,
        order: vec!["baseline".to_owned(), "optimized".to_owned()],
        run_folders: Vec::new(),
        judged_phase: "peak 20x".to_owned(),
        warm_up_s: Some(5.0),
        files: vec![
            file("improvement_report.json", FileKind::ReportData),
            file("baseline_peak.jtl", FileKind::PeakSamples),
            file("optimized_peak.jtl", FileKind::PeakSamples),
            file("optimized_metrics.json", FileKind::Metrics),
        ],
    }
}

fn findings() -> Vec<Finding> {
    vec![
        Finding {
            severity: Severity::Note,
            variant: Some("baseline".to_owned()),
            what: FindingKind::Other {
                text: "The baseline queues on its single write transaction from 10x on: most \
                       requests end at the time-out of 5 s. 數據庫寫入是瓶頸。"
                    .to_owned(),
            },
        },
        Finding {
            severity: Severity::Note,
            variant: Some("baseline".to_owned()),
            what: FindingKind::CannotCompare {
                check: "P95 of service time".to_owned(),
                kind: CrossCheckKind::ServiceTimeP95,
                phase: Some("peak 20x".to_owned()),
                reason: CrossCheckReason::WaitedBeforeHandler {
                    waited_before_handler_ms: 4870.0,
                },
            },
        },
    ]
}

fn baseline() -> VariantReport {
    variant(
        "baseline",
        &[],
        [
            [49.9, 21.4, 0.0, 0.31, 5_900.0],
            [50.0, 22.8, 0.0, 0.32, 5_880.0],
            [196.0, 5000.0, 0.612, 0.99, 5_050.0],
            [184.0, 5000.0, 0.816, 1.0, 5_430.0],
        ],
    )
}

fn optimised() -> VariantReport {
    variant(
        "optimized",
        &[
            "pool",
            "indexes",
            "random-id",
            "catalog-cache",
            "search-index",
            "cart-cache",
            "group-commit",
            "admission",
        ],
        [
            [49.9, 3.2, 0.0, 0.02, 310.0],
            [50.0, 3.1, 0.0, 0.02, 305.0],
            [500.0, 3.9, 0.0, 0.07, 142.0],
            [999.0, 4.61, 0.0, 0.12, 121.0],
        ],
    )
}

/// Per phase: TPS, verdict P95 in ms, error rate, CPU share, CPU per request in µs.
fn variant(name: &str, levers: &[&str], figures: [[f64; 5]; 4]) -> VariantReport {
    let phases: Vec<PhaseReport> = PHASES
        .iter()
        .zip(&figures)
        .map(|(shape, figures)| phase(shape, figures))
        .collect();
    let judged = &figures[3];
    VariantReport {
        name: name.to_owned(),
        levers: levers.iter().map(|lever| (*lever).to_owned()).collect(),
        seconds: seconds(&figures),
        heatmap: Some(heatmap(&figures)),
        funnel: funnel(judged[2]),
        steps: steps(judged),
        histogram: None,
        audit: Some(audit()),
        audit_missing: None,
        cross_check: Some(cross_check(judged)),
        prometheus: None,
        generator: Some(generator(judged[2])),
        group_memory: None,
        phases,
    }
}

fn phase(shape: &(&str, bool, f64, f64, f64, f64), figures: &[f64; 5]) -> PhaseReport {
    let (name, measured, multiple, start_s, duration_s, offered) = *shape;
    let [tps, p95, error_rate, cpu_share, cpu_us] = *figures;
    let attempted = whole(offered * duration_s);
    let failed = whole(offered * duration_s * error_rate);
    let healthy = error_rate < 0.01;
    let quantiles = |scale: f64| Quantiles {
        count: attempted,
        min_ms: Some(0.21),
        mean_ms: Some(p95 * 0.4 * scale),
        p50_ms: Some(p95 * 0.31 * scale),
        p90_ms: Some(p95 * 0.8 * scale),
        p95_ms: Some(p95 * scale),
        p99_ms: Some((p95 * 1.9).min(5003.0) * scale),
        p999_ms: Some((p95 * 3.1).min(5004.0) * scale),
        max_ms: Some((p95 * 4.0).min(5007.0)),
    };
    let failures = if healthy {
        BTreeMap::new()
    } else {
        BTreeMap::from([
            ("time-out".to_owned(), failed * 4 / 5),
            ("dropped".to_owned(), failed - failed * 4 / 5),
        ])
    };
    let windows = whole(duration_s * (offered / 200.0).min(1.0)).max(1);
    PhaseReport {
        name: name.to_owned(),
        measured,
        traffic_multiple: Some(multiple),
        start_s,
        duration_s,
        offered_per_second: Some(offered),
        attempted,
        succeeded: attempted - failed - attempted / 500,
        expected_refusals: attempted / 500,
        failed,
        dropped: failures.get("dropped").copied().unwrap_or(0),
        late: if healthy {
            attempted / 900
        } else {
            attempted * 3 / 4
        },
        throughput_per_second: Some(tps),
        orders_per_second: Some(tps * 0.0866),
        payments_per_second: Some(tps * 0.065),
        response_time: quantiles(1.0),
        service_time: quantiles(if healthy { 0.97 } else { 0.62 }),
        verdict_p95_ms: Some(p95),
        verdict_p95_is_lower_bound: !healthy,
        error_rate: Some(error_rate),
        failures,
        availability: Some(Availability {
            good: if healthy { windows } else { 1 },
            total: windows,
        }),
        cpu_share: Some(cpu_share),
        cpu_per_request_us: Some(cpu_us),
        memory_max_bytes: Some(if healthy { 412 << 20 } else { 268 << 20 }),
        throttling: None,
    }
}

fn seconds(figures: &[[f64; 5]; 4]) -> Vec<SecondPoint> {
    let mut points = Vec::new();
    for ((_, _, _, start, length, offered), figures) in PHASES.iter().zip(figures) {
        let [tps, p95, error_rate, cpu_share, _] = *figures;
        for second in 0..whole(*length) {
            let at = whole(*start) + second;
            let healthy = error_rate < 0.01;
            // An overloaded shop fills its queue over the first seconds of a phase.
            let filling = if healthy {
                1.0
            } else {
                (second as f64 / 4.0).min(1.0)
            };
            let p95 = if healthy {
                p95
            } else {
                30.0 + (p95 - 30.0) * filling
            };
            let jitter = 0.9 + 0.2 * noise(at);
            let limit = |value: f64| (value * jitter).min(5004.0);
            points.push(SecondPoint {
                second: u32::try_from(at).expect("a run is short"),
                attempted: whole(offered * jitter),
                throughput_per_second: Some(tps * (0.97 + 0.06 * noise(at + 7))),
                p50_ms: Some(limit(p95 * 0.31)),
                p95_ms: Some(limit(p95)),
                p99_ms: Some(limit(p95 * 1.9)),
                error_rate: Some((error_rate * filling * jitter).min(1.0)),
                cpu_share: Some((cpu_share * jitter).min(1.0)),
                memory_bytes: Some(((if healthy { 380 } else { 240 }) + at / 3) << 20),
            });
        }
    }
    points
}

fn heatmap(figures: &[[f64; 5]; 4]) -> Heatmap {
    let edges_ms: Vec<f64> = (0..=24).map(|row| 0.2 * 1.525_f64.powi(row)).collect();
    let mut columns = Vec::new();
    for ((_, _, _, start, length, offered), figures) in PHASES.iter().zip(figures) {
        let [_, p95, error_rate, ..] = *figures;
        for second in 0..whole(*length) {
            let middle = if error_rate < 0.01 || second > 3 {
                p95 * 0.6
            } else {
                400.0
            };
            let counts = edges_ms
                .windows(2)
                .map(|edges| {
                    let distance = (edges[0] / middle).ln() / 0.55;
                    whole(offered * 0.4 * (-distance * distance).exp())
                })
                .collect();
            columns.push(HeatmapColumn {
                start_s: start + second as f64,
                counts,
            });
        }
    }
    Heatmap {
        column_s: 1.0,
        edges_ms,
        columns,
    }
}

fn funnel(error_rate: f64) -> Vec<FunnelStep> {
    let mut kept = 1.0;
    STEPS
        .iter()
        .map(|(step, share)| {
            let expected_users = share * VISITS;
            let observed_users =
                whole(expected_users * kept * (0.995 + 0.01 * noise(step.len() as u64)));
            kept *= 1.0 - error_rate * 0.5;
            FunnelStep {
                step: (*step).to_owned(),
                expected_share: *share,
                expected_users,
                observed_users: observed_users.min(whole(VISITS)),
            }
        })
        .collect()
}

fn steps(figures: &[f64; 5]) -> Vec<StepReport> {
    let [tps, p95, error_rate, ..] = *figures;
    STEPS[1..]
        .iter()
        .map(|(step, share)| StepReport {
            step: (*step).to_owned(),
            attempted: whole(share * VISITS),
            throughput_per_second: Some(tps * share / 2.77),
            p50_ms: Some(p95 * 0.31),
            verdict_p95_ms: Some(p95),
            verdict_p95_is_lower_bound: error_rate > 0.01,
            error_rate: Some(error_rate),
        })
        .collect()
}

fn audit() -> AuditReport {
    let check = |name: &str, what: &str, examined: u64| AuditCheck {
        name: name.to_owned(),
        what: what.to_owned(),
        examined,
        violations: 0,
        status: AuditStatus::Passed,
        findings: Vec::new(),
    };
    AuditReport {
        passed: true,
        settled_after_s: Some(2.1),
        checks: vec![
            check(
                "no-oversell",
                "No product was sold more often than it was received.",
                100_000,
            ),
            check(
                "acknowledged-orders-stored",
                "Every order that a shopper saw as 201 is in the store.",
                3_412,
            ),
            check(
                "captures-match-gateway",
                "The captures of the store are those of the gateway's own ledger.",
                2_558,
            ),
            check(
                "one-key-per-write",
                "An idempotency key has led to one write at most.",
                3_412,
            ),
        ],
    }
}

pub(crate) fn cross_check(figures: &[f64; 5]) -> CrossCheckReport {
    let [tps, p95, error_rate, ..] = *figures;
    let overloaded = error_rate > 0.01;
    let throughput = |phase: &str, tps: f64| CrossCheckResult {
        phase: Some(phase.to_owned()),
        kind: CrossCheckKind::Throughput,
        what: "throughput".to_owned(),
        generator: Some(tps),
        shop: Some(tps * 1.004),
        limit: Some(tps * 0.05),
        status: CrossCheckStatus::Agrees,
        why: None,
    };
    CrossCheckReport {
        results: vec![
            CrossCheckResult {
                phase: None,
                kind: CrossCheckKind::Requests,
                what: "requests POST /api/orders".to_owned(),
                generator: Some(3_412.0),
                shop: Some(3_412.0),
                limit: Some(0.0),
                status: CrossCheckStatus::Agrees,
                why: None,
            },
            throughput("normal", 50.0),
            throughput("peak 20x", tps),
            CrossCheckResult {
                phase: Some("peak 20x".to_owned()),
                kind: CrossCheckKind::ServiceTimeP95,
                what: "P95 of service time".to_owned(),
                generator: Some(p95),
                shop: Some(if overloaded { 130.0 } else { p95 * 0.9 }),
                limit: Some(100.0),
                status: if overloaded {
                    CrossCheckStatus::CannotCompare
                } else {
                    CrossCheckStatus::Agrees
                },
                why: overloaded.then_some(CrossCheckReason::WaitedBeforeHandler {
                    waited_before_handler_ms: 4870.0,
                }),
            },
        ],
    }
}

fn generator(error_rate: f64) -> GeneratorHealth {
    let overloaded = error_rate > 0.01;
    GeneratorHealth {
        limited: false,
        cpu_share: Some(if overloaded { 0.09 } else { 0.14 }),
        scheduling_lag_p99_ms: Some(0.08),
        scheduling_lag_max_ms: Some(1.7),
        late: if overloaded { 22_500 } else { 33 },
        dropped: if overloaded { 4_900 } else { 0 },
        in_flight_max: Some(if overloaded { 4096 } else { 37 }),
        descriptors_max: Some(531),
        descriptor_limit: Some(20_000),
        notes: Vec::new(),
    }
}

/// A repeatable number between 0 and 1.
fn noise(seed: u64) -> f64 {
    let mixed = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as f64 / 16_777_216.0
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the sample's figures are small and not negative"
)]
fn whole(value: f64) -> u64 {
    value.round() as u64
}
