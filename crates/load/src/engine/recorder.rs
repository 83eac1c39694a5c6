//! The recorder: takes the workers' batches, keeps the figures and writes the growing files. It runs on
//! the thread that called for the run.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use double11_measure::histogram::LatencyHistogram;
use double11_measure::run::{PhaseShape, RunRecorder, RunShape, RunTallies, Summary, TimeSeries};

use super::outbox::{Batch, WriteOutcomes};
use super::sample_files::{LineFile, SampleFiles};
use super::shared::Shared;
use super::{LoadError, Observation, RunOptions};
use crate::clock::{RunClock, process_processor_time};
use crate::health::{GeneratorHealth, HealthWatch};
use crate::run_directory::RunDirectoryError;
use crate::schedule::Ramp;

/// How often the observer is called.
const OBSERVED_EVERY: Duration = Duration::from_secs(1);

/// The files that grow while a run goes on.
#[derive(Debug)]
pub(super) struct GrowingFiles {
    samples: SampleFiles,
    ledger: LineFile,
}

/// Figures and files of a run.
#[derive(Debug)]
pub(super) struct Recorder {
    figures: RunRecorder,
    health: HealthWatch,
    files: Option<GrowingFiles>,
    clock: RunClock,
    outcomes: WriteOutcomes,
    visits_cut: u64,
    write_error: Option<LoadError>,
    /// Requests per second that this generator offers in each phase.
    offered: Vec<Option<Ramp>>,
}

/// Everything that was recorded.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) tallies: RunTallies,
    pub(super) summary: Summary,
    pub(super) time_series: TimeSeries,
    pub(super) verdict_times: Vec<LatencyHistogram>,
    pub(super) health: GeneratorHealth,
    pub(super) outcomes: WriteOutcomes,
    pub(super) visits_cut: u64,
    pub(super) write_error: Option<LoadError>,
}

impl GrowingFiles {
    /// Opens the files; `None` when the run keeps none.
    pub(super) fn create(
        options: &RunOptions,
        threads: usize,
    ) -> Result<Option<Self>, RunDirectoryError> {
        let Some(directory) = &options.output else {
            return Ok(None);
        };
        let labels = options
            .plan
            .steps()
            .iter()
            .map(|step| step.name.clone())
            .collect();
        let scheme = if options.target.is_tls() {
            "https"
        } else {
            "http"
        };
        let origin = format!("{scheme}://{}", options.target.authority());
        // JMeter's form, group and thread: the shard is the group, so that no two threads share a name.
        let group = options.shard.index() + 1;
        let thread_names = (1..=threads).map(|thread| format!("double11 {group}-{thread}"));
        let details = (options.samples, thread_names.collect(), origin);
        Ok(Some(Self {
            samples: SampleFiles::create(directory, &options.phases, labels, details)?,
            ledger: LineFile::ledger(directory)?,
        }))
    }
}

impl Recorder {
    pub(super) fn new(
        options: &RunOptions,
        files: Option<GrowingFiles>,
        health: HealthWatch,
        clock: RunClock,
    ) -> Self {
        Self {
            figures: RunRecorder::new(shape(options), options.request_timeout),
            health,
            files,
            clock,
            outcomes: WriteOutcomes::default(),
            visits_cut: 0,
            write_error: None,
            offered: options
                .phases
                .iter()
                .map(|phase| options.own_request_rate(phase))
                .collect(),
        }
    }

    /// Takes batches until every worker is done.
    pub(super) fn work(
        &mut self,
        shared: &Shared,
        filled: &Receiver<Batch>,
        emptied: &[SyncSender<Batch>],
        observer: &mut dyn FnMut(&Observation),
    ) {
        let mut next_observation = OBSERVED_EVERY;
        loop {
            let now = self.clock.now();
            if now >= next_observation {
                self.health.take_process(now, process_processor_time());
                observer(&self.observation(shared, now));
                while next_observation <= now {
                    next_observation += OBSERVED_EVERY;
                }
            }
            match filled.recv_timeout(next_observation.saturating_sub(now)) {
                Ok(batch) => self.take(batch, shared, emptied),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn observation(&self, shared: &Shared, now: Duration) -> Observation {
        let phase = shared.phases.phase_at(now);
        // What drains after the end is not offered any more.
        let is_over = now >= shared.phases.end();
        let ramp = self.offered.get(usize::from(phase.0)).copied().flatten();
        let ramp = ramp.filter(|_| !is_over);
        let mut visits = self.figures.phase_progress(phase);
        let mut sends = shared.steps.iter().map(|step| step.head.is_some());
        visits.steps.retain(|_| sends.next().unwrap_or(false));
        Observation {
            elapsed: now,
            planned_end: shared.phases.end(),
            phase,
            progress: self.figures.snapshot(),
            in_flight: Some(shared.in_flight()),
            connections: Some(self.health.connections()),
            offered_per_second: ramp.map(|ramp| ramp.at(shared.phases.share_passed(now))),
            visits,
            generator: self.health.glance(),
        }
    }

    pub(super) fn take(
        &mut self,
        mut batch: Batch,
        shared: &Shared,
        emptied: &[SyncSender<Batch>],
    ) {
        for record in &batch.samples {
            self.figures.record(&record.sample);
        }
        for (phase, duration) in &batch.visits {
            self.figures.visit_finished(*phase, *duration);
        }
        for report in &batch.health {
            self.health.take(report);
        }
        self.outcomes.acknowledged += batch.outcomes.acknowledged;
        self.outcomes.refused += batch.outcomes.refused;
        self.outcomes.unknown += batch.outcomes.unknown;
        self.visits_cut += batch.visits_cut;
        if let Some(files) = &mut self.files
            && self.write_error.is_none()
        {
            // The ledger first: an acknowledged order that it misses would look like a lost one.
            let written = files.ledger.add(&mut batch.ledger);
            if let Err(error) = written.and_then(|()| files.samples.add(&batch, &self.clock)) {
                self.write_error = Some(error);
                shared.halt();
            }
        }
        batch.clear();
        if let Some(emptied) = emptied.get(batch.worker) {
            // A worker that is done needs no empty batch.
            drop(emptied.try_send(batch));
        }
    }

    /// Sums up a run that ended at `ended`.
    pub(super) fn finish(mut self, ended: Duration) -> Recorded {
        let now = self.clock.now();
        let process_time = process_processor_time();
        self.health.take_process(now, process_time);
        if let Some(files) = self.files.take() {
            let written = files.ledger.finish().and(files.samples.finish());
            self.write_error = self.write_error.or(written.err());
        }
        let tallies = self.figures.tallies();
        let verdict_times = self.figures.verdict_times();
        let (summary, mut time_series) = self.figures.finish(ended);
        time_series.start_unix_ms = Some(self.clock.started().millis());
        Recorded {
            tallies,
            summary,
            time_series,
            verdict_times,
            health: self.health.finish(now, process_time),
            outcomes: self.outcomes,
            visits_cut: self.visits_cut,
            write_error: self.write_error,
        }
    }
}

fn shape(options: &RunOptions) -> RunShape {
    let mut start = Duration::ZERO;
    let phases = options.phases.iter().map(|phase| {
        let shape = PhaseShape {
            name: phase.name.clone(),
            start,
            duration: phase.duration,
            measured: phase.measured,
            offered_per_second: options.own_offered_per_second(phase),
        };
        start += phase.duration;
        shape
    });
    RunShape {
        phases: phases.collect(),
        steps: options
            .plan
            .steps()
            .iter()
            .map(|step| step.name.clone())
            .collect(),
    }
}
