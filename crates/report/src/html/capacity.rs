//! The highest rates that each variant holds, and every rate that was tried.

use maud::{Markup, html};

use super::{Context, charts, pictures};
use crate::format::{self, optional};
use crate::model::{CapacityBracket, CapacityReport};
use crate::texts::{Texts, fill};

pub(super) fn capacity(context: &Context<'_>) -> Option<Markup> {
    let texts = context.texts;
    let searched = &context.report.capacity;
    let first = searched.first()?;
    let heads = [limits(texts, &first.strict), limits(texts, &first.relaxed)];
    let summaries: Vec<String> = searched
        .iter()
        .map(|capacity| summary(texts, capacity))
        .collect();
    let drawn = charts::capacity_is_drawable(context.report);
    Some(html! {
        p.about { (texts.capacity_about) }
        table.cards role="table" {
            caption { (texts.capacity_caption) }
            thead role="rowgroup" {
                tr role="row" {
                    th scope="col" role="columnheader" { (texts.runs_variant) }
                    @for head in &heads { th scope="col" role="columnheader" { (head) } }
                }
            }
            tbody role="rowgroup" {
                @for capacity in searched {
                    tr role="row" {
                        th scope="row" role="rowheader" { (capacity.variant) }
                        @for (head, bracket) in heads.iter().zip([&capacity.strict, &capacity.relaxed]) {
                            td role="cell" data-label=(head) {
                                div {
                                    b { (range(texts, bracket)) }
                                    @if bracket.generator_limited {
                                        span.sub { (texts.capacity_generator_limited) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        @if drawn {
            div.pair {
                (pictures::titled(charts::CAPACITY_P95, texts.capacity_p95, summaries.join(" ")))
                (pictures::titled(charts::CAPACITY_TPS, texts.capacity_tps, String::new()))
            }
        }
        @for capacity in searched { (probes(context, capacity)) }
    })
}

fn limits(texts: &Texts, bracket: &CapacityBracket) -> String {
    fill(
        texts.capacity_limits,
        &[
            ("p95", &format::limit_milliseconds(bracket.p95_limit_ms)),
            ("errors", &format::percent_short(bracket.error_rate_limit)),
        ],
    )
}

/// The two ends of a bracket in words.
pub(crate) fn range(texts: &Texts, bracket: &CapacityBracket) -> String {
    match (bracket.holds_at, bracket.fails_at) {
        (Some(low), Some(high)) => fill(
            texts.capacity_between,
            &[("low", &format::rate(low)), ("high", &format::rate(high))],
        ),
        (Some(low), None) => fill(texts.capacity_at_least, &[("low", &format::rate(low))]),
        (None, Some(high)) => fill(texts.capacity_below, &[("high", &format::rate(high))]),
        (None, None) => texts.capacity_unknown.to_owned(),
    }
}

fn summary(texts: &Texts, capacity: &CapacityReport) -> String {
    fill(
        texts.capacity_summary,
        &[
            ("name", capacity.variant.as_str()),
            ("strict", &range(texts, &capacity.strict)),
            ("relaxed", &range(texts, &capacity.relaxed)),
            (
                "strict_limit",
                &format::limit_milliseconds(capacity.strict.p95_limit_ms),
            ),
            (
                "relaxed_limit",
                &format::limit_milliseconds(capacity.relaxed.p95_limit_ms),
            ),
        ],
    )
}

fn probes(context: &Context<'_>, capacity: &CapacityReport) -> Markup {
    let texts = context.texts;
    let caption = fill(texts.capacity_probes, &[("name", &capacity.variant)]);
    let holds = |template, bracket: &CapacityBracket| {
        let limit = format::limit_milliseconds(bracket.p95_limit_ms);
        fill(template, &[("p95", &limit)])
    };
    let answer = |holds: bool| if holds { texts.yes } else { texts.no };
    html! {
        details {
            summary { (caption) }
            div.scroll role="region" tabindex="0" aria-label=(caption) {
                table.wide {
                    thead {
                        tr {
                            th scope="col" { (texts.axis_offered) }
                            th.number scope="col" { (texts.phase_tps) }
                            th.number scope="col" { (texts.phase_orders) }
                            th.number scope="col" { (texts.step_p95) }
                            th.number scope="col" { (texts.phase_error_rate) }
                            th.number scope="col" { (texts.phase_cpu) }
                            th scope="col" { (holds(texts.capacity_strict, &capacity.strict)) }
                            th scope="col" { (holds(texts.capacity_relaxed, &capacity.relaxed)) }
                            th scope="col" { (texts.runs_generator) }
                        }
                    }
                    tbody {
                        @for probe in &capacity.probes {
                            tr {
                                th scope="row" { (format::rate(probe.offered_per_second)) }
                                td.number { (optional(probe.throughput_per_second, format::rate)) }
                                td.number { (optional(probe.orders_per_second, format::rate)) }
                                td.number {
                                    (format::verdict_p95(
                                        probe.verdict_p95_ms,
                                        probe.verdict_p95_is_lower_bound,
                                    ))
                                }
                                td.number { (optional(probe.error_rate, format::percent)) }
                                td.number { (optional(probe.cpu_share, format::percent)) }
                                td { (answer(probe.holds_strict)) }
                                td { (answer(probe.holds_relaxed)) }
                                td {
                                    @if probe.generator_limited { (texts.runs_generator_limited) }
                                    @else { (texts.runs_generator_fine) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
