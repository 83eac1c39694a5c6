//! The questions of the cross-check, as dashboards ask them.

use std::time::Duration;

use double11_measure::run::PhaseSummary;
use double11_units::{UnixMicros, errors};

use super::target::{Target, quoted};
use super::{Prometheus, PrometheusError, Span};
use crate::cross_check::{
    CrossCheckInput, HandlerTime, REQUEST_DURATION, Reason, Source, StepEndpoint, Window,
};
use crate::matrix::HistogramDelta;

/// Scrapes that must lie inside a phase for a rate.
pub(super) const SCRAPES_MIN: u64 = 4;

/// How much longer a range is than the time between its first and last scrape. Newer versions leave
/// the beginning of a range out; a range that is as good as no longer than its scrapes leaves `rate`
/// nothing to extrapolate.
const RANGE_MARGIN: Duration = Duration::from_millis(10);

/// A Prometheus that is asked about the phases of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) prometheus: &'a Prometheus,
    pub(super) target: &'a Target,
}

impl Source for Asked<'_> {
    /// From the first to the last scrape that lie wholly inside the phase, none of them missing.
    fn window(&self, input: &CrossCheckInput<'_>, phase: &PhaseSummary) -> Result<Window, Reason> {
        let inside = whole_seconds(input.start()?, (phase.start_s, phase.duration_s));
        let span = self.target.steady(inside)?;
        Window::between(input, span.from, span.to)
    }

    fn rate(&self, input: &CrossCheckInput<'_>, window: Window) -> Result<f64, Reason> {
        let count = format!("{REQUEST_DURATION}_count");
        let series = of_endpoints(&count, &self.target.matchers, input, window);
        self.number(&format!("sum({series})"), window.to)?
            .ok_or(Reason::SeriesMissing { series: count })
    }

    fn handler_time(
        &self,
        input: &CrossCheckInput<'_>,
        window: Window,
    ) -> Result<Option<HandlerTime>, Reason> {
        let delta = input.handler_time(window.from, window.to)?;
        let bucket = format!("{REQUEST_DURATION}_bucket");
        let series = of_endpoints(&bucket, &self.target.matchers, input, window);
        let told = self.number(&p95_of(&series), window.to)?;
        Ok(handler_time(&delta, told))
    }
}

/// The seconds of the run that lie wholly inside a phase that begins and lasts so many seconds. The client
/// counts by them, and one that two phases share tells how much they had together, not which had what.
pub(super) fn whole_seconds(run: UnixMicros, (begins, lasts): (f64, f64)) -> Span {
    let seconds = |value: f64| Duration::try_from_secs_f64(value).unwrap_or_default();
    Span {
        from: run.plus(seconds(begins.ceil())),
        to: run.plus(seconds((begins + lasts).floor())),
    }
}

impl Asked<'_> {
    /// The one number that a query gives.
    pub(super) fn number(&self, query: &str, at: UnixMicros) -> Result<Option<f64>, Reason> {
        self.prometheus
            .number(query, Some(at))
            .map_err(|error| failed(&error))
    }
}

impl Target {
    /// From the first to the last scrape inside a span: at least [`SCRAPES_MIN`], none missing.
    pub(super) fn steady(&self, span: Span) -> Result<Span, Reason> {
        let inside = self.within(span);
        let scrapes = inside.len() as u64;
        let (Some(first), Some(last), SCRAPES_MIN..) = (inside.first(), inside.last(), scrapes)
        else {
            return Err(Reason::ScrapesInside {
                scrapes,
                needed: SCRAPES_MIN,
            });
        };
        let steady = Span {
            from: first.at,
            to: last.at,
        };
        self.without_gap(steady)?;
        Ok(steady)
    }
}

/// Prometheus' P95 with the bucket that it lies in, and the mean; `None` without a request.
pub(super) fn handler_time(delta: &HistogramDelta, told: Option<f64>) -> Option<HandlerTime> {
    let seconds = told.filter(|seconds| seconds.is_finite())?;
    let mut p95 = delta.prometheus_quantile(0.95)?;
    p95.value = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    Some(HandlerTime {
        p95,
        mean: delta.mean()?,
    })
}

/// The P95 of buckets per second.
pub(super) fn p95_of(rates: &str) -> String {
    format!("histogram_quantile(0.95, sum by (le) ({rates}))")
}

/// The rate of a series between two scrapes.
pub(super) fn rate(series: &str, matchers: &str, span: Span) -> String {
    let range = (span.length() + RANGE_MARGIN).as_millis();
    format!("rate({series}{{{matchers}}}[{range}ms])")
}

/// The same at every endpoint of a run. Their label sets differ, so that `or` joins them all.
fn of_endpoints(
    series: &str,
    matchers: &str,
    input: &CrossCheckInput<'_>,
    window: Window,
) -> String {
    let span = Span {
        from: window.from,
        to: window.to,
    };
    let rates: Vec<String> = input
        .distinct_endpoints()
        .map(|endpoint| rate(series, &with_endpoint(matchers, endpoint), span))
        .collect();
    rates.join(" or ")
}

/// Matchers of a target and of one endpoint.
pub(super) fn with_endpoint(matchers: &str, endpoint: &StepEndpoint) -> String {
    let [(endpoint, route), (method, verb)] = endpoint.labels();
    format!(
        "{matchers},{endpoint}={},{method}={}",
        quoted(route),
        quoted(verb)
    )
}

/// An answer that did not come, as the reason why nothing can be compared.
pub(super) fn failed(error: &PrometheusError) -> Reason {
    let message = errors::in_one_line(error);
    Reason::PrometheusFailed { message }
}
