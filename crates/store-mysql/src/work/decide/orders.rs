//! Orders: placing, cancelling, expiring.

use double11_store::{
    CancelOutcome, CancelRefusal, Order, OrderLine, OrderLines, OrderReceipt, OrderState,
    PlaceOrder, PlaceOutcome, PlaceRefusal,
};
use double11_units::{CartId, Money, OrderId, ProductId, Quantity};

use super::Decision;
use crate::work::set::{Key, KeyScope, Level, NewOrder, NewRefund, Operation};
use crate::work::{WorkError, WorkResult};

/// An order that passed every check but the stock's.
struct Priced {
    cart_id: Option<CartId>,
    lines: Vec<OrderLine>,
    total: Money,
}

pub(super) fn pieces(quantity: Quantity) -> i64 {
    i64::from(quantity.get())
}

impl Decision<'_> {
    pub(super) fn place(
        &mut self,
        command: &PlaceOrder,
        fresh_id: i64,
    ) -> WorkResult<PlaceOutcome> {
        let scope = command.key.as_ref().map(|key| KeyScope {
            key: key.key.as_str().to_owned(),
            operation: Operation::Order,
            user_id: command.user_id.as_str().to_owned(),
        });
        // An earlier answer counts more than what would refuse the order now.
        if let Some(earlier) = self.earlier_order(command, scope.as_ref())? {
            return Ok(earlier);
        }
        let priced = match self.price(command) {
            Ok(priced) => priced,
            Err(refusal) => return Ok(PlaceOutcome::Refused(refusal)),
        };
        if let Some(short) = self.first_short(&priced.lines)? {
            return Ok(PlaceOutcome::Refused(PlaceRefusal::SoldOut(short)));
        }
        for line in &priced.lines {
            self.shift(line, (-1, 1, 0))?;
        }
        let receipt = OrderReceipt {
            order_id: OrderId::new(fresh_id).map_err(|_| WorkError::Damaged("no more ids"))?,
            total: priced.total,
            expires_at: self.now.plus(self.facts.payment_window),
        };
        if let (Some(scope), Some(claimed)) = (scope, &command.key) {
            let key = Key {
                fingerprint: claimed.fingerprint.0,
                order_id: receipt.order_id,
                attempt_id: None,
                receipt: Some((receipt.total, receipt.expires_at)),
                attempt: None,
            };
            self.set.keys.insert(scope.clone(), key.clone());
            self.set.changes.keys.insert(scope, key);
        }
        self.store_order(command, priced, &receipt);
        Ok(PlaceOutcome::Placed(receipt))
    }

    /// What an earlier order with the same key decides about this one.
    fn earlier_order(
        &self,
        command: &PlaceOrder,
        scope: Option<&KeyScope>,
    ) -> WorkResult<Option<PlaceOutcome>> {
        let (Some(scope), Some(claimed)) = (scope, &command.key) else {
            return Ok(None);
        };
        let Some(key) = self.set.keys.get(scope) else {
            return Ok(None);
        };
        if key.fingerprint != claimed.fingerprint.0 {
            return Ok(Some(PlaceOutcome::Refused(PlaceRefusal::KeyReused)));
        }
        let (total, expires_at) = key.receipt.ok_or(WorkError::Damaged(
            "a key names an order that does not exist",
        ))?;
        Ok(Some(PlaceOutcome::Replayed(OrderReceipt {
            order_id: key.order_id,
            total,
            expires_at,
        })))
    }

    /// Finds the lines and their prices, and checks everything but the stock.
    fn price(&self, command: &PlaceOrder) -> Result<Priced, PlaceRefusal> {
        let (cart_id, lines) = match &command.lines {
            OrderLines::Items(items) => {
                let mut lines = Vec::with_capacity(items.len());
                for (product_id, quantity) in items {
                    let Some(unit_price) = self.set.prices.get(product_id) else {
                        return Err(PlaceRefusal::UnknownProduct(*product_id));
                    };
                    lines.push(OrderLine {
                        product_id: *product_id,
                        quantity: *quantity,
                        unit_price: *unit_price,
                    });
                }
                (None, lines)
            }
            OrderLines::Cart(cart_id) => (Some(*cart_id), self.lines_of_cart(command, *cart_id)?),
        };
        let Some(total) = self.total(lines.iter().map(|line| (line.unit_price, line.quantity)))
        else {
            return Err(PlaceRefusal::TotalOutOfRange);
        };
        if command
            .expected_total
            .is_some_and(|expected| expected != total)
        {
            return Err(PlaceRefusal::TotalChanged(total));
        }
        Ok(Priced {
            cart_id,
            lines,
            total,
        })
    }

    fn lines_of_cart(
        &self,
        command: &PlaceOrder,
        cart_id: CartId,
    ) -> Result<Vec<OrderLine>, PlaceRefusal> {
        let cart = self
            .set
            .carts
            .get(&cart_id)
            .ok_or(PlaceRefusal::UnknownCart)?;
        if let Some(order_id) = cart.order_id {
            return Err(PlaceRefusal::CartAlreadyOrdered(order_id));
        }
        if cart
            .user_id
            .as_ref()
            .is_some_and(|owner| *owner != command.user_id)
        {
            return Err(PlaceRefusal::CartOfAnotherUser);
        }
        if cart.lines.is_empty() {
            return Err(PlaceRefusal::EmptyCart);
        }
        let lines = cart.lines.iter().map(|line| OrderLine {
            product_id: line.product_id,
            quantity: line.quantity,
            unit_price: line.unit_price,
        });
        Ok(lines.collect())
    }

    /// The sum of price times quantity; none when it does not fit.
    pub(super) fn total(&self, lines: impl Iterator<Item = (Money, Quantity)>) -> Option<Money> {
        let zero = Money::zero(self.facts.currency);
        lines.into_iter().try_fold(zero, |sum, (price, quantity)| {
            sum.checked_add(price.checked_mul(pieces(quantity)).ok()?)
                .ok()
        })
    }

    /// The first product of which less is available than is wanted.
    fn first_short(&self, lines: &[OrderLine]) -> WorkResult<Option<ProductId>> {
        for line in lines {
            let level = self
                .set
                .stock
                .get(&line.product_id)
                .ok_or(WorkError::Damaged("a product has no stock row"))?;
            if level.stored.pieces()? + level.available < pieces(line.quantity) {
                return Ok(Some(line.product_id));
            }
        }
        Ok(None)
    }

    /// Moves the pieces of a line between available, reserved and sold.
    fn shift(
        &mut self,
        line: &OrderLine,
        (available, reserved, sold): (i64, i64, i64),
    ) -> WorkResult<()> {
        let pieces = pieces(line.quantity);
        let level: &mut Level = self
            .set
            .stock
            .get_mut(&line.product_id)
            .ok_or(WorkError::Damaged("a product has no stock row"))?;
        level.available += available * pieces;
        level.reserved += reserved * pieces;
        level.sold += sold * pieces;
        Ok(())
    }

    fn store_order(&mut self, command: &PlaceOrder, priced: Priced, receipt: &OrderReceipt) {
        if let Some(cart) = priced
            .cart_id
            .and_then(|cart_id| self.set.carts.get_mut(&cart_id))
        {
            cart.order_id = Some(receipt.order_id);
            cart.version += 1;
            cart.is_changed = true;
        }
        let zero = Money::zero(self.facts.currency);
        self.set.changes.orders.push(NewOrder {
            order: Order {
                order_id: receipt.order_id,
                user_id: command.user_id.clone(),
                state: OrderState::PendingPayment,
                payment_method: command.payment_method,
                total: receipt.total,
                captured: zero,
                processing: zero,
                created_at: self.now,
                expires_at: receipt.expires_at,
            },
            cart_id: priced.cart_id,
            lines: priced.lines,
        });
    }

    pub(super) fn cancel(&mut self, order_id: OrderId) -> WorkResult<CancelOutcome> {
        let Some(locked) = self.set.orders.get(&order_id) else {
            return Ok(CancelOutcome::Refused(CancelRefusal::UnknownOrder));
        };
        let mut order = locked.order.clone();
        match order.state {
            OrderState::Paid => return Ok(CancelOutcome::Refused(CancelRefusal::Paid)),
            OrderState::Expired => return Ok(CancelOutcome::Refused(CancelRefusal::Expired)),
            OrderState::Cancelled => return Ok(CancelOutcome::Cancelled(order)),
            OrderState::PendingPayment | OrderState::PartiallyPaid => {}
        }
        if order.processing.minor_units() > 0 {
            return Ok(CancelOutcome::Refused(CancelRefusal::PaymentProcessing));
        }
        self.close(order_id, OrderState::Cancelled)?;
        order.state = OrderState::Cancelled;
        Ok(CancelOutcome::Cancelled(order))
    }

    /// Expires orders that are due and have no payment in process, oldest first; tells how many.
    pub(super) fn expire_due(&mut self, limit: u32) -> WorkResult<u32> {
        let now = self.now;
        let orders = &self.set.orders;
        let is_due = |order_id: &OrderId| {
            orders.get(order_id).is_some_and(|locked| {
                locked.order.state.is_open()
                    && locked.order.expires_at <= now
                    && locked.order.processing.minor_units() == 0
            })
        };
        let due: Vec<OrderId> = self
            .set
            .due
            .iter()
            .copied()
            .filter(is_due)
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .collect();
        for order_id in &due {
            self.close(*order_id, OrderState::Expired)?;
        }
        u32::try_from(due.len()).map_err(|_| WorkError::Damaged("more rows than the limit"))
    }

    /// Closes an unpaid order: stock back, refunds of every capture.
    fn close(&mut self, order_id: OrderId, state: OrderState) -> WorkResult<()> {
        for line in self.lines_of_order(order_id)? {
            self.shift(&line, (1, -1, 0))?;
        }
        let now = self.now;
        let locked = self
            .set
            .orders
            .get_mut(&order_id)
            .ok_or(WorkError::Damaged("an order vanished while it was locked"))?;
        locked.order.state = state;
        locked.closed_at = Some(now);
        let captured = self.set.attempts.iter().filter(|((order, _), attempt)| {
            *order == order_id && attempt.state == double11_store::AttemptState::Captured
        });
        let refunds: Vec<NewRefund> = captured
            .map(|((order_id, attempt_id), attempt)| NewRefund {
                order_id: *order_id,
                attempt_id: *attempt_id,
                amount: attempt.amount,
            })
            .collect();
        self.set.changes.refunds.extend(refunds);
        Ok(())
    }

    /// Turns the stock of a paid order from reserved into sold.
    pub(super) fn sell(&mut self, order_id: OrderId) -> WorkResult<()> {
        for line in self.lines_of_order(order_id)? {
            self.shift(&line, (0, -1, 1))?;
        }
        Ok(())
    }

    fn lines_of_order(&self, order_id: OrderId) -> WorkResult<Vec<OrderLine>> {
        self.set
            .order_lines
            .get(&order_id)
            .cloned()
            .ok_or(WorkError::Damaged("the lines of an order were not read"))
    }
}
