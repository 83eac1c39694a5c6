//! Whole-run counts: requests by endpoint, orders, payments.

use double11_measure::run::StepSummary;

use super::endpoint::Sent;
use super::result::{CheckKind, CheckResult, Reason, Verdict};
use super::window::Window;
use super::{CrossCheckInput, ORDERS, PAYMENTS, REPLAYS};
use crate::matrix::{CounterError, Selector};

pub(super) fn check(input: &CrossCheckInput<'_>) -> Vec<CheckResult> {
    let window = Window::whole_run(input);
    let mut checks = Vec::new();
    for endpoint in input.distinct_endpoints() {
        let Sent { sent, unknown } = input.sent_to(endpoint);
        let counted = window
            .clone()
            .and_then(|window| Ok(input.counted_at(endpoint, window.from, window.to)?));
        if sent == 0 && matches!(counted, Err(Reason::SeriesMissing { .. })) {
            continue;
        }
        let name = format!("requests {} {}", endpoint.method, endpoint.endpoint);
        let check = CheckResult::new(CheckKind::Requests, name, None);
        checks.push(check.judged(|check| {
            check.client = Some(sent as f64);
            let missing = -check.figures(sent as f64, counted?, unknown as f64);
            Ok(Verdict::agrees_if(
                missing >= 0.0 && missing <= unknown as f64,
            ))
        }));
    }
    checks.extend(steps_without_endpoint(input));
    let Some(writes) = input.writes else {
        return checks;
    };
    let orders = Written {
        kind: CheckKind::Orders,
        name: "orders placed",
        series: ORDERS,
        operation: "order",
        acknowledged: writes.orders_acknowledged,
        unknown: writes.orders_unknown,
    };
    let payments = Written {
        kind: CheckKind::Payments,
        name: "payments captured",
        series: PAYMENTS,
        operation: "payment",
        acknowledged: writes.payments_acknowledged,
        unknown: writes.payments_unknown,
    };
    checks.push(orders.check(input, &window));
    checks.push(payments.check(input, &window));
    checks
}

/// Writes of one kind, by the client's account.
struct Written {
    kind: CheckKind,
    name: &'static str,
    series: &'static str,
    /// The target's word for it in [`REPLAYS`].
    operation: &'static str,
    acknowledged: u64,
    unknown: u64,
}

impl Written {
    fn check(&self, input: &CrossCheckInput<'_>, window: &Result<Window, Reason>) -> CheckResult {
        let check = CheckResult::new(self.kind, self.name.to_owned(), None);
        check.judged(|check| {
            check.client = Some(self.acknowledged as f64);
            let window = window.clone()?;
            let counted = self.counted(input, window)?;
            let more = check.figures(self.acknowledged as f64, counted, self.unknown as f64);
            Ok(Verdict::agrees_if(
                more >= 0.0 && more <= self.unknown as f64,
            ))
        })
    }

    /// Successes and replays of earlier ones: both are acknowledgements to the client.
    fn counted(&self, input: &CrossCheckInput<'_>, window: Window) -> Result<f64, CounterError> {
        let delta = |name: &str, labels: &[(&str, &str)]| {
            input
                .matrix
                .counter_delta(Selector::new(name, labels), window.from, window.to)
        };
        let replays = match delta(REPLAYS, &[("operation", self.operation)]) {
            Err(CounterError::Missing { .. }) => 0.0,
            other => other?,
        };
        Ok(delta(self.series, &[("status", "success")])? + replays)
    }
}

/// A step that sent requests to nobody knows where leaves the counts incomplete.
fn steps_without_endpoint(input: &CrossCheckInput<'_>) -> Vec<CheckResult> {
    let sent_of = |name: &str| {
        let of_step = |step: &&StepSummary| step.step == name;
        let steps = input.summary.phases.iter().flat_map(|phase| &phase.steps);
        steps
            .filter(of_step)
            .map(Sent::of)
            .fold(Sent::default(), Sent::plus)
            .sent
    };
    let unknown = input
        .time_series
        .steps
        .iter()
        .filter(|step| !input.has_endpoint(step));
    unknown
        .filter_map(|step| {
            let sent = sent_of(step);
            let name = format!("requests of step {step}");
            let check = CheckResult::new(CheckKind::Requests, name, None);
            (sent > 0).then(|| {
                check.judged(|check| {
                    check.client = Some(sent as f64);
                    Err(Reason::StepWithoutEndpoint { step: step.clone() })
                })
            })
        })
        .collect()
}
