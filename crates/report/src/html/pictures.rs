//! The charts with what a reader has to know about each, and each in words for who cannot see it.

use maud::{Markup, html};

use super::{Context, charts};
use crate::format;
use crate::model::{PhaseReport, VariantReport};
use crate::texts::{Texts, fill};

/// A chart: its title, where it is drawn, and what it shows in words.
pub(super) struct Picture<'a> {
    pub(super) id: String,
    pub(super) title: Option<&'a str>,
    pub(super) tone: Option<usize>,
    pub(super) summary: String,
    pub(super) note: Option<Markup>,
}

impl Picture<'_> {
    pub(super) fn render(&self) -> Markup {
        html! {
            figure {
                @if self.title.is_some() || !self.summary.is_empty() {
                    figcaption {
                        @if let Some(title) = self.title {
                            @match self.tone {
                                Some(tone) => b class=(format!("tone-{}", tone % 4)) { (title) },
                                None => b { (title) },
                            }
                            br;
                        }
                        span.summary { (self.summary) }
                    }
                }
                @if let Some(note) = &self.note { (note) }
                @let label = self.title.filter(|_| self.summary.is_empty());
                div.chart id=(self.id) data-label=(label.unwrap_or(&self.summary)) {}
            }
        }
    }
}

pub(super) fn throughput(context: &Context<'_>) -> Option<Markup> {
    let texts = context.texts;
    if !charts::has(context.report, |point| point.throughput_per_second) {
        return None;
    }
    let summary = judged_summaries(context, |variant, phase| {
        fill(
            texts.throughput_summary,
            &[
                ("phase", &phase.name),
                ("name", &variant.name),
                (
                    "tps",
                    &format::optional(phase.throughput_per_second, format::rate),
                ),
                (
                    "offered",
                    &format::optional(phase.offered_per_second, format::rate),
                ),
            ],
        )
    });
    let picture = Picture {
        id: charts::THROUGHPUT.to_owned(),
        title: None,
        tone: None,
        summary,
        note: None,
    };
    Some(html! {
        p.about { (texts.throughput_about) " " (texts.chart_help) }
        (picture.render())
    })
}

pub(super) fn response(context: &Context<'_>) -> Option<Markup> {
    let texts = context.texts;
    let pictures: Vec<Picture<'_>> = context
        .variants()
        .filter(|(_, variant)| variant.seconds.iter().any(|point| point.p50_ms.is_some()))
        .map(|(index, variant)| Picture {
            id: charts::response_id(index),
            title: Some(&variant.name),
            tone: Some(index),
            summary: variant
                .phase(context.judged_phase)
                .map_or_else(String::new, |phase| {
                    response_summary(context, variant, phase)
                }),
            note: None,
        })
        .collect();
    (!pictures.is_empty()).then(|| {
        html! {
            p.about {
                @if context.is_service_time_only() { (texts.method_service_time) }
                @else { (texts.response_about) }
                @if charts::response_is_logarithmic(context.report) { " " (texts.response_log) }
            }
            div.pair { @for picture in &pictures { (picture.render()) } }
        }
    })
}

fn response_summary(context: &Context<'_>, variant: &VariantReport, phase: &PhaseReport) -> String {
    let times = if context.is_service_time_only() {
        &phase.service_time
    } else {
        &phase.response_time
    };
    fill(
        context.texts.response_summary,
        &[
            ("phase", &phase.name),
            ("name", &variant.name),
            ("p50", &format::optional(times.p50_ms, format::milliseconds)),
            ("p95", &format::optional(times.p95_ms, format::milliseconds)),
            ("p99", &format::optional(times.p99_ms, format::milliseconds)),
            (
                "verdict",
                &format::verdict_p95(phase.verdict_p95_ms, phase.verdict_p95_is_lower_bound),
            ),
        ],
    )
}

pub(super) fn heatmaps(context: &Context<'_>) -> Option<Markup> {
    let texts = context.texts;
    let pictures: Vec<Picture<'_>> = context
        .variants()
        .filter_map(|(index, variant)| {
            let heatmap = variant
                .heatmap
                .as_ref()
                .filter(|heatmap| charts::is_drawable(heatmap))?;
            let counts = || heatmap.columns.iter().flat_map(|column| &column.counts);
            let most = format::count(counts().max().copied().unwrap_or(0));
            let total = format::count(counts().sum());
            let values = [
                ("name", variant.name.as_str()),
                ("count", &total),
                ("most", &most),
            ];
            Some(Picture {
                id: charts::heatmap_id(index),
                title: Some(&variant.name),
                tone: Some(index),
                summary: fill(texts.heatmap_summary, &values),
                note: Some(html! {
                    p class=(format!("ramp tone-{}", index % 4)) {
                        span { (texts.heatmap_fewer) }
                        i {}
                        span { (fill(texts.heatmap_more, &values)) }
                    }
                }),
            })
        })
        .collect();
    (!pictures.is_empty()).then(|| {
        html! {
            p.about { (texts.heatmap_about) }
            div.pair { @for picture in &pictures { (picture.render()) } }
        }
    })
}

pub(super) fn errors(context: &Context<'_>) -> Option<Markup> {
    let texts = context.texts;
    if !charts::has(context.report, |point| point.error_rate) {
        return None;
    }
    let summary = judged_summaries(context, |variant, phase| {
        let mut text = fill(
            texts.errors_summary,
            &[
                ("phase", &phase.name),
                ("name", &variant.name),
                ("failed", &format::count(phase.failed)),
                ("attempted", &format::count(phase.attempted)),
                ("rate", &format::optional(phase.error_rate, format::percent)),
            ],
        );
        if let Some(kinds) = most_frequent_failures(phase, texts) {
            text.push(' ');
            text.push_str(&fill(texts.errors_kinds, &[("kinds", &kinds)]));
        }
        text
    });
    let picture = Picture {
        id: charts::ERRORS.to_owned(),
        title: None,
        tone: None,
        summary,
        note: None,
    };
    Some(html! {
        p.about { (texts.errors_about) }
        (picture.render())
    })
}

fn most_frequent_failures(phase: &PhaseReport, texts: &Texts) -> Option<String> {
    let mut kinds: Vec<(&String, &u64)> = phase
        .failures
        .iter()
        .filter(|(_, count)| **count > 0)
        .collect();
    kinds.sort_by(|left, right| right.1.cmp(left.1));
    let named: Vec<String> = kinds
        .iter()
        .take(4)
        .map(|(kind, count)| format!("{kind}: {}", format::count(**count)))
        .collect();
    (!named.is_empty()).then(|| named.join(texts.list_separator))
}

pub(super) fn resources(context: &Context<'_>) -> Option<Markup> {
    let texts = context.texts;
    let mut pictures = Vec::new();
    if charts::has(context.report, |point| point.cpu_share) {
        let summary = judged_summaries(context, |variant, phase| {
            fill(
                texts.cpu_summary,
                &[
                    ("phase", &phase.name),
                    ("name", &variant.name),
                    ("share", &format::optional(phase.cpu_share, format::percent)),
                    (
                        "each",
                        &format::optional(phase.cpu_per_request_us, format::microseconds),
                    ),
                ],
            )
        });
        pictures.push((texts.cpu, texts.cpu_about, charts::CPU, summary));
    }
    if charts::has(context.report, charts::memory_mib) {
        let summaries: Vec<String> = context
            .variants()
            .filter_map(|(_, variant)| {
                let most = variant
                    .seconds
                    .iter()
                    .filter_map(|point| point.memory_bytes)
                    .max()?;
                let values = [
                    ("name", variant.name.as_str()),
                    ("memory", &format::bytes(most)),
                ];
                Some(fill(texts.memory_summary, &values))
            })
            .collect();
        pictures.push((
            texts.memory,
            texts.memory_about,
            charts::MEMORY,
            summaries.join(" "),
        ));
    }
    (!pictures.is_empty()).then(|| {
        html! {
            div.pair {
                @for (title, about, id, summary) in pictures {
                    (Picture {
                        id: id.to_owned(),
                        title: Some(title),
                        tone: None,
                        summary: format!("{about} {summary}"),
                        note: None,
                    }.render())
                }
            }
        }
    })
}

pub(super) fn funnel_picture(summary: String) -> Markup {
    plain(charts::FUNNEL, summary)
}

/// A chart under a title of its own.
pub(super) fn titled(id: &str, title: &str, summary: String) -> Markup {
    Picture {
        id: id.to_owned(),
        title: Some(title),
        tone: None,
        summary,
        note: None,
    }
    .render()
}

/// A chart without a title.
pub(super) fn plain(id: &str, summary: String) -> Markup {
    Picture {
        id: id.to_owned(),
        title: None,
        tone: None,
        summary,
        note: None,
    }
    .render()
}

/// One sentence per variant about its judged phase.
fn judged_summaries(
    context: &Context<'_>,
    say: impl Fn(&VariantReport, &PhaseReport) -> String,
) -> String {
    let sentences: Vec<String> = context
        .variants()
        .filter_map(|(_, variant)| Some(say(variant, variant.phase(context.judged_phase)?)))
        .collect();
    sentences.join(" ")
}
