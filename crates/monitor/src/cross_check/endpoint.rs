//! Which endpoint the steps of a plan ask.

use double11_measure::run::{StepSummary, TimeSeries};
use double11_units::UnixMicros;
use serde::{Deserialize, Serialize};

use super::{CrossCheckInput, REQUEST_DURATION};
use crate::matrix::{CounterError, HistogramDelta, Selector};

/// The endpoint that a step of the plan asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepEndpoint {
    /// The name of the step in the plan.
    pub step: String,
    /// The HTTP method, such as `GET`.
    pub method: String,
    /// The route template as the target labels it, such as `/api/products/{product_id}`.
    pub endpoint: String,
}

impl StepEndpoint {
    pub(crate) fn labels(&self) -> [(&str, &str); 2] {
        [("endpoint", &self.endpoint), ("method", &self.method)]
    }

    fn is_same_endpoint(&self, other: &Self) -> bool {
        self.labels() == other.labels()
    }
}

/// How many requests of a step the client sent, and of how many it does not know whether the target
/// saw them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sent {
    pub(crate) sent: u64,
    pub(crate) unknown: u64,
}

impl Sent {
    pub(super) fn of(step: &StepSummary) -> Self {
        let sent = step.attempted.saturating_sub(step.never_sent);
        // What failed with a whole answer is counted by its status, or as lacking something.
        let answered_failures: u64 = step
            .failures
            .iter()
            .filter(|(kind, _)| {
                kind.parse::<u16>().is_ok() || matches!(kind.as_str(), "extraction" | "status")
            })
            .map(|(_, count)| count)
            .sum();
        let answered = step.succeeded + step.expected_refusals + answered_failures;
        Self {
            sent,
            unknown: sent.saturating_sub(answered),
        }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            sent: self.sent + other.sent,
            unknown: self.unknown + other.unknown,
        }
    }
}

impl<'a> CrossCheckInput<'a> {
    /// Each endpoint once, in the order in which it was given.
    pub(crate) fn distinct_endpoints(&self) -> impl Iterator<Item = &'a StepEndpoint> {
        let all = self.endpoints;
        all.iter().enumerate().filter_map(move |(index, endpoint)| {
            let is_first = !all
                .iter()
                .take(index)
                .any(|known| known.is_same_endpoint(endpoint));
            is_first.then_some(endpoint)
        })
    }

    /// Whether a step asks an endpoint that is known.
    pub(super) fn has_endpoint(&self, step: &str) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.step == step)
    }

    /// Indexes in the time series of the steps that ask a known endpoint.
    pub(crate) fn compared_steps(&self) -> Vec<u16> {
        let TimeSeries { steps, .. } = self.time_series;
        (0..)
            .zip(steps)
            .filter(|(_, step)| self.has_endpoint(step))
            .map(|(id, _)| id)
            .collect()
    }

    /// What the client sent to an endpoint in all phases.
    pub(crate) fn sent_to(&self, endpoint: &StepEndpoint) -> Sent {
        let asks = |step: &StepSummary| {
            self.endpoints
                .iter()
                .any(|known| known.step == step.step && known.is_same_endpoint(endpoint))
        };
        self.summary
            .phases
            .iter()
            .flat_map(|phase| &phase.steps)
            .filter(|step| asks(step))
            .map(Sent::of)
            .fold(Sent::default(), Sent::plus)
    }

    /// How many requests the target counted at an endpoint.
    pub(crate) fn counted_at(
        &self,
        endpoint: &StepEndpoint,
        from: UnixMicros,
        to: UnixMicros,
    ) -> Result<f64, CounterError> {
        let series = format!("{REQUEST_DURATION}_count");
        self.matrix
            .counter_delta(Selector::new(&series, &endpoint.labels()), from, to)
    }

    /// The target's histogram over all known endpoints; endpoints that it does not have are left
    /// out, and so counted as without a request.
    pub(crate) fn handler_time(
        &self,
        from: UnixMicros,
        to: UnixMicros,
    ) -> Result<HistogramDelta, CounterError> {
        let mut all: Option<HistogramDelta> = None;
        for endpoint in self.distinct_endpoints() {
            let labels = endpoint.labels();
            let selector = Selector::new(REQUEST_DURATION, &labels);
            match self.matrix.histogram_delta(selector, from, to) {
                Ok(one) => {
                    all = Some(match all {
                        Some(sum) => sum.merged(one),
                        None => one,
                    });
                }
                Err(CounterError::Missing { .. }) => {}
                Err(reset) => return Err(reset),
            }
        }
        all.ok_or_else(|| CounterError::Missing {
            name: REQUEST_DURATION.to_owned(),
        })
    }
}
