//! The run as a Prometheus saw it, beside the generator.

use maud::{Markup, html};

use super::checks::comparisons;
use super::pictures::Picture;
use super::{Context, charts};
use crate::format::{self, optional};
use crate::model::{CrossCheckKind, PrometheusReport};
use crate::texts::{Texts, fill};

/// `None` where no Prometheus was asked.
pub(super) fn prometheus(context: &Context<'_>) -> Option<Markup> {
    let texts = context.texts;
    let asked: Vec<_> = context
        .variants()
        .filter_map(|(index, variant)| Some((index, variant, variant.prometheus.as_ref()?)))
        .collect();
    if asked.is_empty() {
        return None;
    }
    let has_points = asked.iter().any(|(_, _, report)| !report.points.is_empty());
    let throughput = Picture {
        id: charts::PROMETHEUS_THROUGHPUT.to_owned(),
        title: Some(texts.prometheus_throughput),
        tone: None,
        summary: summaries(context, CrossCheckKind::Throughput),
        note: None,
    };
    let times = asked
        .iter()
        .filter(|(_, _, report)| !report.points.is_empty());
    let times: Vec<Picture<'_>> = times
        .map(|(index, variant, _)| Picture {
            id: charts::prometheus_p95_id(*index),
            title: Some(&variant.name),
            tone: Some(*index),
            summary: summary(context, *index, CrossCheckKind::ServiceTimeP95).unwrap_or_default(),
            note: None,
        })
        .collect();
    Some(html! {
        p.about { (texts.prometheus_about) }
        @if has_points {
            (throughput.render())
            p.about { (texts.prometheus_p95_about) }
            div.pair { @for picture in &times { (picture.render()) } }
        }
        @for (_, variant, report) in &asked {
            @let caption = fill(texts.prometheus_caption, &[("name", &variant.name)]);
            h3 { (caption) }
            @if let Some(facts) = facts(texts, report) { p.about { (facts) } }
            (comparisons(texts, &caption, ("Prometheus", &report.results)))
        }
    })
}

/// How the shop was scraped.
fn facts(texts: &Texts, report: &PrometheusReport) -> Option<String> {
    let (target, interval) = (report.target.as_deref()?, report.interval_s?);
    let values = [
        ("version", report.version.clone().unwrap_or_default()),
        ("target", target.to_owned()),
        ("interval", texts.seconds(interval)),
        (
            "scrapes",
            report
                .scrapes
                .map_or_else(|| format::NONE.to_owned(), format::count),
        ),
        (
            "mean",
            optional(report.scrape_mean_ms, format::milliseconds),
        ),
        (
            "longest",
            optional(report.scrape_max_ms, format::milliseconds),
        ),
        ("cpu", optional(report.cpu_share, format::percent)),
    ];
    let values = values
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let mut text = fill(texts.prometheus_facts, &values);
    if report.started_here && report.cpu_share.is_some() {
        text.push_str(&fill(texts.prometheus_started, &values));
    }
    Some(text)
}

fn summaries(context: &Context<'_>, kind: CrossCheckKind) -> String {
    let all: Vec<String> = context
        .variants()
        .filter_map(|(index, _)| summary(context, index, kind))
        .collect();
    all.join(" ")
}

/// Both figures of the judged phase.
fn summary(context: &Context<'_>, index: usize, kind: CrossCheckKind) -> Option<String> {
    let variant = context.report.variants.get(index)?;
    let results = &variant.prometheus.as_ref()?.results;
    let judged = results.iter().find(|result| {
        result.kind == kind && result.phase.as_deref() == Some(context.judged_phase)
    })?;
    let (generator, shop) = (judged.generator?, judged.shop?);
    let show = match kind {
        CrossCheckKind::ServiceTimeP95 => format::milliseconds,
        _ => |rate| format!("{} /s", format::rate(rate)),
    };
    Some(fill(
        context.texts.prometheus_summary,
        &[
            ("phase", context.judged_phase),
            ("name", &variant.name),
            ("generator", &show(generator)),
            ("prometheus", &show(shop)),
        ],
    ))
}
