//! `jmeter -n -t PLAN`: a run with the lines that `JMeter` prints.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use double11_jmeter::engine::{self, EngineError, EngineOptions, StopHandle};
use double11_jmeter::log;
use double11_jmeter::plan_file::{self, Opened};
use double11_jmeter::results::{Line, Outcome, Recorder, RecorderError, RecorderOptions};
use double11_jmeter::run::Run;
use double11_load::clock::RunClock;
use double11_load::tasks::StopLevel;
use double11_units::UnixMicros;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::plan;
use super::run_log::{Level, RunLog, printed};
use super::settings::Settings;
use super::{dashboard, gates};
use crate::arguments::Jmeter;
use crate::console;
use crate::exit::{CommandResult, Exit, Failure};

/// The class that speaks in the log where it is the program itself.
const SELF: &str = "d.Double11";

/// The log, shared by all that write into it.
type SharedLog = Arc<Mutex<RunLog>>;

pub(super) fn run(arguments: &Jmeter, path: &Path) -> CommandResult {
    use_small_pages();
    gates::check(&arguments.ours.fail_if)?;
    let settings = Settings::of(arguments)?;
    let mut options = recorder_options(arguments, &settings)?;
    let compiled = plan::opened(arguments, &settings, &options.form, path)?;
    refuse_or_warn(arguments, path, &compiled)?;
    if arguments.report_at_end {
        prepare_report(arguments)?;
    }
    let clock = RunClock::start();
    let log = open_log(arguments)?;
    if let Some(name) = &options.summariser.name {
        say(&log, &clock, &format!("Creating summariser <{name}>"));
    }
    let run = Arc::new(run_of(&settings, arguments, path, &compiled, &log));
    let plan = Arc::new(compiled.plan);
    let mut user = engine::begin(&plan, &run);
    engine::check(&plan, &mut user).map_err(engine_failure)?;
    options.hostname = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    let output = talk(&log, &clock);
    let listeners = &plan.elements.listeners;
    let mut recorder =
        Recorder::start(options, listeners, &mut user, output).map_err(recorder_failure)?;
    let shown = path.display();
    say(
        &log,
        &clock,
        &format!("Created the tree successfully using {shown}"),
    );
    let now = clock.wall(clock.now());
    say(
        &log,
        &clock,
        &format!("Starting standalone test @ {}", printed(now)),
    );
    let stop = StopHandle::default();
    stop_on_signals(&stop, &log, clock)?;
    let engine_options = EngineOptions {
        workers: arguments.ours.threads.map(usize::from),
    };
    let ran = engine::run(&plan, user, &mut recorder, &stop, engine_options);
    let outcome = recorder.finish();
    let now = clock.wall(clock.now());
    say(
        &log,
        &clock,
        &format!("Tidying up ...    @ {}", printed(now)),
    );
    let summary = ran.map_err(engine_failure)?;
    let outcome = outcome.map_err(recorder_failure)?;
    log_figures(&log, &clock, &outcome);
    if arguments.report_at_end
        && let Some(results) = &arguments.log_file
    {
        let folder = &arguments.report_folder;
        dashboard::write(&settings, results, folder, arguments.ours.report.lang)?;
    }
    say(&log, &clock, "... end of run");
    let exit = gates::judge(&arguments.ours.fail_if, &outcome);
    if summary.stopped && INTERRUPTED.load(std::sync::atomic::Ordering::Relaxed) {
        return Ok(Exit::Interrupted);
    }
    Ok(exit)
}

/// Has the system give memory in pages of 4 KiB. The allocator asks for pages of 2 MiB, of which the few
/// things that a plan keeps fill a quarter: a run has half the memory without them, and is not slower.
fn use_small_pages() {
    // A system that knows no larger pages has nothing to forgo.
    rustix::thread::disable_transparent_huge_pages(true).ok();
}

/// Whether it was a signal that stopped the run, and not the plan.
static INTERRUPTED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

fn recorder_options(arguments: &Jmeter, settings: &Settings) -> Result<RecorderOptions, Failure> {
    let options = RecorderOptions::of(&|name| settings.get(name));
    let mut options = options.map_err(|error| {
        Failure::usage(error).hint("leave the property out for the form that JMeter has by default")
    })?;
    options.log_file.clone_from(&arguments.log_file);
    options.replaces_files = arguments.force;
    Ok(options)
}

/// A plan that would make another load than it says is not run, unless that is asked for.
fn refuse_or_warn(arguments: &Jmeter, path: &Path, compiled: &Opened) -> Result<(), Failure> {
    let refusals = plan_file::refusals(&compiled.report);
    if refusals.is_empty() {
        return Ok(());
    }
    let shown = path.display();
    if arguments.ours.lenient {
        for refusal in &refusals {
            console::say(&format!("warning: left out: {refusal}"));
        }
        return Ok(());
    }
    let list: Vec<String> = refusals.iter().map(|line| format!("\n  {line}")).collect();
    let error = anyhow::anyhow!("`{shown}` cannot be run as it says:{}", list.concat());
    Err(Failure::usage(error).hint(format!(
        "`double11 jmeter --check {shown}` says more; `--lenient` leaves these out"
    )))
}

/// The dashboard is of the samples of this run alone.
fn prepare_report(arguments: &Jmeter) -> Result<(), Failure> {
    let Some(results) = &arguments.log_file else {
        return Err(Failure::usage(anyhow::anyhow!("`-e` needs a result file"))
            .hint("name it with `-l out.jtl`"));
    };
    let length = std::fs::metadata(results).map_or(0, |file| file.len());
    if length > 0 && !arguments.force {
        let shown = results.display();
        let error = anyhow::anyhow!("the result file `{shown}` of the dashboard is not empty");
        return Err(Failure::usage(error).hint("name another with `-l`, or replace it with `-f`"));
    }
    dashboard::make_folder(&arguments.report_folder, arguments.force)
}

fn open_log(arguments: &Jmeter) -> Result<SharedLog, Failure> {
    let mut least = Level::Info;
    for choice in &arguments.log_level {
        let name = choice.rsplit('=').next().unwrap_or_default();
        least = Level::parse(name).ok_or_else(|| {
            Failure::usage(anyhow::anyhow!("`-L {choice}`: there is no level `{name}`"))
                .hint("use TRACE, DEBUG, INFO, WARN, ERROR or OFF")
        })?;
    }
    let path = &arguments.run_log;
    let log = RunLog::create(path, least)
        .with_context(|| format!("cannot write the log `{}`", path.display()))
        .map_err(|error| Failure::environment(error).hint("name another with `-j`"))?;
    Ok(Arc::new(Mutex::new(log)))
}

fn run_of(
    settings: &Settings,
    arguments: &Jmeter,
    path: &Path,
    compiled: &Opened,
    log: &SharedLog,
) -> Run {
    let seed = arguments.ours.seed.unwrap_or_else(seed_of_now);
    let mut run = Run::new(&compiled.folder, settings.properties.clone(), seed);
    let name = path.file_name().unwrap_or(path.as_os_str());
    run.plan_name = name.to_string_lossy().into_owned();
    run.environment = std::env::vars().collect::<HashMap<_, _>>();
    let shared = Arc::clone(log);
    let clock = run.clock;
    run.log.to(Box::new(move |level, class, text| match level {
        log::Level::Out => console::data(&format!("{text}\n")),
        log::Level::Err => console::say(text),
        level => write(
            &shared,
            clock.wall(clock.now()),
            (level_of(level), class),
            text,
        ),
    }));
    run
}

fn seed_of_now() -> u64 {
    RunClock::start().started().get().unsigned_abs()
}

fn level_of(level: log::Level) -> Level {
    match level {
        log::Level::Trace => Level::Trace,
        log::Level::Debug => Level::Debug,
        log::Level::Warn => Level::Warn,
        log::Level::Error => Level::Error,
        log::Level::Info | log::Level::Out | log::Level::Err => Level::Info,
    }
}

fn write(log: &SharedLog, at: UnixMicros, (level, class): (Level, &str), text: &str) {
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    log.line(at, level, class, text);
}

/// A line on standard output and in the log.
fn say(log: &SharedLog, clock: &RunClock, text: &str) {
    console::data(&format!("{text}\n"));
    write(log, clock.wall(clock.now()), (Level::Info, SELF), text);
}

/// What takes the lines of the recorder.
fn talk(log: &SharedLog, clock: &RunClock) -> Box<dyn FnMut(Line) + Send> {
    let (log, clock) = (Arc::clone(log), *clock);
    Box::new(move |line| {
        if line.on_console {
            console::data(&format!("{}\n", line.text));
        }
        if line.in_log {
            let at = clock.wall(clock.now());
            write(&log, at, (Level::Info, "o.a.j.r.Summariser"), &line.text);
        }
    })
}

/// The first signal lets samples end, the second cuts them, the third ends the program.
fn stop_on_signals(stop: &StopHandle, log: &SharedLog, clock: RunClock) -> Result<(), Failure> {
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(Failure::environment)?;
    let (stop, log) = (stop.clone(), Arc::clone(log));
    let listen = move || {
        for (count, _) in signals.forever().enumerate() {
            INTERRUPTED.store(true, std::sync::atomic::Ordering::Relaxed);
            let (level, text) = match count {
                0 => (
                    StopLevel::Gracefully,
                    "Stopping when the samples under way are over",
                ),
                1 => (StopLevel::Now, "Stopping now"),
                _ => {
                    drop(signal_hook::low_level::emulate_default_handler(SIGTERM));
                    return;
                }
            };
            stop.request(level);
            write(&log, clock.wall(clock.now()), (Level::Info, SELF), text);
            console::say(text);
        }
    };
    // It waits for signals until the program ends, and holds nothing that must be closed.
    let thread = std::thread::Builder::new().name("signals".to_owned());
    thread.spawn(listen).map(drop).map_err(Failure::environment)
}

/// Percentiles of the whole run by label, which summarisers do not have.
fn log_figures(log: &SharedLog, clock: &RunClock, outcome: &Outcome) {
    let at = clock.wall(clock.now());
    for one in &outcome.labels {
        let ms = |percentile| {
            let time = one.elapsed.percentile(percentile).unwrap_or_default();
            time.as_secs_f64() * 1_000.0
        };
        let text = format!(
            "{}: {} samples, {} failed, {:.1}/s, P50 {:.1} P90 {:.1} P95 {:.1} P99 {:.1} ms of the \
             whole run",
            one.label,
            one.samples(),
            one.errors,
            one.per_second(),
            ms(50.0),
            ms(90.0),
            ms(95.0),
            ms(99.0),
        );
        write(log, at, (Level::Info, SELF), &text);
    }
}

fn engine_failure(error: EngineError) -> Failure {
    match error {
        EngineError::Schedule { .. } => {
            Failure::usage(error).hint("set the property that the plan takes the number from")
        }
        EngineError::Thread(_) | EngineError::Panicked => Failure::environment(error),
    }
}

fn recorder_failure(error: RecorderError) -> Failure {
    match error {
        RecorderError::Form(_) | RecorderError::TooManySummarisers(_) => Failure::usage(error),
        RecorderError::Open { .. } => {
            Failure::environment(error).hint("name a file that can be written with `-l`")
        }
        RecorderError::Write { .. } => Failure::environment(error)
            .hint("make room on the disk; what was written until then is kept"),
        RecorderError::Thread => Failure::environment(error),
    }
}
