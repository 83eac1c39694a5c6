//! One variant: its figures by phase, second and step, and what speaks for or against them.

use double11_load::health::GeneratorHealth as Health;
use double11_load::plan::Plan;
use double11_measure::histogram::LatencyHistogram;
use double11_measure::run::{PhaseSummary, SecondStep, Summary, TimeSeries};
use double11_report::model::{
    AuditMissing, AuditReport, CrossCheckReport, FunnelStep, GeneratorHealth, GroupMemory,
    HistogramExport, PrometheusReport, VariantReport,
};

use super::phases::Beside;
use super::{heat, phases, seconds};

/// What was measured of a variant in one run.
pub(crate) struct Measured<'run> {
    pub(crate) name: &'run str,
    pub(crate) levers: &'run [String],
    pub(crate) summary: &'run Summary,
    pub(crate) series: &'run TimeSeries,
    pub(crate) beside: Beside<'run>,
    /// Name of the phase that is judged.
    pub(crate) judged: &'run str,
    /// What the shoppers were to do, and whether as at the peak; `None` where that is unknown.
    pub(crate) plan: Option<(&'run Plan, bool)>,
    pub(crate) health: Option<&'run Health>,
    pub(crate) audit: Result<AuditReport, AuditMissing>,
    pub(crate) cross_check: Option<CrossCheckReport>,
    pub(crate) prometheus: Option<PrometheusReport>,
    pub(crate) group_memory: Option<GroupMemory>,
}

/// Everything that the report shows of one variant.
pub(crate) fn variant(measured: Measured<'_>) -> VariantReport {
    let Measured {
        summary, series, ..
    } = measured;
    let phases = summary
        .phases
        .iter()
        .map(|phase| phases::phase(phase, measured.beside));
    let judged = summary.phase(measured.judged);
    let steps = judged.map_or_else(Vec::new, |phase| {
        let asked = phase.steps.iter().filter(|step| step.attempted > 0);
        asked.map(phases::step).collect()
    });
    let (audit, audit_missing) = match measured.audit {
        Ok(audit) => (Some(audit), None),
        Err(missing) => (None, Some(missing)),
    };
    VariantReport {
        name: measured.name.to_owned(),
        levers: measured.levers.to_vec(),
        phases: phases.collect(),
        seconds: seconds::points(series, measured.beside),
        heatmap: Some(heat::heatmap(series, measured.beside.window_seconds)),
        funnel: judged.map_or_else(Vec::new, |phase| funnel(phase, measured.plan)),
        steps,
        histogram: judged.map(|phase| histogram(phase, series)),
        audit,
        audit_missing,
        cross_check: measured.cross_check,
        prometheus: measured.prometheus,
        generator: measured
            .health
            .map(|health| generator(health, &summary.whole)),
        group_memory: measured.group_memory,
    }
}

/// Shoppers of the judged phase, step by step, as planned and as seen.
fn funnel(measured: &PhaseSummary, plan: Option<(&Plan, bool)>) -> Vec<FunnelStep> {
    let Some((plan, peak)) = plan else {
        return Vec::new();
    };
    let visits = measured.visits as f64;
    let steps = plan.steps().iter().map(|step| {
        let expected_share = step.share(peak);
        let seen = measured
            .steps
            .iter()
            .find(|candidate| candidate.step == step.name);
        let observed_users = match (seen, step.request.is_some()) {
            (Some(seen), true) => seen.attempted,
            _ => measured.visits,
        };
        FunnelStep {
            step: step.name.clone(),
            expected_share,
            expected_users: visits * expected_share,
            observed_users,
        }
    });
    steps.collect()
}

/// Every time of the judged phase, exact enough to be merged with others.
fn histogram(phase: &PhaseSummary, series: &TimeSeries) -> HistogramExport {
    let merged = |of: fn(&SecondStep) -> Option<&str>| {
        let mut all = LatencyHistogram::new();
        let within = series.seconds.iter().filter(|second| {
            let at = f64::from(second.second);
            at >= phase.start_s.floor() && at < phase.start_s + phase.duration_s
        });
        for step in within.flat_map(|second| &second.steps) {
            if let Some(Ok(histogram)) = of(step).map(LatencyHistogram::from_base64) {
                all.merge(&histogram);
            }
        }
        (!all.is_empty()).then(|| all.to_base64())
    };
    HistogramExport {
        response_time: merged(|step| step.response_time.as_deref()),
        service_time: merged(|step| step.service_time.as_deref()),
    }
}

fn generator(health: &Health, whole: &PhaseSummary) -> GeneratorHealth {
    GeneratorHealth {
        limited: health.generator_limited,
        cpu_share: health.worker_share_mean,
        scheduling_lag_p99_ms: health.lag_p99_ms,
        scheduling_lag_max_ms: health.lag_max_ms,
        late: whole.total.late,
        dropped: whole.total.dropped,
        in_flight_max: None,
        descriptors_max: Some(health.descriptors_max),
        descriptor_limit: health.descriptors_limit,
        notes: health.reasons.clone(),
    }
}
