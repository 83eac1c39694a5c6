//! What is remembered of every run, when its samples are not needed any more.

use double11_report::model::{
    AuditMissing, CrossCheckKind, CrossCheckReport, PhaseReport, PrometheusReport, RunReport,
    VariantReport,
};

use crate::options::RehearsalOptions;
use crate::rehearse::shop_cores;
use crate::report_of::phases::{Beside, Business};
use crate::report_of::variant::Measured;
use crate::report_of::{checks, phases, prometheus, variant};
use crate::run::Run;

/// One run, without its samples.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) pair: u32,
    pub(crate) variant: String,
    /// Its folder, by name.
    pub(crate) folder: String,
    /// The judged phase.
    pub(crate) judged: Option<PhaseReport>,
    audit_passed: Option<bool>,
    cross_check_failed: Option<bool>,
    generator_limited: bool,
}

impl From<&Seen> for RunReport {
    fn from(seen: &Seen) -> Self {
        Self {
            pair: seen.pair,
            variant: seen.variant.clone(),
            folder: seen.folder.clone(),
            judged: seen.judged.clone(),
            audit_passed: seen.audit_passed,
            cross_check_failed: seen.cross_check_failed,
            generator_limited: Some(seen.generator_limited),
        }
    }
}

/// What has to be remembered of a run.
pub(crate) fn seen(options: &RehearsalOptions, pair: u32, folder: &str, run: &Run) -> Seen {
    let business = Business::of_writes(&run.outcome.writes);
    let judged = run.outcome.summary.phase(&options.schedule.judged);
    Seen {
        pair,
        variant: run.variant.clone(),
        folder: folder.to_owned(),
        judged: judged.map(|phase| phases::phase(phase, beside(options, run, &business))),
        audit_passed: run
            .audit
            .as_ref()
            .map(|audit| audit.verdict == double11_audit::Verdict::Passed),
        cross_check_failed: cross_check_failed(run),
        generator_limited: run.outcome.health.generator_limited,
    }
}

/// Everything that the report shows of a run.
pub(crate) fn variant(options: &RehearsalOptions, run: &Run) -> VariantReport {
    let business = Business::of_writes(&run.outcome.writes);
    let peak = options
        .schedule
        .judged_phase()
        .is_some_and(|phase| phase.peak);
    variant::variant(Measured {
        name: &run.variant,
        levers: &run.levers,
        summary: &run.outcome.summary,
        series: &run.outcome.time_series,
        beside: beside(options, run, &business),
        judged: &options.schedule.judged,
        plan: options.plan.steps().map(|plan| (plan, peak)),
        health: Some(&run.outcome.health),
        audit: run
            .audit
            .as_ref()
            .map(|audit| checks::audit(audit, run.settled_after))
            .ok_or(AuditMissing::NoStoreAccess),
        cross_check: cross_checked(run),
        prometheus: asked(run),
        group_memory: run.under_limits.memory,
    })
}

fn cross_checked(run: &Run) -> Option<CrossCheckReport> {
    let check = run.cross_check.as_ref()?;
    let limited = run.outcome.health.generator_limited;
    Some(checks::cross_check(check, limited))
}

fn asked(run: &Run) -> Option<PrometheusReport> {
    let said = run.prometheus.as_ref()?;
    let limited = run.outcome.health.generator_limited;
    Some(prometheus::prometheus(said, limited))
}

/// Whether the shop's own metrics or a Prometheus differed; `None` where nothing could be compared.
fn cross_check_failed(run: &Run) -> Option<bool> {
    let direct = cross_checked(run).as_ref().and_then(checks::failed);
    let asked = asked(run).map(|asked| CrossCheckReport {
        results: asked.results,
    });
    // That Prometheus scraped is no comparison of figures.
    let asked = asked.and_then(|mut asked| {
        asked
            .results
            .retain(|result| result.kind != CrossCheckKind::Scrapes);
        checks::failed(&asked)
    });
    match (direct, asked) {
        (None, other) | (other, None) => other,
        (Some(direct), Some(asked)) => Some(direct || asked),
    }
}

fn beside<'run>(
    options: &RehearsalOptions,
    run: &'run Run,
    business: &'run Business,
) -> Beside<'run> {
    Beside {
        normal_per_second: options.schedule.normal_per_second,
        resources: &run.resources,
        // How many processors somebody else's shop has is unknown.
        shop_cores: run.audit.is_some().then(|| shop_cores(options)),
        under_limits: &run.under_limits,
        business,
        window_seconds: 1,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use double11_report::model::{Availability, PhaseReport, Quantiles};

    /// A judged phase of a thousand requests with these figures, none of which failed.
    pub(crate) fn phase(tps: f64, p95_ms: f64, cpu_us: f64) -> PhaseReport {
        PhaseReport {
            name: "peak_20x".to_owned(),
            measured: true,
            traffic_multiple: Some(20.0),
            start_s: 40.0,
            duration_s: 30.0,
            offered_per_second: Some(1_000.0),
            attempted: 1_000,
            succeeded: 1_000,
            expected_refusals: 0,
            failed: 0,
            dropped: 0,
            late: 0,
            throughput_per_second: Some(tps),
            orders_per_second: None,
            payments_per_second: None,
            response_time: Quantiles::default(),
            service_time: Quantiles::default(),
            verdict_p95_ms: Some(p95_ms),
            verdict_p95_is_lower_bound: false,
            error_rate: Some(0.0),
            failures: BTreeMap::new(),
            availability: Some(Availability {
                good: 30,
                total: 30,
            }),
            cpu_share: None,
            cpu_per_request_us: Some(cpu_us),
            memory_max_bytes: None,
            throttling: None,
        }
    }
}
