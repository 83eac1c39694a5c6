//! The run as a Prometheus saw it, each curve beside the generator's.

use super::data::{Axis, Body, Chart, Series};
use super::rounded;
use crate::model::{ImprovementReport, PrometheusPoint, VariantReport};
use crate::texts::{Texts, fill};

pub(crate) const PROMETHEUS_THROUGHPUT: &str = "chart-prometheus-throughput";

/// Id of the chart of a variant's P95.
pub(crate) fn prometheus_p95_id(variant: usize) -> String {
    format!("chart-prometheus-p95-{variant}")
}

/// Two figures of the same thing: the generator's and Prometheus'.
type Both = [fn(&PrometheusPoint) -> Option<f64>; 2];

/// The charts; none where no Prometheus was asked or it gave no points.
pub(super) fn charts(report: &ImprovementReport, end: f64, texts: &'static Texts) -> Vec<Chart> {
    let all: Vec<(usize, &VariantReport)> = report
        .variants
        .iter()
        .enumerate()
        .filter(|(_, variant)| !points(variant).is_empty())
        .collect();
    if all.is_empty() {
        return Vec::new();
    }
    let throughput: Both = [
        |point| point.generator_per_second,
        |point| point.prometheus_per_second,
    ];
    let p95: Both = [
        |point| point.generator_p95_ms,
        |point| point.prometheus_p95_ms,
    ];
    let chart = |id: String, y_label, body| Chart {
        id,
        x_label: texts.axis_time,
        y_label,
        x_legend: texts.legend_time,
        body,
    };
    let rates = lines(&all, end, ("/s", throughput), texts);
    let mut charts = vec![chart(
        PROMETHEUS_THROUGHPUT.to_owned(),
        texts.axis_tps,
        rates,
    )];
    for variant in all {
        let times = lines(&[variant], end, ("ms", p95), texts);
        charts.push(chart(
            prometheus_p95_id(variant.0),
            texts.axis_latency,
            times,
        ));
    }
    charts
}

fn points(variant: &VariantReport) -> &[PrometheusPoint] {
    let asked = variant.prometheus.as_ref();
    asked.map_or(&[], |asked| asked.points.as_slice())
}

/// Lines on one axis of time, the generator's plain and Prometheus' dashed.
fn lines(
    variants: &[(usize, &VariantReport)],
    end: f64,
    (unit, both): (&'static str, Both),
    texts: &Texts,
) -> Body {
    let instants = variants.iter().flat_map(|(_, variant)| points(variant));
    let mut x: Vec<f64> = instants.map(|point| rounded(point.at_s)).collect();
    x.sort_by(f64::total_cmp);
    x.dedup();
    let mut series = Vec::new();
    for (index, variant) in variants {
        let labels = [texts.legend_generator, texts.legend_prometheus];
        for (style, (label, value)) in labels.into_iter().zip(both).enumerate() {
            let mut values = vec![None; x.len()];
            for point in points(variant) {
                let place = x.binary_search_by(|other| other.total_cmp(&rounded(point.at_s)));
                if let Some(slot) = place.ok().and_then(|place| values.get_mut(place)) {
                    *slot = value(point).map(rounded);
                }
            }
            series.push(Series {
                label: fill(label, &[("name", &variant.name)]),
                tone: Some(*index),
                style,
                unit,
                values,
            });
        }
    }
    Body::Lines {
        x_max: x.last().copied().unwrap_or(0.0).max(end),
        x,
        y: Axis::FROM_ZERO,
        series,
    }
}
