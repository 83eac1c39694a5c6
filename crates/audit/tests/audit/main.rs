//! The audit against small stores: right ones pass, and each planted fault is named.

#[cfg(test)]
mod faults;
#[cfg(test)]
mod files;
#[cfg(test)]
mod mysql;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod sold_out;
#[cfg(test)]
mod stock_changes;
#[cfg(test)]
mod world;

use std::collections::BTreeSet;

use double11_audit::{AuditReport, Verdict};

/// The ids of the failed checks.
fn failed(report: &AuditReport) -> BTreeSet<&str> {
    report.failed().map(|check| check.id.as_str()).collect()
}

/// Asserts that exactly these checks failed.
fn assert_failed(report: &AuditReport, expected: &[&str], case: &str) {
    let expected: BTreeSet<&str> = expected.iter().copied().collect();
    let text = double11_audit::render_text(report);
    assert_eq!(failed(report), expected, "{case}\n{text}");
    let verdict = if expected.is_empty() {
        Verdict::Passed
    } else {
        Verdict::Failed
    };
    assert_eq!(report.verdict, verdict, "{case}");
}
