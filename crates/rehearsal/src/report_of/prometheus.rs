//! What a Prometheus said of a run, as the report shows it.

use std::time::Duration;

use double11_report::model::{PrometheusPoint, PrometheusReport};

use super::checks;
use crate::prometheus::Said;

pub(crate) fn prometheus(said: &Said, generator_limited: bool) -> PrometheusReport {
    let target = said.check.target.as_ref();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1_000.0;
    let took = target.and_then(|target| target.scrape_took);
    let points = said.points.iter().map(|point| PrometheusPoint {
        at_s: point.at.as_secs_f64(),
        generator_per_second: point.client_per_second,
        prometheus_per_second: point.prometheus_per_second,
        generator_p95_ms: point.client_p95.map(milliseconds),
        prometheus_p95_ms: point.prometheus_p95.map(milliseconds),
    });
    PrometheusReport {
        version: said.version.clone(),
        started_here: said.started_here,
        target: target.map(|target| target.matchers.clone()),
        interval_s: target.map(|target| target.interval.as_secs_f64()),
        scrapes: target.map(|target| target.scrapes),
        scrape_mean_ms: took.map(|(mean, _)| milliseconds(mean)),
        scrape_max_ms: took.map(|(_, longest)| milliseconds(longest)),
        cpu_share: said.cpu_share,
        results: checks::cross_check(&said.check.cross_check, generator_limited).results,
        points: points.collect(),
    }
}
