//! A run over time, as the client and as Prometheus saw it.

use std::time::Duration;

use double11_measure::histogram::LatencyHistogram;
use double11_measure::run::SecondStep;

use super::ask::{p95_of, with_endpoint};
use super::{Prometheus, PrometheusError, ScrapedTarget, Span};
use crate::cross_check::{CrossCheckInput, REQUEST_DURATION};
use crate::exposition::Labels;
use crate::matrix::Point;

/// Scrapes that the window of each rate holds.
const WINDOW_SCRAPES: u32 = 4;

/// One look at the four intervals before an instant.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct HistoryPoint {
    /// Since the start of the run.
    pub at: Duration,
    /// Answers per second by the client.
    pub client_per_second: Option<f64>,
    /// Requests per second by `rate`.
    pub prometheus_per_second: Option<f64>,
    /// The P95 of the client's service times.
    pub client_p95: Option<Duration>,
    /// The P95 by `histogram_quantile`.
    pub prometheus_p95: Option<Duration>,
}

/// Looks at the run once an interval, from its start to its end.
///
/// # Errors
/// As [`Prometheus::clock_ahead`].
pub fn history(
    prometheus: &Prometheus,
    client: &CrossCheckInput<'_>,
    target: &ScrapedTarget,
) -> Result<Vec<HistoryPoint>, PrometheusError> {
    let (Ok(start), Some(last)) = (client.start(), client.time_series.seconds.last()) else {
        return Ok(Vec::new());
    };
    let step = whole_seconds(target.interval);
    let window = step * WINDOW_SCRAPES;
    let span = Span {
        from: start,
        to: start.plus(Duration::from_secs(u64::from(last.second) + 1)),
    };
    let rates = |suffix: &str| {
        let series = format!("{REQUEST_DURATION}{suffix}");
        let rates: Vec<String> = client
            .distinct_endpoints()
            .map(|endpoint| {
                let matchers = with_endpoint(&target.matchers, endpoint);
                format!("rate({series}{{{matchers}}}[{}ms])", window.as_millis())
            })
            .collect();
        rates.join(" or ")
    };
    if client.endpoints.is_empty() {
        return Ok(Vec::new());
    }
    let throughput = prometheus.series(&format!("sum({})", rates("_count")), span, step)?;
    let p95 = prometheus.series(&p95_of(&rates("_bucket")), span, step)?;
    let steps = u32::try_from(span.length().as_millis() / step.as_millis()).unwrap_or(u32::MAX);
    let points = (1..=steps).map(|number| {
        let at = step * number;
        let (completed, times) = client_between(client, at.saturating_sub(window), at);
        let told = |series: &[(Labels, Vec<Point>)]| {
            let points = series.first().map(|(_, points)| points.as_slice());
            let wanted = start.plus(at).millis();
            let mut points = points.unwrap_or_default().iter();
            let found = points.find(|point| (point.at.millis() - wanted).abs() <= 1);
            found
                .map(|point| point.value)
                .filter(|value| value.is_finite())
        };
        HistoryPoint {
            at,
            // Before the run there was nothing, on both sides.
            client_per_second: Some(completed as f64 / window.as_secs_f64()),
            prometheus_per_second: told(&throughput),
            client_p95: times.percentile(95.0),
            prometheus_p95: told(&p95)
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        }
    });
    Ok(points.collect())
}

/// The nearest whole seconds, one at least: the client counted by the second, and scrapes are never quite
/// as far apart as they are meant to be.
fn whole_seconds(interval: Duration) -> Duration {
    let seconds = (interval + Duration::from_millis(500)).as_secs();
    Duration::from_secs(seconds.max(1))
}

/// Answers and service times of the compared steps in the whole seconds between two instants of the
/// run.
fn client_between(
    client: &CrossCheckInput<'_>,
    from: Duration,
    to: Duration,
) -> (u64, LatencyHistogram) {
    let steps = client.compared_steps();
    let (mut completed, mut times) = (0, LatencyHistogram::new());
    let begins = |second: u32| Duration::from_secs(u64::from(second));
    let within = client.time_series.seconds.iter().filter(|second| {
        from <= begins(second.second) && begins(second.second) + Duration::from_secs(1) <= to
    });
    let compared = |step: &&SecondStep| steps.contains(&step.step);
    for step in within.flat_map(|second| second.steps.iter().filter(compared)) {
        completed += step.completed;
        if let Some(Ok(histogram)) = step
            .service_time
            .as_deref()
            .map(LatencyHistogram::from_base64)
        {
            times.merge(&histogram);
        }
    }
    (completed, times)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::whole_seconds;

    #[test]
    fn windows_are_whole_seconds() {
        for (interval, seconds) in [(0, 1), (999, 1), (2_500, 3), (4_999, 5), (5_001, 5)] {
            let step = whole_seconds(Duration::from_millis(interval));
            assert_eq!(step, Duration::from_secs(seconds), "{interval} ms");
        }
    }
}
