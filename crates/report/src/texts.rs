//! Every visible word of the page and of the terminal, one list per language.
//!
//! Texts with figures in them are templates: `{name}` is replaced by [`fill`]. Free texts of a report
//! (findings, warnings, what an audit checks) come with the report and are shown as they are.

use crate::model::{
    CrossCheckStatus, ImprovementRow, Metric, Outcome, Reason, Severity, TargetVerdict,
};

mod remarks;

/// A language that the report can be shown in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Language {
    /// English.
    #[default]
    English,
}

impl Language {
    pub(crate) fn texts(self) -> &'static Texts {
        match self {
            Self::English => &ENGLISH,
        }
    }

    /// The language tag of the page.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
        }
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
    ($($name:ident: $english:expr,)*) => {
        /// The words of one language; the names say where they stand.
        #[derive(Debug)]
        pub(crate) struct Texts { $(pub(crate) $name: &'static str,)* }

        /// English.
        pub(crate) const ENGLISH: Texts = Texts { $($name: $english,)* };
    };
}

texts! {
    // Top of the page.
    page_title: "Double11 rehearsal: {baseline} against {optimised}",
    eyebrow: "Double11 rehearsal · 雙11 演練",
    heading: "{baseline} → {optimised}",
    started: "Started",
    seed: "Seed",
    duration: "Took",
    version: "Version",
    build: "Build",
    contents: "Contents",
    no_script: "The charts need JavaScript. Every table and every summary below can be read without it.",
    outcome_passed: "All targets met",
    outcome_failed: "Targets missed or checks failed",
    outcome_cannot_judge: "Cannot be judged",
    outcome_passed_why: "Every target of the requirements is met by {optimised}, and every audit and comparable cross-check passed.",
    outcome_failed_why: "A target is missed, an audit failed or the shop's own metrics contradict the load generator; the rows marked ✗ say which.",
    outcome_cannot_judge_why: "The load generator was the limit or an indispensable figure is missing, so that the figures below prove nothing about the shop.",

    // The table of improvements.
    improvement: "Before and after",
    improvement_caption: "Figures of the phase “{phase}”: the same traffic was offered to every shop.",
    improvement_note: "The requirements' “before” column is an expectation. The baseline here is an honest shop without sleeps or sabotage, with the same durability and the same share of the machine, so it shows what it really did on this machine under this load.",
    column_metric: "Metric",
    column_requirement: "Requirement",
    column_requirement_long: "Requirement (before → after)",
    column_change: "Change",
    column_verdict: "Verdict",
    column_why: "Why",
    metric_throughput: "Throughput (TPS)",
    metric_orders: "Orders per second",
    metric_payments: "Payments per second",
    metric_p95: "P95 response time",
    metric_error_rate: "Error rate",
    metric_availability: "Availability",
    metric_cpu_share: "CPU, share of its limit",
    metric_cpu_per_request: "CPU per transaction",
    metric_throughput_chinese: "每秒交易數",
    metric_orders_chinese: "訂單",
    metric_payments_chinese: "支付",
    metric_p95_chinese: "P95響應時間",
    metric_error_rate_chinese: "錯誤率",
    metric_availability_chinese: "系統可用性",
    metric_cpu_share_chinese: "資源利用率",
    metric_cpu_per_request_chinese: "每筆交易的 CPU",
    windows: "{share} ({good} of {total})",
    points: "{points} points",
    or_more: "{change} or more",
    verdict_met: "✓ met",
    verdict_missed: "✗ missed",
    verdict_finding: "• finding",
    verdict_not_judged: "? not judged",
    meets_target: "meets target",
    misses_target: "misses target",
    reason_both_meet: "Under this load the target is met before and after.",
    reason_only_optimised: "Under the same load {baseline} misses the target.",
    reason_misses: "{optimised} does not reach the target.",
    reason_coarse: "No bad window. One window is {resolution} of this run: only a longer one can tell 99.9% from a little less.",
    reason_no_target: "The requirements set no target; less is better.",
    reason_not_measured: "Not measured in this rehearsal.",

    // Findings and warnings.
    findings: "Findings",
    findings_none: "Nothing beside the table needs saying.",
    finding_note: "Note",
    finding_failure: "Failure",
    finding_about: "{name}:",
    warning_word: "Warning",
    finding_unsettled: "Payments or refunds were still in process {limit} after the traffic.",
    finding_requests_failed: "In “{phase}” {share} of {attempted} requests failed ({kinds}).",
    finding_cannot_compare: "Cross-check of {check} in “{phase}”: cannot compare, {reason}.",
    finding_no_judged_phase: "No phase was named to be judged.",
    warning_shared_core: "With one core the shop and the load generator share it, and disturb each other.",
    warning_scrape_failed: "{name}: a scrape failed: {message}",

    // Charts.
    axis_time: "Time since the start of the run (s)",
    axis_tps: "Transactions per second",
    axis_latency: "Response time (ms)",
    axis_error_rate: "Error rate (%)",
    axis_cpu: "CPU, share of its limit (%)",
    axis_memory: "Memory (MiB)",
    axis_shoppers: "Shoppers",
    legend_time: "Second",
    legend_step: "Step",
    legend_offered: "Offered",
    legend_expected: "Expected from the plan",
    legend_cell: "Requests here",
    chart_help: "Point at a chart, or touch it, to read the values in its legend.",
    throughput: "Throughput over time",
    throughput_about: "Transactions per second that succeeded or got a refusal that their step expects, by the second in which they ended. The shaded bands are the phases of the run.",
    throughput_summary: "In “{phase}” {name} completed {tps} of {offered} offered transactions per second.",
    response: "Response time over time",
    response_about: "From the planned start to the last byte, so that waiting for a busy shop counts. Both shops have the same axis.",
    response_log: "The axis is logarithmic.",
    response_summary: "In “{phase}” {name} had P50 {p50}, P95 {p95} and P99 {p99}; with failed requests counted as the time-out, P95 is {verdict}.",
    heatmap: "How response times spread",
    heatmap_about: "Each cell counts the requests that were planned in that time and took that long; the darker, the more. Both axes are the same for every shop.",
    heatmap_summary: "{name}: {count} requests, at most {most} in one cell.",
    heatmap_fewer: "1 request",
    heatmap_more: "{most} requests",
    errors: "Error rate over time",
    errors_about: "Failed ÷ attempted by planned second: time-outs, transport errors, 5xx, dropped starts and any status that the step does not expect. Refusals that a step expects (sold out, payment window closed) are no errors.",
    errors_summary: "In “{phase}” {failed} of {attempted} requests to {name} failed ({rate}).",
    errors_kinds: "Most frequent failures: {kinds}.",
    resources: "Resource use",
    cpu: "Processor",
    memory: "Memory",
    cpu_about: "Processor time of the shop as a share of what it was given.",
    memory_about: "Resident memory of the shop.",
    cpu_summary: "In “{phase}” {name} used {share} of its processor time, {each} per transaction.",
    memory_summary: "{name} used at most {memory}.",

    // Phases.
    phases: "Phase by phase",
    phases_caption: "{name}: figures of every phase",
    phases_figure: "Figure",
    phase_unmeasured: "not measured",
    phase_offered: "Offered per second",
    phase_tps: "TPS",
    phase_orders: "Orders per second",
    phase_payments: "Payments per second",
    phase_attempted: "Requests planned",
    phase_refusals: "Expected refusals",
    phase_failed: "Failed",
    phase_late: "Late starts",
    phase_dropped: "Dropped starts",
    phase_error_rate: "Error rate",
    phase_p50: "P50 response time",
    phase_p95: "P95 response time",
    phase_p99: "P99 response time",
    phase_p999: "P99.9 response time",
    phase_max: "Longest response time",
    phase_verdict_p95: "P95, failures counted",
    phase_service_p95: "P95 service time",
    phase_availability: "Good windows",
    phase_cpu: "CPU, share of its limit",
    phase_cpu_per_request: "CPU per transaction",
    phase_memory: "Largest memory",
    levers: "Levers: {levers}.",
    levers_none: "No lever is on.",

    // Funnel.
    funnel: "The funnel at the peak",
    funnel_about: "Shoppers per step in “{phase}”, as the plan expects them and as they were seen. A visit ends after a failed step, so a failing shop loses shoppers on the way.",
    funnel_summary: "{name}: of {visits} visits {last} reached the step “{step}”; the plan expects {expected}.",
    funnel_caption: "Shoppers per step",
    funnel_step: "Step",
    funnel_share: "Share of visits",
    funnel_expected: "{name}, expected",
    funnel_observed: "{name}, seen",
    steps_caption: "{name}: request by request in “{phase}”",
    step_p50: "P50",
    step_p95: "P95, failures counted",

    // Audit.
    audit: "Audit",
    audit_about: "After each run an auditor that shares no code with the shop reads the store, the gateway's ledger and the shoppers' own ledger with its own SQL.",
    audit_none: "No audit was made for {name}.",
    audit_caption: "{name}: {passed} of {total} checks passed",
    audit_settled: "{name} settled after {seconds}.",
    audit_check: "Check",
    audit_examined: "Examined",
    audit_violations: "Violations",
    audit_not_checked: "• not checked",
    audit_missing_no_access: "not available: no store access",
    audit_missing_samples: "not available: samples alone do not tell what was stored",
    audit_result: "Result",
    passed: "✓ passed",
    failed: "✗ failed",

    // Cross-check.
    cross_check: "Cross-check",
    cross_check_about: "What the load generator counted against what the shop's own metrics say.",
    cross_check_none: "No cross-check was made for {name}.",
    cross_check_caption: "{name}: generator against the shop's metrics",
    cross_check_phase: "Phase",
    cross_check_what: "What",
    cross_check_generator: "Generator",
    cross_check_shop: "Shop",
    cross_check_tolerance: "May differ by",
    cross_check_whole_run: "whole run",
    cross_check_equal: "equal",
    cross_check_unknown_outcome: "{limit} of unknown outcome",
    cross_check_within_rate: "± {limit} per second",
    cross_check_within_time: "± {limit} ms",
    cross_check_requests: "requests {rest}",
    cross_check_orders: "orders placed",
    cross_check_payments: "payments captured",
    cross_check_throughput: "throughput",
    cross_check_service_time: "P95 of service time (ms)",
    why_target_restarted: "the shop restarted during the run",
    why_counter_reset: "`{series}` was reset",
    why_series_missing: "the shop has no `{series}`",
    why_no_start_time: "the run does not say when it began",
    why_no_scrape_before: "no scrape before the first request",
    why_no_scrape_after: "no scrape after the last request",
    why_scrapes_too_few: "the scrapes inside the phase span {spanned}, needed {needed}",
    why_requests_too_few: "{requests} requests between the scrapes, needed {needed}",
    why_step_without_endpoint: "the endpoint of step `{step}` is not known",
    why_waited: "requests waited {waited} before the handler",
    why_beyond_buckets: "the shop's P95 is beyond its highest bucket, {bound}",
    why_bucket_too_wide: "the shop's bucket is {width} wide, too wide to tell",
    why_unreadable: "a histogram of the run cannot be read",
    file_normal_samples: "every sample of the normal phase",
    file_peak_samples: "every sample of the peak phases",
    file_samples: "the samples that were compared",
    file_metrics: "the shop's own metrics over time, in the form of Prometheus' query_range answer",
    file_report_page: "this page",
    file_report_data: "everything this page shows, as data",
    file_picture: "the summary as a picture",
    file_markdown: "the summary as a Markdown table",
    file_histogram: "a histogram of times in HdrHistogram's percentile form",
    file_runs: "every file of every run, by the UTC time of its start",
    cross_check_agrees: "✓ agrees",
    cross_check_differs: "✗ differs",
    cross_check_cannot: "? cannot compare",

    // Generator.
    generator: "Health of the load generator",
    generator_about: "A generator at its own limit would measure itself; it watches itself for that reason.",
    generator_caption: "How the load generator fared against each shop",
    generator_figure: "Figure",
    generator_limited: "Was it the limit?",
    generator_limited_yes: "✗ yes",
    generator_limited_no: "✓ no",
    generator_cpu: "CPU, share of its own",
    generator_lag_p99: "Timer late, P99",
    generator_lag_max: "Timer late, worst",
    generator_late: "Late starts",
    generator_dropped: "Dropped starts",
    generator_in_flight: "Most in flight",
    generator_descriptors: "Open descriptors",
    of_limit: "{value} of {limit}",
    generator_none: "The generator's health was not recorded.",

    // Method.
    method: "How it was measured",
    method_pairs_one: "One run per variant, in the order {order}. One pair allows no interval and no claim of “better” or “worse”: it says whether targets were met, and by what factor two figures differ.",
    method_pairs_many: "{pairs} runs per variant, in the order {order}; the charts show the first pair.",
    method_open: "Open model: visits start at instants fixed beforehand by the seed, whether or not the shop keeps up; both shops get the same instants and the same choices.",
    method_response: "Response time counts from the planned start to the last byte, service time from sending to the last byte. Percentiles are nearest rank on a histogram with three significant digits.",
    method_verdict: "The verdict P95 counts a failed or dropped request as its response time or the time-out of {timeout}, whichever is longer: failing fast never looks fast. “≥” marks a lower bound.",
    method_errors: "Error rate is failed ÷ attempted. A dropped start is attempted and failed.",
    method_availability: "Availability is the share of one-second windows (merged until they hold 200 requests) in which at least 99% of the requests succeeded within 1 s; it is given as good of all windows.",
    method_warm_up: "The first {seconds} are a warm-up and count nowhere.",
    method_durable: "Every variant acknowledges an order only after its commit is durable.",
    facts_run: "Run and machine",
    facts_caption: "Facts of this rehearsal",
    fact: "Fact",
    value: "Value",
    fact_command: "Command",
    fact_cpu: "Processor",
    fact_cpus: "Logical processors",
    fact_memory: "Memory",
    fact_system: "System",
    fact_file_system: "File system of the store",
    fact_fdatasync: "fdatasync, median",
    fact_shop_cpus: "Shop runs on",
    fact_generator_cpus: "Generator runs on",
    fact_plan: "Plan",
    fact_normal: "Normal traffic",
    fact_normal_value: "{rate} requests/s",
    fact_connections: "Connections",
    fact_in_flight: "Most in flight",
    fact_timeout: "Request time-out",
    fact_products: "Products",
    fact_payment_window: "Payment window",
    fact_store: "Store",
    files: "Files kept",
    file_name: "File",
    file_what: "What is in it",
    footer: "Made by Double11 {version}. Charts: uPlot {uplot}, MIT licence.",

    // The claim in one sentence.
    claim_peak: "In a simulated Double 11 peak ({multiple} times the normal traffic, {offered} requests per second offered for {duration}), {optimised} handled {tps} TPS",
    claim_offered: "With {offered} requests per second offered for {duration}, {optimised} handled {tps} TPS",
    claim_plain: "In the phase “{phase}” {optimised} handled {tps} TPS",
    claim_against: " where {baseline} handled {tps}",
    claim_p95: "its P95 response time was {optimised} against {baseline}",
    claim_p95_alone: "its P95 response time was {optimised}",
    claim_availability: "{optimised} of its one-second windows were good against {baseline}",
    claim_error_rate: "its error rate was {optimised} against {baseline}",
    claim_error_rate_alone: "its error rate was {optimised}",
    claim_audit: "the audit found every acknowledged order and nothing oversold",
    claim_audit_failed: " The audit failed, so none of this counts.",
    claim_limited: " The load generator was at its own limit, so this proves nothing about the shop.",
    claim_nothing: "Nothing can be claimed: the figures of the judged phase are missing.",
    claim_and: "and",
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
    pub(crate) fn metric_chinese(&self, metric: Metric) -> &'static str {
        match metric {
            Metric::Throughput => self.metric_throughput_chinese,
            Metric::OrderRate => self.metric_orders_chinese,
            Metric::PaymentRate => self.metric_payments_chinese,
            Metric::ResponseTimeP95 => self.metric_p95_chinese,
            Metric::ErrorRate => self.metric_error_rate_chinese,
            Metric::Availability => self.metric_availability_chinese,
            Metric::CpuShare => self.metric_cpu_share_chinese,
            Metric::CpuPerRequest => self.metric_cpu_per_request_chinese,
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
            Reason::Misses => fill(self.reason_misses, &names),
            Reason::CoarseWindows { resolution } => {
                let resolution = crate::format::percent(resolution);
                fill(self.reason_coarse, &[("resolution", &resolution)])
            }
            Reason::NoTarget => self.reason_no_target.to_owned(),
            Reason::NotMeasured => self.reason_not_measured.to_owned(),
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
