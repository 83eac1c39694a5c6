//! The thread that owns the ledger: it decides, writes, syncs, and only then answers.
//!
//! What waits when the thread comes around is decided together and shares one sync. Since one thread
//! decides everything, two requests for one attempt cannot race.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use double11_store::Clock;
use double11_units::{AttemptId, Money};
use tokio::sync::{mpsc, oneshot};

use super::ledger::{Entry, Event, Ledger};
use crate::{AttemptStatus, ChargeResult, GatewayError};

/// The most requests that share one sync.
const BATCH_MAX: usize = 1_024;

/// A request to the thread, with the way back.
#[derive(Debug)]
pub(super) enum Request {
    Charge {
        attempt_id: AttemptId,
        amount: Money,
        decline: bool,
        reply: Reply<ChargeResult>,
    },
    Status {
        attempt_id: AttemptId,
        reply: Reply<AttemptStatus>,
    },
    Void {
        attempt_id: AttemptId,
        reply: Reply<AttemptStatus>,
    },
    Refund {
        attempt_id: AttemptId,
        amount: Money,
        reply: Reply<()>,
    },
}

pub(super) type Reply<T> = oneshot::Sender<Result<T, GatewayError>>;

/// A reply that waits for the sync.
enum Decided {
    Charge(Reply<ChargeResult>, ChargeResult),
    Status(Reply<AttemptStatus>, AttemptStatus),
    Refund(Reply<()>, Result<(), GatewayError>),
}

/// The ledger and what is about to be written to it.
pub(super) struct Writer {
    ledger: Ledger,
    clock: Arc<dyn Clock>,
    lines: Vec<u8>,
    /// Set by the first error of the disk. From then on nothing is known: a failed sync leaves open
    /// what is on the disk, so that every later answer could be wrong.
    broken: bool,
    /// The same for others to see.
    told_broken: Arc<AtomicBool>,
}

impl Writer {
    pub(super) fn new(ledger: Ledger, clock: Arc<dyn Clock>, told_broken: Arc<AtomicBool>) -> Self {
        Self {
            ledger,
            clock,
            lines: Vec::new(),
            broken: false,
            told_broken,
        }
    }

    /// Serves until every sender is gone.
    pub(super) fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        while let Some(first) = requests.blocking_recv() {
            batch.push(first);
            while batch.len() < BATCH_MAX {
                match requests.try_recv() {
                    Ok(next) => batch.push(next),
                    Err(_) => break,
                }
            }
            self.serve(&mut batch);
        }
    }

    fn serve(&mut self, batch: &mut Vec<Request>) {
        let decided: Vec<Decided> = batch
            .drain(..)
            .map(|request| self.decide(request))
            .collect();
        if !self.broken
            && !self.lines.is_empty()
            && let Err(error) = self.ledger.append(&self.lines)
        {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the gateway ledger cannot be written; outcomes are unknown from now on"
            );
            self.broken = true;
            self.told_broken.store(true, Ordering::Release);
        }
        self.lines.clear();
        for decided in decided {
            decided.answer(self.broken);
        }
    }

    fn decide(&mut self, request: Request) -> Decided {
        match request {
            Request::Charge {
                attempt_id,
                amount,
                decline,
                reply,
            } => Decided::Charge(reply, self.charge(attempt_id, amount, decline)),
            Request::Status { attempt_id, reply } => {
                let entry = self.ledger.entries.get(&attempt_id);
                Decided::Status(
                    reply,
                    entry.map_or(AttemptStatus::NeverHeard, |entry| status_of(*entry)),
                )
            }
            Request::Void { attempt_id, reply } => Decided::Status(reply, self.void(attempt_id)),
            Request::Refund {
                attempt_id,
                amount,
                reply,
            } => Decided::Refund(reply, self.refund(attempt_id, amount)),
        }
    }

    fn charge(&mut self, attempt_id: AttemptId, amount: Money, decline: bool) -> ChargeResult {
        match self.ledger.entries.get(&attempt_id) {
            Some(Entry::Captured { .. }) => ChargeResult::Captured,
            Some(Entry::Declined | Entry::Voided) => ChargeResult::Declined,
            None if decline => {
                self.record(Event::Charge {
                    attempt_id,
                    amount,
                    captured: false,
                });
                self.ledger.entries.insert(attempt_id, Entry::Declined);
                ChargeResult::Declined
            }
            None => {
                self.record(Event::Charge {
                    attempt_id,
                    amount,
                    captured: true,
                });
                self.ledger
                    .entries
                    .insert(attempt_id, Entry::Captured { refunded: false });
                ChargeResult::Captured
            }
        }
    }

    fn void(&mut self, attempt_id: AttemptId) -> AttemptStatus {
        if let Some(entry) = self.ledger.entries.get(&attempt_id) {
            return status_of(*entry);
        }
        self.record(Event::Void { attempt_id });
        self.ledger.entries.insert(attempt_id, Entry::Voided);
        AttemptStatus::Voided
    }

    fn refund(&mut self, attempt_id: AttemptId, amount: Money) -> Result<(), GatewayError> {
        match self.ledger.entries.get(&attempt_id) {
            Some(Entry::Captured { refunded: true }) => Ok(()),
            Some(Entry::Captured { refunded: false }) => {
                self.record(Event::Refund { attempt_id, amount });
                self.ledger
                    .entries
                    .insert(attempt_id, Entry::Captured { refunded: true });
                Ok(())
            }
            Some(Entry::Declined | Entry::Voided) | None => Err(GatewayError::NotCaptured),
        }
    }

    fn record(&mut self, event: Event) {
        event.write(self.clock.now(), self.ledger.synced, &mut self.lines);
    }
}

fn status_of(entry: Entry) -> AttemptStatus {
    match entry {
        Entry::Captured { .. } => AttemptStatus::Captured,
        Entry::Declined => AttemptStatus::Declined,
        Entry::Voided => AttemptStatus::Voided,
    }
}

impl Decided {
    /// Sends the answer, or "unknown" when the disk failed.
    fn answer(self, broken: bool) {
        match self {
            Self::Charge(reply, result) => send(reply, broken, Ok(result)),
            Self::Status(reply, status) => send(reply, broken, Ok(status)),
            Self::Refund(reply, result) => send(reply, broken, result),
        }
    }
}

fn send<T>(reply: Reply<T>, broken: bool, result: Result<T, GatewayError>) {
    let known = if broken {
        Err(GatewayError::OutcomeUnknown)
    } else {
        result
    };
    if reply.send(known).is_err() {
        tracing::debug!("nobody waits for the gateway's answer any more");
    }
}
