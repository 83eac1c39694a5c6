//! Orders of the model.

use double11_units::{Money, OrderId, UserId};

use super::{Claim, KeyScope, Model, ModelOrder, Operation, new_order, total_of};
use crate::payment::RefundState;
use crate::{
    AttemptState, CancelOutcome, CancelRefusal, ClaimedKey, OrderLine, OrderLines, OrderReceipt,
    OrderState, PlaceOrder, PlaceOutcome, PlaceRefusal,
};

pub(super) fn scope(operation: Operation, user_id: &UserId, key: &ClaimedKey) -> KeyScope {
    (key.key.as_str().to_owned(), operation, user_id.clone())
}

impl Model {
    /// What [`crate::Store::place_order`] must answer, given the id of an order that it makes.
    pub fn place_order(&mut self, command: &PlaceOrder, fresh: OrderId) -> PlaceOutcome {
        let claimed = command.key.as_ref().map(|key| {
            (
                scope(Operation::Order, &command.user_id, key),
                key.fingerprint,
            )
        });
        if let Some((scope, fingerprint)) = &claimed
            && let Some(claim) = self.keys.get(scope)
        {
            if claim.fingerprint != *fingerprint {
                return PlaceOutcome::Refused(PlaceRefusal::KeyReused);
            }
            return PlaceOutcome::Replayed(self.receipt(claim.order_id));
        }
        let lines = match self.wanted(command) {
            Ok(lines) => lines,
            Err(refusal) => return PlaceOutcome::Refused(refusal),
        };
        for line in &lines {
            let level = self.stock.get_mut(&line.product_id).expect("it was priced");
            let pieces = u64::from(line.quantity.get());
            level.available -= pieces;
            level.reserved += pieces;
        }
        let order = new_order(fresh, command, total(&lines), self.now);
        self.orders.insert(fresh, ModelOrder { order, lines });
        if let OrderLines::Cart(cart_id) = command.lines {
            let mut cart = self.carts[&cart_id].cart.clone();
            cart.order_id = Some(fresh);
            self.keep(cart);
        }
        if let Some((scope, fingerprint)) = claimed {
            let claim = Claim {
                fingerprint,
                order_id: fresh,
                attempt_id: None,
                created_at: self.now,
            };
            self.keys.insert(scope, claim);
        }
        PlaceOutcome::Placed(self.receipt(fresh))
    }

    fn receipt(&self, order_id: OrderId) -> OrderReceipt {
        let order = &self.orders[&order_id].order;
        OrderReceipt {
            order_id,
            total: order.total,
            expires_at: order.expires_at,
        }
    }

    /// The lines of an order that can be placed.
    fn wanted(&self, command: &PlaceOrder) -> Result<Vec<OrderLine>, PlaceRefusal> {
        let items = match &command.lines {
            OrderLines::Items(items) => items.clone(),
            OrderLines::Cart(cart_id) => {
                let known = self.carts.get(cart_id).ok_or(PlaceRefusal::UnknownCart)?;
                if let Some(order_id) = known.cart.order_id {
                    return Err(PlaceRefusal::CartAlreadyOrdered(order_id));
                }
                let owner = known.cart.user_id.as_ref();
                if owner.is_some_and(|owner| *owner != command.user_id) {
                    return Err(PlaceRefusal::CartOfAnotherUser);
                }
                if known.cart.lines.is_empty() {
                    return Err(PlaceRefusal::EmptyCart);
                }
                let lines = known.cart.lines.iter();
                lines.map(|line| (line.product_id, line.quantity)).collect()
            }
        };
        let mut lines = Vec::new();
        for (product_id, quantity) in items {
            let level = self
                .stock
                .get(&product_id)
                .ok_or(PlaceRefusal::UnknownProduct(product_id))?;
            lines.push(OrderLine {
                product_id,
                quantity,
                unit_price: level.price,
            });
        }
        let total = total(&lines);
        if command.expected_total.is_some_and(|seen| seen != total) {
            return Err(PlaceRefusal::TotalChanged(total));
        }
        let short = lines
            .iter()
            .find(|line| self.stock[&line.product_id].available < u64::from(line.quantity.get()));
        match short {
            Some(line) => Err(PlaceRefusal::SoldOut(line.product_id)),
            None => Ok(lines),
        }
    }

    /// What [`crate::Store::cancel_order`] must answer.
    pub fn cancel_order(&mut self, order_id: OrderId) -> CancelOutcome {
        let Some(known) = self.orders.get(&order_id) else {
            return CancelOutcome::Refused(CancelRefusal::UnknownOrder);
        };
        match known.order.state {
            OrderState::Paid => return CancelOutcome::Refused(CancelRefusal::Paid),
            OrderState::Expired => return CancelOutcome::Refused(CancelRefusal::Expired),
            OrderState::Cancelled => return CancelOutcome::Cancelled(known.order.clone()),
            OrderState::PendingPayment | OrderState::PartiallyPaid => {}
        }
        if known.order.processing.minor_units() > 0 {
            return CancelOutcome::Refused(CancelRefusal::PaymentProcessing);
        }
        self.close(order_id, OrderState::Cancelled);
        CancelOutcome::Cancelled(self.orders[&order_id].order.clone())
    }

    /// What [`crate::Store::expire_due`] must do with a limit that is never reached.
    pub fn expire_due(&mut self) -> u32 {
        let due: Vec<OrderId> = self
            .orders
            .values()
            .map(|known| &known.order)
            .filter(|order| order.state.is_open() && order.expires_at <= self.now)
            .filter(|order| order.processing.minor_units() == 0)
            .map(|order| order.order_id)
            .collect();
        for order_id in &due {
            self.close(*order_id, OrderState::Expired);
        }
        u32::try_from(due.len()).expect("histories are short")
    }

    fn close(&mut self, order_id: OrderId, state: OrderState) {
        let known = self.orders.get_mut(&order_id).expect("it was looked up");
        known.order.state = state;
        for line in &known.lines {
            let level = self
                .stock
                .get_mut(&line.product_id)
                .expect("it was ordered");
            let pieces = u64::from(line.quantity.get());
            level.available += pieces;
            level.reserved -= pieces;
        }
        for attempt in self.attempts.values_mut() {
            if attempt.order_id == order_id && attempt.state == AttemptState::Captured {
                attempt.refund = Some(RefundState::Pending);
            }
        }
    }
}

fn total(lines: &[OrderLine]) -> Money {
    total_of(
        lines
            .iter()
            .map(|line| (line.unit_price, line.quantity.get())),
    )
}
