//! What speaks for or against the figures: audit, cross-check, generator.

use std::time::Duration;

use double11_audit as audit;
use double11_monitor::cross_check::{CheckKind, CrossCheck, Verdict};
use double11_report::model;

/// The audit as the report shows it. Checks that were not carried out are left out of the table and
/// named among the findings of the others' place: their reason is the text that was found.
pub(crate) fn audit(report: &audit::AuditReport, settled_after: Duration) -> model::AuditReport {
    let checks = report.checks.iter().map(|check| {
        let (found, passed) = match &check.status {
            audit::CheckStatus::Passed => (format!("none in {}", check.examined), true),
            audit::CheckStatus::Failed => {
                (format!("{} in {}", check.violations, check.examined), false)
            }
            audit::CheckStatus::NotApplicable(reason) => (format!("not checked: {reason}"), true),
        };
        model::AuditCheck {
            name: check.id.clone(),
            what: check.proves.clone(),
            expected: "no violation".to_owned(),
            found,
            passed,
            findings: check.findings.iter().map(ToString::to_string).collect(),
        }
    });
    model::AuditReport {
        passed: report.verdict == audit::Verdict::Passed,
        settled_after_s: Some(settled_after.as_secs_f64()),
        checks: checks.collect(),
    }
}

/// The cross-check as the report shows it.
pub(crate) fn cross_check(check: &CrossCheck) -> model::CrossCheckReport {
    let results = check.checks.iter().map(|check| {
        let (status, why) = match &check.verdict {
            Verdict::Agrees => (model::CrossCheckStatus::Agrees, None),
            Verdict::Differs => (model::CrossCheckStatus::Differs, None),
            Verdict::CannotCompare(reason) => (
                model::CrossCheckStatus::CannotCompare,
                Some(reason.to_string()),
            ),
        };
        model::CrossCheckResult {
            phase: check
                .phase
                .clone()
                .unwrap_or_else(|| "whole run".to_owned()),
            what: check.name.clone(),
            generator: check.client,
            shop: check.shop,
            tolerance: check
                .limit
                .map_or_else(|| "-".to_owned(), |limit| tolerance(check.kind, limit)),
            status,
            why,
        }
    });
    model::CrossCheckReport {
        results: results.collect(),
    }
}

fn tolerance(kind: CheckKind, limit: f64) -> String {
    match kind {
        CheckKind::Requests | CheckKind::Orders | CheckKind::Payments if limit < 0.5 => {
            "equal".to_owned()
        }
        CheckKind::Requests | CheckKind::Orders | CheckKind::Payments => {
            format!("{limit:.0} of unknown outcome")
        }
        CheckKind::Throughput => format!("± {limit:.1} per second"),
        CheckKind::ServiceTimeP95 => format!("± {limit:.1} ms"),
    }
}
