//! `double11 load`: shoppers against any HTTP shop.

use std::num::NonZeroU64;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Context as _;
use double11_load::plan::{BUILT_IN_NAMES, Plan};
use double11_load::run_directory::RunDirectory;
use double11_load::schedule::{Phase, Ramp, Rate, Spread};
use double11_load::transport::{Limits, Target};
use double11_load::{
    Ending, LoadError, LoadModel, Observation, RunAbout, RunOptions, RunOutcome, SamplePolicy,
    StopHandle,
};
use double11_measure::run::{PhaseSummary, StepSummary};
use double11_monitor::sampler::{INTERVAL_DEFAULT, Sampler};
use double11_monitor::scrape::Scraper;

use crate::arguments::Load;
use crate::console;
use crate::exit::{CommandResult, Exit, Failure};
use crate::progress::ProgressLine;

/// Longest wait for a connection to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Bounds of an answer.
const RESPONSE_LIMITS: Limits = Limits {
    head_bytes_max: 64 * 1024,
    body_bytes_max: 64 << 20,
};
/// How long a scrape of the target's metrics may take.
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(2);

/// Seconds over which the base users of the step table are spread, and for which it is meant.
/// Source: requirements 6.3.
const STEP_TABLE_SPREAD_S: f64 = 60.0;
const STEP_TABLE_TEST_S: u32 = 300;

pub(crate) fn run(arguments: &Load) -> CommandResult {
    if let Some(base_users) = arguments.base_users {
        let plan = plan(&arguments.plan, arguments.products)?;
        console::data(&step_table(&plan, base_users, arguments.peak));
        return Ok(Exit::Done);
    }
    let target_url = target(arguments).trim_end_matches('/').to_owned();
    let options = run_options(arguments)?;
    let out = arguments.out.clone();
    let phases: Vec<String> = options
        .phases
        .iter()
        .map(|phase| phase.name.clone())
        .collect();
    let stop = stop_on_signals()?;
    let sampler = sampler(&target_url)?;
    let line = ProgressLine::new();
    let mut observe = |seen: &Observation| {
        let phase = phases
            .get(usize::from(seen.phase.0))
            .map_or("", String::as_str);
        line.show(phase, (seen.elapsed, seen.planned_end), &seen.progress);
    };
    let outcome = double11_load::run(&options, &stop, &mut observe);
    line.finish();
    let outcome = outcome.map_err(load_failure)?;
    let kept = keep_metrics(sampler, &out);
    console::data(&summary(&outcome));
    console::say(&format!("kept in `{}`", out.display()));
    let exit = conclude(outcome)?;
    kept.map(|()| exit)
}

fn conclude(outcome: RunOutcome) -> CommandResult {
    if let Some(error) = outcome.write_error {
        return Err(Failure::environment(error)
            .hint("make room on the disk; what was measured until then is kept"));
    }
    if outcome.ending == Ending::Stopped {
        return Ok(Exit::Interrupted);
    }
    for reason in &outcome.health.reasons {
        console::say(&format!("warning: generator-limited: {reason}"));
    }
    Ok(if outcome.health.generator_limited {
        Exit::CannotJudge
    } else {
        Exit::Done
    })
}

/// The shop to storm; the command line demands it of everything that sends.
fn target(arguments: &Load) -> &str {
    arguments.target.as_deref().unwrap_or_default()
}

/// A flag that SIGINT and SIGTERM set; a second signal ends the program at once.
pub(crate) fn stop_on_signals() -> Result<StopHandle, Failure> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&flag))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&flag)))
            .map_err(Failure::environment)?;
    }
    Ok(StopHandle::from_flag(flag))
}

/// Scrapes the target's metrics during the run, if it has any.
fn sampler(target: &str) -> Result<Option<Sampler>, Failure> {
    let scraper = Scraper::new(format!("{target}/actuator/prometheus"), SCRAPE_TIMEOUT);
    if !target.starts_with("http://") || scraper.scrape().is_err() {
        return Ok(None);
    }
    let sampler = Sampler::start(scraper, INTERVAL_DEFAULT).map_err(Failure::environment)?;
    // A scrape that fails leaves a gap and a warning in the file.
    drop(sampler.scrape_now());
    Ok(Some(sampler))
}

fn keep_metrics(sampler: Option<Sampler>, out: &Path) -> Result<(), Failure> {
    let Some(sampler) = sampler else {
        return Ok(());
    };
    drop(sampler.scrape_now());
    let matrix = sampler.stop();
    let path = out.join("metrics.json");
    serde_json::to_vec(&matrix)
        .map_err(anyhow::Error::new)
        .and_then(|text| Ok(std::fs::write(&path, text)?))
        .with_context(|| format!("`{}` could not be written", path.display()))
        .map_err(|error| Failure::environment(error).hint("make room on the disk"))
}

fn run_options(arguments: &Load) -> Result<RunOptions, Failure> {
    let plan = plan(&arguments.plan, arguments.products)?;
    let model = match arguments.users {
        Some(users) => LoadModel::Closed {
            users: users as usize,
        },
        None => LoadModel::Open {
            spread: Spread::Poisson,
        },
    };
    let samples = sample_policy(&arguments.samples)?;
    let target = Target::parse(target(arguments))
        .map_err(|error| Failure::usage(error).hint("write it as `http://127.0.0.1:8080`"))?;
    let phases = phases(arguments)?;
    // An earlier run is only replaced when this one can begin.
    target
        .reach(CONNECT_TIMEOUT)
        .map_err(|error| load_failure(error.into()))?;
    let output = RunDirectory::create(&arguments.out, arguments.force)
        .map_err(|error| load_failure(error.into()))?;
    Ok(RunOptions {
        plan,
        target,
        extra_roots: Vec::new(),
        model,
        phases,
        seed: arguments.seed,
        threads: arguments.threads.map(usize::from),
        pin_to: arguments.cpus.clone(),
        connections: arguments.connections.max(arguments.users.unwrap_or(0)) as usize,
        max_in_flight: arguments.max_in_flight as usize,
        request_timeout: arguments.timeout,
        connect_timeout: CONNECT_TIMEOUT,
        limits: RESPONSE_LIMITS,
        require_reachable: true,
        samples,
        output: Some(output),
        about: RunAbout {
            command_line: std::env::args().collect(),
            versions: [("double11".to_owned(), env!("CARGO_PKG_VERSION").to_owned())].into(),
        },
    })
}

/// The built-in plan of this name.
pub(crate) fn plan(name: &str, products: u32) -> Result<Plan, Failure> {
    Plan::built_in(name, &[("products", f64::from(products))]).map_err(|error| {
        Failure::usage(error).hint(format!("the plans are {}", BUILT_IN_NAMES.join(" and ")))
    })
}

/// The requirements' table of a plan: whole users per step, and their starts per second.
fn step_table(plan: &Plan, base_users: u32, peak: bool) -> String {
    let header = format!(
        "{:<14}{:>8}{:>14}{:>16}\n",
        "step", "users", "expected_tps", "test_duration"
    );
    let rows = plan.steps().iter().map(|step| {
        // The share is rounded first, so that 0.45 of 100 is 45 and not 44.999….
        let users = (f64::from(base_users) * step.share(peak) * 1e6).round() / 1e6;
        let users = users.floor();
        let per_second = users / STEP_TABLE_SPREAD_S;
        format!(
            "{:<14}{users:>8}{per_second:>14.3}{STEP_TABLE_TEST_S:>14} s\n",
            step.name
        )
    });
    header + &rows.collect::<Vec<_>>().concat()
}

fn phases(arguments: &Load) -> Result<Vec<Phase>, Failure> {
    let phase = |name: &str, duration, rate, measured| Phase {
        name: name.to_owned(),
        duration,
        rate,
        peak: arguments.peak,
        measured,
        samples_file: None,
    };
    if arguments.users.is_some() {
        return Ok(vec![phase("steady", arguments.duration, None, true)]);
    }
    let rate = arguments.rate.ok_or_else(|| {
        Failure::usage(anyhow::anyhow!("neither `--rate` nor `--users` was given"))
            .hint("say how many requests per second to offer, such as `--rate 100`")
    })?;
    let steady = phase(
        "steady",
        arguments.duration,
        Some(Rate::Requests(Ramp::constant(rate))),
        true,
    );
    if arguments.ramp.is_zero() {
        return Ok(vec![steady]);
    }
    let ramp = Rate::Requests(Ramp {
        from: 0.0,
        to: rate,
    });
    Ok(vec![
        phase("ramp", arguments.ramp, Some(ramp), false),
        steady,
    ])
}

fn sample_policy(text: &str) -> Result<SamplePolicy, Failure> {
    let one_in = |text: &str| text.strip_prefix("1:")?.parse::<NonZeroU64>().ok();
    match text {
        "all" => Ok(SamplePolicy::All),
        "errors" => Ok(SamplePolicy::Errors),
        "none" => Ok(SamplePolicy::None),
        _ => one_in(text).map(SamplePolicy::OneIn).ok_or_else(|| {
            Failure::usage(anyhow::anyhow!("`--samples {text}` is not known"))
                .hint("use all, errors, 1:N or none")
        }),
    }
}

fn load_failure(error: LoadError) -> Failure {
    use double11_load::run_directory::RunDirectoryError as Directory;
    match &error {
        LoadError::RunDirectory(Directory::NotEmpty { .. }) => Failure::usage(error)
            .hint("name another folder with `--out`, or add `--force` to replace an earlier run"),
        LoadError::RunDirectory(Directory::Space { .. }) => Failure::environment(error)
            .hint("make room, or keep fewer samples with `--samples errors`"),
        LoadError::RunDirectory(_) => {
            Failure::environment(error).hint("name a folder that can be written with `--out`")
        }
        LoadError::Target(_) => {
            Failure::environment(error).hint("start the shop first: `double11 serve`")
        }
        LoadError::Option { .. } => Failure::usage(error).hint("see `double11 load --help`"),
        LoadError::Descriptors { .. } => {
            Failure::environment(error).hint("raise `ulimit -n`, or ask for fewer `--connections`")
        }
        _ => Failure::environment(error),
    }
}

/// Columns of the table on standard output, as wide as a narrow terminal.
const HEADER: [&str; 9] = [
    "step",
    "attempted",
    "ok",
    "refused",
    "failed",
    "per s",
    "P50 ms",
    "P95 ms",
    "P99 ms",
];
const WIDTHS: [usize; 8] = [10, 7, 8, 7, 9, 9, 9, 9];

fn summary(outcome: &RunOutcome) -> String {
    let tables: String = outcome.summary.phases.iter().map(phase_table).collect();
    format!(
        "{tables}writes: {} acknowledged, {} refused, {} unknown; percentiles are response times \
         from the planned start\n",
        outcome.writes_acknowledged, outcome.writes_refused, outcome.writes_unknown
    )
}

fn phase_table(phase: &PhaseSummary) -> String {
    let offered = phase.offered_per_second.map_or_else(
        || "closed model".to_owned(),
        |rate| format!("{rate:.1}/s offered"),
    );
    let note = if phase.measured { "" } else { ", not counted" };
    let title = format!(
        "{} ({:.0} s, {offered}{note}): {} visits\n",
        phase.name, phase.duration_s, phase.visits
    );
    let asked = phase.steps.iter().filter(|step| step.attempted > 0);
    let rows = asked.chain([&phase.total]).map(row);
    let rows = std::iter::once(HEADER.map(str::to_owned)).chain(rows);
    title + &rows.map(|cells| line(&cells)).collect::<String>()
}

fn line(cells: &[String; 9]) -> String {
    let [first, rest @ ..] = cells;
    let cells = rest
        .iter()
        .zip(WIDTHS)
        .map(|(cell, width)| format!("{cell:>width$}"));
    format!("{first:<12}{}\n", cells.collect::<Vec<_>>().concat())
}

fn row(step: &StepSummary) -> [String; 9] {
    let ms = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.2}"));
    [
        step.step.clone(),
        step.attempted.to_string(),
        step.succeeded.to_string(),
        step.expected_refusals.to_string(),
        step.failed.to_string(),
        step.throughput_per_second
            .map_or_else(|| "-".to_owned(), |rate| format!("{rate:.1}")),
        ms(step.response_time.p50_ms),
        ms(step.response_time.p95_ms),
        ms(step.response_time.p99_ms),
    ]
}

#[cfg(test)]
mod tests {
    use super::{plan, step_table};

    /// The users of each step, in order.
    fn users(peak: bool) -> Vec<u32> {
        let table = step_table(&plan("funnel", 1_000).unwrap(), 100, peak);
        let rows = table.lines().skip(1);
        rows.map(|row| row.split_whitespace().nth(1).unwrap().parse().unwrap())
            .collect()
    }

    #[test]
    fn the_step_table_is_that_of_the_requirements() {
        assert_eq!(users(false), [100, 85, 60, 45, 18, 12, 10]);
        assert_eq!(users(true), [100, 85, 60, 45, 45, 24, 18]);
    }
}
