//! The run directory of a run whose requests another engine sends, such as that of `JMeter` plans: the
//! same figures, client ledger and `run.json`, so that whatever reads runs reads this one too.
//!
//! The other engine tells samples and writes; sample files are its own. What belongs together here are
//! figures, the ledger and the health of the generator.

mod write;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::time::Duration;

use double11_measure::run::{PhaseProgress, PhaseShape, RunRecorder, RunShape};
use double11_measure::sample::{Sample, StepId};

use super::outbox::WriteOutcomes;
use super::recorder::Recorded;
use super::run::{self, AskedPath, Ending, KeptManifest, PlanFacts, RunOutcome};
use super::sample_files::LineFile;
use super::{LoadError, Observation, RunAbout};
use crate::clock::{RunClock, process_processor_time, thread_processor_time};
use crate::health::{HealthWatch, WorkerSecond};
use crate::host;
use crate::plan::Write;
use crate::run_directory::RunDirectory;
use crate::schedule::{Phase, PhaseClock};

pub use write::KeptWrite;

/// How many steps are told apart; samples of further ones are counted together.
pub const STEPS_MAX: usize = 2_000;
/// The step of the samples whose own came too late to be told apart.
pub const OTHER_STEPS: &str = "(other steps)";

/// What is known of a run before it begins.
#[derive(Debug, Clone)]
pub struct KeptRun {
    /// What is run: its name, the hash of all that decides what it does, its parameters in words.
    pub plan: PlanFacts,
    /// Seed of its choices.
    pub seed: u64,
    /// What is put under load, without passwords.
    pub target: String,
    /// Virtual users; where arrivals decide, how many there may be.
    pub users: usize,
    /// Whether users begin as arrivals come, whether the others are through or not.
    pub has_arrivals: bool,
    /// The phases as they are planned.
    pub phases: Vec<Phase>,
    /// Worker threads.
    pub threads: usize,
    /// Processors to pin the run to; empty for none.
    pub pin_to: Vec<usize>,
    /// A failed request counts as at least this in a verdict on response times.
    pub request_timeout: Duration,
    /// Longest wait for a connection, unless the plan says another.
    pub connect_timeout: Duration,
    /// Which samples the sample file holds, such as `all`.
    pub samples: String,
    /// What `run.json` says besides.
    pub about: RunAbout,
}

/// What a worker thread of the other engine used since it last told.
#[derive(Debug, Clone, Copy)]
pub struct WorkerUse {
    /// The worker, from 0.
    pub worker: usize,
    /// When it told, since the start of the run.
    pub at: Duration,
    /// Processor time that it used.
    pub processor_time: Duration,
    /// In how long.
    pub length: Duration,
}

/// Measures what a worker thread uses; made and asked on that thread.
#[derive(Debug)]
pub struct WorkerWatch {
    worker: usize,
    since: Duration,
    used: Duration,
}

/// Keeps the figures and files of a run that goes on.
#[derive(Debug)]
pub struct RunKeeper {
    run: KeptRun,
    directory: Option<RunDirectory>,
    clock: RunClock,
    /// Nothing is counted before the phases are known.
    figures: Option<Figures>,
    health: HealthWatch,
    ledger: Option<LineFile>,
    outcomes: WriteOutcomes,
    writes: BTreeMap<String, Write>,
    write_error: Option<LoadError>,
    lines: Vec<u8>,
}

#[derive(Debug)]
struct Figures {
    recorder: RunRecorder,
    phases: PhaseClock,
    names: Vec<String>,
    steps: HashMap<String, StepId>,
}

impl WorkerWatch {
    /// Begins now.
    pub fn start(worker: usize, now: Duration) -> Self {
        Self {
            worker,
            since: now,
            used: thread_processor_time(),
        }
    }

    /// What was used since the last report; none while that is less than a second ago.
    pub fn report(&mut self, now: Duration) -> Option<WorkerUse> {
        let length = now.saturating_sub(self.since);
        if length < Duration::from_secs(1) {
            return None;
        }
        let used = thread_processor_time();
        let told = WorkerUse {
            worker: self.worker,
            at: now,
            processor_time: used.saturating_sub(self.used),
            length,
        };
        (self.since, self.used) = (now, used);
        Some(told)
    }
}

impl RunKeeper {
    /// Opens the files of a run in a directory, if it is to have one.
    ///
    /// # Errors
    /// [`LoadError::RunDirectory`] when the directory cannot take it.
    pub fn create(
        run: KeptRun,
        directory: Option<RunDirectory>,
        clock: RunClock,
    ) -> Result<Self, LoadError> {
        let mut ledger = None;
        if let Some(directory) = &directory {
            directory.reserve(0)?;
            ledger = Some(LineFile::ledger(directory)?);
        }
        let processors = match run.pin_to.as_slice() {
            [] => host::processors_allowed(),
            pinned => pinned.len(),
        };
        let descriptors = (host::descriptors_in_use(), host::raise_descriptor_limit());
        let health = HealthWatch::new(
            run.threads,
            processors,
            descriptors,
            process_processor_time(),
        );
        Ok(Self {
            run,
            directory,
            clock,
            figures: None,
            health,
            ledger,
            outcomes: WriteOutcomes::default(),
            writes: BTreeMap::new(),
            write_error: None,
            lines: Vec::new(),
        })
    }

    /// Begins to count; `phases` as they will be, beginning at the start of the run.
    pub fn begin(&mut self, phases: &[Phase]) {
        self.figures = Some(Figures::new(phases, &self.run));
    }

    /// Takes a sample of a step; its own numbers of step and phase are not looked at. One that comes
    /// before [`Self::begin`] is not counted.
    pub fn take(&mut self, step: &str, sample: Sample) {
        let Some(figures) = &mut self.figures else {
            return;
        };
        let Some(step) = figures.step(step) else {
            return;
        };
        let phase = figures.phases.phase_at(sample.planned);
        figures.recorder.record(&Sample {
            step,
            phase,
            ..sample
        });
    }

    /// Takes a write: a line of the client ledger.
    pub fn take_write(&mut self, write: &KeptWrite) {
        let phase = self.figures.as_ref().and_then(|figures| {
            let phase = figures.phases.phase_at(write.sent);
            figures.names.get(usize::from(phase.0))
        });
        let outcome = write.line(phase.map(String::as_str), &self.clock, &mut self.lines);
        self.outcomes.add(outcome);
        if !self.writes.contains_key(&*write.step) && self.writes.len() < STEPS_MAX {
            self.writes.insert(write.step.to_string(), write.kind);
        }
        if let Some(ledger) = &mut self.ledger
            && self.write_error.is_none()
        {
            self.write_error = ledger.add(&mut self.lines).err();
        }
        self.lines.clear();
    }

    /// Takes what a worker thread used.
    pub fn take_use(&mut self, told: WorkerUse) {
        self.health.take(&WorkerSecond {
            worker: told.worker,
            second: told.at.as_secs().saturating_sub(1),
            lag: double11_measure::histogram::LatencyHistogram::new(),
            processor_time: told.processor_time,
            length: told.length,
            connections: 0,
            blocked: Duration::ZERO,
        });
    }

    /// Why a file could not be written; the run should end then.
    pub fn write_error(&self) -> Option<&LoadError> {
        self.write_error.as_ref()
    }

    /// A glance at the run, to be had about once a second; none before it is counted.
    pub fn observe(&mut self) -> Option<Observation> {
        let now = self.clock.now();
        self.health.take_process(now, process_processor_time());
        let figures = self.figures.as_ref()?;
        let phase = figures.phases.phase_at(now);
        Some(Observation {
            elapsed: now,
            planned_end: figures.phases.end(),
            phase,
            progress: figures.recorder.snapshot(),
            in_flight: None,
            connections: None,
            offered_per_second: None,
            visits: PhaseProgress::default(),
            generator: self.health.glance(),
        })
    }

    /// Sums up a run that ended at `ended` since its start, and whether before its time, and writes the
    /// files that do. `asked` is what is known of the steps' requests. An error of the sample file, which
    /// is not kept here, is told as `failed`.
    pub fn finish(
        mut self,
        (ended, was_stopped): (Duration, bool),
        asked: BTreeMap<String, AskedPath>,
        failed: Option<LoadError>,
    ) -> RunOutcome {
        let process_time = process_processor_time();
        let now = self.clock.now();
        self.health.take_process(now, process_time);
        if let Some(ledger) = self.ledger.take() {
            let finished = ledger.finish();
            self.write_error = self.write_error.or(finished.err());
        }
        // A run that ended before its phases began has those of its plan, all empty.
        let figures = self.figures.take();
        let figures = figures.unwrap_or_else(|| Figures::new(&self.run.phases, &self.run));
        let tallies = figures.recorder.tallies();
        let verdict_times = figures.recorder.verdict_times();
        let (summary, mut time_series) = figures.recorder.finish(ended);
        time_series.start_unix_ms = Some(self.clock.started().millis());
        let recorded = Recorded {
            tallies,
            summary,
            time_series,
            verdict_times,
            health: self.health.finish(now, process_time),
            outcomes: self.outcomes,
            visits_cut: 0,
            write_error: self.write_error.or(failed),
        };
        let path: Option<PathBuf> = self
            .directory
            .as_ref()
            .map(|directory| directory.path().to_owned());
        let (mut outcome, tallies) =
            recorded.outcome(self.clock.started(), (ended, was_stopped), path);
        outcome.writes = self.writes.into_iter().collect();
        outcome.asked = asked;
        if let Some(directory) = &self.directory {
            directory.release();
            let manifest = KeptManifest(&self.run).of(&outcome);
            if let Err(error) = run::write_files(directory, &manifest, &outcome, &tallies) {
                outcome.write_error.get_or_insert(error);
                outcome.ending = Ending::WriteFailed;
            }
        }
        outcome
    }
}

impl Figures {
    fn new(phases: &[Phase], run: &KeptRun) -> Self {
        let mut start = Duration::ZERO;
        let shapes = phases.iter().map(|phase| {
            let shape = PhaseShape {
                name: phase.name.clone(),
                start,
                duration: phase.duration,
                measured: phase.measured,
                offered_per_second: None,
            };
            start = start.saturating_add(phase.duration);
            shape
        });
        let shape = RunShape {
            phases: shapes.collect(),
            steps: Vec::new(),
        };
        Self {
            recorder: RunRecorder::new(shape, run.request_timeout),
            phases: PhaseClock::new(phases),
            names: phases.iter().map(|phase| phase.name.clone()).collect(),
            steps: HashMap::new(),
        }
    }

    /// The number of a step, which is given out at its first sample.
    fn step(&mut self, name: &str) -> Option<StepId> {
        if let Some(step) = self.steps.get(name) {
            return Some(*step);
        }
        let name = if self.steps.len() < STEPS_MAX {
            name
        } else {
            OTHER_STEPS
        };
        if let Some(step) = self.steps.get(name) {
            return Some(*step);
        }
        let step = self.recorder.add_step(name)?;
        self.steps.insert(name.to_owned(), step);
        Some(step)
    }
}

#[cfg(test)]
mod tests;
