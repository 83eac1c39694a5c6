//! The throughput inside a phase.

use std::time::Duration;

use double11_measure::run::PhaseSummary;

use super::endpoint::Sent;
use super::result::{CheckKind, CheckResult, Reason, Verdict};
use super::source::Source;
use super::window::Window;
use super::{CrossCheckInput, THROUGHPUT_TOLERANCE};
use crate::matrix::CounterError;

/// Requests that must have been answered between the scrapes: with fewer, a few requests at the
/// edges of the window are as much as the tolerance.
pub(crate) const REQUESTS_MIN: f64 = 200.0;

/// Compares what the target counted per second between the first and the last scrape inside the phase
/// with what the client saw answered in the same span. Requests of the phase with an unknown outcome
/// widen the limit, since the target may have counted them.
pub(super) fn check(
    input: &CrossCheckInput<'_>,
    source: &dyn Source,
    phase: &PhaseSummary,
) -> CheckResult {
    let name = "throughput".to_owned();
    CheckResult::new(CheckKind::Throughput, name, Some(&phase.name)).judged(|check| {
        let window = source.window(input, phase)?;
        let unknown: u64 = phase
            .steps
            .iter()
            .filter(|step| input.has_endpoint(&step.step))
            .map(|step| Sent::of(step).unknown)
            .sum();
        let client = Counted {
            count: window.answered(input),
            unknown: unknown as f64,
            needed: REQUESTS_MIN,
        };
        compare(check, client, window.length(), || {
            source.rate(input, window)
        })
    })
}

/// What the client counted in a span.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) count: f64,
    /// How much more the target may have counted.
    pub(crate) unknown: f64,
    /// How many make a rate worth comparing.
    pub(crate) needed: f64,
}

/// Compares what the client counted in a span with what the target counted per second.
pub(crate) fn compare(
    check: &mut CheckResult,
    client: Counted,
    span: Duration,
    rate: impl FnOnce() -> Result<f64, Reason>,
) -> Result<Verdict, Reason> {
    let seconds = span.as_secs_f64();
    check.client = Some(client.count / seconds);
    if client.count < client.needed {
        return Err(Reason::RequestsTooFew {
            requests: client.count,
            needed: client.needed,
        });
    }
    let rate = rate()?;
    let limit = (client.count * THROUGHPUT_TOLERANCE + client.unknown) / seconds;
    let difference = check.figures(client.count / seconds, rate, limit);
    Ok(Verdict::agrees_if(difference.abs() <= limit))
}

/// Requests that the target counted at all known endpoints; those it does not have count nothing.
pub(super) fn counted(input: &CrossCheckInput<'_>, window: Window) -> Result<f64, CounterError> {
    let mut sum = None;
    let mut missing = None;
    for endpoint in input.distinct_endpoints() {
        match input.counted_at(endpoint, window.from, window.to) {
            Ok(count) => *sum.get_or_insert(0.0) += count,
            Err(error @ CounterError::Missing { .. }) => missing = Some(error),
            Err(reset) => return Err(reset),
        }
    }
    match (sum, missing) {
        (None, Some(error)) => Err(error),
        (sum, _) => Ok(sum.unwrap_or(0.0)),
    }
}
