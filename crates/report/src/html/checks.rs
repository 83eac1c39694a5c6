//! What stands behind the figures: audit, cross-check, the generator's own health.

use maud::{Markup, html};

use super::Context;
use crate::format::{self, count, optional};
use crate::model::{
    AuditCheck, AuditMissing, AuditReport, AuditStatus, CrossCheckReport, CrossCheckResult,
    CrossCheckStatus, GeneratorHealth, VariantReport,
};
use crate::texts::{Texts, fill};

pub(super) fn audit(context: &Context<'_>) -> Markup {
    let texts = context.texts;
    html! {
        p.about { (texts.audit_about) }
        @for (_, variant) in context.variants() {
            @match &variant.audit {
                Some(audit) => (audit_table(texts, &variant.name, audit)),
                None => p {
                    (fill(texts.audit_none, &[("name", &variant.name)]))
                    @match variant.audit_missing {
                        Some(AuditMissing::NoStoreAccess) => (format!(" {}", texts.audit_missing_no_access)),
                        Some(AuditMissing::NotFromSamples) => (format!(" {}", texts.audit_missing_samples)),
                        None => {},
                    }
                },
            }
        }
    }
}

fn audit_table(texts: &Texts, name: &str, audit: &AuditReport) -> Markup {
    let passed = audit
        .checks
        .iter()
        .filter(|check| check.status == AuditStatus::Passed)
        .count();
    let caption = fill(
        texts.audit_caption,
        &[
            ("name", name),
            ("passed", &passed.to_string()),
            ("total", &audit.checks.len().to_string()),
        ],
    );
    let settled = audit.settled_after_s.map(|seconds| {
        fill(
            texts.audit_settled,
            &[("name", name), ("seconds", &texts.seconds(seconds))],
        )
    });
    html! {
        h3 { (caption) " " (pass_badge(texts, audit.passed)) }
        @if let Some(settled) = settled { p.about { (settled) } }
        table.cards role="table" aria-label=(caption) {
            thead role="rowgroup" {
                tr role="row" {
                    th scope="col" role="columnheader" { (texts.audit_check) }
                    th.number scope="col" role="columnheader" { (texts.audit_examined) }
                    th.number scope="col" role="columnheader" { (texts.audit_violations) }
                    th scope="col" role="columnheader" { (texts.audit_result) }
                }
            }
            tbody role="rowgroup" {
                @for check in &audit.checks { (audit_row(texts, check)) }
            }
        }
    }
}

fn audit_row(texts: &Texts, check: &AuditCheck) -> Markup {
    html! {
        tr role="row" {
            th scope="row" role="rowheader" {
                code { (check.name) }
                span.sub { (texts.audit_check(check)) }
            }
            td.number role="cell" data-label=(texts.audit_examined) { span { (count(check.examined)) } }
            td.number role="cell" data-label=(texts.audit_violations) {
                span { (count(check.violations)) }
            }
            td role="cell" data-label=(texts.audit_result) {
                div {
                    @match &check.status {
                        AuditStatus::Passed => (pass_badge(texts, true)),
                        AuditStatus::Failed => (pass_badge(texts, false)),
                        AuditStatus::NotChecked { reason } => {
                            span.badge { (texts.audit_not_checked) }
                            span.sub { (texts.audit_reason(reason)) }
                        },
                    }
                    @for finding in &check.findings { span.sub { (finding) } }
                }
            }
        }
    }
}

fn pass_badge(texts: &Texts, passed: bool) -> Markup {
    if passed {
        html! { span.badge.good { (texts.passed) } }
    } else {
        html! { span.badge.bad { (texts.failed) } }
    }
}

pub(super) fn cross_check(context: &Context<'_>) -> Markup {
    let texts = context.texts;
    html! {
        p.about { (texts.cross_check_about) }
        @for (_, variant) in context.variants() {
            @match variant.cross_check.as_ref().filter(|check| !check.results.is_empty()) {
                Some(check) => (cross_check_table(texts, &variant.name, check)),
                None => p { (fill(texts.cross_check_none, &[("name", &variant.name)])) },
            }
        }
    }
}

fn cross_check_table(texts: &Texts, name: &str, check: &CrossCheckReport) -> Markup {
    let caption = fill(texts.cross_check_caption, &[("name", name)]);
    html! {
        h3 { (caption) }
        (comparisons(texts, &caption, (texts.cross_check_shop, &check.results)))
    }
}

/// Comparisons of the generator with whom the second column names.
pub(super) fn comparisons(
    texts: &Texts,
    caption: &str,
    (with, results): (&str, &[CrossCheckResult]),
) -> Markup {
    html! {
        table.cards role="table" aria-label=(caption) {
            thead role="rowgroup" {
                tr role="row" {
                    th scope="col" role="columnheader" { (texts.cross_check_what) }
                    th scope="col" role="columnheader" { (texts.cross_check_phase) }
                    th.number scope="col" role="columnheader" { (texts.cross_check_generator) }
                    th.number scope="col" role="columnheader" { (with) }
                    th.number scope="col" role="columnheader" { (texts.cross_check_tolerance) }
                    th scope="col" role="columnheader" { (texts.audit_result) }
                }
            }
            tbody role="rowgroup" {
                @for result in results { (comparison(texts, with, result)) }
            }
        }
    }
}

fn comparison(texts: &Texts, with: &str, result: &CrossCheckResult) -> Markup {
    html! {
        tr role="row" {
            th scope="row" role="rowheader" { (texts.compared(result.kind, &result.what)) }
            td role="cell" data-label=(texts.cross_check_phase) {
                span { (texts.phase_or_run(result.phase.as_deref())) }
            }
            td.number role="cell" data-label=(texts.cross_check_generator) {
                span { (optional(result.generator, format::plain)) }
            }
            td.number role="cell" data-label=(with) {
                span { (optional(result.shop, format::plain)) }
            }
            td.number role="cell" data-label=(texts.cross_check_tolerance) {
                span { (texts.tolerance(result)) }
            }
            td role="cell" data-label=(texts.audit_result) {
                div {
                    (status_badge(texts, result.status))
                    @if let Some(why) = &result.why { span.sub { (texts.cross_check_reason(why)) } }
                }
            }
        }
    }
}

fn status_badge(texts: &Texts, status: CrossCheckStatus) -> Markup {
    let class = match status {
        CrossCheckStatus::Agrees => "good",
        CrossCheckStatus::Differs => "bad",
        CrossCheckStatus::CannotCompare => "doubt",
    };
    html! { span class={ "badge " (class) } { (texts.cross_check_status(status)) } }
}

pub(super) fn generator(context: &Context<'_>) -> Markup {
    let texts = context.texts;
    let watched: Vec<(usize, &VariantReport, &GeneratorHealth)> = context
        .variants()
        .filter_map(|(index, variant)| Some((index, variant, variant.generator.as_ref()?)))
        .collect();
    if watched.is_empty() {
        return html! { p { (texts.generator_none) } };
    }
    html! {
        p.about { (texts.generator_about) }
        div.scroll role="region" tabindex="0" aria-label=(texts.generator_caption) {
            table.wide {
                caption { span { (texts.generator_caption) } }
                thead {
                    tr {
                        th scope="col" { (texts.generator_figure) }
                        @for (index, variant, _) in &watched {
                            th class=(format!("number tone-{}", index % 4)) scope="col" {
                                (variant.name)
                            }
                        }
                    }
                }
                tbody {
                    @for (label, show) in HEALTH {
                        tr {
                            th scope="row" { (label(texts)) }
                            @for (_, _, health) in &watched { td.number { (show(health, texts)) } }
                        }
                    }
                }
            }
        }
        @for (_, variant, health) in &watched {
            @for note in &health.notes { p { b { (variant.name) } ": " (note) } }
        }
    }
}

type Label = fn(&Texts) -> &'static str;
type Show = fn(&GeneratorHealth, &Texts) -> String;

const HEALTH: [(Label, Show); 8] = [
    (
        |texts| texts.generator_limited,
        |health, texts| {
            let answer = if health.limited {
                texts.generator_limited_yes
            } else {
                texts.generator_limited_no
            };
            answer.to_owned()
        },
    ),
    (
        |texts| texts.generator_cpu,
        |health, _| optional(health.cpu_share, format::percent),
    ),
    (
        |texts| texts.generator_lag_p99,
        |health, _| optional(health.scheduling_lag_p99_ms, format::milliseconds),
    ),
    (
        |texts| texts.generator_lag_max,
        |health, _| optional(health.scheduling_lag_max_ms, format::milliseconds),
    ),
    (|texts| texts.generator_late, |health, _| count(health.late)),
    (
        |texts| texts.generator_dropped,
        |health, _| count(health.dropped),
    ),
    (
        |texts| texts.generator_in_flight,
        |health, _| {
            health
                .in_flight_max
                .map_or_else(|| format::NONE.to_owned(), count)
        },
    ),
    (
        |texts| texts.generator_descriptors,
        |health, texts| match (health.descriptors_max, health.descriptor_limit) {
            (Some(most), Some(limit)) => fill(
                texts.of_limit,
                &[("value", &count(most)), ("limit", &count(limit))],
            ),
            (Some(most), None) => count(most),
            (None, _) => format::NONE.to_owned(),
        },
    ),
];
