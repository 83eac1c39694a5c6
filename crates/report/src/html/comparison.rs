//! What all pairs of runs say together: table, forest plot, differences and every run.

use maud::{Markup, html};

use super::Context;
use super::forest::Track;
use crate::figures::{figure, median};
use crate::format;
use crate::model::{
    Comparison, ComparisonVerdict, DifferenceComparison, Metric, MetricComparison, RunReport,
};
use crate::texts::fill;

pub(super) fn comparison(context: &Context<'_>) -> Option<Markup> {
    let comparison = context.report.comparison.as_ref()?;
    let texts = context.texts;
    let level = format::percent_short(comparison.confidence_level);
    let effect = format::percent_short(comparison.minimum_effect);
    let error = format::percent_short(1.0 - comparison.confidence_level);
    let pairs = comparison.pairs.to_string();
    let values = [
        ("level", level.as_str()),
        ("effect", &effect),
        ("error", &error),
        ("pairs", &pairs),
        ("baseline", context.baseline),
        ("optimised", context.optimised),
    ];
    let tracks: Vec<Track> = comparison
        .metrics
        .iter()
        .filter_map(|compared| Track::of(compared, comparison.minimum_effect))
        .collect();
    // Below, there is no interval and nothing to explain.
    let is_enough = comparison.pairs >= comparison.pairs_needed;
    Some(html! {
        @if is_enough { p.about { (fill(texts.comparison_about, &values)) } }
        (ratio_table(context, comparison, &values))
        @if is_enough { p.note { (fill(texts.comparison_meaning, &values)) } }
        @if is_enough && !tracks.is_empty() {
            p.about { (fill(texts.forest_about, &values)) }
            div.forest { @for track in &tracks { (track.render(context)) } }
        }
        @if !comparison.differences.is_empty() { (difference_table(context, comparison, &values)) }
        @if !context.report.runs.is_empty() { (every_run(context)) }
    })
}

fn ratio_table(context: &Context<'_>, comparison: &Comparison, values: &[(&str, &str)]) -> Markup {
    let texts = context.texts;
    let last = context.report.variants.len().saturating_sub(1);
    let median_of = |name: &str| match comparison.pairs {
        0 | 1 => name.to_owned(),
        _ => fill(texts.comparison_median, &[("name", name)]),
    };
    let interval = fill(texts.comparison_interval, values);
    html! {
        table.cards role="table" {
            caption { (fill(texts.comparison_caption, values)) }
            thead role="rowgroup" {
                tr role="row" {
                    th scope="col" role="columnheader" { (texts.column_metric) }
                    th.number.tone-0 scope="col" role="columnheader" { (median_of(context.baseline)) }
                    th class={ "number tone-" (last % 4) } scope="col" role="columnheader" {
                        (median_of(context.optimised))
                    }
                    th.number scope="col" role="columnheader" { (texts.comparison_ratio) }
                    th.number scope="col" role="columnheader" { (interval) }
                    th.number scope="col" role="columnheader" { (texts.comparison_p) }
                    th scope="col" role="columnheader" { (texts.column_verdict) }
                    th scope="col" role="columnheader" { (texts.column_why) }
                }
            }
            tbody role="rowgroup" {
                @for compared in &comparison.metrics {
                    (ratio_row(context, comparison, compared, &interval))
                }
            }
        }
    }
}

fn ratio_row(
    context: &Context<'_>,
    comparison: &Comparison,
    compared: &MetricComparison,
    interval: &str,
) -> Markup {
    let texts = context.texts;
    let baseline = compared.runs.iter().map(|pair| pair.baseline);
    let optimised = compared.runs.iter().map(|pair| pair.optimised);
    let middle = |figures: Option<Vec<_>>| format::figure(figures.and_then(median), texts);
    html! {
        tr role="row" {
            th scope="row" role="rowheader" {
                (context.metric(compared.metric))
                span.sub { (direction(context, compared.metric)) }
            }
            td.number role="cell" data-label=(context.baseline) {
                span { (middle(baseline.collect())) }
            }
            td.number role="cell" data-label=(context.optimised) {
                b { (middle(optimised.collect())) }
            }
            td.number role="cell" data-label=(texts.comparison_ratio) {
                span { (format::estimate(compared.ratio)) }
            }
            td.number role="cell" data-label=(interval) {
                span { (format::interval(compared.ratio, texts)) }
            }
            td.number role="cell" data-label=(texts.comparison_p) {
                span { (format::optional(compared.adjusted_p_value, format::probability)) }
            }
            td role="cell" data-label=(texts.column_verdict) {
                div { (verdict_badge(context, compared.verdict)) }
            }
            td role="cell" data-label=(texts.column_why) {
                span { (texts.comparison_reason(compared.reason, comparison)) }
            }
        }
    }
}

fn direction(context: &Context<'_>, metric: Metric) -> &'static str {
    match metric {
        Metric::Throughput | Metric::OrderRate | Metric::PaymentRate | Metric::Availability => {
            context.texts.higher_is_better
        }
        Metric::ResponseTimeP95 | Metric::ErrorRate | Metric::CpuShare | Metric::CpuPerRequest => {
            context.texts.lower_is_better
        }
    }
}

fn verdict_badge(context: &Context<'_>, verdict: ComparisonVerdict) -> Markup {
    let class = match verdict {
        ComparisonVerdict::Better => "good",
        ComparisonVerdict::Worse => "bad",
        ComparisonVerdict::NotShown => "doubt",
    };
    html! { span class={ "badge " (class) } { (context.texts.comparison_verdict(verdict)) } }
}

fn difference_table(
    context: &Context<'_>,
    comparison: &Comparison,
    values: &[(&str, &str)],
) -> Markup {
    let texts = context.texts;
    let interval = fill(texts.comparison_interval, values);
    html! {
        table.cards role="table" {
            caption { (fill(texts.differences_caption, values)) }
            thead role="rowgroup" {
                tr role="row" {
                    th scope="col" role="columnheader" { (texts.column_metric) }
                    th.number scope="col" role="columnheader" { (texts.difference) }
                    th.number scope="col" role="columnheader" { (interval) }
                    th scope="col" role="columnheader" { (texts.column_why) }
                }
            }
            tbody role="rowgroup" {
                @for compared in &comparison.differences {
                    (difference_row(context, compared, &interval))
                }
            }
        }
    }
}

fn difference_row(
    context: &Context<'_>,
    compared: &DifferenceComparison,
    interval: &str,
) -> Markup {
    let texts = context.texts;
    let points = |value: f64| fill(texts.points, &[("points", &format::points(value))]);
    let ends = compared
        .difference
        .and_then(|difference| difference.low.zip(difference.high));
    let ends = ends.map_or_else(
        || format::NONE.to_owned(),
        |(low, high)| {
            fill(
                texts.comparison_interval_value,
                &[("low", &format::points(low)), ("high", &points(high))],
            )
        },
    );
    html! {
        tr role="row" {
            th scope="row" role="rowheader" {
                (context.metric(compared.metric))
                span.sub { (direction(context, compared.metric)) }
            }
            td.number role="cell" data-label=(texts.difference) {
                span {
                    (compared.difference.map_or_else(
                        || format::NONE.to_owned(),
                        |difference| points(difference.estimate),
                    ))
                }
            }
            td.number role="cell" data-label=(interval) { span { (ends) } }
            td role="cell" data-label=(texts.column_why) {
                span { (texts.rule_of_three(compared, context.optimised)) }
            }
        }
    }
}

/// Every run of every pair, folded up: there are a dozen, and the table above says what they say
/// together.
pub(super) fn every_run(context: &Context<'_>) -> Markup {
    let texts = context.texts;
    html! {
        details {
            summary { (texts.runs_every) }
            div.scroll role="region" tabindex="0" aria-label=(texts.runs_every) {
                table.wide {
                    thead {
                        tr {
                            th scope="col" { (texts.runs_pair) }
                            th scope="col" { (texts.runs_variant) }
                            @for metric in RUN_METRICS {
                                th.number scope="col" { (context.metric(metric)) }
                            }
                            th scope="col" { (texts.audit) }
                            th scope="col" { (texts.runs_cross_check) }
                            th scope="col" { (texts.runs_generator) }
                            th scope="col" { (texts.runs_folder) }
                        }
                    }
                    tbody { @for run in &context.report.runs { (run_row(context, run)) } }
                }
            }
        }
    }
}

const RUN_METRICS: [Metric; 6] = [
    Metric::Throughput,
    Metric::ResponseTimeP95,
    Metric::ErrorRate,
    Metric::Availability,
    Metric::CpuShare,
    Metric::CpuPerRequest,
];

fn run_row(context: &Context<'_>, run: &RunReport) -> Markup {
    let texts = context.texts;
    let audit = match run.audit_passed {
        Some(true) => texts.passed,
        Some(false) => texts.failed,
        None => format::NONE,
    };
    let cross_check = match run.cross_check_failed {
        Some(true) => texts.cross_check_differs,
        Some(false) => texts.cross_check_agrees,
        None => format::NONE,
    };
    let generator = match run.generator_limited {
        Some(true) => texts.runs_generator_limited,
        Some(false) => texts.runs_generator_fine,
        None => format::NONE,
    };
    html! {
        tr {
            th scope="row" { (run.pair) }
            td { (run.variant) }
            @for metric in RUN_METRICS {
                @let shown = run.judged.as_ref().and_then(|phase| figure(metric, phase));
                td.number { (format::figure(shown, texts)) }
            }
            td { (audit) }
            td { (cross_check) }
            td { (generator) }
            td { @if run.folder.is_empty() { (format::NONE) } @else { code { (run.folder) } } }
        }
    }
}
