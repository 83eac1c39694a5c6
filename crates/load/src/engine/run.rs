//! A whole run: checks, threads, recording, files.

mod manifest;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use double11_measure::histogram::LatencyHistogram;
use double11_measure::run::{RunTallies, Summary, TimeSeries};
use double11_units::UnixMicros;

use super::outbox::{Batch, Outbox};
use super::recorder::{GrowingFiles, Recorded, Recorder};
use super::sample_files::system;
use super::shared::Shared;
use super::worker::Worker;
use super::{Limit, LoadError, Observation, RunOptions, StopHandle};
use crate::clock::{self, RunClock, process_processor_time};
use crate::health::{GeneratorHealth, HealthWatch};
use crate::host;
use crate::plan::Write;
use crate::run_directory::{RUN, RunDirectory, SUMMARY, TALLIES, TIME_SERIES};
use crate::transport::TlsSettings;

pub(super) use manifest::KeptManifest;
pub use manifest::{AskedPath, MergeFacts, PartFacts, PlanFacts, RunManifest, read_manifest};

/// Batches that wait for the recorder at most, for each worker.
const BATCHES_WAITING: usize = 64;
/// How far ahead the start of a run may lie at most.
const START_AHEAD_MAX: Duration = Duration::from_hours(24);
/// How often a run that waits for its start looks whether it shall stop.
const STOP_ASKED_EVERY: Duration = Duration::from_millis(100);
/// Descriptors besides connections: files, event loops, timers.
const DESCRIPTORS_BESIDES: u64 = 16;

/// How a run came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Every phase was gone through.
    Complete,
    /// It was asked to stop.
    Stopped,
    /// A file could not be written any more.
    WriteFailed,
}

/// What a run has measured.
#[derive(Debug)]
pub struct RunOutcome {
    /// By phase and step.
    pub summary: Summary,
    /// By second.
    pub time_series: TimeSeries,
    /// Response times of each step, in plan order, over the measured phases, in which a failed or
    /// dropped request counts as at least the request time-out.
    pub verdict_times: Vec<LatencyHistogram>,
    /// Whether the generator kept up.
    pub health: GeneratorHealth,
    /// How it ended. When it was not [`Ending::Complete`] the rest is what was measured until then.
    pub ending: Ending,
    /// Why a file could not be written.
    pub write_error: Option<LoadError>,
    /// Wall-clock time of the start.
    pub started: UnixMicros,
    /// Length of the run without the drain.
    pub duration: Duration,
    /// Writes with a success status.
    pub writes_acknowledged: u64,
    /// Writes that were definitely refused.
    pub writes_refused: u64,
    /// Writes of which nobody can say from here whether they happened.
    pub writes_unknown: u64,
    /// Visits that the end of the run cut short; they are no sessions.
    pub visits_cut: u64,
    /// The steps that write something, and what: those of the plan, or, where another engine sent the
    /// requests, those that were seen to.
    pub writes: Vec<(String, Write)>,
    /// What the steps ask for, as far as it was seen; empty where the plan says.
    pub asked: BTreeMap<String, AskedPath>,
    /// The run directory.
    pub directory: Option<PathBuf>,
}

/// Makes a run. It blocks until the run is over; `observer` is called about once a second.
///
/// # Errors
/// [`LoadError`] when the run cannot begin or a worker breaks down. A disk that fills up ends the run
/// but is no error of this function: see [`RunOutcome::write_error`].
pub fn run(
    options: &RunOptions,
    stop: &StopHandle,
    observer: &mut dyn FnMut(&Observation),
) -> Result<RunOutcome, LoadError> {
    options.check()?;
    let threads = thread_count(options);
    let descriptors_limit = check_descriptors(options, threads)?;
    let tls = if options.target.is_tls() {
        Some(TlsSettings::new(&options.target, &options.extra_roots)?)
    } else {
        None
    };
    let address = address(options)?;
    let files = GrowingFiles::create(options, threads)?;
    if let Some(directory) = &options.output {
        directory.reserve(options.expected_bytes())?;
    }
    let shared = Shared::new(options, (address, tls), threads, stop);
    let processors = match options.pin_to.as_slice() {
        [] => host::processors_allowed(),
        pinned => pinned.len(),
    };
    let health = HealthWatch::new(
        threads,
        processors,
        (host::descriptors_in_use(), descriptors_limit),
        process_processor_time(),
    );
    // The recorder's work must not fall on the processors that are kept free for the shop.
    let before = host::allowed();
    if !options.pin_to.is_empty() {
        host::pin(&options.pin_to).map_err(system("the processors to pin to"))?;
    }
    let recorded = record(options, &shared, (files, health), observer);
    host::restore(before);
    if let (Err(_), Some(directory)) = (&recorded, &options.output) {
        directory.release();
    }
    let (recorder, clock) = recorded?;
    let stopped_at = shared.stopped_at();
    let ended = stopped_at.unwrap_or_else(|| options.planned_end());
    let recorded = recorder.finish(ended);
    Ok(conclude(
        options,
        recorded,
        clock.started(),
        (ended, stopped_at.is_some()),
    ))
}

fn thread_count(options: &RunOptions) -> usize {
    let default = || match options.pin_to.as_slice() {
        [] => host::processors_allowed(),
        pinned => pinned.len(),
    };
    let wanted = options.threads.unwrap_or_else(default);
    wanted
        .min(options.own_connections())
        .min(options.own_in_flight())
        .max(1)
}

/// Raises the limit of descriptors and checks that it is enough.
fn check_descriptors(options: &RunOptions, threads: usize) -> Result<Option<u64>, LoadError> {
    let limit = host::raise_descriptor_limit();
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let files = count(options.phases.len().min(64));
    let wanted = host::descriptors_in_use()
        + count(options.own_connections())
        + 3 * count(threads)
        + files
        + DESCRIPTORS_BESIDES;
    match limit {
        Some(limit) if wanted > limit => Err(LoadError::Descriptors {
            connections: options.own_connections(),
            wanted,
            limit,
        }),
        limit => Ok(limit),
    }
}

fn address(options: &RunOptions) -> Result<SocketAddr, LoadError> {
    Ok(if options.require_reachable {
        options.target.reach(options.connect_timeout)?
    } else {
        options.target.resolve()?
    })
}

/// The ends of the channels that a worker needs.
struct Channels {
    filled: SyncSender<Batch>,
    emptied: Receiver<Batch>,
    ready: SyncSender<std::io::Result<()>>,
    go: Receiver<RunClock>,
}

/// Runs the workers and the recorder.
fn record(
    options: &RunOptions,
    shared: &Shared,
    (files, health): (Option<GrowingFiles>, HealthWatch),
    observer: &mut dyn FnMut(&Observation),
) -> Result<(Recorder, RunClock), LoadError> {
    let threads = shared.threads();
    thread::scope(|scope| {
        let (filled_sender, filled) = sync_channel(BATCHES_WAITING * threads);
        let (ready_sender, ready) = sync_channel(threads);
        let (mut emptied, mut go, mut handles) = (Vec::new(), Vec::new(), Vec::new());
        for index in 0..threads {
            let (emptied_sender, emptied_receiver) = sync_channel(BATCHES_WAITING);
            let (go_sender, go_receiver) = channel();
            let channels = Channels {
                filled: filled_sender.clone(),
                emptied: emptied_receiver,
                ready: ready_sender.clone(),
                go: go_receiver,
            };
            emptied.push(emptied_sender);
            go.push(go_sender);
            let work = move || work(options, shared, index, channels);
            let builder = thread::Builder::new().name(format!("double11-{index}"));
            let handle = builder
                .spawn_scoped(scope, work)
                .map_err(system("a thread"))?;
            handles.push(handle);
        }
        drop((filled_sender, ready_sender));
        for _ in 0..threads {
            // An early return drops the `go` channels, which ends the workers that are ready.
            ready
                .recv()
                .map_err(|_| LoadError::Worker)?
                .map_err(system("an event loop"))?;
        }
        let clock = begin(options.start_at, shared)?;
        for go in &go {
            go.send(clock).map_err(|_| LoadError::Worker)?;
        }
        let mut recorder = Recorder::new(options, files, health, clock);
        recorder.work(shared, &filled, &emptied, observer);
        for handle in handles {
            let result = handle.join().map_err(|_| LoadError::Worker)?;
            result.map_err(system("to wait for events"))?;
        }
        Ok((recorder, clock))
    })
}

/// The clock of a run that begins now, or at the instant that was asked for, which is waited for.
fn begin(start_at: Option<UnixMicros>, shared: &Shared) -> Result<RunClock, LoadError> {
    let Some(start_at) = start_at else {
        return Ok(RunClock::start());
    };
    let wait = clock::until(start_at);
    if wait.is_zero() {
        return Err(LoadError::StartMissed {
            by: clock::since(start_at),
        });
    }
    if wait > START_AHEAD_MAX {
        return Err(LoadError::Option {
            option: "start_at",
            reason: "at most a day ahead".to_owned(),
        });
    }
    loop {
        if shared.is_stopping() {
            return Err(LoadError::StoppedBeforeStart);
        }
        let rest = clock::until(start_at);
        if rest.is_zero() {
            return Ok(RunClock::started_at(start_at));
        }
        thread::park_timeout(rest.min(STOP_ASKED_EVERY));
    }
}

/// The life of a worker thread.
fn work(
    options: &RunOptions,
    shared: &Shared,
    index: usize,
    channels: Channels,
) -> std::io::Result<()> {
    let Channels {
        filled,
        emptied,
        ready,
        go,
    } = channels;
    let pinned = match options.pin_to.as_slice() {
        [] => Ok(()),
        processors => host::pin(&[processors[index % processors.len()]]),
    };
    let outbox = Outbox::new(index, filled, emptied);
    let limits = (
        Limit(options.own_connections()),
        Limit(options.own_in_flight()),
    );
    let worker = pinned.and_then(|()| Worker::new(shared, index, limits, outbox));
    match worker {
        Ok(worker) => {
            // When nobody waits for it, the run does not begin.
            drop(ready.send(Ok(())));
            match go.recv() {
                Ok(clock) => worker.run(clock),
                Err(_) => Ok(()),
            }
        }
        Err(error) => {
            drop(ready.send(Err(error)));
            Ok(())
        }
    }
}

/// Sums up a run, in files too.
fn conclude(
    options: &RunOptions,
    recorded: Recorded,
    started: UnixMicros,
    (ended, was_stopped): (Duration, bool),
) -> RunOutcome {
    let directory = options.output.as_ref();
    let path = directory.map(|directory| directory.path().to_owned());
    let (mut outcome, tallies) = recorded.outcome(started, (ended, was_stopped), path);
    outcome.writes = options.plan.writes();
    if let Some(directory) = &options.output {
        directory.release();
        let manifest = RunManifest::new(options, &outcome);
        if let Err(error) = write_files(directory, &manifest, &outcome, &tallies) {
            outcome.write_error.get_or_insert(error);
            outcome.ending = Ending::WriteFailed;
        }
    }
    outcome
}

impl Recorded {
    /// What a run came to that started then and ended at `ended`.
    pub(super) fn outcome(
        self,
        started: UnixMicros,
        (ended, was_stopped): (Duration, bool),
        directory: Option<PathBuf>,
    ) -> (RunOutcome, RunTallies) {
        let ending = match (&self.write_error, was_stopped) {
            (Some(_), _) => Ending::WriteFailed,
            (None, true) => Ending::Stopped,
            (None, false) => Ending::Complete,
        };
        let outcome = RunOutcome {
            summary: self.summary,
            time_series: self.time_series,
            verdict_times: self.verdict_times,
            health: self.health,
            ending,
            write_error: self.write_error,
            started,
            duration: ended,
            writes_acknowledged: self.outcomes.acknowledged,
            writes_refused: self.outcomes.refused,
            writes_unknown: self.outcomes.unknown,
            visits_cut: self.visits_cut,
            writes: Vec::new(),
            asked: BTreeMap::new(),
            directory,
        };
        (outcome, self.tallies)
    }
}

/// Writes the files that sum up a run.
pub(crate) fn write_files(
    directory: &RunDirectory,
    manifest: &RunManifest,
    outcome: &RunOutcome,
    tallies: &RunTallies,
) -> Result<(), LoadError> {
    let failed = |name: &str| {
        let path = directory.file(name);
        move |source| LoadError::Write { path, source }
    };
    // The small files first: they are worth most when there is little room.
    directory.write_json(RUN, manifest).map_err(failed(RUN))?;
    directory
        .write_json(SUMMARY, &outcome.summary)
        .map_err(failed(SUMMARY))?;
    directory
        .write_json(TALLIES, tallies)
        .map_err(failed(TALLIES))?;
    directory
        .write_json(TIME_SERIES, &outcome.time_series)
        .map_err(failed(TIME_SERIES))
}
