//! The run second by second.

use std::time::Duration;

use double11_measure::histogram::LatencyHistogram;
use double11_measure::run::{Second, TimeSeries};
use double11_report::model::SecondPoint;

use super::phases::Beside;
use crate::resources::{cpu_between, memory_max};

/// One point for every window (of a second, unless a file was so long that they are wider) from the
/// first to the last, those without traffic included.
pub(crate) fn points(series: &TimeSeries, beside: Beside<'_>) -> Vec<SecondPoint> {
    let Some(last) = series.seconds.last() else {
        return Vec::new();
    };
    let mut seconds = series.seconds.iter().peekable();
    (0..=last.second)
        .step_by(beside.window_seconds.max(1) as usize)
        .map(|number| {
            let second = seconds.next_if(|second| second.second == number);
            point(number, second, beside)
        })
        .collect()
}

fn point(number: u32, second: Option<&Second>, beside: Beside<'_>) -> SecondPoint {
    let Beside {
        resources,
        shop_cores,
        ..
    } = beside;
    let window_s = f64::from(beside.window_seconds.max(1));
    let from = Duration::from_secs(u64::from(number));
    let to = from + Duration::from_secs_f64(window_s);
    let cpu_share = cpu_between(resources, from, to)
        .zip(shop_cores)
        .map(|(cpu, cores)| cpu.as_secs_f64() / window_s / cores);
    let steps = second.map_or(&[][..], |second| &second.steps);
    let mut response_times = LatencyHistogram::new();
    for step in steps {
        let encoded = step
            .response_time
            .as_deref()
            .or(step.service_time.as_deref());
        if let Some(Ok(histogram)) = encoded.map(LatencyHistogram::from_base64) {
            response_times.merge(&histogram);
        }
    }
    let attempted: u64 = steps.iter().map(|step| step.attempted).sum();
    let failed: u64 = steps.iter().map(|step| step.failed).sum();
    let completed: u64 = steps.iter().map(|step| step.completed).sum();
    let percentile = |q| {
        response_times
            .percentile(q)
            .map(|time| time.as_secs_f64() * 1_000.0)
    };
    SecondPoint {
        second: number,
        attempted,
        throughput_per_second: Some(completed as f64 / window_s),
        p50_ms: percentile(50.0),
        p95_ms: percentile(95.0),
        p99_ms: percentile(99.0),
        error_rate: (attempted > 0).then(|| failed as f64 / attempted as f64),
        cpu_share,
        memory_bytes: memory_max(resources, from, to),
    }
}
