//! Figures phase by phase and step by step, and the funnel.

use maud::{Markup, html};

use super::{Context, pictures};
use crate::format::{self, count, optional};
use crate::model::{FunnelStep, GroupMemory, PhaseReport, VariantReport};
use crate::texts::{Texts, fill};

pub(super) fn phases(context: &Context<'_>) -> Markup {
    let texts = context.texts;
    html! {
        @for (index, variant) in context.variants() {
            h3 class=(format!("tone-{}", index % 4)) { (variant.name) }
            p.about {
                @if variant.levers.is_empty() {
                    (texts.levers_none)
                } @else {
                    (fill(texts.levers, &[("levers", &variant.levers.join(texts.list_separator))]))
                }
            }
            @if let Some(memory) = variant.group_memory { p.about { (group_memory(texts, memory)) } }
            (phase_table(context, variant))
            @if !variant.steps.is_empty() { (step_table(context, variant)) }
        }
    }
}

fn group_memory(texts: &Texts, memory: GroupMemory) -> String {
    fill(
        texts.group_memory,
        &[
            ("peak", &optional_bytes(memory.peak_bytes)),
            ("kills", &count(memory.oom_kills)),
        ],
    )
}

fn optional_bytes(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| format::NONE.to_owned(), format::bytes)
}

/// The figures stand in rows and the phases in columns: there are many figures and few phases.
fn phase_table(context: &Context<'_>, variant: &VariantReport) -> Markup {
    let texts = context.texts;
    let caption = fill(texts.phases_caption, &[("name", &variant.name)]);
    let judged = |phase: &PhaseReport| phase.name == context.judged_phase;
    html! {
        div.scroll role="region" tabindex="0" aria-label=(caption) {
            table.wide {
                caption { span { (caption) } }
                thead {
                    tr {
                        th scope="col" { (texts.phases_figure) }
                        @for phase in &variant.phases {
                            th.number.judged[judged(phase)] scope="col" {
                                (phase.name)
                                @if !phase.measured { span.sub { (texts.phase_unmeasured) } }
                                @else { span.sub { (texts.seconds(phase.duration_s)) } }
                            }
                        }
                    }
                }
                tbody {
                    @for (label, show) in FIGURES {
                        @if variant.phases.iter().any(|phase| show(phase) != format::NONE) {
                            tr {
                                th scope="row" { (label(texts)) }
                                @for phase in &variant.phases {
                                    td.number.judged[judged(phase)] { (show(phase)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

type Label = fn(&Texts) -> &'static str;
type Show = fn(&PhaseReport) -> String;

const FIGURES: [(Label, Show); 23] = [
    (
        |texts| texts.phase_offered,
        |phase| optional(phase.offered_per_second, format::rate),
    ),
    (
        |texts| texts.phase_tps,
        |phase| optional(phase.throughput_per_second, format::rate),
    ),
    (
        |texts| texts.phase_orders,
        |phase| optional(phase.orders_per_second, format::rate),
    ),
    (
        |texts| texts.phase_payments,
        |phase| optional(phase.payments_per_second, format::rate),
    ),
    (
        |texts| texts.phase_attempted,
        |phase| count(phase.attempted),
    ),
    (
        |texts| texts.phase_refusals,
        |phase| count(phase.expected_refusals),
    ),
    (|texts| texts.phase_failed, |phase| count(phase.failed)),
    (|texts| texts.phase_dropped, |phase| count(phase.dropped)),
    (|texts| texts.phase_late, |phase| count(phase.late)),
    (
        |texts| texts.phase_error_rate,
        |phase| optional(phase.error_rate, format::percent),
    ),
    (
        |texts| texts.phase_availability,
        |phase| {
            phase
                .availability
                .filter(|windows| windows.total > 0)
                .map_or_else(
                    || format::NONE.to_owned(),
                    |windows| format!("{}/{}", count(windows.good), count(windows.total)),
                )
        },
    ),
    (
        |texts| texts.phase_p50,
        |phase| optional(phase.response_time.p50_ms, format::milliseconds),
    ),
    (
        |texts| texts.phase_p95,
        |phase| optional(phase.response_time.p95_ms, format::milliseconds),
    ),
    (
        |texts| texts.phase_verdict_p95,
        |phase| format::verdict_p95(phase.verdict_p95_ms, phase.verdict_p95_is_lower_bound),
    ),
    (
        |texts| texts.phase_p99,
        |phase| optional(phase.response_time.p99_ms, format::milliseconds),
    ),
    (
        |texts| texts.phase_p999,
        |phase| optional(phase.response_time.p999_ms, format::milliseconds),
    ),
    (
        |texts| texts.phase_max,
        |phase| optional(phase.response_time.max_ms, format::milliseconds),
    ),
    (
        |texts| texts.phase_service_p95,
        |phase| optional(phase.service_time.p95_ms, format::milliseconds),
    ),
    (
        |texts| texts.phase_cpu,
        |phase| optional(phase.cpu_share, format::percent),
    ),
    (
        |texts| texts.phase_cpu_per_request,
        |phase| optional(phase.cpu_per_request_us, format::microseconds),
    ),
    (
        |texts| texts.phase_memory,
        |phase| optional_bytes(phase.memory_max_bytes),
    ),
    (
        |texts| texts.phase_throttled,
        |phase| {
            let throttling = phase.throttling.filter(|throttling| throttling.periods > 0);
            throttling.map_or_else(
                || format::NONE.to_owned(),
                |seen| format!("{}/{}", count(seen.throttled), count(seen.periods)),
            )
        },
    ),
    (
        |texts| texts.phase_waited,
        |phase| {
            optional(
                phase.throttling.map(|seen| seen.waited_s * 1e3),
                format::milliseconds,
            )
        },
    ),
];

fn step_table(context: &Context<'_>, variant: &VariantReport) -> Markup {
    let texts = context.texts;
    let caption = fill(
        texts.steps_caption,
        &[("name", &variant.name), ("phase", context.judged_phase)],
    );
    html! {
        div.scroll role="region" tabindex="0" aria-label=(caption) {
            table.wide {
                caption { span { (caption) } }
                thead {
                    tr {
                        th scope="col" { (texts.funnel_step) }
                        th.number scope="col" { (texts.phase_attempted) }
                        th.number scope="col" { (texts.phase_tps) }
                        th.number scope="col" { (texts.step_p50) }
                        th.number scope="col" { (texts.step_p95) }
                        th.number scope="col" { (texts.phase_error_rate) }
                    }
                }
                tbody {
                    @for step in &variant.steps {
                        tr {
                            th scope="row" { code { (step.step) } }
                            td.number { (count(step.attempted)) }
                            td.number { (optional(step.throughput_per_second, format::rate)) }
                            td.number { (optional(step.p50_ms, format::milliseconds)) }
                            td.number {
                                (format::verdict_p95(
                                    step.verdict_p95_ms,
                                    step.verdict_p95_is_lower_bound,
                                ))
                            }
                            td.number { (optional(step.error_rate, format::percent)) }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn funnel(context: &Context<'_>) -> Option<Markup> {
    let texts = context.texts;
    let with_funnel: Vec<&VariantReport> = context
        .variants()
        .map(|(_, variant)| variant)
        .filter(|variant| !variant.funnel.is_empty())
        .collect();
    let first = with_funnel.first()?;
    let summaries: Vec<String> = with_funnel
        .iter()
        .filter_map(|variant| funnel_summary(texts, variant))
        .collect();
    Some(html! {
        p.about { (context.fill(texts.funnel_about)) }
        (pictures::funnel_picture(summaries.join(" ")))
        div.scroll role="region" tabindex="0" aria-label=(texts.funnel_caption) {
            table.wide {
                caption { span { (texts.funnel_caption) } }
                thead {
                    tr {
                        th scope="col" { (texts.funnel_step) }
                        th.number scope="col" { (texts.funnel_share) }
                        @for variant in &with_funnel {
                            @let name = [("name", variant.name.as_str())];
                            th.number scope="col" { (fill(texts.funnel_expected, &name)) }
                            th.number scope="col" { (fill(texts.funnel_observed, &name)) }
                        }
                    }
                }
                tbody { @for step in &first.funnel { (funnel_row(step, &with_funnel)) } }
            }
        }
    })
}

fn funnel_row(step: &FunnelStep, variants: &[&VariantReport]) -> Markup {
    html! {
        tr {
            th scope="row" { code { (step.step) } }
            td.number { (format::percent(step.expected_share)) }
            @for variant in variants {
                @let seen = variant.funnel.iter().find(|other| other.step == step.step);
                td.number { (optional(seen.map(|seen| seen.expected_users.round()), format::plain)) }
                td.number { (seen.map_or(format::NONE.to_owned(), |seen| count(seen.observed_users))) }
            }
        }
    }
}

fn funnel_summary(texts: &Texts, variant: &VariantReport) -> Option<String> {
    let (first, last) = (variant.funnel.first()?, variant.funnel.last()?);
    Some(fill(
        texts.funnel_summary,
        &[
            ("name", variant.name.as_str()),
            ("visits", &count(first.observed_users)),
            ("last", &count(last.observed_users)),
            ("step", &last.step),
            ("expected", &format::plain(last.expected_users.round())),
        ],
    ))
}
