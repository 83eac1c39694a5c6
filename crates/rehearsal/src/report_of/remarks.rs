//! What a reader has to know beside the figures.

use double11_measure::run::Summary;
use double11_monitor::cross_check::{CheckKind, CrossCheck, Verdict};
use double11_report::model::{Finding, FindingKind, Severity};

use super::checks;
use crate::under_limits::UnderLimits;

/// Share of failed requests from which on a phase is worth a remark.
const WORTH_A_REMARK: f64 = 0.01;
/// Kinds of failures that are named.
const KINDS_NAMED: usize = 3;

/// Phases in which many requests failed.
pub(crate) fn failures(variant: &str, summary: &Summary) -> Vec<Finding> {
    let measured = summary.phases.iter().filter(|phase| phase.measured);
    measured
        .filter_map(|phase| {
            let total = &phase.total;
            let share = total.error_rate.filter(|rate| *rate >= WORTH_A_REMARK)?;
            let mut kinds: Vec<_> = total.failures.clone().into_iter().collect();
            kinds.sort_unstable_by_key(|(_, count)| std::cmp::Reverse(*count));
            kinds.truncate(KINDS_NAMED);
            let what = FindingKind::RequestsFailed {
                phase: phase.name.clone(),
                share,
                attempted: total.attempted,
                kinds,
            };
            Some(note(variant, what))
        })
        .collect()
}

/// A phase in which the shop's quota of processor time was used up.
pub(crate) fn throttled(variant: &str, phase: &str, under_limits: &UnderLimits) -> Option<Finding> {
    let seen = under_limits.phases.get(phase)?;
    let what = FindingKind::Throttled {
        phase: phase.to_owned(),
        periods: seen.periods,
        throttled: seen.throttled,
        waited_s: seen.waited_s,
    };
    (seen.throttled > 0).then(|| note(variant, what))
}

/// Figures that could not be compared with the shop's own.
pub(crate) fn not_compared(variant: &str, cross_check: &CrossCheck) -> Vec<Finding> {
    let findings = cross_check.checks.iter().filter_map(|check| {
        let Verdict::CannotCompare(reason) = &check.verdict else {
            return None;
        };
        let what = FindingKind::CannotCompare {
            check: check.name.clone(),
            kind: checks::kind(check.kind),
            phase: check.phase.clone(),
            reason: checks::reason(reason),
        };
        Some(note(variant, what))
    });
    findings.collect()
}

/// Why nothing, or not everything, could be compared with what a Prometheus has: what speaks against
/// its scrapes as a whole.
pub(crate) fn not_scraped(variant: &str, cross_check: &CrossCheck) -> Vec<Finding> {
    let scrapes = cross_check
        .checks
        .iter()
        .filter(|check| check.kind == CheckKind::Scrapes);
    let of_scrapes = CrossCheck {
        checks: scrapes.cloned().collect(),
        ..*cross_check
    };
    not_compared(variant, &of_scrapes)
}

pub(crate) fn note(variant: &str, what: FindingKind) -> Finding {
    finding(Severity::Note, variant, what)
}

pub(crate) fn failure(variant: &str, what: FindingKind) -> Finding {
    finding(Severity::Failure, variant, what)
}

fn finding(severity: Severity, variant: &str, what: FindingKind) -> Finding {
    Finding {
        severity,
        variant: Some(variant.to_owned()),
        what,
    }
}
