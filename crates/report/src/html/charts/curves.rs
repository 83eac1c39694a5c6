//! Charts whose horizontal axis is not the time of a run: rates that were tried, percentiles.

use double11_measure::histogram::LatencyHistogram;

use super::data::{Axis, Body, Chart, File, Series, XScale};
use super::{decade_above, decade_below, rounded};
use crate::format;
use crate::histogram;
use crate::model::{CapacityProbe, ImprovementReport, VariantReport};
use crate::texts::{Texts, fill};

pub(crate) const CAPACITY_P95: &str = "chart-capacity-p95";
pub(crate) const CAPACITY_TPS: &str = "chart-capacity-tps";
pub(crate) const HISTOGRAM: &str = "chart-histogram";

/// A line of points that are joined in the order of x.
struct Line {
    label: String,
    tone: Option<usize>,
    style: usize,
    unit: &'static str,
    points: Vec<(f64, f64)>,
}

/// Puts lines onto one axis: every x of any line, and a gap where a line has none there.
fn body(lines: Vec<Line>, x_scale: XScale, y: Axis) -> Option<Body> {
    let mut x: Vec<f64> = lines
        .iter()
        .flat_map(|line| &line.points)
        .map(|(x, _)| rounded(*x))
        .collect();
    x.sort_by(f64::total_cmp);
    x.dedup();
    let (first, last) = (*x.first()?, *x.last()?);
    let series = lines.into_iter().map(|line| {
        let mut values = vec![None; x.len()];
        for (at, value) in line.points {
            let place = x.binary_search_by(|other| other.total_cmp(&rounded(at)));
            if let Some(slot) = place.ok().and_then(|place| values.get_mut(place)) {
                *slot = Some(rounded(value));
            }
        }
        Series {
            label: line.label,
            tone: line.tone,
            style: line.style,
            unit: line.unit,
            values,
        }
    });
    Some(Body::Curve {
        series: series.collect(),
        x_range: match x_scale {
            XScale::Rate => [first * 0.9, last * 1.1],
            XScale::Percentile => [1.0, last.max(10.0) * 1.2],
        },
        x_scale,
        x,
        y,
    })
}

/// A logarithmic axis over whole decades.
fn decades(lines: &[Line]) -> Axis {
    let values = || lines.iter().flat_map(|line| &line.points).map(|(_, y)| *y);
    let positive = values().filter(|value| *value > 0.0);
    let low = positive.fold(f64::INFINITY, f64::min);
    let high = values().fold(0.0, f64::max);
    if low > high {
        return Axis::FROM_ZERO;
    }
    let (min, max) = (decade_below(low), decade_above(high));
    Axis {
        logarithmic: true,
        min: Some(min),
        max: Some(if max > min { max } else { min * 10.0 }),
    }
}

/// Whether any rate was tried that has a figure to draw.
pub(crate) fn capacity_is_drawable(report: &ImprovementReport) -> bool {
    let probes = || report.capacity.iter().flat_map(|capacity| &capacity.probes);
    probes().any(|probe| probe.verdict_p95_ms.is_some())
        && probes().any(|probe| probe.throughput_per_second.is_some())
}

/// P95 and throughput over the offered rate.
pub(super) fn capacity(report: &ImprovementReport, texts: &'static Texts) -> Vec<Chart> {
    if !capacity_is_drawable(report) {
        return Vec::new();
    }
    let mut times = lines(report, "ms", |probe| {
        probe.verdict_p95_ms.filter(|value| *value > 0.0)
    });
    times.extend(limits(report, texts));
    let rates = lines(report, "/s", |probe| probe.throughput_per_second);
    let axis = decades(&times);
    let charts = [
        (CAPACITY_P95, texts.axis_latency, times, axis),
        (CAPACITY_TPS, texts.axis_tps, rates, Axis::FROM_ZERO),
    ];
    charts
        .into_iter()
        .filter_map(|(id, y_label, lines, axis)| {
            Some(Chart {
                id: id.to_owned(),
                x_label: texts.axis_offered,
                y_label,
                x_legend: texts.legend_at_rate,
                body: body(lines, XScale::Rate, axis)?,
            })
        })
        .collect()
}

fn lines(
    report: &ImprovementReport,
    unit: &'static str,
    value: impl Fn(&CapacityProbe) -> Option<f64>,
) -> Vec<Line> {
    let lines = report.capacity.iter().enumerate().map(|(index, capacity)| {
        let tone = report
            .variants
            .iter()
            .position(|variant| variant.name == capacity.variant);
        Line {
            label: capacity.variant.clone(),
            tone: Some(tone.unwrap_or(index)),
            style: 0,
            unit,
            points: capacity
                .probes
                .iter()
                .filter_map(|probe| Some((probe.offered_per_second, value(probe)?)))
                .collect(),
        }
    });
    lines.collect()
}

/// The two limits of P95 as level lines.
fn limits(report: &ImprovementReport, texts: &Texts) -> Vec<Line> {
    let Some(first) = report.capacity.first() else {
        return Vec::new();
    };
    let rates = || {
        let probes = report.capacity.iter().flat_map(|capacity| &capacity.probes);
        probes.map(|probe| probe.offered_per_second)
    };
    let ends = [
        rates().fold(f64::INFINITY, f64::min),
        rates().fold(0.0, f64::max),
    ];
    [&first.strict, &first.relaxed]
        .into_iter()
        .map(|bracket| {
            let limit = bracket.p95_limit_ms;
            Line {
                label: fill(
                    texts.legend_limit,
                    &[("limit", &format::limit_milliseconds(limit))],
                ),
                tone: None,
                style: 1,
                unit: "ms",
                points: ends.map(|end| (end, limit)).to_vec(),
            }
        })
        .collect()
}

/// A histogram that can be drawn.
pub(crate) struct Distribution<'a> {
    pub(crate) variant: &'a VariantReport,
    pub(crate) histogram: LatencyHistogram,
    /// 0 for response time, 1 for service time.
    pub(crate) style: usize,
    index: usize,
    base64: &'a str,
}

/// Every histogram of the report that can be read and is not empty.
pub(crate) fn distributions(report: &ImprovementReport) -> Vec<Distribution<'_>> {
    let variants = report.variants.iter().enumerate();
    let texts = variants.flat_map(|(index, variant)| {
        let export = variant.histogram.as_ref();
        let response = export.and_then(|export| export.response_time.as_deref());
        let service = export.and_then(|export| export.service_time.as_deref());
        [(response, 0), (service, 1)]
            .into_iter()
            .filter_map(move |(base64, style)| Some((index, variant, base64?, style)))
    });
    texts
        .filter_map(|(index, variant, base64, style)| {
            let histogram = LatencyHistogram::from_base64(base64).ok()?;
            (!histogram.is_empty()).then_some(Distribution {
                variant,
                histogram,
                style,
                index,
                base64,
            })
        })
        .collect()
}

fn label(distribution: &Distribution<'_>, texts: &Texts) -> String {
    let template = match distribution.style {
        0 => texts.histogram_response,
        _ => texts.histogram_service,
    };
    fill(template, &[("name", &distribution.variant.name)])
}

/// Times over how rare they are.
pub(super) fn distribution(report: &ImprovementReport, texts: &'static Texts) -> Option<Chart> {
    let lines: Vec<Line> = distributions(report)
        .iter()
        .map(|distribution| Line {
            label: label(distribution, texts),
            tone: Some(distribution.index),
            style: distribution.style,
            unit: "ms",
            points: points(&distribution.histogram),
        })
        .collect();
    let axis = decades(&lines);
    Some(Chart {
        id: HISTOGRAM.to_owned(),
        x_label: texts.axis_percentile,
        y_label: texts.axis_latency,
        x_legend: texts.axis_percentile,
        body: body(lines, XScale::Percentile, axis)?,
    })
}

/// Rarity and time. The largest of `n` values is one in `n`.
fn points(histogram: &LatencyHistogram) -> Vec<(f64, f64)> {
    let total = histogram.len() as f64;
    histogram::points(histogram)
        .into_iter()
        .filter(|point| point.value_ms > 0.0)
        .map(|point| {
            let rarity = 1.0 / (1.0 - point.quantile);
            (rarity.min(total), point.value_ms)
        })
        .collect()
}

/// The files that the page offers: for each histogram its percentiles and itself.
pub(crate) fn files(report: &ImprovementReport, texts: &Texts) -> Vec<File> {
    distributions(report)
        .iter()
        .flat_map(|distribution| {
            let kind = ["response_time", "service_time"][distribution.style];
            let name = format!("{}_{kind}", file_name(&distribution.variant.name));
            let label = label(distribution, texts);
            let fill = |template| fill(template, &[("name", &label)]);
            [
                File {
                    name: format!("{name}.hgrm"),
                    label: fill(texts.download_hgrm),
                    text: histogram::percentile_text(&distribution.histogram),
                },
                File {
                    name: format!("{name}.hdr.txt"),
                    label: fill(texts.download_base64),
                    text: format!("{}\n", distribution.base64),
                },
            ]
        })
        .collect()
}

/// A name of a variant as part of a file name; it may be the address of a shop.
fn file_name(name: &str) -> String {
    name.chars()
        .map(|letter| match letter {
            letter if letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.') => letter,
            _ => '-',
        })
        .collect()
}
