//! What speaks for or against the figures: audit, cross-check, generator.

use std::time::Duration;

use double11_audit as audit;
use double11_monitor::cross_check::{CheckKind, CrossCheck, Reason, Verdict};
use double11_report::model;

/// The audit as the report shows it.
pub(crate) fn audit(
    report: &audit::AuditReport,
    settled_after: Option<Duration>,
) -> model::AuditReport {
    let checks = report.checks.iter().map(|check| model::AuditCheck {
        name: check.id.clone(),
        what: check.proves.clone(),
        examined: check.examined,
        violations: check.violations,
        status: match &check.status {
            audit::CheckStatus::Passed => model::AuditStatus::Passed,
            audit::CheckStatus::Failed => model::AuditStatus::Failed,
            audit::CheckStatus::NotApplicable(reason) => model::AuditStatus::NotChecked {
                reason: reason.clone(),
            },
        },
        findings: check.findings.iter().map(ToString::to_string).collect(),
    });
    model::AuditReport {
        passed: report.verdict == audit::Verdict::Passed,
        settled_after_s: settled_after.map(|after| after.as_secs_f64()),
        checks: checks.collect(),
    }
}

/// The cross-check as the report shows it. A load engine that was late has that in its times, so that
/// they are not held against the shop's; counts must be equal even then.
pub(crate) fn cross_check(check: &CrossCheck, generator_limited: bool) -> model::CrossCheckReport {
    let results = check.checks.iter().map(|check| {
        let (status, why) = match &check.verdict {
            Verdict::Agrees => (model::CrossCheckStatus::Agrees, None),
            Verdict::Differs if generator_limited && check.kind == CheckKind::ServiceTimeP95 => (
                model::CrossCheckStatus::CannotCompare,
                Some(model::CrossCheckReason::GeneratorLimited),
            ),
            Verdict::Differs => (model::CrossCheckStatus::Differs, None),
            Verdict::CannotCompare(why) => {
                (model::CrossCheckStatus::CannotCompare, Some(reason(why)))
            }
        };
        model::CrossCheckResult {
            phase: check.phase.clone(),
            kind: kind(check.kind),
            what: check.name.clone(),
            generator: check.client,
            shop: check.shop,
            limit: check.limit,
            status,
            why,
        }
    });
    model::CrossCheckReport {
        results: results.collect(),
    }
}

/// Whether any comparison differed; `None` where nothing could be compared.
pub(crate) fn failed(check: &model::CrossCheckReport) -> Option<bool> {
    let mut compared = check
        .results
        .iter()
        .filter(|result| result.status != model::CrossCheckStatus::CannotCompare)
        .peekable();
    compared.peek()?;
    Some(compared.any(|result| result.status == model::CrossCheckStatus::Differs))
}

/// The kind of a check in the words of the report.
pub(crate) fn kind(kind: CheckKind) -> model::CrossCheckKind {
    match kind {
        CheckKind::Requests => model::CrossCheckKind::Requests,
        CheckKind::Orders => model::CrossCheckKind::Orders,
        CheckKind::Payments => model::CrossCheckKind::Payments,
        CheckKind::Throughput => model::CrossCheckKind::Throughput,
        CheckKind::ServiceTimeP95 => model::CrossCheckKind::ServiceTimeP95,
        CheckKind::Scrapes => model::CrossCheckKind::Scrapes,
    }
}

/// Why two figures cannot be compared, in the words of the report.
pub(crate) fn reason(reason: &Reason) -> model::CrossCheckReason {
    use model::CrossCheckReason as Why;
    match reason.clone() {
        Reason::TargetRestarted => Why::TargetRestarted,
        Reason::CounterReset { series } => Why::CounterReset { series },
        Reason::SeriesMissing { series } => Why::SeriesMissing { series },
        Reason::NoStartTime => Why::NoStartTime,
        Reason::NoScrapeBefore => Why::NoScrapeBefore,
        Reason::NoScrapeAfter => Why::NoScrapeAfter,
        Reason::ScrapesTooFew {
            spanned_s,
            needed_s,
        } => Why::ScrapesTooFew {
            spanned_s,
            needed_s,
        },
        Reason::RequestsTooFew { requests, needed } => Why::RequestsTooFew { requests, needed },
        Reason::StepWithoutEndpoint { step } => Why::StepWithoutEndpoint { step },
        Reason::WaitedBeforeHandler {
            waited_before_handler_ms,
        } => Why::WaitedBeforeHandler {
            waited_before_handler_ms,
        },
        Reason::BeyondBuckets { highest_bound_ms } => Why::BeyondBuckets { highest_bound_ms },
        Reason::BucketTooWide { bucket_error_ms } => Why::BucketTooWide { bucket_error_ms },
        Reason::UnreadableTimeSeries => Why::UnreadableTimeSeries,
        other => of_prometheus(other),
    }
}

/// The reasons that only a check against a Prometheus has.
fn of_prometheus(reason: Reason) -> model::CrossCheckReason {
    use model::CrossCheckReason as Why;
    match reason {
        Reason::OtherClock { ahead_s } => Why::OtherClock { ahead_s },
        Reason::NothingScraped { selector } => Why::NothingScraped { selector },
        Reason::NoOverlap => Why::NoOverlap,
        Reason::SeveralTargets { targets } => Why::SeveralTargets { targets },
        Reason::ScrapeGap { missing, expected } => Why::ScrapeGap { missing, expected },
        Reason::ScrapesInside { scrapes, needed } => Why::ScrapesInside { scrapes, needed },
        Reason::TrafficOutside { before, after } => Why::TrafficOutside { before, after },
        Reason::OtherTimestamps => Why::OtherTimestamps,
        Reason::OtherInterval {
            interval_s,
            other_s,
        } => Why::OtherInterval {
            interval_s,
            other_s,
        },
        Reason::PrometheusFailed { message } => Why::PrometheusFailed { message },
        // The monitor may learn more reasons than the report has words for.
        other => Why::Other {
            text: other.to_string(),
        },
    }
}
