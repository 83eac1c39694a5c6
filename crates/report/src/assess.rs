//! From figures to verdicts: the table of improvements and the outcome of a rehearsal.
//!
//! The targets are those of the requirements, sections 1 and 7.1. Only the judged variant is held to
//! them; what the yardstick misses is shown beside it. With one run per variant nothing here says
//! "better" or "worse": a change is a ratio of two figures, not a test.

use crate::model::{
    Bound, CrossCheckStatus, Figure, ImprovementReport, ImprovementRow, Metric, Outcome,
    PhaseReport, Reason, Severity, TargetVerdict, Unit, VariantReport,
};
use crate::sentence;
use crate::texts::Language;

/// Fills `improvement`, `outcome` and `sentence` of a report from its other fields.
pub fn conclude(report: &mut ImprovementReport) {
    report.improvement = improvement_rows(report);
    report.outcome = outcome(report);
    report.sentence = sentence::claim(report, Language::English);
}

/// The table of requirements 7.1 for the judged phase, the order and payment rates of section 1
/// among it.
pub fn improvement_rows(report: &ImprovementReport) -> Vec<ImprovementRow> {
    let phase = |variant: Option<&VariantReport>| {
        variant
            .and_then(|variant| variant.phase(&report.method.judged_phase))
            .cloned()
    };
    let baseline = phase(report.baseline());
    let optimised = phase(report.optimised());
    TARGETS
        .iter()
        .map(|target| {
            let figure = |phase: &Option<PhaseReport>| {
                phase
                    .as_ref()
                    .and_then(|phase| figure(target.metric, phase))
            };
            row(target, figure(&baseline), figure(&optimised))
        })
        .collect()
}

/// What the whole rehearsal says, from the table, the audits, the cross-checks and the findings.
///
/// A failed audit, a comparable cross-check that differs and a finding of weight `Failure` outweigh
/// everything; a generator that was the limit makes a missed target unjudged.
pub fn outcome(report: &ImprovementReport) -> Outcome {
    let audit_failed = report
        .variants
        .iter()
        .any(|variant| variant.audit.as_ref().is_some_and(|audit| !audit.passed));
    let cross_check_failed = report
        .variants
        .iter()
        .filter_map(|variant| variant.cross_check.as_ref())
        .flat_map(|cross_check| &cross_check.results)
        .any(|result| result.status == CrossCheckStatus::Differs);
    let failure_found = report
        .findings
        .iter()
        .any(|finding| finding.severity == Severity::Failure);
    let limited = report
        .variants
        .iter()
        .filter_map(|variant| variant.generator.as_ref())
        .any(|generator| generator.limited);
    let verdict_is = |verdict| move |row: &&ImprovementRow| row.verdict == verdict;
    let missed = report
        .improvement
        .iter()
        .find(verdict_is(TargetVerdict::Missed))
        .is_some();
    let unjudged = report
        .improvement
        .iter()
        .filter(verdict_is(TargetVerdict::NotJudged))
        .any(|row| is_indispensable(row.metric));
    if audit_failed || cross_check_failed || failure_found {
        Outcome::Failed
    } else if limited || unjudged || report.improvement.is_empty() {
        Outcome::CannotJudge
    } else if missed {
        Outcome::Failed
    } else {
        Outcome::Passed
    }
}

/// A shop of the user's own may not tell of orders or processor time; without these there is nothing
/// to judge at all.
fn is_indispensable(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::Throughput | Metric::ResponseTimeP95 | Metric::ErrorRate | Metric::Availability
    )
}

/// A line of the requirements.
struct Target {
    metric: Metric,
    before: Option<&'static str>,
    after: Option<&'static str>,
    holds: Option<fn(f64) -> bool>,
}

// Source: requirements 7.1 (throughput, P95, error rate, availability, resources) and section 1
// (orders and payments scaled 1:10,000).
const TARGETS: [Target; 8] = [
    Target {
        metric: Metric::Throughput,
        before: Some("50"),
        after: Some("500+"),
        holds: Some(|value| value >= 500.0),
    },
    Target {
        metric: Metric::OrderRate,
        before: None,
        after: Some("58"),
        holds: Some(|value| value >= 58.0),
    },
    Target {
        metric: Metric::PaymentRate,
        before: None,
        after: Some("25"),
        holds: Some(|value| value >= 25.0),
    },
    Target {
        metric: Metric::ResponseTimeP95,
        before: Some("500 ms"),
        after: Some("< 50 ms"),
        holds: Some(|value| value < 50.0),
    },
    Target {
        metric: Metric::ErrorRate,
        before: Some("15%"),
        after: Some("< 1%"),
        holds: Some(|value| value < 0.01),
    },
    Target {
        metric: Metric::Availability,
        before: Some("95%"),
        after: Some("99.9%"),
        holds: Some(|value| value >= AVAILABILITY_TARGET),
    },
    Target {
        metric: Metric::CpuShare,
        before: Some("80%"),
        after: Some("60%"),
        holds: Some(|value| value <= 0.60),
    },
    Target {
        metric: Metric::CpuPerRequest,
        before: None,
        after: None,
        holds: None,
    },
];

const AVAILABILITY_TARGET: f64 = 0.999;

/// The figure of a metric in a phase; `None` where it was not measured.
pub fn figure(metric: Metric, phase: &PhaseReport) -> Option<Figure> {
    let exact = |value: Option<f64>, unit| {
        value.map(|value| Figure {
            value,
            unit,
            bound: Bound::Exact,
            windows: None,
        })
    };
    match metric {
        Metric::Throughput => exact(phase.throughput_per_second, Unit::PerSecond),
        Metric::OrderRate => exact(phase.orders_per_second, Unit::PerSecond),
        Metric::PaymentRate => exact(phase.payments_per_second, Unit::PerSecond),
        Metric::ResponseTimeP95 => phase.verdict_p95_ms.map(|value| Figure {
            value,
            unit: Unit::Milliseconds,
            bound: if phase.verdict_p95_is_lower_bound {
                Bound::AtLeast
            } else {
                Bound::Exact
            },
            windows: None,
        }),
        Metric::ErrorRate => exact(phase.error_rate, Unit::Share),
        Metric::Availability => phase.availability.and_then(|availability| {
            availability.share().map(|value| Figure {
                value,
                unit: Unit::Share,
                bound: Bound::Exact,
                windows: Some((availability.good, availability.total)),
            })
        }),
        Metric::CpuShare => exact(phase.cpu_share, Unit::Share),
        Metric::CpuPerRequest => exact(phase.cpu_per_request_us, Unit::Microseconds),
    }
}

fn row(target: &Target, baseline: Option<Figure>, optimised: Option<Figure>) -> ImprovementRow {
    let meets = |figure: Option<Figure>| {
        target
            .holds
            .and_then(|holds| figure.map(|figure| holds(figure.value)))
    };
    let ratio = baseline
        .zip(optimised)
        .filter(|(baseline, _)| baseline.value > 0.0)
        .map(|(baseline, optimised)| optimised.value / baseline.value);
    let (verdict, reason) = match (target.holds.is_some(), meets(optimised)) {
        (_, None) if optimised.is_none() => (TargetVerdict::NotJudged, Reason::NotMeasured),
        (false, _) | (_, None) => (TargetVerdict::Finding, Reason::NoTarget),
        (true, Some(false)) => (TargetVerdict::Missed, Reason::Misses),
        (true, Some(true)) => (TargetVerdict::Met, met_reason(optimised, meets(baseline))),
    };
    ImprovementRow {
        metric: target.metric,
        requirement_before: target.before.map(str::to_owned),
        requirement_after: target.after.map(str::to_owned),
        baseline,
        optimised,
        ratio,
        baseline_meets_target: meets(baseline),
        verdict,
        reason,
    }
}

fn met_reason(optimised: Option<Figure>, baseline_meets: Option<bool>) -> Reason {
    let resolution = optimised
        .and_then(|figure| figure.windows)
        .filter(|(_, total)| *total > 0)
        .map(|(_, total)| 1.0 / total as f64);
    match (resolution, baseline_meets) {
        (Some(resolution), _) if resolution > 1.0 - AVAILABILITY_TARGET => {
            Reason::CoarseWindows { resolution }
        }
        (_, Some(true) | None) => Reason::BothMeet,
        (_, Some(false)) => Reason::OnlyOptimisedMeets,
    }
}

#[cfg(test)]
mod tests;
