//! The thread that owns the ledger: it decides, writes, syncs, and only then answers.
//!
//! What waits when the thread comes around is decided together and shares one sync. Since one thread
//! decides everything, two requests for one attempt cannot race.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use double11_store::Clock;
use double11_units::{AttemptId, Money};
use tokio::sync::{mpsc, oneshot};

use super::ledger::{Entry, Event, Fate, Ledger};
use crate::{AttemptStatus, Charge, ChargeResult, GatewayError, KnownAttempt};

/// The most requests that share one sync.
const BATCH_MAX: usize = 1_024;

/// A request to the thread, with the way back.
#[derive(Debug)]
pub(super) enum Request {
    Charge {
        charge: Charge,
        decline: bool,
        reply: Reply<ChargeResult>,
    },
    Status {
        attempt_id: AttemptId,
        reply: Reply<KnownAttempt>,
    },
    Void {
        attempt_id: AttemptId,
        reply: Reply<KnownAttempt>,
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
    Charge(Reply<ChargeResult>, Result<ChargeResult, GatewayError>),
    Status(Reply<KnownAttempt>, KnownAttempt),
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
                charge,
                decline,
                reply,
            } => Decided::Charge(reply, self.charge(charge, decline)),
            Request::Status { attempt_id, reply } => {
                let entry = self.ledger.entries.get(&attempt_id);
                Decided::Status(
                    reply,
                    entry.map_or(KnownAttempt::only(AttemptStatus::NeverHeard), |entry| {
                        known(*entry)
                    }),
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

    fn charge(&mut self, charge: Charge, decline: bool) -> Result<ChargeResult, GatewayError> {
        let Charge {
            attempt_id,
            order_id,
            amount,
        } = charge;
        if let Some(entry) = self.ledger.entries.get(&attempt_id) {
            return match known(*entry).status_of(charge)? {
                AttemptStatus::Captured => Ok(ChargeResult::Captured),
                _ => Ok(ChargeResult::Declined),
            };
        }
        let captured = !decline;
        self.record(Event::Charge { charge, captured });
        let fate = if captured {
            Fate::Captured { refunded: false }
        } else {
            Fate::Declined
        };
        let entry = Entry {
            fate,
            order_id: Some(order_id),
            amount: Some(amount),
        };
        self.ledger.entries.insert(attempt_id, entry);
        Ok(if captured {
            ChargeResult::Captured
        } else {
            ChargeResult::Declined
        })
    }

    fn void(&mut self, attempt_id: AttemptId) -> KnownAttempt {
        if let Some(entry) = self.ledger.entries.get(&attempt_id) {
            return known(*entry);
        }
        self.record(Event::Void { attempt_id });
        self.ledger.entries.insert(attempt_id, Entry::VOIDED);
        KnownAttempt::only(AttemptStatus::Voided)
    }

    fn refund(&mut self, attempt_id: AttemptId, amount: Money) -> Result<(), GatewayError> {
        let entry = self.ledger.entries.get(&attempt_id).copied();
        let entry = entry.ok_or(GatewayError::NotCaptured)?;
        let Fate::Captured { refunded } = entry.fate else {
            return Err(GatewayError::NotCaptured);
        };
        if entry.amount.is_some_and(|captured| captured != amount) {
            return Err(GatewayError::OtherCharge);
        }
        if !refunded {
            self.record(Event::Refund { attempt_id, amount });
            let fate = Fate::Captured { refunded: true };
            self.ledger
                .entries
                .insert(attempt_id, Entry { fate, ..entry });
        }
        Ok(())
    }

    fn record(&mut self, event: Event) {
        event.write(self.clock.now(), self.ledger.synced, &mut self.lines);
    }
}

fn known(entry: Entry) -> KnownAttempt {
    KnownAttempt {
        status: match entry.fate {
            Fate::Captured { .. } => AttemptStatus::Captured,
            Fate::Declined => AttemptStatus::Declined,
            Fate::Voided => AttemptStatus::Voided,
        },
        order_id: entry.order_id,
        amount: entry.amount,
    }
}

impl Decided {
    /// Sends the answer, or "unknown" when the disk failed.
    fn answer(self, broken: bool) {
        match self {
            Self::Charge(reply, result) => send(reply, broken, result),
            Self::Status(reply, known) => send(reply, broken, Ok(known)),
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
