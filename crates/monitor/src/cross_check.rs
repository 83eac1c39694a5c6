//! Holding what the target counted against what the client measured.
//!
//! Three kinds of checks: *counts* over the whole run, by counter deltas between the scrape before
//! the first request and the one after the last (exact, but for requests whose outcome the client
//! does not know); *throughput* inside each measured phase; and the *P95 of the service time* inside
//! each measured phase, as far as a histogram with buckets can tell. Each yields a [`CheckResult`].
//! What cannot be compared is said to be so and is never counted as agreement.
//!
//! Prometheus' `rate` and `increase` are deliberately absent: they extrapolate beyond the scrapes. What
//! a Prometheus says of the same run is held against the client by [`crate::prometheus`], which makes
//! these same checks with another source.

use std::time::Duration;

use double11_measure::run::{Summary, TimeSeries};
use double11_units::UnixMicros;

use crate::matrix::Matrix;

mod counts;
mod endpoint;
mod result;
mod service_time;
mod source;
mod throughput;
mod window;

pub use endpoint::StepEndpoint;
pub use result::{CheckKind, CheckResult, CrossCheck, Overall, Reason, ServiceTimeDetail, Verdict};
pub(crate) use service_time::{Agreement, compare as compare_p95};
pub(crate) use source::{HandlerTime, Source};
pub(crate) use throughput::{Counted, REQUESTS_MIN, compare as compare_rates};
pub(crate) use window::Window;

/// The target's histogram of the time in its handlers, by `endpoint` (route template), `method` and
/// `status`.
pub const REQUEST_DURATION: &str = "ecommerce_request_duration_seconds";
/// The target's counter of orders by `status`.
pub const ORDERS: &str = "ecommerce_orders_total";
/// The target's counter of payments by `status`.
pub const PAYMENTS: &str = "ecommerce_payments_total";
/// The target's counter of answers that repeated an earlier one, by `operation`.
pub const REPLAYS: &str = "ecommerce_replays_total";

/// How much the two throughputs of a phase may differ, as a share of the client's.
pub const THROUGHPUT_TOLERANCE: f64 = 0.05;

/// The most that two P95 may differ, whatever the buckets.
pub const P95_TOLERANCE: Duration = Duration::from_millis(100);

/// A mean wait before the handler beyond which the client's service time and the target's handler
/// time are two different things.
pub const WAIT_COMPARABLE: Duration = Duration::from_millis(100);

/// What a client on the same machine adds to the handler's time for each request (loopback, HTTP
/// parsing on both sides, scheduling), unless the caller states another.
pub const CLIENT_OVERHEAD_DEFAULT: Duration = Duration::from_millis(2);

/// What is compared.
#[derive(Debug, Clone, Copy)]
pub struct CrossCheckInput<'a> {
    /// The client's figures by phase.
    pub summary: &'a Summary,
    /// The client's figures by second; its `start_unix_ms` ties them to the scrapes.
    pub time_series: &'a TimeSeries,
    /// The target's figures: scraped before the first request, during the run, and after the
    /// target has nothing left to do.
    pub matrix: &'a Matrix,
    /// Which endpoint each step of the plan asks. A step that sends nothing needs none.
    pub endpoints: &'a [StepEndpoint],
    /// The client's writes by their outcome; `None` where no ledger was kept, which leaves orders
    /// and payments unchecked.
    pub writes: Option<ClientWrites>,
    /// What the client's side adds to each request, such as [`CLIENT_OVERHEAD_DEFAULT`].
    pub client_overhead: Duration,
}

/// Writes of the client by their outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClientWrites {
    /// Orders that the target acknowledged.
    pub orders_acknowledged: u64,
    /// Order requests that were sent and got no answer.
    pub orders_unknown: u64,
    /// Payments that the target acknowledged as captured.
    pub payments_acknowledged: u64,
    /// Payment requests that were sent and got no final answer.
    pub payments_unknown: u64,
}

/// Makes every check.
pub fn cross_check(input: &CrossCheckInput<'_>) -> CrossCheck {
    CrossCheck::new(checks(input, &source::Scraped))
}

/// Every check, with what `source` says of the phases.
pub(crate) fn checks(input: &CrossCheckInput<'_>, source: &dyn Source) -> Vec<CheckResult> {
    let mut checks = counts::check(input);
    for phase in input.summary.phases.iter().filter(|phase| phase.measured) {
        checks.push(throughput::check(input, source, phase));
        checks.push(service_time::check(input, source, phase));
    }
    checks
}

impl CrossCheckInput<'_> {
    /// When second 0 of the run began.
    pub(crate) fn start(&self) -> Result<UnixMicros, Reason> {
        let start_ms = self.time_series.start_unix_ms.ok_or(Reason::NoStartTime)?;
        Ok(UnixMicros::new(start_ms.saturating_mul(1_000)))
    }
}

#[cfg(test)]
mod tests;
