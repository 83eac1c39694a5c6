//! The charts of the dashboard of a result file.

use double11_measure::jtl::{Dashboard, Interval};

use super::data::{Axis, Body, Chart, ChartData, Series, Words};
use crate::texts::DashboardTexts;

/// Ids of its charts.
pub(crate) const SAMPLES: &str = "chart-samples";
pub(crate) const TIMES: &str = "chart-times";
pub(crate) const THREADS: &str = "chart-threads";

/// The data of the charts over time.
pub(crate) fn charts(dashboard: &Dashboard, texts: &'static DashboardTexts) -> ChartData {
    let width = f64::from(dashboard.interval_s);
    let values = |get: &dyn Fn(&Interval) -> Option<f64>| {
        dashboard.intervals.iter().map(get).collect::<Vec<_>>()
    };
    let rate = |count: u64| Some((count as f64 / width * 100.0).round() / 100.0);
    let mut charts = Vec::new();
    if !dashboard.intervals.is_empty() {
        let all = values(&|one| rate(one.samples));
        let failed = values(&|one| rate(one.errors));
        let rates = vec![
            series(texts.series_all, (1, 0), "/s", all),
            series(texts.series_failed, (0, 1), "/s", failed),
        ];
        charts.push(chart(
            (dashboard, texts),
            SAMPLES,
            texts.axis_samples,
            rates,
        ));
        let p95 = values(&|one| one.p95_ms.map(|ms| ms as f64));
        let median = values(&|one| one.median_ms.map(|ms| ms as f64));
        let times = vec![
            series("P95", (1, 0), "ms", p95),
            series(texts.series_median, (1, 2), "ms", median),
        ];
        charts.push(chart(
            (dashboard, texts),
            TIMES,
            texts.axis_milliseconds,
            times,
        ));
        if has_threads(dashboard) {
            let users = values(&|one| (one.samples > 0).then(|| f64::from(one.threads)));
            let users = vec![series(texts.series_users, (2, 0), "", users)];
            charts.push(chart((dashboard, texts), THREADS, texts.axis_users, users));
        }
    }
    ChartData {
        phases: Vec::new(),
        charts,
        files: Vec::new(),
        words: Words {
            csv: texts.csv,
            values: texts.values,
            reset: texts.reset,
            dark: texts.dark,
            light: texts.light,
        },
    }
}

fn chart(
    (dashboard, texts): (&Dashboard, &'static DashboardTexts),
    id: &str,
    y_label: &'static str,
    series: Vec<Series>,
) -> Chart {
    let intervals = &dashboard.intervals;
    let width = f64::from(dashboard.interval_s);
    Chart {
        id: id.to_owned(),
        x_label: texts.axis_time,
        y_label,
        x_legend: texts.legend_second,
        body: Body::Lines {
            x: intervals.iter().map(|one| one.start_s as f64).collect(),
            x_max: (intervals.len() as f64 * width).max(1.0),
            y: Axis::FROM_ZERO,
            series,
        },
    }
}

fn series(
    label: &str,
    (tone, style): (usize, usize),
    unit: &'static str,
    values: Vec<Option<f64>>,
) -> Series {
    Series {
        label: label.to_owned(),
        tone: Some(tone),
        style,
        unit,
        values,
    }
}

/// Whether the file tells of users.
pub(crate) fn has_threads(dashboard: &Dashboard) -> bool {
    dashboard.intervals.iter().any(|one| one.threads > 0)
}
