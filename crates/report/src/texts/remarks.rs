//! Sentences for the coded remarks of a report.

use super::{Texts, fill};
use crate::format::{self, count};
use crate::model::{
    CrossCheckKind, CrossCheckReason, CrossCheckResult, FileKind, Finding, FindingKind, Warning,
};

impl Texts {
    pub(crate) fn finding(&self, finding: &Finding) -> String {
        match &finding.what {
            FindingKind::Unsettled { limit_s } => fill(
                self.finding_unsettled,
                &[("limit", &self.seconds(*limit_s))],
            ),
            FindingKind::RequestsFailed {
                phase,
                share,
                attempted,
                kinds,
            } => {
                let kinds: Vec<String> = kinds
                    .iter()
                    .map(|(kind, times)| format!("{kind}: {}", count(*times)))
                    .collect();
                fill(
                    self.finding_requests_failed,
                    &[
                        ("phase", phase),
                        ("share", &format::percent(*share)),
                        ("attempted", &count(*attempted)),
                        ("kinds", &kinds.join(self.list_separator)),
                    ],
                )
            }
            FindingKind::CannotCompare {
                check,
                kind,
                phase,
                reason,
            } => fill(
                self.finding_cannot_compare,
                &[
                    ("check", &self.compared(*kind, check)),
                    ("phase", self.phase_or_run(phase.as_deref())),
                    ("reason", &self.cross_check_reason(reason)),
                ],
            ),
            FindingKind::NoJudgedPhase => self.finding_no_judged_phase.to_owned(),
            FindingKind::Throttled {
                phase,
                periods,
                throttled,
                waited_s,
            } => fill(
                self.finding_throttled,
                &[
                    ("phase", phase),
                    ("throttled", &count(*throttled)),
                    ("periods", &count(*periods)),
                    ("waited", &self.seconds(*waited_s)),
                ],
            ),
            FindingKind::Other { text } => text.clone(),
        }
    }

    pub(crate) fn warning(&self, warning: &Warning) -> String {
        match warning {
            Warning::SharedCore => self.warning_shared_core.to_owned(),
            Warning::ScrapeFailed { variant, message } => fill(
                self.warning_scrape_failed,
                &[("name", variant), ("message", message)],
            ),
            Warning::Other { text } => text.clone(),
        }
    }

    /// What a cross-check compares.
    pub(crate) fn compared(&self, kind: CrossCheckKind, what: &str) -> String {
        match kind {
            CrossCheckKind::Requests => {
                let rest = what.strip_prefix("requests ").unwrap_or(what);
                fill(self.cross_check_requests, &[("rest", rest)])
            }
            CrossCheckKind::Orders => self.cross_check_orders.to_owned(),
            CrossCheckKind::Payments => self.cross_check_payments.to_owned(),
            CrossCheckKind::Throughput => self.cross_check_throughput.to_owned(),
            CrossCheckKind::ServiceTimeP95 => self.cross_check_service_time.to_owned(),
            CrossCheckKind::Scrapes => self.cross_check_scrapes.to_owned(),
        }
    }

    pub(crate) fn phase_or_run<'a>(&'a self, phase: Option<&'a str>) -> &'a str {
        phase.unwrap_or(self.cross_check_whole_run)
    }

    /// How far the two figures of a cross-check may differ.
    pub(crate) fn tolerance(&self, result: &CrossCheckResult) -> String {
        let Some(limit) = result.limit else {
            return format::NONE.to_owned();
        };
        let shown = format::plain(limit);
        let template = match result.kind {
            CrossCheckKind::Throughput => self.cross_check_within_rate,
            CrossCheckKind::ServiceTimeP95 => self.cross_check_within_time,
            _ if limit < 0.5 => self.cross_check_equal,
            _ => self.cross_check_unknown_outcome,
        };
        fill(template, &[("limit", &shown)])
    }

    pub(crate) fn cross_check_reason(&self, reason: &CrossCheckReason) -> String {
        use CrossCheckReason as Why;
        match reason {
            Why::TargetRestarted => self.why_target_restarted.to_owned(),
            Why::CounterReset { series } => fill(self.why_counter_reset, &[("series", series)]),
            Why::SeriesMissing { series } => fill(self.why_series_missing, &[("series", series)]),
            Why::NoStartTime => self.why_no_start_time.to_owned(),
            Why::NoScrapeBefore => self.why_no_scrape_before.to_owned(),
            Why::NoScrapeAfter => self.why_no_scrape_after.to_owned(),
            Why::ScrapesTooFew {
                spanned_s,
                needed_s,
            } => fill(
                self.why_scrapes_too_few,
                &[
                    ("spanned", &self.seconds(*spanned_s)),
                    ("needed", &self.seconds(*needed_s)),
                ],
            ),
            Why::RequestsTooFew { requests, needed } => fill(
                self.why_requests_too_few,
                &[
                    ("requests", &format::plain(*requests)),
                    ("needed", &format::plain(*needed)),
                ],
            ),
            Why::StepWithoutEndpoint { step } => {
                fill(self.why_step_without_endpoint, &[("step", step)])
            }
            Why::WaitedBeforeHandler {
                waited_before_handler_ms,
            } => fill(
                self.why_waited,
                &[("waited", &format::milliseconds(*waited_before_handler_ms))],
            ),
            Why::BeyondBuckets { highest_bound_ms } => fill(
                self.why_beyond_buckets,
                &[("bound", &format::milliseconds(*highest_bound_ms))],
            ),
            Why::BucketTooWide { bucket_error_ms } => fill(
                self.why_bucket_too_wide,
                &[("width", &format::milliseconds(*bucket_error_ms))],
            ),
            Why::UnreadableTimeSeries => self.why_unreadable.to_owned(),
            Why::GeneratorLimited => self.why_generator_limited.to_owned(),
            Why::Other { text } => text.clone(),
            of_prometheus => self.prometheus_reason(of_prometheus),
        }
    }

    /// Why a comparison with a Prometheus cannot be made.
    fn prometheus_reason(&self, reason: &CrossCheckReason) -> String {
        use CrossCheckReason as Why;
        match reason {
            Why::OtherClock { ahead_s } => fill(
                self.why_other_clock,
                &[("ahead", &self.seconds(ahead_s.abs()))],
            ),
            Why::NothingScraped { selector } => {
                fill(self.why_nothing_scraped, &[("selector", selector)])
            }
            Why::SeveralTargets { targets } => {
                let targets = targets.join(self.list_separator);
                fill(self.why_several_targets, &[("targets", &targets)])
            }
            Why::ScrapeGap { missing, expected } => fill(
                self.why_scrape_gap,
                &[
                    ("missing", &count(*missing)),
                    ("expected", &count(*expected)),
                ],
            ),
            Why::ScrapesInside { scrapes, needed } => fill(
                self.why_scrapes_inside,
                &[("scrapes", &count(*scrapes)), ("needed", &count(*needed))],
            ),
            Why::TrafficOutside { before, after } => fill(
                self.why_traffic_outside,
                &[
                    ("before", &format::plain(*before)),
                    ("after", &format::plain(*after)),
                ],
            ),
            Why::OtherTimestamps => self.why_other_timestamps.to_owned(),
            Why::OtherInterval {
                interval_s,
                other_s,
            } => fill(
                self.why_other_interval,
                &[
                    ("interval", &self.seconds(*interval_s)),
                    ("other", &self.seconds(*other_s)),
                ],
            ),
            Why::PrometheusFailed { message } => {
                fill(self.why_prometheus_failed, &[("message", message)])
            }
            // Every other reason has its words where the reasons of all cross-checks have theirs.
            _ => self.why_no_overlap.to_owned(),
        }
    }

    pub(crate) fn file(&self, kind: &FileKind) -> String {
        let words = match kind {
            FileKind::NormalSamples => self.file_normal_samples,
            FileKind::PeakSamples => self.file_peak_samples,
            FileKind::Samples => self.file_samples,
            FileKind::Metrics => self.file_metrics,
            FileKind::ReportPage => self.file_report_page,
            FileKind::ReportData => self.file_report_data,
            FileKind::Picture => self.file_picture,
            FileKind::Markdown => self.file_markdown,
            FileKind::Histogram => self.file_histogram,
            FileKind::Runs => self.file_runs,
            FileKind::Other { text } => text,
        };
        words.to_owned()
    }
}
