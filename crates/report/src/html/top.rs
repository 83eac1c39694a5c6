//! The top of the page: what was run, the verdict, the table of improvements, the findings.

use maud::{Markup, html};

use super::Context;
use crate::format;
use crate::model::{Finding, ImprovementRow, Metric, Outcome, Severity, TargetVerdict};
use crate::sentence::claim;
use crate::texts::{Texts, fill};

pub(super) fn header(context: &Context<'_>) -> Markup {
    let (run, texts) = (&context.report.run, context.texts);
    html! {
        header {
            // Shown by the script, which switches.
            button.theme type="button" hidden { (texts.theme_dark) }
            p.eyebrow { (texts.eyebrow) }
            h1 { (context.fill(texts.heading)) }
            ul.when {
                li { (texts.started) " " b { (run.started_at) } }
                @if let Some(duration) = run.duration_s {
                    li { (texts.duration) " " b { (texts.seconds(duration)) } }
                }
                @if !context.is_samples_only() { li { (texts.seed) " " b { (run.seed) } } }
                li { (texts.version) " " b { (run.version) } }
                @if let Some(commit) = &run.git_commit {
                    li { (texts.build) " " code { (commit) } }
                }
            }
        }
    }
}

pub(super) fn outcome(context: &Context<'_>) -> Markup {
    let (class, sign) = match context.report.outcome {
        Outcome::Passed => ("passed", "✓"),
        Outcome::Failed => ("failed", "✗"),
        Outcome::CannotJudge => ("cannot-judge", "?"),
    };
    let (title, why) = context.texts.outcome(context.report.outcome);
    html! {
        div class={ "outcome " (class) } {
            strong { (sign) " " (title) }
            p { (claim(context.report, context.language)) }
            p { (context.fill(why)) }
            @if !context.report.incomparable.is_empty() {
                h2 { (context.texts.incomparable) }
                ul.remarks {
                    @for why in &context.report.incomparable {
                        li { (context.texts.incomparable(why)) }
                    }
                }
            }
        }
    }
}

pub(super) fn improvement(context: &Context<'_>) -> Markup {
    let texts = context.texts;
    let last = context.report.variants.len().saturating_sub(1);
    html! {
        table.cards role="table" {
            caption { (context.fill(texts.improvement_caption)) }
            thead role="rowgroup" {
                tr role="row" {
                    th scope="col" role="columnheader" { (texts.column_metric) }
                    th scope="col" role="columnheader" { (texts.column_requirement_long) }
                    th.number.tone-0 scope="col" role="columnheader" { (context.baseline) }
                    th class={ "number tone-" (last % 4) } scope="col" role="columnheader" {
                        (context.optimised)
                    }
                    th.number scope="col" role="columnheader" { (texts.column_change) }
                    th scope="col" role="columnheader" { (texts.column_verdict) }
                    th scope="col" role="columnheader" { (texts.column_why) }
                }
            }
            tbody role="rowgroup" {
                @for row in &context.report.improvement { (improvement_row(context, row)) }
            }
        }
        @if context.report.method.pairs > 1 {
            @let runs = context.report.method.pairs.to_string();
            p.note {
                (fill(texts.improvement_runs, &[("runs", &runs)]))
                " " (fill(texts.charts_first_pair, &[("pairs", &runs)]))
            }
        }
        @if context.is_service_time_only() { p.note { (texts.method_service_time) } }
        @if context.shops_are_ours() {
            p.note { (texts.improvement_note) }
            @if let Some(note) = texts.sync_note(context.report.host.fdatasync_ms) {
                p.note { (note) }
            }
        }
    }
}

fn improvement_row(context: &Context<'_>, row: &ImprovementRow) -> Markup {
    let texts = context.texts;
    let baseline_says = row.baseline_meets_target.map(|meets| {
        if meets {
            texts.meets_target
        } else {
            texts.misses_target
        }
    });
    html! {
        tr role="row" {
            th scope="row" role="rowheader" {
                (context.metric(row.metric))
                // The other language's word is that of the requirements: response time.
                @if !(context.is_service_time_only() && row.metric == Metric::ResponseTimeP95) {
                    " "
                    span.chinese lang=(texts.other_language) { (texts.metric_other(row.metric)) }
                }
            }
            td role="cell" data-label=(texts.column_requirement) {
                span.still { (Texts::requirement(row)) }
            }
            td.number role="cell" data-label=(context.baseline) {
                div {
                    (format::figure(row.baseline, texts))
                    @if let Some(says) = baseline_says { span.sub.still { (says) } }
                }
            }
            td.number role="cell" data-label=(context.optimised) {
                b { (format::figure(row.optimised, texts)) }
            }
            td.number role="cell" data-label=(texts.column_change) {
                span { (format::change(row, texts)) }
            }
            td role="cell" data-label=(texts.column_verdict) {
                div { (verdict_badge(texts, row.verdict)) }
            }
            td role="cell" data-label=(texts.column_why) {
                span { (texts.reason(row, context.baseline, context.optimised)) }
            }
        }
    }
}

fn verdict_badge(texts: &Texts, verdict: TargetVerdict) -> Markup {
    let class = match verdict {
        TargetVerdict::Met => "good",
        TargetVerdict::Missed => "bad",
        TargetVerdict::Finding => "info",
        TargetVerdict::NotJudged => "doubt",
    };
    html! { span class={ "badge " (class) } { (texts.verdict(verdict)) } }
}

pub(super) fn findings(context: &Context<'_>) -> Markup {
    let (report, texts) = (context.report, context.texts);
    if report.findings.is_empty() && report.warnings.is_empty() {
        return html! { p { (texts.findings_none) } };
    }
    html! {
        ul.remarks {
            @for finding in &report.findings { (finding_item(texts, finding)) }
            @for warning in &report.warnings {
                li { span.badge.doubt { "! " (texts.warning_word) } (texts.warning(warning)) }
            }
        }
    }
}

fn finding_item(texts: &Texts, finding: &Finding) -> Markup {
    let (class, sign) = match finding.severity {
        Severity::Note => ("info", "•"),
        Severity::Failure => ("bad", "✗"),
    };
    let severity = texts.severity(finding.severity);
    html! {
        li {
            span class={ "badge " (class) } { (sign) " " (severity) }
            @if let Some(variant) = &finding.variant {
                b { (fill(texts.finding_about, &[("name", variant)])) } " "
            }
            (texts.finding(finding))
        }
    }
}
