//! The gateway calls back: the same FINALIZE as in the request that charged.
//!
//! A callback may come before the answer that the request waits for, after it, instead of it, twice, or
//! when the attempt was given up long ago. Nothing of that needs a rule of its own: FINALIZE is
//! idempotent, and a capture that comes too late is refunded by it.

use double11_store::{Attempt, AttemptState, GatewayAnswer, PaymentView, StoreError};
use double11_units::{AttemptId, Money, OrderId};

use super::{PayAnswer, Payments};

/// What a callback says, its signature checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) order_id: OrderId,
    pub(crate) attempt_id: AttemptId,
    pub(crate) amount: Money,
    pub(crate) answer: GatewayAnswer,
}

/// What became of a callback.
#[derive(Clone, Debug)]
pub(crate) enum CalledBack {
    /// It was heard; the attempt stands here now.
    Heard(AttemptState),
    /// No such attempt, or not of this order or this gateway.
    UnknownAttempt,
    /// The attempt is of another amount.
    OtherAmount,
    /// It could not be stored; the gateway is to call again.
    Store(StoreError),
    /// It was not stored, for a reason that is in the log.
    NotStored,
}

impl Payments {
    /// Takes what a callback says.
    pub(crate) async fn called_back(&self, told: Told) -> CalledBack {
        let payment = match self.told_of(told).await {
            Ok(Some(payment)) => payment,
            Ok(None) => return CalledBack::UnknownAttempt,
            Err(error) => return CalledBack::Store(error),
        };
        if payment.amount != told.amount {
            return CalledBack::OtherAmount;
        }
        if let Some(state) = known(payment.state, told) {
            // Stored by another shop, perhaps, while a request waits here.
            if let Some(answer) = outcome(state) {
                self.joins.tell(told.attempt_id, answer);
            }
            return CalledBack::Heard(state);
        }
        let attempt = Attempt {
            order_id: told.order_id,
            attempt_id: told.attempt_id,
            amount: payment.amount,
            created_at: payment.created_at,
        };
        let stored = self.finalize(attempt, told.answer).await;
        // Stored or not, whoever waits for the gateway need not wait any longer.
        self.joins.tell(told.attempt_id, told.answer);
        match stored {
            PayAnswer::Captured(_) => CalledBack::Heard(AttemptState::Captured),
            PayAnswer::Declined => CalledBack::Heard(AttemptState::Declined),
            PayAnswer::Late => CalledBack::Heard(AttemptState::Late),
            PayAnswer::Pending(_) => CalledBack::Store(StoreError::OutcomeUnknown),
            PayAnswer::InProcess
            | PayAnswer::Refused(_)
            | PayAnswer::Store(_)
            | PayAnswer::Lost => CalledBack::NotStored,
        }
    }

    /// The attempt that a callback is about.
    async fn told_of(&self, told: Told) -> Result<Option<PaymentView>, StoreError> {
        let order = self.store.order(told.order_id).await?;
        let payments = order.map(|order| order.payments).unwrap_or_default();
        let gateway = self.gateway.name();
        Ok(payments
            .into_iter()
            .find(|known| known.attempt_id == told.attempt_id && known.gateway == gateway))
    }
}

/// What the gateway said of an attempt that stands here.
pub(super) const fn outcome(state: AttemptState) -> Option<GatewayAnswer> {
    match state {
        AttemptState::Processing => None,
        AttemptState::Captured | AttemptState::Late => Some(GatewayAnswer::Captured),
        AttemptState::Declined => Some(GatewayAnswer::Declined),
    }
}

/// Where an attempt stands that the callback says nothing new about.
fn known(state: AttemptState, told: Told) -> Option<AttemptState> {
    match (state, told.answer) {
        (AttemptState::Processing, _) | (AttemptState::Declined, GatewayAnswer::Captured) => None,
        (AttemptState::Captured | AttemptState::Late, GatewayAnswer::Declined) => {
            tracing::error!(
                payment.id = told.attempt_id.get(),
                order.id = told.order_id.get(),
                "the gateway says that it declined what it had captured"
            );
            Some(state)
        }
        (
            AttemptState::Captured | AttemptState::Late | AttemptState::Declined,
            GatewayAnswer::Captured | GatewayAnswer::Declined,
        ) => Some(state),
    }
}
