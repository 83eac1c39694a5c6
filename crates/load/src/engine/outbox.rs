//! What a worker hands to the recorder: samples, ledger lines and its own health, in batches whose
//! buffers go back and forth.

use std::ops::Range;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};
use std::time::Duration;

use double11_measure::sample::{PhaseId, Sample};

use super::ledger::WriteOutcome;
use crate::clock::RunClock;
use crate::health::WorkerSecond;

/// A batch is sent when it has this many samples, and at every tick.
const SAMPLES_SENT: usize = 512;
/// While the recorder is behind, samples are kept up to this many; then the worker waits for it.
const SAMPLES_KEPT_MAX: usize = 65_536;

/// What happened at one worker since its last batch.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) worker: usize,
    pub(super) samples: Vec<SampleRecord>,
    /// Paths and failure messages of the samples.
    pub(super) text: Vec<u8>,
    /// Whole lines of the client ledger.
    pub(super) ledger: Vec<u8>,
    pub(super) outcomes: WriteOutcomes,
    pub(super) visits: Vec<(PhaseId, Duration)>,
    /// Visits that the end of the run cut short.
    pub(super) visits_cut: u64,
    pub(super) health: Vec<WorkerSecond>,
}

/// A sample and its texts.
#[derive(Debug)]
pub(super) struct SampleRecord {
    pub(super) sample: Sample,
    pub(super) path: Range<usize>,
    pub(super) message: Range<usize>,
}

/// Writes of the client ledger by outcome.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct WriteOutcomes {
    pub(super) acknowledged: u64,
    pub(super) refused: u64,
    pub(super) unknown: u64,
}

impl WriteOutcomes {
    pub(super) fn add(&mut self, outcome: WriteOutcome) {
        match outcome {
            WriteOutcome::Acknowledged => self.acknowledged += 1,
            WriteOutcome::Refused => self.refused += 1,
            WriteOutcome::Unknown => self.unknown += 1,
        }
    }
}

impl Batch {
    pub(super) fn clear(&mut self) {
        self.samples.clear();
        self.text.clear();
        self.ledger.clear();
        self.outcomes = WriteOutcomes::default();
        self.visits.clear();
        self.visits_cut = 0;
        self.health.clear();
    }

    pub(super) fn text(&self, range: &Range<usize>) -> &[u8] {
        self.text.get(range.clone()).unwrap_or_default()
    }
}

/// The worker's end of the channel.
#[derive(Debug)]
pub(super) struct Outbox {
    pub(super) batch: Batch,
    worker: usize,
    filled: SyncSender<Batch>,
    emptied: Receiver<Batch>,
    /// Time that the worker had to wait for the recorder.
    blocked: Duration,
}

impl Outbox {
    pub(super) fn new(worker: usize, filled: SyncSender<Batch>, emptied: Receiver<Batch>) -> Self {
        let batch = Batch {
            worker,
            ..Batch::default()
        };
        Self {
            batch,
            worker,
            filled,
            emptied,
            blocked: Duration::ZERO,
        }
    }

    pub(super) fn record(&mut self, sample: Sample, path: &[u8], message: &[u8]) {
        let start = self.batch.text.len();
        self.batch.text.extend_from_slice(path);
        let middle = self.batch.text.len();
        self.batch.text.extend_from_slice(message);
        let end = self.batch.text.len();
        let record = SampleRecord {
            sample,
            path: start..middle,
            message: middle..end,
        };
        self.batch.samples.push(record);
    }

    /// Sends the batch when it is worth it.
    pub(super) fn send_if_full(&mut self, clock: &RunClock) {
        let count = self.batch.samples.len();
        if count >= SAMPLES_SENT && count.is_multiple_of(SAMPLES_SENT) {
            self.send(clock);
        }
    }

    /// Sends the batch. When the channel is full it is kept, as long as that is affordable: a worker
    /// that waits cannot keep its schedule.
    pub(super) fn send(&mut self, clock: &RunClock) {
        let empty = self.emptied.try_recv().unwrap_or_default();
        let filled = std::mem::replace(
            &mut self.batch,
            Batch {
                worker: self.worker,
                ..empty
            },
        );
        match self.filled.try_send(filled) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => {}
            Err(TrySendError::Full(batch)) if batch.samples.len() < SAMPLES_KEPT_MAX => {
                self.batch = batch;
            }
            Err(TrySendError::Full(batch)) => {
                let since = clock.now();
                // The recorder only goes away when the run is over.
                drop(self.filled.send(batch));
                self.blocked += clock.now().saturating_sub(since);
            }
        }
    }

    /// Sends what is left, waiting for the recorder.
    pub(super) fn finish(mut self) {
        drop(self.filled.send(std::mem::take(&mut self.batch)));
    }

    /// Time that the worker had to wait for the recorder so far.
    pub(super) fn blocked(&self) -> Duration {
        self.blocked
    }
}
