//! The percentile distribution of the judged phase, with its files.

use double11_measure::histogram::LatencyHistogram;
use maud::{Markup, html};

use super::{Context, charts, pictures};
use crate::format;
use crate::model::VariantReport;
use crate::texts::{Texts, fill};

pub(super) fn histograms(context: &Context<'_>) -> Option<Markup> {
    let texts = context.texts;
    let drawn = charts::distributions(context.report);
    if drawn.is_empty() {
        return None;
    }
    let summaries: Vec<String> = drawn
        .iter()
        .filter(|drawn| drawn.style == 0)
        .map(|drawn| summary(texts, drawn.variant, &drawn.histogram))
        .collect();
    Some(html! {
        p.about { (context.fill(texts.histogram_about)) }
        (pictures::plain(charts::HISTOGRAM, summaries.join(" ")))
        // Shown by the script, which makes the files.
        ul.files hidden {
            @for (index, file) in charts::files(context.report, texts).iter().enumerate() {
                li { button type="button" data-file=(index) { (file.label) } }
            }
        }
    })
}

fn summary(texts: &Texts, variant: &VariantReport, histogram: &LatencyHistogram) -> String {
    let shown = |percentile| {
        histogram.percentile(percentile).map_or_else(
            || format::NONE.to_owned(),
            |value| format::milliseconds(value.as_secs_f64() * 1_000.0),
        )
    };
    fill(
        texts.histogram_summary,
        &[
            ("name", variant.name.as_str()),
            ("count", &format::count(histogram.len())),
            ("p999", &shown(99.9)),
            ("p99", &shown(99.0)),
            ("max", &shown(100.0)),
        ],
    )
}
