//! From figures to verdicts: the table of improvements and the outcome of a rehearsal.
//!
//! The targets are those of the requirements, sections 1 and 7.1. Only the judged variant is held to
//! them; what the yardstick misses is shown beside it. Nothing here says "better" or "worse": a change
//! is a ratio of two figures, not a test. The test is made elsewhere and comes with the report.

use crate::figures::Figures;
use crate::model::{
    Bound, ComparisonReason, ComparisonVerdict, CrossCheckStatus, Figure, ImprovementReport,
    ImprovementRow, Metric, Outcome, Reason, Severity, TargetVerdict,
};
use crate::sentence;
use crate::texts::Language;

/// Fills `improvement`, `outcome` and `sentence` of a report from its other fields, and takes the
/// verdicts of its comparison back where nothing may be judged.
pub fn conclude(report: &mut ImprovementReport) {
    report.improvement = improvement_rows(report);
    report.outcome = outcome(report);
    let reserved = is_reserved(report);
    let latency_is_reserved = reserved || is_throttled(report);
    if let Some(comparison) = &mut report.comparison {
        for compared in &mut comparison.metrics {
            let is_latency = compared.metric == Metric::ResponseTimeP95;
            if reserved || (is_latency && latency_is_reserved) {
                compared.verdict = ComparisonVerdict::NotShown;
                compared.reason = ComparisonReason::Reserved;
            }
        }
    }
    report.sentence = sentence::claim(report, Language::English);
}

/// The table of requirements 7.1 for the judged phase, the order and payment rates of section 1
/// among it. With several runs per variant each figure is the median over them; error rate and
/// availability are those of all runs together.
pub fn improvement_rows(report: &ImprovementReport) -> Vec<ImprovementRow> {
    let figures = |variant: Option<_>| variant.map(|variant| Figures::of(report, variant));
    let (baseline, optimised) = (figures(report.baseline()), figures(report.optimised()));
    TARGETS
        .iter()
        .map(|target| {
            let figure = |figures: &Option<Figures<'_>>| figures.as_ref()?.figure(target.metric);
            let row = row(target, figure(&baseline), figure(&optimised));
            let row = without_throttled(row, baseline.as_ref(), optimised.as_ref());
            match optimised.as_ref().and_then(|of| too_little(&row, of)) {
                Some(offered_per_second) => ImprovementRow {
                    verdict: TargetVerdict::NotJudged,
                    reason: Reason::NotOffered { offered_per_second },
                    ..row
                },
                None => row,
            }
        })
        .collect()
}

/// What the whole rehearsal says, from the table, the audits, the cross-checks and the findings.
///
/// A failed audit or a comparable cross-check that differs in any run, and a finding of weight
/// `Failure`, outweigh everything; a generator that was the limit in any run, a side that must not be
/// compared and a missing figure make everything else unjudged.
pub fn outcome(report: &ImprovementReport) -> Outcome {
    let failure_found = report
        .findings
        .iter()
        .any(|finding| finding.severity == Severity::Failure);
    let verdict_is = |verdict| move |row: &&ImprovementRow| row.verdict == verdict;
    let rows = || report.improvement.iter();
    let missed = rows().any(|row| row.verdict == TargetVerdict::Missed);
    let unjudged = rows()
        .filter(verdict_is(TargetVerdict::NotJudged))
        .any(|row| is_indispensable(row.metric));
    if audit_failed(report) || cross_check_failed(report) || failure_found {
        Outcome::Failed
    } else if generator_limited(report)
        || !report.incomparable.is_empty()
        || unjudged
        || report.improvement.is_empty()
    {
        Outcome::CannotJudge
    } else if missed {
        Outcome::Failed
    } else {
        Outcome::Passed
    }
}

/// Whether a shop was held back by its limit while it was judged, so that its latency is the limit's.
fn is_throttled(report: &ImprovementReport) -> bool {
    let sides = [report.baseline(), report.optimised()];
    let mut figures = sides
        .into_iter()
        .flatten()
        .map(|of| Figures::of(report, of));
    figures.any(|of| of.throttled().is_some())
}

/// Whether the figures may not be judged against each other: an audit failed, the generator was the
/// limit or the two sides are not comparable.
pub(crate) fn is_reserved(report: &ImprovementReport) -> bool {
    audit_failed(report) || generator_limited(report) || !report.incomparable.is_empty()
}

/// Whether the audit of any run failed.
pub(crate) fn audit_failed(report: &ImprovementReport) -> bool {
    let variants = report.variants.iter();
    variants
        .filter_map(|variant| variant.audit.as_ref())
        .map(|audit| audit.passed)
        .chain(report.runs.iter().filter_map(|run| run.audit_passed))
        .any(|passed| !passed)
}

/// Whether every run was audited and every audit passed.
pub(crate) fn every_audit_passed(report: &ImprovementReport) -> bool {
    let variants = report.variants.iter();
    variants
        .map(|variant| variant.audit.as_ref().is_some_and(|audit| audit.passed))
        .chain(report.runs.iter().map(|run| run.audit_passed == Some(true)))
        .all(|passed| passed)
}

fn cross_check_failed(report: &ImprovementReport) -> bool {
    let variants = report.variants.iter();
    let results = variants
        .flat_map(|variant| {
            let shop = variant.cross_check.iter().map(|check| &check.results);
            let prometheus = variant.prometheus.iter().map(|asked| &asked.results);
            shop.chain(prometheus)
        })
        .flatten();
    results
        .map(|result| result.status == CrossCheckStatus::Differs)
        .chain(report.runs.iter().filter_map(|run| run.cross_check_failed))
        .any(|failed| failed)
}

/// Whether the load generator was the limit in any run.
pub(crate) fn generator_limited(report: &ImprovementReport) -> bool {
    let variants = report.variants.iter();
    variants
        .filter_map(|variant| variant.generator.as_ref())
        .map(|generator| generator.limited)
        .chain(report.runs.iter().filter_map(|run| run.generator_limited))
        .any(|limited| limited)
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
        holds: Some(|value| value >= TPS_TARGET),
    },
    Target {
        metric: Metric::OrderRate,
        before: None,
        after: Some("58"),
        holds: Some(|value| value >= ORDERS_TARGET),
    },
    Target {
        metric: Metric::PaymentRate,
        before: None,
        after: Some("25"),
        holds: Some(|value| value >= PAYMENTS_TARGET),
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

const TPS_TARGET: f64 = 500.0;
const ORDERS_TARGET: f64 = 58.0;
const PAYMENTS_TARGET: f64 = 25.0;
const AVAILABILITY_TARGET: f64 = 0.999;

fn row(target: &Target, baseline: Option<Figure>, optimised: Option<Figure>) -> ImprovementRow {
    // A lower bound can break an upper limit but never prove that it is kept.
    let meets = |figure: Option<Figure>| {
        let (holds, figure) = (target.holds?, figure?);
        let met = holds(figure.value);
        (!met || figure.bound == Bound::Exact).then_some(met)
    };
    let ratio = baseline
        .zip(optimised)
        .filter(|(baseline, _)| baseline.value > 0.0)
        .map(|(baseline, optimised)| optimised.value / baseline.value);
    let (verdict, reason) = match (target.holds.is_some(), meets(optimised)) {
        (_, None) if optimised.is_none() => (TargetVerdict::NotJudged, Reason::NotMeasured),
        (false, _) => (TargetVerdict::Finding, Reason::NoTarget),
        (true, None) => (TargetVerdict::NotJudged, Reason::NotMeasured),
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

/// A latency that contains waiting for a quota of processor time is no latency of the software: whose
/// shop was throttled neither meets nor misses the target.
fn without_throttled(
    row: ImprovementRow,
    baseline: Option<&Figures<'_>>,
    optimised: Option<&Figures<'_>>,
) -> ImprovementRow {
    let throttled = |figures: Option<&Figures<'_>>| figures.and_then(Figures::throttled);
    if row.metric != Metric::ResponseTimeP95 {
        return row;
    }
    let baseline_meets_target = match throttled(baseline) {
        Some(_) => None,
        None => row.baseline_meets_target,
    };
    let (verdict, reason) = match (throttled(optimised), row.verdict, baseline_meets_target) {
        (Some((periods, throttled)), ..) if row.optimised.is_some() => (
            TargetVerdict::NotJudged,
            Reason::Throttled { periods, throttled },
        ),
        (_, TargetVerdict::Met, None) => (TargetVerdict::Met, Reason::BaselineUnknown),
        _ => (row.verdict, row.reason),
    };
    ImprovementRow {
        baseline_meets_target,
        verdict,
        reason,
        ..row
    }
}

/// What was offered, where a rate is missed for that reason alone: less was asked for than the target
/// wants, or (orders and payments being a part of the requests) all that was asked for was served.
fn too_little(row: &ImprovementRow, figures: &Figures<'_>) -> Option<f64> {
    let target = match row.metric {
        Metric::Throughput => TPS_TARGET,
        Metric::OrderRate => ORDERS_TARGET,
        Metric::PaymentRate => PAYMENTS_TARGET,
        _ => return None,
    };
    if row.verdict != TargetVerdict::Missed {
        return None;
    }
    let offered = figures.plan()?.offered_per_second?;
    let in_part = row.metric != Metric::Throughput && figures.served_everything();
    (offered < target || in_part).then_some(offered)
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
        (_, Some(true)) => Reason::BothMeet,
        (_, Some(false)) => Reason::OnlyOptimisedMeets,
        (_, None) => Reason::BaselineUnknown,
    }
}

#[cfg(test)]
mod tests;
