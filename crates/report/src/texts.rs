//! Every visible word of the page and of the terminal, one list per language.
//!
//! Texts with figures in them are templates: `{name}` is replaced by [`fill`]. What a report has as
//! free text (details that an audit found, messages of failed scrapes) is shown as it is.

use std::str::FromStr;

use crate::format::count;
use crate::model::{
    AuditCheck, ComparisonVerdict, CrossCheckStatus, ImprovementRow, Metric, Outcome, Reason,
    Severity, TargetVerdict, TimeBasis,
};

mod audit;
mod comparing;
mod dashboard;
mod en;
mod remarks;
mod zh_tw;

pub(crate) use dashboard::DashboardTexts;

/// A language that the report can be shown in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Chinese in traditional characters, in the words of Taiwan.
    TraditionalChinese,
}

/// A text that names no language of the report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no language of the report, choose `en` or `zh-TW`")]
pub struct UnknownLanguage(String);

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::English, Self::TraditionalChinese];

    /// The short name by which it is chosen: `en` or `zh-TW`.
    pub fn name(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::TraditionalChinese => "zh-TW",
        }
    }

    pub(crate) fn texts(self) -> &'static Texts {
        match self {
            Self::English => &en::ENGLISH,
            Self::TraditionalChinese => &zh_tw::TRADITIONAL_CHINESE,
        }
    }

    /// The words for a page whose times count from this basis: without planned starts there is no
    /// response time.
    pub(crate) fn texts_by(self, basis: TimeBasis) -> &'static Texts {
        match (self, basis) {
            (_, TimeBasis::ResponseTime) => self.texts(),
            (Self::English, TimeBasis::ServiceTimeOnly) => &en::ENGLISH_SERVICE_TIME,
            (Self::TraditionalChinese, TimeBasis::ServiceTimeOnly) => {
                &zh_tw::TRADITIONAL_CHINESE_SERVICE_TIME
            }
        }
    }

    /// The language tag of the page.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::TraditionalChinese => "zh-Hant-TW",
        }
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|language| {
            [language.name(), language.tag()]
                .iter()
                .any(|name| name.eq_ignore_ascii_case(text))
        });
        found.ok_or_else(|| UnknownLanguage(text.to_owned()))
    }
}

/// Replaces every `{name}` of a template by its value.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = template.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    text
}

macro_rules! texts {
    ($($name:ident,)*) => {
        /// The words of one language; the names say where they stand. A language that lacks one
        /// does not compile.
        #[derive(Debug)]
        pub(crate) struct Texts {
            $(pub(crate) $name: &'static str,)*
            /// What a check of the audit proves, by its name; `None` where the report's own words
            /// are to be shown.
            pub(crate) audit_words: fn(&str) -> Option<&'static str>,
            /// Why a check was not carried out, by the auditor's words.
            pub(crate) audit_reasons: fn(&str) -> Option<&'static str>,
        }

        #[cfg(test)]
        impl Texts {
            /// Every word with the name of its place.
            pub(crate) fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}

texts! {
    page_title, eyebrow, heading, started, seed, duration, version, build, contents, no_script,
    outcome_passed, outcome_failed, outcome_cannot_judge, outcome_passed_why,
    outcome_failed_why, outcome_cannot_judge_why, improvement, improvement_caption,
    improvement_note, column_metric, column_requirement, column_requirement_long, column_change,
    column_verdict, column_why, metric_throughput, metric_orders, metric_payments, metric_p95,
    metric_error_rate, metric_availability, metric_cpu_share, metric_cpu_per_request,
    metric_throughput_other, metric_orders_other, metric_payments_other, metric_p95_other,
    metric_error_rate_other, metric_availability_other, metric_cpu_share_other,
    metric_cpu_per_request_other, windows, points, or_more, verdict_met, verdict_missed,
    verdict_finding, verdict_not_judged, meets_target, misses_target, reason_both_meet,
    reason_only_optimised, reason_misses, reason_coarse, reason_no_target, reason_not_measured, reason_not_offered, reason_throttled,
    findings, findings_none, finding_note, finding_failure, finding_about, warning_word,
    finding_unsettled, finding_requests_failed, finding_cannot_compare, finding_no_judged_phase, finding_throttled,
    warning_shared_core, warning_scrape_failed, axis_time, axis_tps, axis_latency,
    axis_error_rate, axis_cpu, axis_memory, axis_shoppers, legend_time, legend_step,
    legend_offered, legend_expected, legend_cell, chart_help, throughput, throughput_about,
    throughput_summary, response, response_about, response_log, response_summary, heatmap,
    heatmap_about, heatmap_summary, heatmap_fewer, heatmap_more, errors, errors_about,
    errors_summary, errors_kinds, resources, cpu, memory, cpu_about, memory_about, cpu_summary,
    memory_summary, phases, phases_caption, phases_figure, phase_unmeasured, phase_offered,
    phase_tps, phase_orders, phase_payments, phase_attempted, phase_refusals, phase_failed,
    phase_late, phase_dropped, phase_error_rate, phase_p50, phase_p95, phase_p99, phase_p999,
    phase_max, phase_verdict_p95, phase_service_p95, phase_availability, phase_cpu,
    phase_cpu_per_request, phase_memory, phase_throttled, phase_waited, group_memory, levers, levers_none, funnel, funnel_about,
    funnel_summary, funnel_caption, funnel_step, funnel_share, funnel_expected, funnel_observed,
    steps_caption, step_p50, step_p95, audit, audit_about, audit_none, audit_caption,
    audit_settled, audit_check, audit_examined, audit_violations, audit_not_checked,
    audit_missing_no_access, audit_missing_samples, audit_result, passed, failed, cross_check,
    cross_check_about, cross_check_none, cross_check_caption, cross_check_phase,
    cross_check_what, cross_check_generator, cross_check_shop, cross_check_tolerance,
    cross_check_whole_run, cross_check_equal, cross_check_unknown_outcome,
    cross_check_within_rate, cross_check_within_time, cross_check_requests, cross_check_orders,
    cross_check_payments, cross_check_throughput, cross_check_service_time,
    why_target_restarted, why_counter_reset, why_series_missing, why_no_start_time,
    why_no_scrape_before, why_no_scrape_after, why_scrapes_too_few, why_requests_too_few,
    why_step_without_endpoint, why_waited, why_beyond_buckets, why_bucket_too_wide,
    why_unreadable, why_generator_limited, file_normal_samples, file_peak_samples, file_samples, file_metrics,
    file_report_page, file_report_data, file_picture, file_markdown, file_histogram, file_runs,
    cross_check_agrees, cross_check_differs, cross_check_cannot, generator, generator_about,
    generator_caption, generator_figure, generator_limited, generator_limited_yes,
    generator_limited_no, generator_cpu, generator_lag_p99, generator_lag_max, generator_late,
    generator_dropped, generator_in_flight, generator_descriptors, of_limit, generator_none,
    method, method_pairs_one, method_pairs_many, method_open, method_response, method_verdict,
    method_errors, method_availability, method_warm_up, method_durable, facts_run,
    facts_caption, fact, value, fact_command, fact_cpu, fact_cpus, fact_memory, fact_system,
    fact_file_system, fact_fdatasync, fact_shop_cpus, fact_generator_cpus, fact_shop_limits,
    limit_cpus, limit_memory, limits_held, held_cgroup_v1, held_cgroup_v2, held_pinned, fact_plan,
    fact_normal, fact_normal_value, fact_connections, fact_in_flight, fact_timeout,
    fact_products, fact_payment_window, fact_store, files, file_name, file_what, footer,
    claim_peak, claim_offered, claim_plain, claim_against, claim_p95, claim_p95_alone,
    claim_availability, claim_error_rate, claim_error_rate_alone, claim_audit,
    claim_audit_failed, claim_limited, claim_nothing, unit_seconds, list_separator,
    other_language, yes, no, theme_dark, theme_light, metric_p95_service, improvement_runs,
    charts_first_pair, higher_is_better, lower_is_better, incomparable, incomparable_plan,
    incomparable_seed, incomparable_schedule, incomparable_schedule_phase, incomparable_host,
    incomparable_limits, incomparable_generator, incomparable_steps, incomparable_nothing, incomparable_interrupted, incomparable_pair,
    comparison, comparison_about, comparison_caption, comparison_median, comparison_ratio,
    comparison_interval, comparison_interval_value, comparison_p, comparison_better,
    comparison_worse, comparison_not_shown, comparison_significant, comparison_not_significant,
    comparison_below_minimum, comparison_too_few, comparison_both_bounds, comparison_wrong_side,
    comparison_missing, comparison_meaning, forest_about, forest_label, differences_caption,
    difference, rule_errors, rule_windows, runs_every, runs_pair, runs_variant,
    runs_cross_check, runs_generator, runs_generator_fine, runs_generator_limited, runs_folder,
    capacity, capacity_about, capacity_caption, capacity_limits, capacity_between,
    capacity_at_least, capacity_below, capacity_unknown, capacity_generator_limited,
    capacity_probes, capacity_strict, capacity_relaxed, capacity_p95, capacity_tps,
    capacity_summary, axis_offered, legend_at_rate, legend_limit, ladder, ladder_about,
    ladder_caption, ladder_rung, ladder_before, tuned_between, tuned_not_between, tuned_open, histogram,
    histogram_about, histogram_summary, histogram_service, histogram_response, axis_percentile,
    download_hgrm, download_base64, download_csv, show_values, reset_zoom, method_pairs_none,
    method_samples, method_service_time, method_statistics, method_folders, fact_plan_hash,
    fact_seed, claim_runs, claim_better, claim_worse, claim_incomparable, claim_semicolon,
    claim_comma, claim_and_last, claim_stop, summary_heading, summary_made,
    improvement_runs_short, method_one_run, improvement_sync, reason_baseline_unknown,
    comparison_reserved, claim_one_run, claim_not_shown, remark_about,
    remark_colon,
    prometheus, prometheus_about, prometheus_throughput, prometheus_p95_about,
    prometheus_caption, prometheus_facts, prometheus_started, prometheus_summary,
    legend_generator, legend_prometheus, cross_check_scrapes, why_other_clock,
    why_nothing_scraped, why_no_overlap, why_several_targets, why_scrape_gap, why_scrapes_inside,
    why_traffic_outside, why_other_timestamps, why_other_interval, why_prometheus_failed,
}

impl Texts {
    pub(crate) fn metric(&self, metric: Metric) -> &'static str {
        match metric {
            Metric::Throughput => self.metric_throughput,
            Metric::OrderRate => self.metric_orders,
            Metric::PaymentRate => self.metric_payments,
            Metric::ResponseTimeP95 => self.metric_p95,
            Metric::ErrorRate => self.metric_error_rate,
            Metric::Availability => self.metric_availability,
            Metric::CpuShare => self.metric_cpu_share,
            Metric::CpuPerRequest => self.metric_cpu_per_request,
        }
    }

    /// The name that the requirements use.
    pub(crate) fn metric_other(&self, metric: Metric) -> &'static str {
        match metric {
            Metric::Throughput => self.metric_throughput_other,
            Metric::OrderRate => self.metric_orders_other,
            Metric::PaymentRate => self.metric_payments_other,
            Metric::ResponseTimeP95 => self.metric_p95_other,
            Metric::ErrorRate => self.metric_error_rate_other,
            Metric::Availability => self.metric_availability_other,
            Metric::CpuShare => self.metric_cpu_share_other,
            Metric::CpuPerRequest => self.metric_cpu_per_request_other,
        }
    }

    pub(crate) fn verdict(&self, verdict: TargetVerdict) -> &'static str {
        match verdict {
            TargetVerdict::Met => self.verdict_met,
            TargetVerdict::Missed => self.verdict_missed,
            TargetVerdict::Finding => self.verdict_finding,
            TargetVerdict::NotJudged => self.verdict_not_judged,
        }
    }

    pub(crate) fn outcome(&self, outcome: Outcome) -> (&'static str, &'static str) {
        match outcome {
            Outcome::Passed => (self.outcome_passed, self.outcome_passed_why),
            Outcome::Failed => (self.outcome_failed, self.outcome_failed_why),
            Outcome::CannotJudge => (self.outcome_cannot_judge, self.outcome_cannot_judge_why),
        }
    }

    pub(crate) fn cross_check_status(&self, status: CrossCheckStatus) -> &'static str {
        match status {
            CrossCheckStatus::Agrees => self.cross_check_agrees,
            CrossCheckStatus::Differs => self.cross_check_differs,
            CrossCheckStatus::CannotCompare => self.cross_check_cannot,
        }
    }

    pub(crate) fn comparison_verdict(&self, verdict: ComparisonVerdict) -> &'static str {
        match verdict {
            ComparisonVerdict::Better => self.comparison_better,
            ComparisonVerdict::Worse => self.comparison_worse,
            ComparisonVerdict::NotShown => self.comparison_not_shown,
        }
    }

    /// Seconds with their unit.
    pub(crate) fn seconds(&self, value: f64) -> String {
        fill(
            self.unit_seconds,
            &[("value", &crate::format::seconds(value))],
        )
    }

    /// What a check of the audit proves.
    pub(crate) fn audit_check<'a>(&self, check: &'a AuditCheck) -> &'a str {
        (self.audit_words)(&check.name).unwrap_or(&check.what)
    }

    /// Why a check was not carried out.
    pub(crate) fn audit_reason<'a>(&self, reason: &'a str) -> &'a str {
        (self.audit_reasons)(reason).unwrap_or(reason)
    }

    pub(crate) fn severity(&self, severity: Severity) -> &'static str {
        match severity {
            Severity::Note => self.finding_note,
            Severity::Failure => self.finding_failure,
        }
    }

    /// Why a row has its verdict.
    pub(crate) fn reason(&self, row: &ImprovementRow, baseline: &str, optimised: &str) -> String {
        let names = [("baseline", baseline), ("optimised", optimised)];
        match row.reason {
            Reason::BothMeet => self.reason_both_meet.to_owned(),
            Reason::OnlyOptimisedMeets => fill(self.reason_only_optimised, &names),
            Reason::BaselineUnknown => fill(self.reason_baseline_unknown, &names),
            Reason::Misses => fill(self.reason_misses, &names),
            Reason::CoarseWindows { resolution } => {
                let resolution = crate::format::percent(resolution);
                fill(self.reason_coarse, &[("resolution", &resolution)])
            }
            Reason::NoTarget => self.reason_no_target.to_owned(),
            Reason::NotMeasured => self.reason_not_measured.to_owned(),
            Reason::NotOffered { offered_per_second } => {
                let offered = crate::format::rate(offered_per_second);
                fill(self.reason_not_offered, &[("offered", &offered)])
            }
            Reason::Throttled { periods, throttled } => {
                let (periods, throttled) = (count(periods), count(throttled));
                fill(
                    self.reason_throttled,
                    &[("throttled", &throttled), ("periods", &periods)],
                )
            }
        }
    }

    /// `500 ms → < 50 ms`, only the end where nothing is expected before, a dash for neither.
    pub(crate) fn requirement(row: &ImprovementRow) -> String {
        match (&row.requirement_before, &row.requirement_after) {
            (Some(before), Some(after)) => format!("{before} → {after}"),
            (None, Some(after)) => format!("≥ {after}"),
            (Some(before), None) => before.clone(),
            (None, None) => crate::format::NONE.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
