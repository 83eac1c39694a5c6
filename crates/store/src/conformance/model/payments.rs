//! Payments of the model.

use double11_units::{AttemptId, Money, OrderId};

use super::orders::scope;
use super::{Claim, Model, ModelAttempt, Operation};
use crate::payment::RefundState;
use crate::{
    Attempt, AttemptState, FinalizeOutcome, FinalizePayment, Finalized, GatewayAnswer, Order,
    OrderState, PayOutcome, PayRefusal, PaymentReceipt, PreparePayment,
};

impl Model {
    /// What [`crate::Store::prepare_payment`] must answer, given the id of an attempt that it makes.
    pub fn prepare_payment(&mut self, command: &PreparePayment, fresh: AttemptId) -> PayOutcome {
        let Some(known) = self.orders.get(&command.order_id) else {
            return PayOutcome::Refused(PayRefusal::UnknownOrder);
        };
        let claimed = command.key.as_ref().map(|key| {
            let scope = scope(Operation::Payment, &known.order.user_id, key);
            (scope, key.fingerprint)
        });
        if let Some((scope, fingerprint)) = &claimed
            && let Some(claim) = self.keys.get(scope)
        {
            if claim.fingerprint != *fingerprint {
                return PayOutcome::Refused(PayRefusal::KeyReused);
            }
            return self.earlier(claim, known.order.state);
        }
        if let Some(refusal) = self.payment_refusal(&known.order, command.amount) {
            return PayOutcome::Refused(refusal);
        }
        let attempt = ModelAttempt {
            order_id: command.order_id,
            state: AttemptState::Processing,
            amount: command.amount,
            gateway: command.gateway,
            created_at: self.now,
            receipt: None,
            claimed: claimed.as_ref().map(|(scope, _)| scope.clone()),
            refund: None,
        };
        self.attempts.insert(fresh, attempt);
        self.hold(command.order_id, command.amount.minor_units());
        if let Some((scope, fingerprint)) = claimed {
            let claim = Claim {
                fingerprint,
                order_id: command.order_id,
                attempt_id: Some(fresh),
                created_at: self.now,
            };
            self.keys.insert(scope, claim);
        }
        PayOutcome::Prepared(Attempt {
            order_id: command.order_id,
            attempt_id: fresh,
            amount: command.amount,
            created_at: self.now,
        })
    }

    fn earlier(&self, claim: &Claim, state: OrderState) -> PayOutcome {
        let attempt_id = claim.attempt_id.expect("a payment's key names an attempt");
        let attempt = &self.attempts[&attempt_id];
        match (attempt.state, attempt.receipt) {
            (AttemptState::Captured, Some(receipt)) => PayOutcome::Replayed(receipt),
            (AttemptState::Processing, _) => PayOutcome::InProcess(attempt_id),
            _ => PayOutcome::Refused(PayRefusal::OrderClosed(state)),
        }
    }

    fn payment_refusal(&self, order: &Order, amount: Money) -> Option<PayRefusal> {
        if !order.state.is_open() {
            return Some(PayRefusal::OrderClosed(order.state));
        }
        if order.expires_at <= self.now {
            return Some(PayRefusal::OrderClosed(OrderState::Expired));
        }
        let outstanding = order.total.checked_sub(order.captured).expect("small");
        let free = outstanding.checked_sub(order.processing).expect("small");
        if amount.minor_units() > outstanding.minor_units() {
            return Some(PayRefusal::AmountExceedsBalance { outstanding });
        }
        (amount.minor_units() > free.minor_units()).then_some(PayRefusal::PaymentProcessing)
    }

    /// Moves what attempts hold of an order.
    fn hold(&mut self, order_id: OrderId, minor_units: i64) {
        let order = &mut self.orders.get_mut(&order_id).expect("it exists").order;
        let held = order.processing.minor_units() + minor_units;
        order.processing = Money::from_minor(held, order.total.currency());
    }

    /// What [`crate::Store::finalize_payment`] must answer.
    pub fn finalize_payment(&mut self, command: FinalizePayment) -> Finalized {
        let attempt_id = command.attempt_id;
        let Some(attempt) = self
            .attempts
            .get(&attempt_id)
            .filter(|attempt| attempt.order_id == command.order_id)
            .cloned()
        else {
            return Finalized {
                outcome: FinalizeOutcome::UnknownAttempt,
                changed: false,
            };
        };
        let changed = matches!(
            (attempt.state, command.answer),
            (AttemptState::Processing, _) | (AttemptState::Declined, GatewayAnswer::Captured)
        );
        let outcome = match (attempt.state, command.answer) {
            (AttemptState::Processing, GatewayAnswer::Captured) => {
                self.capture(attempt_id, &attempt)
            }
            (AttemptState::Processing, GatewayAnswer::Declined) => {
                self.decline(attempt_id, &attempt);
                FinalizeOutcome::Declined
            }
            (AttemptState::Captured, _) => {
                FinalizeOutcome::Captured(attempt.receipt.expect("captured attempts have one"))
            }
            (AttemptState::Declined, GatewayAnswer::Declined) => FinalizeOutcome::Declined,
            (AttemptState::Declined, GatewayAnswer::Captured) => {
                let known = self.attempts.get_mut(&attempt_id).expect("it exists");
                known.state = AttemptState::Late;
                known.refund = Some(RefundState::Pending);
                FinalizeOutcome::Late
            }
            (AttemptState::Late, _) => FinalizeOutcome::Late,
        };
        Finalized { outcome, changed }
    }

    fn capture(&mut self, attempt_id: AttemptId, attempt: &ModelAttempt) -> FinalizeOutcome {
        let amount = attempt.amount;
        self.hold(attempt.order_id, -amount.minor_units());
        let known = self.orders.get_mut(&attempt.order_id).expect("it exists");
        known.order.captured = known.order.captured.checked_add(amount).expect("small");
        known.order.state = if known.order.captured == known.order.total {
            for line in &known.lines {
                let level = self
                    .stock
                    .get_mut(&line.product_id)
                    .expect("it was ordered");
                level.reserved -= u64::from(line.quantity.get());
            }
            OrderState::Paid
        } else {
            OrderState::PartiallyPaid
        };
        let receipt = PaymentReceipt {
            order_id: attempt.order_id,
            attempt_id,
            amount,
            order_state: known.order.state,
        };
        let stored = self.attempts.get_mut(&attempt_id).expect("it exists");
        stored.state = AttemptState::Captured;
        stored.receipt = Some(receipt);
        FinalizeOutcome::Captured(receipt)
    }

    fn decline(&mut self, attempt_id: AttemptId, attempt: &ModelAttempt) {
        self.hold(attempt.order_id, -attempt.amount.minor_units());
        let known = self.attempts.get_mut(&attempt_id).expect("it exists");
        known.state = AttemptState::Declined;
        if let Some(scope) = &attempt.claimed
            && self.keys.get(scope).and_then(|claim| claim.attempt_id) == Some(attempt_id)
        {
            self.keys.remove(scope);
        }
    }

    /// What [`crate::Store::finish_refund`] must do.
    pub fn finish_refund(&mut self, order_id: OrderId, attempt_id: AttemptId) {
        if let Some(attempt) = self.attempts.get_mut(&attempt_id)
            && attempt.order_id == order_id
            && attempt.refund == Some(RefundState::Pending)
        {
            attempt.refund = Some(RefundState::Done);
        }
    }
}
