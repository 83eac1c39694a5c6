//! Phases and steps.

use std::time::Duration;

use double11_load::plan::Write;
use double11_measure::run as measured;
use double11_report::model::{Availability, PhaseReport, Quantiles, StepReport};

use crate::resources::{ResourceSample, cpu_between, memory_max};
use crate::under_limits::UnderLimits;

/// Steps whose successes are orders and captured payments, by their names: those of the built-in
/// plans, for runs of which no more is known than their samples.
const ORDER_STEPS: [&str; 3] = ["checkout", "order", "purchase"];
const PAYMENT_STEPS: [&str; 2] = ["payment", "pay"];

/// Which steps place orders and which capture payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Business {
    orders: Vec<String>,
    payments: Vec<String>,
}

impl Default for Business {
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            orders: names(&ORDER_STEPS),
            payments: names(&PAYMENT_STEPS),
        }
    }
}

impl Business {
    /// By what steps write.
    pub(crate) fn of_writes<'w>(writes: impl IntoIterator<Item = &'w (String, Write)>) -> Self {
        let mut business = Self {
            orders: Vec::new(),
            payments: Vec::new(),
        };
        for (step, write) in writes {
            match write {
                Write::Order => business.orders.push(step.clone()),
                Write::Payment => business.payments.push(step.clone()),
                Write::Cart => {}
            }
        }
        business
    }
}

/// What is known of a run besides its samples.
#[derive(Clone, Copy)]
pub(crate) struct Beside<'run> {
    /// Requests per second of a normal day.
    pub(crate) normal_per_second: Option<f64>,
    /// Looks at the shop's process; empty where it is out of reach.
    pub(crate) resources: &'run [ResourceSample],
    /// Processors that the shop was given; `None` where that is unknown.
    pub(crate) shop_cores: Option<f64>,
    /// How the shop fared under its limits.
    pub(crate) under_limits: &'run UnderLimits,
    /// Which steps place orders and which capture payments.
    pub(crate) business: &'run Business,
    /// Width of the windows of the time series.
    pub(crate) window_seconds: u32,
}

pub(crate) fn phase(summary: &measured::PhaseSummary, beside: Beside<'_>) -> PhaseReport {
    let total = &summary.total;
    let (from, to) = span(summary);
    let cpu = cpu_between(beside.resources, from, to);
    let answered = total.completed_successes + total.completed_refusals;
    let rate_of = |names: &[String]| rate_of(summary, names);
    PhaseReport {
        name: summary.name.clone(),
        measured: summary.measured,
        traffic_multiple: summary
            .offered_per_second
            .zip(beside.normal_per_second)
            .filter(|(_, normal)| *normal > 0.0)
            .map(|(offered, normal)| rounded_multiple(offered / normal)),
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
        orders_per_second: rate_of(&beside.business.orders),
        payments_per_second: rate_of(&beside.business.payments),
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
        cpu_share: beside
            .shop_cores
            .and_then(|cores| cpu_share(summary, beside.resources, cores)),
        cpu_per_request_us: cpu
            .filter(|_| answered > 0)
            .map(|cpu| cpu.as_secs_f64() * 1e6 / answered as f64),
        memory_max_bytes: memory_max(beside.resources, from, to),
        throttling: beside.under_limits.phases.get(&summary.name).copied(),
    }
}

/// Share of the shop's processors that it used over a phase.
pub(crate) fn cpu_share(
    summary: &measured::PhaseSummary,
    resources: &[ResourceSample],
    shop_cores: f64,
) -> Option<f64> {
    let (from, to) = span(summary);
    let cpu = cpu_between(resources, from, to)?;
    Some(cpu.as_secs_f64() / summary.duration_s / shop_cores)
}

/// Successful orders per second of a phase, by the names of the built-in plans' steps.
pub(crate) fn orders_per_second(summary: &measured::PhaseSummary) -> Option<f64> {
    rate_of(summary, &Business::default().orders)
}

/// Start and end of a phase since the start of the run.
pub(crate) fn span(summary: &measured::PhaseSummary) -> (Duration, Duration) {
    let from = Duration::from_secs_f64(summary.start_s);
    (from, from + Duration::from_secs_f64(summary.duration_s))
}

/// Rates come from plans, so that a multiple is a plain number but for rounding.
fn rounded_multiple(multiple: f64) -> f64 {
    (multiple * 1e6).round() / 1e6
}

/// Successes of steps per second of the phase; `None` where there is none of them.
fn rate_of(summary: &measured::PhaseSummary, names: &[String]) -> Option<f64> {
    let successes = summary
        .steps
        .iter()
        .filter(|step| names.contains(&step.step))
        .map(|step| step.completed_successes)
        .reduce(|sum, next| sum + next)?;
    (summary.duration_s > 0.0).then(|| successes as f64 / summary.duration_s)
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
