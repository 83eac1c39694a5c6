//! The whole: every run in turn, then one report.

use std::path::PathBuf;
use std::time::Duration;

use double11_report::model::{
    FileFact, FileKind, Finding, FindingKind, FunnelStep, GeneratorHealth, ImprovementReport,
    MethodFacts, Outcome, PlanFacts, RunFacts, Severity, Source, TimeBasis, VariantReport, Warning,
};
use double11_report::{Language, html, json};

use crate::child::ShopError;
use crate::files::{FilesError, Folders, rfc3339};
use crate::options::{Event, NORMAL_PER_SECOND, Observer, RehearsalOptions};
use crate::report_of::{checks, heat, phases, seconds};
use crate::run::{self, PLAN, Run, Which};
use crate::{clock, host};

/// What a rehearsal left behind.
#[derive(Debug)]
pub struct Rehearsal {
    /// Everything that the report shows.
    pub report: ImprovementReport,
    /// The page.
    pub page: PathBuf,
    /// The folder with every run.
    pub kept: PathBuf,
}

/// Why a rehearsal came to no report. What was measured until then is kept.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// The folders cannot be used.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// A shop did not start or stop.
    #[error(transparent)]
    Shop(#[from] ShopError),
    /// The load generator could not run.
    #[error("the load generator could not run")]
    Load(#[from] double11_load::engine::LoadError),
    /// A store could not be audited.
    #[error("a store could not be audited")]
    Audit(#[from] double11_audit::AuditError),
    /// A file could not be written.
    #[error("`{}` could not be written", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file of a run could not be read back.
    #[error("`{}` could not be read", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The operating system gave no thread.
    #[error("the operating system gave no thread")]
    Thread(#[source] std::io::Error),
    /// Somebody asked for an early end.
    #[error("interrupted; what was measured is in `{}`", kept.display())]
    Interrupted {
        /// The folder of the interrupted run.
        kept: PathBuf,
    },
}

/// Rehearses: one pair of runs, and the report.
///
/// # Errors
/// [`RehearsalError`] when a part of it could not be carried out. Missed targets are no errors; they
/// are in the report.
pub fn rehearse(
    options: &RehearsalOptions,
    observer: &dyn Observer,
) -> Result<Rehearsal, RehearsalError> {
    let started = clock::now();
    let watch = clock::steady();
    let folders = Folders::create(&options.out, started)?;
    let host = host::facts(&folders.kept, &options.shop_cpus, &options.generator_cpus);
    if options.shop_cpus.is_empty() || options.generator_cpus.is_empty() {
        let text = "with one core the shop and the load generator share it, and disturb each other";
        observer.event(Event::Warning { text });
    }
    let mut runs = Vec::new();
    for ((position, variant), port) in ['a', 'b'].iter().zip(&options.variants).zip(options.ports) {
        let which = Which {
            pair: 1,
            position: *position,
            variant,
            port,
        };
        let run = run::run(options, &folders, which, observer);
        if options.stop.is_stopping() {
            return Err(RehearsalError::Interrupted { kept: folders.kept });
        }
        runs.push(run?);
    }
    let mut report = ImprovementReport {
        schema_version: double11_report::model::SCHEMA_VERSION,
        run: RunFacts {
            started_at: rfc3339(started),
            duration_s: Some(watch.elapsed().as_secs_f64()),
            command: options.command.clone(),
            seed: options.seed,
            version: options.version.clone(),
            git_commit: options.git_commit.clone(),
        },
        host,
        plan: plan_facts(options),
        variants: runs
            .iter()
            .map(|run| variant_report(options, run))
            .collect::<Result<_, _>>()?,
        runs: Vec::new(),
        comparison: None,
        incomparable: Vec::new(),
        capacity: Vec::new(),
        ladder: None,
        improvement: Vec::new(),
        outcome: Outcome::CannotJudge,
        sentence: String::new(),
        findings: runs.iter().flat_map(|run| findings(options, run)).collect(),
        warnings: runs.iter().flat_map(warnings).collect(),
        method: method_facts(options),
    };
    double11_report::conclude(&mut report);
    publish(&folders, &runs, &report)?;
    Ok(Rehearsal {
        report,
        page: folders.out.join("improvement_report.html"),
        kept: folders.kept,
    })
}

fn shop_cores(options: &RehearsalOptions) -> f64 {
    if options.shop_cpus.is_empty() {
        std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64)
    } else {
        options.shop_cpus.len() as f64
    }
}

fn variant_report(options: &RehearsalOptions, run: &Run) -> Result<VariantReport, RehearsalError> {
    let cores = shop_cores(options);
    let (summary, series) = (&run.outcome.summary, &run.outcome.time_series);
    let plan_of = |name: &str| {
        options
            .schedule
            .phases
            .iter()
            .find(|phase| phase.name == name)
    };
    let phases = summary
        .phases
        .iter()
        .map(|phase| phases::phase(phase, plan_of(&phase.name), &run.resources, cores));
    let judged = summary.phase(options.schedule.judged);
    let settled = run.settled_after.unwrap_or(RehearsalOptions::SETTLE_LIMIT);
    Ok(VariantReport {
        name: run.variant.clone(),
        levers: run.levers.clone(),
        phases: phases.collect(),
        seconds: seconds::points(series, &run.resources, cores),
        heatmap: Some(heat::heatmap(series)),
        funnel: funnel(options, run)?,
        steps: judged.map_or_else(Vec::new, |phase| {
            phase
                .steps
                .iter()
                .filter(|step| step.attempted > 0)
                .map(phases::step)
                .collect()
        }),
        histogram: None,
        audit: Some(checks::audit(&run.audit, settled)),
        audit_missing: None,
        cross_check: Some(checks::cross_check(&run.cross_check)),
        generator: Some(generator(run)),
    })
}

fn plan_facts(options: &RehearsalOptions) -> PlanFacts {
    PlanFacts {
        name: PLAN.to_owned(),
        hash: None,
        normal_per_second: Some(NORMAL_PER_SECOND),
        connections: Some(RehearsalOptions::CONNECTIONS),
        max_in_flight: Some(RehearsalOptions::MAX_IN_FLIGHT),
        request_timeout_ms: RehearsalOptions::REQUEST_TIMEOUT.as_secs_f64() * 1_000.0,
        products: Some(u64::from(options.products)),
        payment_window_s: Some(RehearsalOptions::PAYMENT_WINDOW.as_secs_f64()),
        store: Some("SQLite (WAL, synchronous=FULL), a fresh file for each run".to_owned()),
    }
}

fn method_facts(options: &RehearsalOptions) -> MethodFacts {
    let warm_up: Duration = options
        .schedule
        .phases
        .iter()
        .filter(|phase| !phase.measured)
        .map(|phase| phase.duration)
        .sum();
    let file = |name: &str, what: FileKind| FileFact {
        name: name.to_owned(),
        what,
    };
    let mut files = Vec::new();
    for variant in &options.variants {
        files.push(file(
            &format!("{variant}_normal.jtl"),
            FileKind::NormalSamples,
        ));
        files.push(file(&format!("{variant}_peak.jtl"), FileKind::PeakSamples));
        files.push(file(&format!("{variant}_metrics.json"), FileKind::Metrics));
    }
    files.push(file("improvement_report.json", FileKind::ReportData));
    files.push(file("runs/", FileKind::Runs));
    MethodFacts {
        source: Source::Rehearsal,
        time_basis: TimeBasis::ResponseTime,
        pairs: 1,
        order: options.variants.to_vec(),
        run_folders: Vec::new(),
        judged_phase: options.schedule.judged.to_owned(),
        warm_up_s: Some(warm_up.as_secs_f64()),
        files,
    }
}

fn publish(
    folders: &Folders,
    runs: &[Run],
    report: &ImprovementReport,
) -> Result<(), RehearsalError> {
    for (index, run) in runs.iter().enumerate() {
        let variant = &run.variant;
        // The same variant twice, to see what chance alone does.
        let again = runs
            .iter()
            .take(index)
            .any(|earlier| earlier.variant == *variant);
        let name = if again {
            format!("{variant}-again")
        } else {
            variant.clone()
        };
        for (source, name) in [
            ("normal.jtl", format!("{name}_normal.jtl")),
            ("peak.jtl", format!("{name}_peak.jtl")),
            ("metrics.json", format!("{name}_metrics.json")),
        ] {
            folders.publish(&run.folder.join(source), &name)?;
        }
    }
    let write = |path: &str, source| RehearsalError::Write {
        path: path.into(),
        source,
    };
    let mut text = Vec::new();
    json::write(report, &mut text)
        .map_err(|error| write("improvement_report.json", std::io::Error::other(error)))?;
    folders.write_and_publish("improvement_report.json", &text)?;
    let mut page = Vec::new();
    html::write(report, Language::English, &mut page)
        .map_err(|source| write("improvement_report.html", source))?;
    folders.write_and_publish("improvement_report.html", &page)?;
    Ok(())
}

fn warnings(run: &Run) -> Vec<Warning> {
    let scrapes = run.scrape_warnings.iter();
    scrapes
        .map(|warning| Warning::ScrapeFailed {
            variant: run.variant.clone(),
            message: warning.clone(),
        })
        .collect()
}

/// What a reader has to know beside the figures.
fn findings(options: &RehearsalOptions, run: &Run) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |severity, what: FindingKind| {
        findings.push(Finding {
            severity,
            variant: Some(run.variant.clone()),
            what,
        });
    };
    if run.settled_after.is_none() {
        let limit_s = RehearsalOptions::SETTLE_LIMIT.as_secs_f64();
        add(Severity::Failure, FindingKind::Unsettled { limit_s });
    }
    for phase in run
        .outcome
        .summary
        .phases
        .iter()
        .filter(|phase| phase.measured)
    {
        let total = &phase.total;
        let Some(share) = total.error_rate.filter(|rate| *rate >= 0.01) else {
            continue;
        };
        let mut kinds: Vec<_> = total.failures.clone().into_iter().collect();
        kinds.sort_unstable_by_key(|(_, count)| std::cmp::Reverse(*count));
        kinds.truncate(3);
        add(
            Severity::Note,
            FindingKind::RequestsFailed {
                phase: phase.name.clone(),
                share,
                attempted: total.attempted,
                kinds,
            },
        );
    }
    for check in &run.cross_check.checks {
        if let double11_monitor::cross_check::Verdict::CannotCompare(reason) = &check.verdict {
            add(
                Severity::Note,
                FindingKind::CannotCompare {
                    check: check.name.clone(),
                    kind: checks::kind(check.kind),
                    phase: check.phase.clone(),
                    reason: checks::reason(reason),
                },
            );
        }
    }
    if options.schedule.judged.is_empty() {
        add(Severity::Failure, FindingKind::NoJudgedPhase);
    }
    findings
}

/// Shoppers of the judged phase, step by step, as planned and as seen.
fn funnel(options: &RehearsalOptions, run: &Run) -> Result<Vec<FunnelStep>, RehearsalError> {
    let judged = options.schedule.judged;
    let planned = options
        .schedule
        .phases
        .iter()
        .find(|phase| phase.name == judged);
    let measured = run.outcome.summary.phase(judged);
    let (Some(planned), Some(measured)) = (planned, measured) else {
        return Ok(Vec::new());
    };
    let plan = run::plan(options.products)?;
    let visits = measured.visits as f64;
    let steps = plan.steps().iter().map(|step| {
        let expected_share = step.share(planned.peak);
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
    Ok(steps.collect())
}

fn generator(run: &Run) -> GeneratorHealth {
    let health = &run.outcome.health;
    let whole = &run.outcome.summary.whole.total;
    GeneratorHealth {
        limited: health.generator_limited,
        cpu_share: health.worker_share_mean,
        scheduling_lag_p99_ms: health.lag_p99_ms,
        scheduling_lag_max_ms: health.lag_max_ms,
        late: whole.late,
        dropped: whole.dropped,
        in_flight_max: None,
        descriptors_max: Some(health.descriptors_max),
        descriptor_limit: health.descriptors_limit,
        notes: health.reasons.clone(),
    }
}
