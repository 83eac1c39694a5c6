//! Payments: preparing and finalizing.

use double11_store::{
    Attempt, AttemptState, FinalizeOutcome, FinalizePayment, Finalized, GatewayAnswer, Order,
    OrderState, PayOutcome, PayRefusal, PaymentReceipt, PreparePayment,
};
use double11_units::{AttemptId, Money, OrderId};

use super::Decision;
use crate::work::set::{
    Key, KeyScope, LockedOrder, NewAttempt, NewRefund, Operation, StoredAttempt,
};
use crate::work::{WorkError, WorkResult};

type Id = (OrderId, AttemptId);

fn receipt(id: Id, attempt: &StoredAttempt) -> WorkResult<PaymentReceipt> {
    Ok(PaymentReceipt {
        order_id: id.0,
        attempt_id: id.1,
        amount: attempt.amount,
        order_state: attempt
            .order_state
            .ok_or(WorkError::Damaged("a captured attempt has no order state"))?,
    })
}

impl Decision<'_> {
    pub(super) fn prepare(
        &mut self,
        command: &PreparePayment,
        fresh_id: i64,
    ) -> WorkResult<PayOutcome> {
        let Some(locked) = self.set.orders.get(&command.order_id) else {
            return Ok(PayOutcome::Refused(PayRefusal::UnknownOrder));
        };
        let order = locked.order.clone();
        let scope = command.key.as_ref().map(|key| KeyScope {
            key: key.key.as_str().to_owned(),
            operation: Operation::Payment,
            user_id: order.user_id.as_str().to_owned(),
        });
        if let Some(earlier) = self.earlier_payment(&order, command, scope.as_ref())? {
            return Ok(earlier);
        }
        if let Some(refusal) = self.refusal(&order, command.amount)? {
            return Ok(PayOutcome::Refused(refusal));
        }
        let attempt_id = AttemptId::new(fresh_id).map_err(|_| WorkError::Damaged("no more ids"))?;
        self.store_attempt(command, scope, attempt_id)?;
        Ok(PayOutcome::Prepared(Attempt {
            order_id: command.order_id,
            attempt_id,
            amount: command.amount,
            created_at: self.now,
        }))
    }

    /// What an earlier payment with the same key decides about this one.
    fn earlier_payment(
        &self,
        order: &Order,
        command: &PreparePayment,
        scope: Option<&KeyScope>,
    ) -> WorkResult<Option<PayOutcome>> {
        let (Some(scope), Some(claimed)) = (scope, &command.key) else {
            return Ok(None);
        };
        let Some(key) = self.set.keys.get(scope) else {
            return Ok(None);
        };
        if key.fingerprint != claimed.fingerprint.0 {
            return Ok(Some(PayOutcome::Refused(PayRefusal::KeyReused)));
        }
        let missing = WorkError::Damaged("a key names an attempt that does not exist");
        let Some(attempt_id) = key.attempt_id else {
            return Err(missing);
        };
        let id = (key.order_id, attempt_id);
        // What this group has made of it counts more than what was read beside the key.
        let attempt = self.set.attempts.get(&id).or(key.attempt.as_ref());
        let Some(attempt) = attempt else {
            return Err(missing);
        };
        Ok(Some(match attempt.state {
            AttemptState::Captured => PayOutcome::Replayed(receipt(id, attempt)?),
            AttemptState::Processing => PayOutcome::InProcess(id.1),
            AttemptState::Late => PayOutcome::Refused(PayRefusal::OrderClosed(order.state)),
            AttemptState::Declined => {
                return Err(WorkError::Damaged("a declined attempt still holds a key"));
            }
        }))
    }

    fn refusal(&self, order: &Order, amount: Money) -> WorkResult<Option<PayRefusal>> {
        if !order.state.is_open() {
            return Ok(Some(PayRefusal::OrderClosed(order.state)));
        }
        if order.expires_at <= self.now {
            return Ok(Some(PayRefusal::OrderClosed(OrderState::Expired)));
        }
        let damaged = |_| WorkError::Damaged("an order's amounts do not add up");
        let outstanding = order.total.checked_sub(order.captured).map_err(damaged)?;
        if amount.minor_units() > outstanding.minor_units() {
            return Ok(Some(PayRefusal::AmountExceedsBalance { outstanding }));
        }
        let free = outstanding.checked_sub(order.processing).map_err(damaged)?;
        if amount.minor_units() > free.minor_units() {
            return Ok(Some(PayRefusal::PaymentProcessing));
        }
        Ok(None)
    }

    fn store_attempt(
        &mut self,
        command: &PreparePayment,
        scope: Option<KeyScope>,
        attempt_id: AttemptId,
    ) -> WorkResult<()> {
        let key = scope.as_ref().map(|scope| scope.key.clone());
        let locked = self.locked_order(command.order_id)?;
        locked.order.processing = locked
            .order
            .processing
            .checked_add(command.amount)
            .map_err(|_| WorkError::Damaged("an order's amounts do not add up"))?;
        let stored = StoredAttempt {
            state: AttemptState::Processing,
            amount: command.amount,
            order_state: None,
            key: key.clone(),
        };
        self.set.changes.attempts.push(NewAttempt {
            order_id: command.order_id,
            attempt_id,
            amount: command.amount,
            gateway: command.gateway,
            key,
        });
        if let (Some(scope), Some(claimed)) = (scope, &command.key) {
            let key = Key {
                fingerprint: claimed.fingerprint.0,
                order_id: command.order_id,
                attempt_id: Some(attempt_id),
                receipt: None,
                attempt: Some(stored),
            };
            self.set.keys.insert(scope.clone(), key.clone());
            self.set.changes.keys.insert(scope, key);
        }
        Ok(())
    }

    pub(super) fn finalize(&mut self, command: FinalizePayment) -> WorkResult<Finalized> {
        let id = (command.order_id, command.attempt_id);
        let Some(attempt) = self.set.attempts.get(&id).cloned() else {
            return Ok(Finalized {
                outcome: FinalizeOutcome::UnknownAttempt,
                changed: false,
            });
        };
        let changed = matches!(
            (attempt.state, command.answer),
            (AttemptState::Processing, _) | (AttemptState::Declined, GatewayAnswer::Captured)
        );
        let outcome = match (attempt.state, command.answer) {
            (AttemptState::Processing, GatewayAnswer::Captured) => self.capture(id, &attempt)?,
            (AttemptState::Processing, GatewayAnswer::Declined) => self.decline(id, &attempt)?,
            (AttemptState::Captured, _) => FinalizeOutcome::Captured(receipt(id, &attempt)?),
            (AttemptState::Declined, GatewayAnswer::Declined) => FinalizeOutcome::Declined,
            (AttemptState::Declined, GatewayAnswer::Captured) => self.take_late(id, &attempt),
            (AttemptState::Late, _) => FinalizeOutcome::Late,
        };
        Ok(Finalized { outcome, changed })
    }

    /// The money counts: an order with an attempt in process cannot have been closed.
    fn capture(&mut self, id: Id, attempt: &StoredAttempt) -> WorkResult<FinalizeOutcome> {
        let damaged = |_| WorkError::Damaged("an order's amounts do not add up");
        let locked = self.locked_order(id.0)?;
        let order = &mut locked.order;
        order.captured = order
            .captured
            .checked_add(attempt.amount)
            .map_err(damaged)?;
        order.processing = order
            .processing
            .checked_sub(attempt.amount)
            .map_err(damaged)?;
        order.state = if order.captured == order.total {
            OrderState::Paid
        } else {
            OrderState::PartiallyPaid
        };
        let order_state = order.state;
        self.end_attempt(id, AttemptState::Captured, Some(order_state));
        if order_state == OrderState::Paid {
            self.sell(id.0)?;
        }
        Ok(FinalizeOutcome::Captured(PaymentReceipt {
            order_id: id.0,
            attempt_id: id.1,
            amount: attempt.amount,
            order_state,
        }))
    }

    /// Nothing was taken: the held amount and the key are free again.
    fn decline(&mut self, id: Id, attempt: &StoredAttempt) -> WorkResult<FinalizeOutcome> {
        let locked = self.locked_order(id.0)?;
        locked.order.processing = locked
            .order
            .processing
            .checked_sub(attempt.amount)
            .map_err(|_| WorkError::Damaged("an order's amounts do not add up"))?;
        let user_id = locked.order.user_id.as_str().to_owned();
        self.end_attempt(id, AttemptState::Declined, None);
        if let Some(key) = &attempt.key {
            let scope = KeyScope {
                key: key.clone(),
                operation: Operation::Payment,
                user_id,
            };
            self.set.keys.remove(&scope);
            self.set.changes.freed_keys.insert(scope, id.1);
        }
        Ok(FinalizeOutcome::Declined)
    }

    /// The gateway took the money after all, when the attempt had been given up: refund it.
    fn take_late(&mut self, id: Id, attempt: &StoredAttempt) -> FinalizeOutcome {
        self.end_attempt(id, AttemptState::Late, None);
        self.set.changes.refunds.push(NewRefund {
            order_id: id.0,
            attempt_id: id.1,
            amount: attempt.amount,
        });
        FinalizeOutcome::Late
    }

    fn end_attempt(&mut self, id: Id, state: AttemptState, order_state: Option<OrderState>) {
        if let Some(attempt) = self.set.attempts.get_mut(&id) {
            attempt.state = state;
            attempt.order_state = order_state;
        }
        self.set.changes.ended_attempts.insert(id);
    }

    fn locked_order(&mut self, order_id: OrderId) -> WorkResult<&mut LockedOrder> {
        self.set
            .orders
            .get_mut(&order_id)
            .ok_or(WorkError::Damaged("an attempt has no order"))
    }
}
