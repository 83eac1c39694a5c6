//! Who, where and how: the facts around the figures.

use std::time::Duration;

use double11_report::model::{
    FileFact, FileKind, MethodFacts, PlanFacts, RunFacts, Source, TimeBasis,
};
use double11_units::UnixMicros;

use crate::files::rfc3339;
use crate::options::RehearsalOptions;
use crate::publish;
use crate::seen::Seen;

pub(crate) fn run(options: &RehearsalOptions, started: UnixMicros, took: Duration) -> RunFacts {
    RunFacts {
        started_at: rfc3339(started),
        duration_s: Some(took.as_secs_f64()),
        command: options.command.clone(),
        seed: options.seed,
        version: options.version.clone(),
        git_commit: options.git_commit.clone(),
    }
}

pub(crate) fn plan(options: &RehearsalOptions) -> PlanFacts {
    let ours = options.owns_the_shops();
    let steps = options.plan.steps();
    PlanFacts {
        name: options.plan.name().to_owned(),
        hash: Some(options.plan.hash().to_owned()),
        normal_per_second: options.schedule.normal_per_second,
        // Each user of a JMeter plan has connections of its own, and one request at a time on each.
        connections: steps.map(|_| options.schedule.connections()),
        max_in_flight: steps.map(|_| RehearsalOptions::MAX_IN_FLIGHT),
        request_timeout_ms: RehearsalOptions::REQUEST_TIMEOUT.as_secs_f64() * 1_000.0,
        products: ours.then(|| u64::from(options.products)),
        payment_window_s: ours.then(|| RehearsalOptions::PAYMENT_WINDOW.as_secs_f64()),
        store: ours.then(|| "SQLite (WAL, synchronous=FULL), a fresh file for each run".to_owned()),
    }
}

pub(crate) fn method(options: &RehearsalOptions, seen: &[Seen]) -> MethodFacts {
    let warm_up: Duration = options
        .schedule
        .phases
        .iter()
        .filter(|phase| !phase.measured)
        .map(|phase| phase.duration)
        .sum();
    MethodFacts {
        source: Source::Rehearsal,
        time_basis: TimeBasis::ResponseTime,
        pairs: options.pairs,
        order: seen.iter().map(|seen| seen.variant.clone()).collect(),
        run_folders: seen.iter().map(|seen| seen.folder.clone()).collect(),
        judged_phase: options.schedule.judged.clone(),
        warm_up_s: Some(warm_up.as_secs_f64()),
        files: files(options),
    }
}

fn files(options: &RehearsalOptions) -> Vec<FileFact> {
    let file = |name: &str, what: FileKind| FileFact {
        name: name.to_owned(),
        what,
    };
    let has = |stem: &str| {
        let mut phases = options.schedule.phases.iter();
        phases.any(|phase| phase.samples_file.as_deref() == Some(stem))
    };
    let mut files = Vec::new();
    for side in &options.sides {
        let name = side.name();
        if has("normal") {
            files.push(file(&format!("{name}_normal.jtl"), FileKind::NormalSamples));
        }
        if has("peak") {
            files.push(file(&format!("{name}_peak.jtl"), FileKind::PeakSamples));
        }
        if options.plan.steps().is_none() {
            files.push(file(&format!("{name}_samples.jtl"), FileKind::Samples));
        }
        files.push(file(&format!("{name}_metrics.json"), FileKind::Metrics));
        let percentiles = publish::percentiles_of(name, &options.schedule.judged);
        files.push(file(&percentiles, FileKind::Histogram));
    }
    files.extend([
        file(publish::DATA, FileKind::ReportData),
        file(publish::PICTURE, FileKind::Picture),
        file(publish::MARKDOWN, FileKind::Markdown),
        file("runs/", FileKind::Runs),
    ]);
    files
}
