//! The lever ladder: a bar per rung, and what each adds to the one before.

use maud::{Markup, html};

use super::Context;
use crate::format::{self, optional};
use crate::model::{Ladder, LadderRung, Metric};
use crate::texts::{Texts, fill};

pub(super) fn ladder(context: &Context<'_>) -> Option<Markup> {
    let ladder = context
        .report
        .ladder
        .as_ref()
        .filter(|ladder| !ladder.rungs.is_empty())?;
    let texts = context.texts;
    let offered = format::rate(ladder.offered_per_second);
    let about = fill(
        texts.ladder_about,
        &[("offered", &offered), ("phase", &ladder.phase)],
    );
    Some(html! {
        p.about { (about) }
        table.cards.ladder role="table" {
            caption { (texts.ladder_caption) }
            thead role="rowgroup" {
                tr role="row" {
                    th scope="col" role="columnheader" { (texts.ladder_rung) }
                    @for column in COLUMNS {
                        th scope="col" role="columnheader" { (context.metric(column.metric)) }
                    }
                    th.number scope="col" role="columnheader" { (texts.phase_error_rate) }
                    th scope="col" role="columnheader" { (texts.audit) }
                }
            }
            tbody role="rowgroup" {
                @for (index, rung) in ladder.rungs.iter().enumerate() {
                    (rung_row(context, ladder, index, rung))
                }
            }
        }
        @for sentence in tuned(context, ladder) { p { (sentence) } }
    })
}

/// A figure with a bar.
struct Column {
    metric: Metric,
    value: fn(&LadderRung) -> Option<f64>,
    show: fn(&LadderRung) -> String,
}

const COLUMNS: [Column; 3] = [
    Column {
        metric: Metric::Throughput,
        value: |rung| rung.throughput_per_second,
        show: |rung| optional(rung.throughput_per_second, format::rate),
    },
    Column {
        metric: Metric::ResponseTimeP95,
        value: |rung| rung.verdict_p95_ms,
        show: |rung| format::verdict_p95(rung.verdict_p95_ms, rung.verdict_p95_is_lower_bound),
    },
    Column {
        metric: Metric::CpuPerRequest,
        value: |rung| rung.cpu_per_request_us,
        show: |rung| optional(rung.cpu_per_request_us, format::microseconds),
    },
];

fn rung_row(context: &Context<'_>, ladder: &Ladder, index: usize, rung: &LadderRung) -> Markup {
    let texts = context.texts;
    let before = index
        .checked_sub(1)
        .and_then(|before| ladder.rungs.get(before));
    let audit = match rung.audit_passed {
        Some(true) => texts.passed,
        Some(false) => texts.failed,
        None => format::NONE,
    };
    html! {
        tr role="row" {
            th scope="row" role="rowheader" {
                (rung.name)
                @if !rung.added.is_empty() && rung.variant.is_some() {
                    span.sub { "+ " (rung.added.join(texts.list_separator)) }
                }
            }
            @for column in COLUMNS {
                td role="cell" data-label=(context.metric(column.metric)) {
                    (bar(texts, ladder, &column, before, rung))
                }
            }
            td.number role="cell" data-label=(texts.phase_error_rate) {
                span { (optional(rung.error_rate, format::percent)) }
            }
            td role="cell" data-label=(texts.audit) { span { (audit) } }
        }
    }
}

/// The figure, its bar as a share of the largest of all rungs, and the change.
fn bar(
    texts: &Texts,
    ladder: &Ladder,
    column: &Column,
    before: Option<&LadderRung>,
    rung: &LadderRung,
) -> Markup {
    let most = ladder
        .rungs
        .iter()
        .filter_map(column.value)
        .fold(0.0_f64, f64::max);
    let value = (column.value)(rung);
    let width = value
        .filter(|_| most > 0.0)
        .map(|value| 100.0 * value / most);
    let change = before
        .map(|before| change(column, before, rung))
        .filter(|change| change != format::NONE);
    html! {
        div {
            ((column.show)(rung))
            @if let Some(width) = width {
                span.bar aria-hidden="true" { i style=(format!("width:{width:.1}%")) {} }
            }
            @if let Some(change) = change {
                span.sub { (fill(texts.ladder_before, &[("change", &change)])) }
            }
        }
    }
}

/// A change from or to a lower bound is not known.
fn change(column: &Column, before: &LadderRung, rung: &LadderRung) -> String {
    let bounded = column.metric == Metric::ResponseTimeP95
        && (before.verdict_p95_is_lower_bound || rung.verdict_p95_is_lower_bound);
    if bounded {
        return format::NONE.to_owned();
    }
    format::change_of((column.value)(before), (column.value)(rung))
}

fn tuned(context: &Context<'_>, ladder: &Ladder) -> Vec<String> {
    sentences(context.texts, ladder, |metric| context.metric(metric))
}

/// Whether `tuned` lies between the ends, in at most three sentences.
pub(crate) fn sentences<'a>(
    texts: &Texts,
    ladder: &Ladder,
    name: impl Fn(Metric) -> &'a str,
) -> Vec<String> {
    [
        (Some(true), texts.tuned_between),
        (Some(false), texts.tuned_not_between),
        (None, texts.tuned_open),
    ]
    .into_iter()
    .filter_map(|(between, template)| {
        let metrics: Vec<&str> = ladder
            .tuned_between
            .iter()
            .filter(|tuned| tuned.between == between)
            .map(|tuned| name(tuned.metric))
            .collect();
        (!metrics.is_empty()).then(|| {
            fill(
                template,
                &[("metrics", &metrics.join(texts.list_separator))],
            )
        })
    })
    .collect()
}
