//! The data of the charts, as the page's script reads it.
//!
//! A page carries one JSON object: the phases, and for each chart what it draws. Words come from
//! [`Texts`] so that the script has none of its own.

use crate::model::{Heatmap, ImprovementReport, PhaseReport, SecondPoint, VariantReport};
use crate::texts::{Texts, fill};

use data::{Axis, Band, Body, Chart, ChartData, Column, Series, Words};

pub(crate) use prometheus::{PROMETHEUS_THROUGHPUT, prometheus_p95_id};

pub(crate) use curves::{
    CAPACITY_P95, CAPACITY_TPS, HISTOGRAM, capacity_is_drawable, distributions, files,
};

mod curves;
mod data;
mod prometheus;
pub(crate) mod result_file;

/// Ids of the charts of the throughput, error-rate, processor, memory and funnel sections.
pub(crate) const THROUGHPUT: &str = "chart-throughput";
pub(crate) const ERRORS: &str = "chart-errors";
pub(crate) const CPU: &str = "chart-cpu";
pub(crate) const MEMORY: &str = "chart-memory";
pub(crate) const FUNNEL: &str = "chart-funnel";

/// Id of the response-time chart of a variant.
pub(crate) fn response_id(variant: usize) -> String {
    format!("chart-response-{variant}")
}

/// Id of the heatmap of a variant.
pub(crate) fn heatmap_id(variant: usize) -> String {
    format!("chart-heatmap-{variant}")
}

/// Whether any variant has such a value in any second; a chart without one is left out.
pub(crate) fn has(report: &ImprovementReport, value: impl Fn(&SecondPoint) -> Option<f64>) -> bool {
    report
        .variants
        .iter()
        .flat_map(|variant| &variant.seconds)
        .any(|point| value(point).is_some())
}

/// The memory of a second in MiB.
pub(crate) fn memory_mib(point: &SecondPoint) -> Option<f64> {
    point.memory_bytes.map(|bytes| bytes as f64 / 1_048_576.0)
}

/// Whether the response times need a logarithmic axis: the slowest of the shown percentiles is more
/// than fifty times the fastest.
pub(crate) fn response_is_logarithmic(report: &ImprovementReport) -> bool {
    response_range(report).is_some_and(|(low, high)| high > 50.0 * low)
}

/// Collects the data of every chart that the report has figures for.
pub(crate) fn chart_data(report: &ImprovementReport, texts: &'static Texts) -> ChartData {
    let seconds = Seconds::of(report);
    let mut charts = curves::capacity(report, texts);
    if has(report, |point| point.throughput_per_second) {
        charts.push(throughput(report, &seconds, texts));
    }
    let response_axis = response_axis(report);
    for (index, variant) in report.variants.iter().enumerate() {
        if variant.seconds.iter().any(|point| point.p50_ms.is_some()) {
            charts.push(response(&seconds, (index, variant), response_axis, texts));
        }
    }
    for (index, variant) in report.variants.iter().enumerate() {
        if let Some(heatmap) = variant
            .heatmap
            .as_ref()
            .filter(|heatmap| is_drawable(heatmap))
        {
            charts.push(heatmap_chart(&seconds, (index, heatmap), texts));
        }
    }
    let per_cent = |share: Option<f64>| share.map(|share| share * 100.0);
    if has(report, |point| point.error_rate) {
        let series = every_variant(report, &seconds, "%", |point| per_cent(point.error_rate));
        charts.push(seconds.chart(
            ERRORS,
            (texts.axis_error_rate, Axis::PER_CENT),
            series,
            texts,
        ));
    }
    if has(report, |point| point.cpu_share) {
        let series = every_variant(report, &seconds, "%", |point| per_cent(point.cpu_share));
        charts.push(seconds.chart(CPU, (texts.axis_cpu, Axis::FROM_ZERO), series, texts));
    }
    if has(report, memory_mib) {
        let series = every_variant(report, &seconds, "MiB", memory_mib);
        charts.push(seconds.chart(MEMORY, (texts.axis_memory, Axis::FROM_ZERO), series, texts));
    }
    if report
        .variants
        .iter()
        .any(|variant| !variant.funnel.is_empty())
    {
        charts.push(funnel(report, texts));
    }
    charts.extend(curves::distribution(report, texts));
    charts.extend(prometheus::charts(report, seconds.end, texts));
    ChartData {
        phases: bands(report),
        charts,
        files: files(report, texts),
        words: Words {
            csv: texts.download_csv,
            values: texts.show_values,
            reset: texts.reset_zoom,
            dark: texts.theme_dark,
            light: texts.theme_light,
        },
    }
}

/// Whether a heatmap has rows and at least one request.
pub(crate) fn is_drawable(heatmap: &Heatmap) -> bool {
    heatmap.edges_ms.len() > 1
        && heatmap.edges_ms.iter().all(|edge| *edge > 0.0)
        && heatmap
            .columns
            .iter()
            .flat_map(|column| &column.counts)
            .any(|count| *count > 0)
}

/// The common time axis: every second that any variant has.
struct Seconds {
    x: Vec<f64>,
    length: usize,
    end: f64,
}

impl Seconds {
    fn of(report: &ImprovementReport) -> Self {
        let last = report
            .variants
            .iter()
            .flat_map(|variant| &variant.seconds)
            .map(|point| point.second);
        let last_second = last.max().map_or(0, |second| second + 1);
        let phase_end = phases(report)
            .iter()
            .map(|phase| phase.start_s + phase.duration_s);
        Self {
            x: (0..last_second).map(f64::from).collect(),
            length: last_second as usize,
            end: phase_end.fold(f64::from(last_second), f64::max),
        }
    }

    fn values(
        &self,
        variant: &VariantReport,
        value: impl Fn(&SecondPoint) -> Option<f64>,
    ) -> Vec<Option<f64>> {
        let mut values = vec![None; self.length];
        for point in &variant.seconds {
            if let Some(slot) = values.get_mut(point.second as usize) {
                *slot = value(point).map(rounded);
            }
        }
        values
    }

    fn chart(
        &self,
        id: &str,
        (y_label, y): (&'static str, Axis),
        series: Vec<Series>,
        texts: &'static Texts,
    ) -> Chart {
        Chart {
            id: id.to_owned(),
            x_label: texts.axis_time,
            y_label,
            x_legend: texts.legend_time,
            body: Body::Lines {
                x: self.x.clone(),
                x_max: self.end,
                y,
                series,
            },
        }
    }
}

/// The phases of the run; all variants have the same plan, so the first speaks for all.
fn phases(report: &ImprovementReport) -> &[PhaseReport] {
    report.baseline().map_or(&[], |variant| &variant.phases)
}

fn bands(report: &ImprovementReport) -> Vec<Band> {
    phases(report)
        .iter()
        .map(|phase| Band {
            name: phase.name.clone(),
            start: phase.start_s,
            end: phase.start_s + phase.duration_s,
        })
        .collect()
}

fn every_variant(
    report: &ImprovementReport,
    seconds: &Seconds,
    unit: &'static str,
    value: impl Fn(&SecondPoint) -> Option<f64>,
) -> Vec<Series> {
    report
        .variants
        .iter()
        .enumerate()
        .map(|(index, variant)| Series {
            label: variant.name.clone(),
            tone: Some(index),
            style: 0,
            unit,
            values: seconds.values(variant, &value),
        })
        .collect()
}

fn throughput(report: &ImprovementReport, seconds: &Seconds, texts: &'static Texts) -> Chart {
    let offered = seconds
        .x
        .iter()
        .map(|second| {
            phases(report)
                .iter()
                .find(|phase| {
                    phase.start_s <= *second && *second < phase.start_s + phase.duration_s
                })
                .and_then(|phase| phase.offered_per_second)
        })
        .collect::<Vec<_>>();
    let mut series = Vec::new();
    if offered.iter().any(Option::is_some) {
        series.push(Series {
            label: texts.legend_offered.to_owned(),
            tone: None,
            style: 1,
            unit: "/s",
            values: offered,
        });
    }
    series.extend(every_variant(report, seconds, "/s", |point| {
        point.throughput_per_second
    }));
    seconds.chart(THROUGHPUT, (texts.axis_tps, Axis::FROM_ZERO), series, texts)
}

fn response(
    seconds: &Seconds,
    (index, variant): (usize, &VariantReport),
    axis: Axis,
    texts: &'static Texts,
) -> Chart {
    let percentile = |name: &str, style, value: fn(&SecondPoint) -> Option<f64>| Series {
        label: name.to_owned(),
        tone: Some(index),
        style,
        unit: "ms",
        values: seconds.values(variant, value),
    };
    let series = vec![
        percentile("P50", 2, |point| point.p50_ms),
        percentile("P95", 0, |point| point.p95_ms),
        percentile("P99", 1, |point| point.p99_ms),
    ];
    seconds.chart(
        &response_id(index),
        (texts.axis_latency, axis),
        series,
        texts,
    )
}

fn response_range(report: &ImprovementReport) -> Option<(f64, f64)> {
    let values = report
        .variants
        .iter()
        .flat_map(|variant| &variant.seconds)
        .flat_map(|point| [point.p50_ms, point.p95_ms, point.p99_ms])
        .flatten()
        .filter(|value| *value > 0.0);
    values.fold(None, |range, value| match range {
        None => Some((value, value)),
        Some((low, high)) => Some((value.min(low), value.max(high))),
    })
}

fn response_axis(report: &ImprovementReport) -> Axis {
    let Some((low, high)) = response_range(report) else {
        return Axis::FROM_ZERO;
    };
    if response_is_logarithmic(report) {
        let (min, max) = (decade_below(low), decade_above(high));
        Axis {
            logarithmic: true,
            min: Some(min),
            max: Some(max),
        }
    } else {
        Axis {
            logarithmic: false,
            min: Some(0.0),
            max: Some(high * 1.08),
        }
    }
}

fn decade_below(value: f64) -> f64 {
    10_f64.powf(value.log10().floor())
}

fn decade_above(value: f64) -> f64 {
    10_f64.powf(value.log10().ceil())
}

fn heatmap_chart(
    seconds: &Seconds,
    (index, heatmap): (usize, &Heatmap),
    texts: &'static Texts,
) -> Chart {
    let columns = heatmap
        .columns
        .iter()
        .map(|column| Column {
            start: column.start_s,
            counts: column.counts.clone(),
        })
        .collect();
    Chart {
        id: heatmap_id(index),
        x_label: texts.axis_time,
        y_label: texts.axis_latency,
        x_legend: texts.legend_time,
        body: Body::Heatmap {
            column_s: heatmap.column_s,
            x_max: seconds.end,
            edges: heatmap.edges_ms.iter().copied().map(rounded).collect(),
            columns,
            tone: index,
            cell: texts.legend_cell,
        },
    }
}

fn funnel(report: &ImprovementReport, texts: &'static Texts) -> Chart {
    let longest = report
        .variants
        .iter()
        .map(|variant| &variant.funnel)
        .max_by_key(|f| f.len());
    let steps: Vec<String> = longest
        .into_iter()
        .flatten()
        .map(|step| step.step.clone())
        .collect();
    let of = |variant: &VariantReport, value: fn(&crate::model::FunnelStep) -> f64| {
        steps
            .iter()
            .map(|name| {
                variant
                    .funnel
                    .iter()
                    .find(|step| step.step == *name)
                    .map(value)
            })
            .collect::<Vec<_>>()
    };
    let mut series = Vec::new();
    // The same seed sends the same visits to every variant, so one expectation serves all.
    if let Some(variant) = report.baseline() {
        series.push(Series {
            label: texts.legend_expected.to_owned(),
            tone: None,
            style: 0,
            unit: "",
            values: of(variant, |step| rounded(step.expected_users)),
        });
    }
    for (index, variant) in report.variants.iter().enumerate() {
        series.push(Series {
            label: fill(texts.funnel_observed, &[("name", &variant.name)]),
            tone: Some(index),
            style: 0,
            unit: "",
            values: of(variant, |step| step.observed_users as f64),
        });
    }
    Chart {
        id: FUNNEL.to_owned(),
        x_label: "",
        y_label: texts.axis_shoppers,
        x_legend: texts.legend_step,
        body: Body::Bars { steps, series },
    }
}

/// Four places are finer than any pixel and keep the page small.
fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests;
