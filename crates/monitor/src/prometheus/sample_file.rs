//! A sample file of any tool against what a Prometheus has kept of its target.
//!
//! A file knows neither phases nor unknown outcomes, and may hold one part of a longer run. Therefore
//! only what lies between two scrapes inside it is compared: answers per second, orders per second with
//! the samples of orders alone, and the P95.

use std::io::BufRead;
use std::time::Duration;

use double11_measure::histogram::LatencyHistogram;
use double11_measure::jtl::{JtlSummary, Limits, Problem, Reader, Row, TimeStamps};
use double11_units::UnixMicros;

use super::ask::{Asked, handler_time, p95_of, rate};
use super::run::{PrometheusCheck, nothing, of_the_scrapes, scraped};
use super::target::{self, Target, Wanted};
use super::{Prometheus, PrometheusError, Span};
use crate::cross_check::{
    Agreement, CLIENT_OVERHEAD_DEFAULT, CheckKind, CheckResult, Counted, CrossCheck, ORDERS,
    REPLAYS, REQUEST_DURATION, REQUESTS_MIN, Reason, Verdict, compare_p95, compare_rates,
};
use crate::matrix::{Matrix, PROCESS_START, Selector};

/// What samples of orders are called unless the caller says otherwise.
pub const ORDER_LABELS: [&str; 3] = ["checkout", "order", "purchase"];

/// Orders between two scrapes below which one at the edge is as much as the tolerance.
const ORDERS_MIN: f64 = 50.0;

/// The share of failed samples that tells overload.
const OVERLOAD_SHARE: f64 = 0.01;

/// A sample file and how to understand it.
#[derive(Debug, Clone, Copy)]
pub struct SampleFile<'a> {
    /// What [`summarize`](double11_measure::jtl::summarize) says of it.
    pub summary: &'a JtlSummary,
    /// Labels of the target, as `PromQL` matchers without braces.
    pub selector: &'a str,
    /// An address that the samples asked, where it is known.
    pub target: Option<&'a str>,
    /// What samples of orders are called, in any case of letters.
    pub order_labels: &'a [String],
}

/// Compares a sample file, which is read once more by `open`, with what a Prometheus has.
///
/// # Errors
/// The outer one as [`Prometheus::clock_ahead`], the inner one when the file cannot be read again.
pub fn check_sample_file<R: BufRead>(
    prometheus: &Prometheus,
    file: &SampleFile<'_>,
    open: impl FnOnce() -> Result<R, Problem>,
) -> Result<Result<PrometheusCheck, Problem>, PrometheusError> {
    let run = match span(file.summary) {
        Ok(span) => span,
        Err(reason) => return Ok(Ok(nothing(reason, None))),
    };
    let wanted = Wanted {
        selector: file.selector,
        target: file.target,
        run,
    };
    let target = match target::find(prometheus, wanted)? {
        Ok(target) => target,
        Err(reason) => return Ok(Ok(nothing(reason, None))),
    };
    let steady = match target.steady(run) {
        Ok(steady) => steady,
        Err(reason) => return Ok(Ok(nothing(reason, None))),
    };
    let scraped = scraped(prometheus, &target, steady);
    let names = format!(
        "__name__=~\"{REQUEST_DURATION}_(bucket|sum|count)|{ORDERS}|{REPLAYS}|{PROCESS_START}\",{}",
        target.matchers
    );
    let matrix = prometheus.samples(&names, steady)?;
    let believed = match of_the_scrapes(prometheus, &target, &matrix)? {
        Ok(()) if matrix.restarted_between(steady.from, steady.to) => Err(Reason::TargetRestarted),
        other => other,
    };
    if let Err(reason) = believed {
        return Ok(Ok(nothing(reason, Some(scraped))));
    }
    let client = match open().and_then(|input| Rows::read(input, steady, file.order_labels)) {
        Ok(client) => client,
        Err(problem) => return Ok(Err(problem)),
    };
    let sides = Sides {
        asked: Asked {
            prometheus,
            target: &target,
        },
        matrix: &matrix,
        steady,
        client: &client,
    };
    let mut checks = vec![
        sides.scrapes(&target),
        sides.throughput(),
        sides.service_time(),
    ];
    checks.extend(sides.orders(file.order_labels));
    Ok(Ok(PrometheusCheck {
        cross_check: CrossCheck::new(checks),
        target: Some(scraped),
    }))
}

/// From the first start to the last end.
fn span(summary: &JtlSummary) -> Result<Span, Reason> {
    if summary.time_stamps == TimeStamps::LocalDates {
        return Err(Reason::LocalDates);
    }
    let at = |millis: Option<i64>| -> Result<UnixMicros, Reason> {
        let millis = millis.ok_or(Reason::NoStartTime)?;
        Ok(UnixMicros::new(millis.saturating_mul(1_000)))
    };
    Ok(Span {
        from: at(summary.first_start_unix_ms)?,
        to: at(summary.last_end_unix_ms)?,
    })
}

/// What the file counts between two instants, by the samples' ends.
#[derive(Debug, Default)]
struct Rows {
    answered: u64,
    failed: u64,
    times: LatencyHistogram,
    orders: u64,
}

impl Rows {
    fn read(input: impl BufRead, within: Span, order_labels: &[String]) -> Result<Self, Problem> {
        let mut reader = Reader::with_limits(input, Limits::default())?;
        let mut counted = Self::default();
        loop {
            match reader.next_row() {
                Ok(Some(row)) => counted.add(&row, within, order_labels),
                Ok(None) => return Ok(counted),
                // The file was read once already: what was tolerated then is tolerated again.
                Err(problem) if !problem.is_fatal() => {}
                Err(problem) => return Err(problem),
            }
        }
    }

    fn add(&mut self, row: &Row<'_>, within: Span, order_labels: &[String]) {
        let elapsed = Duration::from_millis(row.elapsed_ms);
        let end = UnixMicros::new(row.time_stamp_ms.saturating_mul(1_000)).plus(elapsed);
        // A code that is a number is an answer; anything else never reached the target's counters for
        // certain. Transaction controllers sum up other rows.
        let code = row.response_code.parse::<u16>().ok();
        let controller = row
            .response_message
            .starts_with("Number of samples in transaction");
        let Some(code) = code.filter(|_| !controller && within.from < end && end <= within.to)
        else {
            return;
        };
        self.answered += 1;
        self.failed += u64::from(!row.success);
        self.times.record(elapsed);
        let is_order = order_labels
            .iter()
            .any(|label| label.eq_ignore_ascii_case(row.label));
        self.orders += u64::from(is_order && (200..300).contains(&code));
    }
}

/// Both sides between two scrapes.
struct Sides<'a> {
    asked: Asked<'a>,
    matrix: &'a Matrix,
    steady: Span,
    client: &'a Rows,
}

impl Sides<'_> {
    fn scrapes(&self, target: &Target) -> CheckResult {
        let check = CheckResult::new(CheckKind::Scrapes, "scrapes due and made".to_owned(), None);
        check.judged(|check| {
            let (expected, missing) = target.expected_and_missing(self.steady);
            check.figures(
                expected as f64,
                expected.saturating_sub(missing) as f64,
                0.0,
            );
            Ok(Verdict::Agrees)
        })
    }

    fn rate(&self, series: &str, matchers: &str) -> String {
        let target = &self.asked.target.matchers;
        let comma = if matchers.is_empty() { "" } else { "," };
        rate(series, &format!("{target}{comma}{matchers}"), self.steady)
    }

    fn throughput(&self) -> CheckResult {
        let check = CheckResult::new(CheckKind::Throughput, "throughput".to_owned(), None);
        check.judged(|check| {
            let series = format!("{REQUEST_DURATION}_count");
            let counted = Counted {
                count: self.client.answered as f64,
                unknown: 0.0,
                needed: REQUESTS_MIN,
            };
            compare_rates(check, counted, self.steady.length(), || {
                let query = format!("sum({})", self.rate(&series, ""));
                let told = self.asked.number(&query, self.steady.to)?;
                told.ok_or(Reason::SeriesMissing { series })
            })
        })
    }

    fn service_time(&self) -> CheckResult {
        let name = "P95 of service time".to_owned();
        CheckResult::new(CheckKind::ServiceTimeP95, name, None).judged(|check| {
            let failed = self.client.failed as f64;
            let agreement = Agreement {
                client_overhead: CLIENT_OVERHEAD_DEFAULT,
                is_overloaded: failed > self.client.answered as f64 * OVERLOAD_SHARE,
            };
            compare_p95(check, &self.client.times, agreement, || {
                let family = Selector::new(REQUEST_DURATION, &[]);
                let Span { from, to } = self.steady;
                let delta = self.matrix.histogram_delta(family, from, to)?;
                let buckets = self.rate(&format!("{REQUEST_DURATION}_bucket"), "");
                Ok(handler_time(
                    &delta,
                    self.asked.number(&p95_of(&buckets), to)?,
                ))
            })
        })
    }

    /// Successful orders and repetitions of them, which are both acknowledged. Left out where neither
    /// side has any.
    fn orders(&self, labels: &[String]) -> Option<CheckResult> {
        let name = "orders per second".to_owned();
        let query = format!(
            "sum({} or {})",
            self.rate(ORDERS, "status=\"success\""),
            self.rate(REPLAYS, "operation=\"order\"")
        );
        let told = self.asked.number(&query, self.steady.to);
        if self.client.orders == 0 && matches!(told, Ok(None | Some(0.0))) {
            return None;
        }
        let check = CheckResult::new(CheckKind::Throughput, name, None);
        Some(check.judged(|check| {
            let told = told?.ok_or(Reason::SeriesMissing {
                series: ORDERS.to_owned(),
            })?;
            if self.client.orders == 0 {
                return Err(Reason::NoOrderSamples {
                    labels: labels.to_vec(),
                });
            }
            let counted = Counted {
                count: self.client.orders as f64,
                unknown: 0.0,
                needed: ORDERS_MIN,
            };
            compare_rates(check, counted, self.steady.length(), || Ok(told))
        }))
    }
}
