//! A plan as a run like those of the load engine: figures by phase, second and label, a client ledger of
//! what the shop acknowledged, and a run directory that every reader of runs reads.
//!
//! What counts as a request is a sample with an address, and every failed one: rows of transactions, which
//! hold the samples of others, and samplers that ask nobody do not. Redirects and embedded resources are parts
//! of their sample. A sample that failed although its status is none of failure is one whose answer
//! lacked something; refusals that a plan expects are not known, so that each counts as failed.
//!
//! [`MeasuredPlan`] is a plan with all that decides what it does, checked before anything is sent;
//! [`run`] runs it. Phases are the rise until the last user begins, which does not count, and the steady
//! state after it; what sets up comes before as a phase of its own, what tears down is in no figure.

mod ledger;
mod measured_plan;
mod samples;

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use double11_load::engine::keeper::{KeptRun, RunKeeper};
use double11_load::host;
use double11_load::run_directory::{PLAN_LOG, RunDirectory, SAMPLES};
use double11_load::tasks::StopLevel;
use double11_load::transport::Target;
use double11_load::{LoadError, Observation, RunAbout, RunOptions, RunOutcome, StopHandle};

pub use measured_plan::{MeasuredPlan, PlanSettings, RefusedPlan};

use crate::engine::{self, EngineError, EngineOptions};
use crate::log;
use crate::plan::Plan;
use crate::plan_file::{self, OpenError, OpenOptions};
use crate::results::{Recorder, RecorderError, RecorderOptions};
use crate::run::Run;
use ledger::{Asked, Ledger};
use samples::{SampleTaps, Told};

/// Messages that wait to be counted at most; then workers wait.
const WAITING: usize = 256;
/// How often a request to stop is looked for.
const LOOKED_EVERY: Duration = Duration::from_millis(100);
/// How often the observer is called.
const OBSERVED_EVERY: Duration = Duration::from_secs(1);
/// How long samples that are under way may take after the end; then they are cut.
const DRAIN: Duration = Duration::from_secs(30);

/// How a plan is run once.
#[derive(Debug)]
pub struct MeasuredOptions {
    /// Where every request goes.
    pub target: String,
    /// Decides the plan's random choices.
    pub seed: u64,
    /// Worker threads; one per core when not given, at most [`engine::WORKERS_MAX`].
    pub workers: Option<usize>,
    /// Processors to pin the run to; empty for none.
    pub pin_to: Vec<usize>,
    /// A failed request counts as at least this in a verdict on response times.
    pub request_timeout: Duration,
    /// Whether the samples are kept in a result file.
    pub keeps_samples: bool,
    /// Where the files of the run go; `None` to keep nothing but the outcome.
    pub output: Option<RunDirectory>,
    /// What `run.json` says besides.
    pub about: RunAbout,
}

/// Why a plan could not be run.
#[derive(Debug, thiserror::Error)]
pub enum MeasuredError {
    /// The target does not answer, or the run directory cannot be used.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The plan cannot be opened any more.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It cannot be run to its end.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Results cannot be written.
    #[error(transparent)]
    Recorder(#[from] RecorderError),
}

/// Runs a plan. It blocks until the run is over; `observer` is called about once a second.
///
/// # Errors
/// [`MeasuredError`] when the run cannot begin or breaks down. A disk that fills up is no error of this
/// function: see [`RunOutcome::write_error`].
pub fn run(
    plan: &MeasuredPlan,
    options: MeasuredOptions,
    stop: &StopHandle,
    observer: &mut dyn FnMut(&Observation),
) -> Result<RunOutcome, MeasuredError> {
    let target = Target::parse(&options.target).map_err(LoadError::from)?;
    let reached = target.reach(RunOptions::CONNECT_TIMEOUT);
    reached.map_err(LoadError::from)?;
    let (sender, told) = sync_channel(WAITING);
    let asked = Arc::new(Asked::default());
    let mut results = plan.results()?;
    let opened = plan_file::open(
        &plan.path,
        &OpenOptions {
            property: &|name| plan.properties.get(name).cloned(),
            target: Some(&options.target),
            form: &results.form,
            witness: Some(Arc::new(Ledger::new(sender.clone(), &asked))),
        },
    )?;
    let run = Arc::new(plan.run(&opened.folder, options.seed));
    results.taps = Some(Arc::new(SampleTaps::new(&run, sender)));
    if let Some(directory) = &options.output {
        log_into(directory, &run)?;
        results.log_file = options.keeps_samples.then(|| directory.file(SAMPLES));
    }
    let workers = options.workers.unwrap_or_else(engine::workers_by_default);
    let facts = kept_run(plan, &options, (&target, workers));
    let keeper = RunKeeper::create(facts, options.output, run.clock)?;
    let stop_engine = engine::StopHandle::default();
    let mut counting = Counting {
        plan,
        run: Arc::clone(&run),
        asked,
        keeper,
        stop_engine: stop_engine.clone(),
        began: false,
        was_stopped: false,
        was_cut: false,
    };
    let pin_to = options.pin_to;
    std::thread::scope(|scope| {
        let pinned = move || {
            let work = || storm(opened.plan, &run, results, (&stop_engine, workers));
            host::pinned(&pin_to, work).unwrap_or_else(|source| {
                let what = "the processors to pin to";
                Err(LoadError::System { what, source }.into())
            })
        };
        let thread = std::thread::Builder::new().name("plan".to_owned());
        let thread = thread.spawn_scoped(scope, pinned);
        let thread = thread.map_err(EngineError::Thread)?;
        counting.work(&told, stop, observer);
        let stormed = thread.join().unwrap_or(Err(EngineError::Panicked.into()));
        counting.conclude(stormed)
    })
}

/// What is known of the run before it begins.
fn kept_run(
    plan: &MeasuredPlan,
    options: &MeasuredOptions,
    (target, workers): (&Target, usize),
) -> KeptRun {
    KeptRun {
        plan: plan.facts(),
        seed: options.seed,
        target: target.to_string(),
        users: plan.users(),
        has_arrivals: plan.has_arrivals(),
        phases: plan.phases().to_vec(),
        threads: workers,
        pin_to: options.pin_to.clone(),
        request_timeout: options.request_timeout,
        connect_timeout: RunOptions::CONNECT_TIMEOUT,
        samples: if options.keeps_samples { "all" } else { "none" }.to_owned(),
        about: options.about.clone(),
    }
}

/// Writes what the plan says while it runs into a file beside the samples.
fn log_into(directory: &RunDirectory, run: &Run) -> Result<(), LoadError> {
    let path = directory.file(PLAN_LOG);
    let created = File::create(&path);
    let mut file = created.map_err(|source| LoadError::Write { path, source })?;
    let clock = run.clock;
    run.log.to(Box::new(move |level, class, text| {
        let at = clock.now().as_secs_f64();
        let level = match level {
            log::Level::Trace | log::Level::Debug => return,
            log::Level::Info | log::Level::Out => "INFO",
            log::Level::Warn => "WARN",
            log::Level::Error | log::Level::Err => "ERROR",
        };
        // A full disk is told of by the files that count.
        drop(writeln!(file, "{at:10.3} s {level} {class}: {text}"));
    }));
    Ok(())
}

/// Runs the plan itself, on a thread of its own.
fn storm(
    plan: Plan,
    run: &Arc<Run>,
    results: RecorderOptions,
    (stop, workers): (&engine::StopHandle, usize),
) -> Result<engine::Summary, MeasuredError> {
    let plan = Arc::new(plan);
    let mut user = engine::begin(&plan, run);
    engine::check(&plan, &mut user)?;
    let listeners = &plan.elements.listeners;
    let log = Arc::clone(run);
    let say = Box::new(move |line: crate::results::Line| {
        log.log.line(log::Level::Warn, "results", &line.text);
    });
    let mut recorder = Recorder::start(results, listeners, &mut user, say)?;
    let options = EngineOptions {
        workers: Some(workers),
    };
    let ran = engine::run(&plan, user, &mut recorder, stop, options);
    let written = recorder.finish();
    let summary = ran?;
    written?;
    Ok(summary)
}

/// What goes on beside the plan: counting, and looking after its end.
struct Counting<'a> {
    plan: &'a MeasuredPlan,
    run: Arc<Run>,
    asked: Arc<Asked>,
    keeper: RunKeeper,
    stop_engine: engine::StopHandle,
    /// Whether the phases have begun.
    began: bool,
    /// Whether somebody asked for an early end.
    was_stopped: bool,
    /// Whether what was still under way after the end was cut.
    was_cut: bool,
}

impl Counting<'_> {
    /// Counts until the plan is through.
    fn work(
        &mut self,
        told: &Receiver<Told>,
        stop: &StopHandle,
        observer: &mut dyn FnMut(&Observation),
    ) {
        let clock = self.run.clock;
        let mut observed = OBSERVED_EVERY;
        let mut cut_at = self.plan.ends().map(|ends| ends + DRAIN);
        loop {
            self.begin();
            let now = clock.now();
            if now >= observed {
                if let Some(seen) = self.keeper.observe() {
                    observer(&seen);
                }
                while observed <= now {
                    observed += OBSERVED_EVERY;
                }
            }
            let fails = self.keeper.write_error().is_some();
            if (stop.is_stopping() || fails) && !self.was_stopped {
                self.was_stopped = true;
                self.stop_engine.request(StopLevel::Gracefully);
                cut_at = Some(now + DRAIN);
            }
            if cut_at.is_some_and(|at| now >= at) {
                self.was_cut = true;
                self.stop_engine.request(StopLevel::Now);
                cut_at = None;
            }
            match told.recv_timeout(LOOKED_EVERY) {
                Ok(Told::Samples(samples)) => {
                    self.begin();
                    for taken in samples {
                        self.keeper.take(&taken.label, taken.sample);
                    }
                }
                Ok(Told::Write(write)) => {
                    self.begin();
                    self.keeper.take_write(&write);
                }
                Ok(Told::Use(told)) => self.keeper.take_use(told),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Begins to count as soon as the users do.
    fn begin(&mut self) {
        if !self.began
            && let Some(began) = self.run.main_began.get()
        {
            self.began = true;
            self.keeper.begin(&self.plan.phases_from(*began));
        }
    }

    /// Sums up. What could not be written is part of the outcome; a plan that broke down is an error, and what
    /// was counted until then is kept. A plan that stopped itself did not come to its planned end.
    fn conclude(
        self,
        stormed: Result<engine::Summary, MeasuredError>,
    ) -> Result<RunOutcome, MeasuredError> {
        let run = &self.run;
        let ended = run.main_ended.get().copied();
        let ended = ended.unwrap_or_else(|| run.clock.now());
        let asked = self.asked.all();
        let (stopped_itself, failed) = match stormed {
            Ok(summary) => (summary.stopped && !self.was_cut, None),
            Err(MeasuredError::Recorder(RecorderError::Write { path, source })) => {
                (false, Some(LoadError::Write { path, source }))
            }
            Err(error) => {
                drop(self.keeper.finish((ended, true), asked, None));
                return Err(error);
            }
        };
        let ended = (ended, self.was_stopped || stopped_itself);
        Ok(self.keeper.finish(ended, asked, failed))
    }
}

#[cfg(test)]
mod tests;
