//! Phases and steps.

use std::time::Duration;

use double11_measure::run as measured;
use double11_report::model::{Availability, PhaseReport, Quantiles, StepReport};

use crate::options::{NORMAL_PER_SECOND, PhasePlan};
use crate::resources::{ResourceSample, cpu_between, memory_max};

/// The step whose successes are orders.
const ORDER_STEP: &str = "checkout";
/// The step whose successes are captured payments.
const PAYMENT_STEP: &str = "payment";

pub(crate) fn phase(
    summary: &measured::PhaseSummary,
    plan: Option<&PhasePlan>,
    resources: &[ResourceSample],
    shop_cores: f64,
) -> PhaseReport {
    let total = &summary.total;
    let from = Duration::from_secs_f64(summary.start_s);
    let to = from + Duration::from_secs_f64(summary.duration_s);
    let cpu = cpu_between(resources, from, to);
    let answered = total.completed_successes + total.completed_refusals;
    PhaseReport {
        name: summary.name.clone(),
        measured: summary.measured,
        traffic_multiple: plan.map(|plan| plan.per_second / NORMAL_PER_SECOND),
        start_s: summary.start_s,
        duration_s: summary.duration_s,
        offered_per_second: summary.offered_per_second,
        attempted: total.attempted,
        succeeded: total.succeeded,
        expected_refusals: total.expected_refusals,
        failed: total.failed,
        dropped: total.dropped,
        late: total.late,
        throughput_per_second: total.throughput_per_second,
        orders_per_second: rate_of(summary, ORDER_STEP),
        payments_per_second: rate_of(summary, PAYMENT_STEP),
        response_time: quantiles(&total.response_time),
        service_time: quantiles(&total.service_time),
        verdict_p95_ms: total.verdict_p95_ms,
        verdict_p95_is_lower_bound: total.verdict_p95_is_lower_bound,
        error_rate: total.error_rate,
        failures: total.failures.clone(),
        availability: Some(Availability {
            good: summary.availability.good,
            total: summary.availability.total,
        }),
        cpu_share: cpu.map(|cpu| cpu.as_secs_f64() / summary.duration_s / shop_cores),
        cpu_per_request_us: cpu
            .filter(|_| answered > 0)
            .map(|cpu| cpu.as_secs_f64() * 1e6 / answered as f64),
        memory_max_bytes: memory_max(resources, from, to),
    }
}

/// Successes of a step per second of the phase.
fn rate_of(summary: &measured::PhaseSummary, step: &str) -> Option<f64> {
    let step = summary
        .steps
        .iter()
        .find(|candidate| candidate.step == step)?;
    (summary.duration_s > 0.0).then(|| step.completed_successes as f64 / summary.duration_s)
}

pub(crate) fn step(summary: &measured::StepSummary) -> StepReport {
    StepReport {
        step: summary.step.clone(),
        attempted: summary.attempted,
        throughput_per_second: summary.throughput_per_second,
        p50_ms: summary.response_time.p50_ms,
        verdict_p95_ms: summary.verdict_p95_ms,
        verdict_p95_is_lower_bound: summary.verdict_p95_is_lower_bound,
        error_rate: summary.error_rate,
    }
}

const fn quantiles(from: &measured::Quantiles) -> Quantiles {
    Quantiles {
        count: from.count,
        min_ms: from.min_ms,
        mean_ms: from.mean_ms,
        p50_ms: from.p50_ms,
        p90_ms: from.p90_ms,
        p95_ms: from.p95_ms,
        p99_ms: from.p99_ms,
        p999_ms: from.p999_ms,
        max_ms: from.max_ms,
    }
}
