//! What is remembered of every run, when its samples are not needed any more.

use double11_report::model::{
    AuditMissing, CrossCheckStatus, PhaseReport, RunReport, VariantReport,
};

use crate::options::RehearsalOptions;
use crate::rehearse::shop_cores;
use crate::report_of::phases::{Beside, Business};
use crate::report_of::variant::Measured;
use crate::report_of::{checks, phases, variant};
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
    cross_check_failed: bool,
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
            generator_limited: seen.generator_limited,
        }
    }
}

/// What has to be remembered of a run.
pub(crate) fn seen(options: &RehearsalOptions, pair: u32, folder: &str, run: &Run) -> Seen {
    let business = Business::of_plan(&options.plan);
    let judged = run.outcome.summary.phase(&options.schedule.judged);
    let differs = |check: &double11_report::model::CrossCheckReport| {
        let mut results = check.results.iter();
        results.any(|result| result.status == CrossCheckStatus::Differs)
    };
    Seen {
        pair,
        variant: run.variant.clone(),
        folder: folder.to_owned(),
        judged: judged.map(|phase| phases::phase(phase, beside(options, run, &business))),
        audit_passed: run
            .audit
            .as_ref()
            .map(|audit| audit.verdict == double11_audit::Verdict::Passed),
        cross_check_failed: run
            .cross_check
            .as_ref()
            .map(checks::cross_check)
            .is_some_and(|check| differs(&check)),
        generator_limited: run.outcome.health.generator_limited,
    }
}

/// Everything that the report shows of a run.
pub(crate) fn variant(options: &RehearsalOptions, run: &Run) -> VariantReport {
    let business = Business::of_plan(&options.plan);
    let settled = run.settled_after.unwrap_or(RehearsalOptions::SETTLE_LIMIT);
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
        plan: Some((&options.plan, peak)),
        health: Some(&run.outcome.health),
        audit: run
            .audit
            .as_ref()
            .map(|audit| checks::audit(audit, Some(settled)))
            .ok_or(AuditMissing::NoStoreAccess),
        cross_check: run.cross_check.as_ref().map(checks::cross_check),
    })
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
        business,
        window_seconds: 1,
    }
}
