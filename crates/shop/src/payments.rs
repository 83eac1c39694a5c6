//! Payments: PREPARE in the store, charge at the gateway outside any transaction, FINALIZE.
//!
//! An attempt is charged by the request that prepared it and by nobody else. When its outcome stays
//! unknown (deadline, crash, disk error) the [resolver] asks the gateway for its status; it
//! never charges again. The gateway may also call back, before or after either of them: all three run
//! the same FINALIZE, and whoever's FINALIZE made the difference counts the outcome. A request whose
//! twin is in process here waits for the twin's answer.

mod called_back;
mod joins;
mod refunds;
mod resolver;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use double11_gateway::{Charge, ChargeResult, Gateway, GatewayError, Health};
use double11_store::{
    Attempt, Clock, FinalizeOutcome, FinalizePayment, Finalized, GatewayAnswer, PayOutcome,
    PayRefusal, PaymentReceipt, PreparePayment, Store, StoreError,
};
use double11_units::{AttemptId, UnixMicros};
use tokio::sync::{Notify, watch};

use crate::metrics::{Metrics, PaymentStatus};
use crate::random::SharedStream;
use joins::{Joins, Role, Working};
use refunds::Backoff;

pub(crate) use called_back::{CalledBack, Told};

/// How often FINALIZE is tried before it is left to the resolver.
const FINALIZE_TRIES: u32 = 5;
/// The wait before FINALIZE is tried again, times the number of the try.
const FINALIZE_PAUSE: Duration = Duration::from_millis(20);

/// The payments of the shop.
pub(crate) struct Payments {
    store: Arc<dyn Store>,
    gateway: Arc<dyn Gateway>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    gateway_deadline: Duration,
    /// Attempts prepared before this instant belong to an earlier process, where no other shop uses
    /// the same store.
    started_at: UnixMicros,
    joins: Joins,
    /// Wakes the resolver early when a refund was queued.
    refund_queued: Notify,
    /// Refunds that the gateway did not confirm.
    backoff: Mutex<Backoff>,
    /// Keeps the resolvers of several shops out of step.
    jitter: SharedStream,
}

/// What a payer is told.
#[derive(Clone, Debug)]
pub(crate) enum PayAnswer {
    Captured(PaymentReceipt),
    Declined,
    /// The gateway's outcome is not known yet.
    Pending(AttemptId),
    /// An attempt with the same key has no outcome yet and is not in process here.
    InProcess,
    /// Captured too late for the order; it is being refunded.
    Late,
    Refused(PayRefusal),
    Store(StoreError),
    /// The task ended without an answer: a defect.
    Lost,
}

/// An answer, and whether it was first given to an earlier request.
#[derive(Clone, Debug)]
pub(crate) struct Paid {
    pub(crate) answer: PayAnswer,
    pub(crate) replayed: bool,
}

/// What payments are made of.
pub(crate) struct PaymentParts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) gateway: Arc<dyn Gateway>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) gateway_deadline: Duration,
}

impl Payments {
    pub(crate) fn new(parts: PaymentParts) -> Self {
        let PaymentParts {
            store,
            gateway,
            clock,
            metrics,
            gateway_deadline,
        } = parts;
        let started_at = clock.now();
        // Shops that share a store rarely start within the same microsecond.
        let stream = started_at.get().cast_unsigned();
        Self {
            started_at,
            store,
            gateway,
            clock,
            metrics,
            gateway_deadline,
            joins: Joins::new(),
            refund_queued: Notify::new(),
            backoff: Mutex::new(Backoff::new(stream)),
            jitter: SharedStream::new(stream),
        }
    }

    /// The name of the gateway that takes the money.
    pub(crate) fn gateway_name(&self) -> &'static str {
        self.gateway.name()
    }

    /// The shop's time.
    pub(crate) fn now(&self) -> UnixMicros {
        self.clock.now()
    }

    /// Whether the gateway can do its work, as far as is known.
    pub(crate) fn gateway_health(&self) -> Health {
        self.gateway.health()
    }

    /// Pays.
    pub(crate) async fn pay(&self, command: PreparePayment) -> Paid {
        match self.joins.enter(&command) {
            Role::Twin(receiver) => Paid {
                answer: wait_for(receiver).await.answer,
                replayed: true,
            },
            Role::First(entry) => {
                let paid = self.run(command).await;
                self.count_refused(&paid);
                entry.answer(&paid);
                paid
            }
        }
    }

    /// A refund was queued: do not wait for the next tick.
    pub(crate) fn refund_queued(&self) {
        self.refund_queued.notify_one();
    }

    async fn run(&self, command: PreparePayment) -> Paid {
        let first = |answer| Paid {
            answer,
            replayed: false,
        };
        match self.store.prepare_payment(command).await {
            Ok(PayOutcome::Prepared(attempt)) => first(self.charge(attempt).await),
            Ok(PayOutcome::Replayed(receipt)) => Paid {
                answer: PayAnswer::Captured(receipt),
                replayed: true,
            },
            Ok(PayOutcome::InProcess(_)) => first(PayAnswer::InProcess),
            Ok(PayOutcome::Refused(refusal)) => first(PayAnswer::Refused(refusal)),
            Err(error) => first(PayAnswer::Store(error)),
        }
    }

    async fn charge(&self, attempt: Attempt) -> PayAnswer {
        let mut working = self.joins.work_on(attempt.attempt_id);
        if let Some(answer) = self.answer_of(attempt, &mut working).await {
            return self.finalize(attempt, answer).await;
        }
        tracing::warn!(
            payment.id = attempt.attempt_id.get(),
            order.id = attempt.order_id.get(),
            "the gateway's outcome is unknown; its status will be asked"
        );
        PayAnswer::Pending(attempt.attempt_id)
    }

    /// Charges; the outcome by the gateway's answer or by its callback, whichever comes first.
    async fn answer_of(&self, attempt: Attempt, working: &mut Working) -> Option<GatewayAnswer> {
        let charge = self.gateway.charge(charge_of(attempt));
        tokio::select! {
            charged = tokio::time::timeout(self.gateway_deadline, charge) => match charged {
                Ok(Ok(ChargeResult::Captured)) => return Some(GatewayAnswer::Captured),
                Ok(Ok(ChargeResult::Declined)) => return Some(GatewayAnswer::Declined),
                Ok(Err(GatewayError::OtherCharge)) => return Some(not_this_charge(attempt)),
                Ok(Err(_)) | Err(_) => {}
            },
            told = working.told() => return Some(told),
        }
        self.told_elsewhere(attempt).await
    }

    /// The outcome that another shop on the same store was called back about meanwhile.
    async fn told_elsewhere(&self, attempt: Attempt) -> Option<GatewayAnswer> {
        if !self.store.is_shared() {
            return None;
        }
        let order = self.store.order(attempt.order_id).await.ok()??;
        let mut payments = order.payments.iter();
        let known = payments.find(|known| known.attempt_id == attempt.attempt_id)?;
        called_back::outcome(known.state)
    }

    async fn finalize(&self, attempt: Attempt, answer: GatewayAnswer) -> PayAnswer {
        let Attempt {
            order_id,
            attempt_id,
            ..
        } = attempt;
        let command = FinalizePayment {
            order_id,
            attempt_id,
            answer,
        };
        let mut may_be_ours = false;
        for attempted in 1..=FINALIZE_TRIES {
            match self.store.finalize_payment(command).await {
                Ok(Finalized { outcome, changed }) => {
                    return self.finalized(attempt_id, outcome, changed || may_be_ours);
                }
                Err(error) => {
                    // It may have been stored, and then the next try changes nothing.
                    may_be_ours |= matches!(error, StoreError::OutcomeUnknown);
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        payment.id = attempt_id.get(),
                        "the outcome of a payment could not be stored"
                    );
                }
            }
            tokio::time::sleep(FINALIZE_PAUSE * attempted).await;
        }
        PayAnswer::Pending(attempt_id)
    }

    /// Counts an outcome where it is stored, and once, whether it came by the request that charged, by
    /// the resolver or by a callback, here or in another shop.
    fn finalized(
        &self,
        attempt_id: AttemptId,
        outcome: FinalizeOutcome,
        changed: bool,
    ) -> PayAnswer {
        match outcome {
            FinalizeOutcome::Captured(receipt) => {
                if changed {
                    self.count(PaymentStatus::Success);
                }
                PayAnswer::Captured(receipt)
            }
            FinalizeOutcome::Declined => {
                if changed {
                    self.count(PaymentStatus::Declined);
                }
                PayAnswer::Declined
            }
            FinalizeOutcome::Late => {
                self.refund_queued();
                PayAnswer::Late
            }
            FinalizeOutcome::UnknownAttempt => {
                tracing::error!(payment.id = attempt_id.get(), "the store lost an attempt");
                PayAnswer::Lost
            }
        }
    }

    /// Counts a payment that came to nothing where it is made, so that one whose client hung up is
    /// counted too.
    fn count_refused(&self, paid: &Paid) {
        if let Some(status) = refused_as(&paid.answer)
            && !paid.replayed
        {
            self.count(status);
        }
    }

    fn count(&self, status: PaymentStatus) {
        self.metrics.payment(status);
    }
}

/// How an answer without a capture is counted. An outcome of the gateway is counted where it is stored,
/// one that is not known when it is, and one that was lost by whoever tells the client.
fn refused_as(answer: &PayAnswer) -> Option<PaymentStatus> {
    match answer {
        PayAnswer::Captured(_) | PayAnswer::Declined | PayAnswer::Pending(_) | PayAnswer::Lost => {
            None
        }
        PayAnswer::InProcess | PayAnswer::Late | PayAnswer::Refused(_) => {
            Some(PaymentStatus::Invalid)
        }
        PayAnswer::Store(_) => Some(PaymentStatus::Failed),
    }
}

async fn wait_for(mut receiver: watch::Receiver<Option<Paid>>) -> Paid {
    let paid = match receiver.wait_for(Option::is_some).await {
        Ok(answer) => answer.clone(),
        Err(_) => None,
    };
    paid.unwrap_or(Paid {
        answer: PayAnswer::Lost,
        replayed: false,
    })
}

/// What the gateway is asked for an attempt.
const fn charge_of(attempt: Attempt) -> Charge {
    Charge {
        attempt_id: attempt.attempt_id,
        order_id: attempt.order_id,
        amount: attempt.amount,
    }
}

/// The gateway had the attempt's id before, for another order or amount: nothing was taken for this one, and
/// nothing will be. Ids come again where a database was restored from a backup.
fn not_this_charge(attempt: Attempt) -> GatewayAnswer {
    tracing::error!(
        payment.id = attempt.attempt_id.get(),
        order.id = attempt.order_id.get(),
        "the gateway knows this payment for another order or amount; it counts as declined"
    );
    GatewayAnswer::Declined
}
