//! What the fake store holds, and the rules by which it changes.

use std::collections::{BTreeMap, HashMap};

use double11_store::payment::RefundState;
use double11_store::{
    AddToCart, Attempt, AttemptState, Cart, CartLine, CartRefusal, ClaimedKey, Clock,
    FinalizeOutcome, FinalizePayment, Finalized, Fingerprint, GatewayAnswer, ListedProduct,
    NewProduct, Order, OrderLine, OrderLines, OrderReceipt, OrderState, OrderView, PayOutcome,
    PayRefusal, PaymentReceipt, PaymentView, PlaceOrder, PlaceRefusal, PreparePayment, Product,
    StoreError, SystemClock,
};
use double11_units::{
    AttemptId, CartId, Currency, Money, OrderId, ProductId, Quantity, UnixMicros, UserId,
};

#[derive(Default)]
pub(super) struct State {
    pub(super) products: Vec<NewProduct>,
    pub(super) available: Vec<u32>,
    pub(super) carts: BTreeMap<CartId, Cart>,
    pub(super) orders: BTreeMap<OrderId, OrderView>,
    pub(super) receipts: HashMap<AttemptId, PaymentReceipt>,
    pub(super) keys: HashMap<(String, &'static str, UserId), Claim>,
    pub(super) last_id: i64,
    pub(super) purgeable: u32,
    pub(super) purges: Vec<(UnixMicros, UnixMicros)>,
    pub(super) fault: Option<StoreError>,
    pub(super) panics: bool,
}

#[derive(Clone, Copy)]
pub(super) struct Claim {
    pub(super) fingerprint: Fingerprint,
    pub(super) order_id: OrderId,
    pub(super) attempt_id: Option<AttemptId>,
}

impl State {
    pub(super) fn next_id(&mut self) -> i64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn find(&self, product_id: ProductId) -> Option<&Product> {
        let index = usize::try_from(product_id.get()).ok()?.checked_sub(1)?;
        self.products.get(index).map(|new| &new.product)
    }

    pub(super) fn listed(&self, product: &Product) -> ListedProduct {
        let index = usize::try_from(product.product_id.get()).unwrap() - 1;
        ListedProduct {
            product: product.clone(),
            in_stock: self.available[index] > 0,
        }
    }

    pub(super) fn stock(&mut self, product_id: ProductId) -> &mut u32 {
        &mut self.available[usize::try_from(product_id.get()).unwrap() - 1]
    }

    pub(super) fn release(&mut self, order_id: OrderId, state: OrderState) {
        let lines = self.orders[&order_id].lines.clone();
        for line in lines {
            *self.stock(line.product_id) += line.quantity.get();
        }
        let view = self.orders.get_mut(&order_id).unwrap();
        view.order.state = state;
        for payment in &mut view.payments {
            if payment.state == AttemptState::Captured {
                payment.refund = Some(RefundState::Pending);
            }
        }
    }

    pub(super) fn claimed(
        &self,
        operation: &'static str,
        user_id: &UserId,
        key: Option<&ClaimedKey>,
    ) -> Option<Result<Claim, ()>> {
        let key = key?;
        let scope = (key.key.as_str().to_owned(), operation, user_id.clone());
        let claim = self.keys.get(&scope)?;
        Some(if claim.fingerprint == key.fingerprint {
            Ok(*claim)
        } else {
            Err(())
        })
    }

    pub(super) fn claim(
        &mut self,
        operation: &'static str,
        user_id: &UserId,
        key: &ClaimedKey,
        claim: Claim,
    ) {
        self.keys.insert(
            (key.key.as_str().to_owned(), operation, user_id.clone()),
            claim,
        );
    }

    pub(super) fn change_cart(
        &mut self,
        cart_id: CartId,
        change: impl FnOnce(&mut Vec<CartLine>) -> bool,
    ) -> Result<Cart, CartRefusal> {
        let cart = self
            .carts
            .get_mut(&cart_id)
            .ok_or(CartRefusal::UnknownCart)?;
        if let Some(order_id) = cart.order_id {
            return Err(CartRefusal::AlreadyOrdered(order_id));
        }
        let mut lines = cart.lines.clone();
        if !change(&mut lines) {
            return Err(CartRefusal::UnknownCart);
        }
        lines.sort_by_key(|line| line.product_id);
        cart.total = lines.iter().fold(Money::zero(Currency::Cny), |sum, line| {
            sum.checked_add(
                line.unit_price
                    .checked_mul(line.quantity.get().into())
                    .unwrap(),
            )
            .unwrap()
        });
        cart.lines = lines;
        cart.version += 1;
        Ok(cart.clone())
    }

    pub(super) fn add(&mut self, command: &AddToCart) -> Result<(Cart, bool), CartRefusal> {
        let AddToCart {
            cart_id,
            user_id,
            product_id,
            quantity,
        } = command;
        let price = self
            .find(*product_id)
            .ok_or(CartRefusal::UnknownProduct(*product_id))?
            .price;
        let created = cart_id.is_none();
        let cart_id = if let Some(cart_id) = cart_id {
            *cart_id
        } else {
            let cart_id = CartId::new(self.next_id()).unwrap();
            let cart = Cart {
                cart_id,
                user_id: user_id.clone(),
                order_id: None,
                version: 0,
                lines: Vec::new(),
                total: Money::zero(Currency::Cny),
            };
            self.carts.insert(cart_id, cart);
            cart_id
        };
        let cart = self.change_cart(cart_id, |lines| {
            match lines.iter_mut().find(|line| line.product_id == *product_id) {
                Some(line) => {
                    line.quantity = Quantity::new(line.quantity.get() + quantity.get()).unwrap();
                }
                None => lines.push(CartLine {
                    product_id: *product_id,
                    quantity: *quantity,
                    unit_price: price,
                }),
            }
            true
        })?;
        Ok((cart, created))
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one rule after the other, as the real stores check"
    )]
    pub(super) fn place(
        &mut self,
        command: &PlaceOrder,
        window: i64,
    ) -> Result<OrderReceipt, PlaceRefusal> {
        let (items, cart_id) = match &command.lines {
            OrderLines::Items(items) => (items.clone(), None),
            OrderLines::Cart(cart_id) => {
                let cart = self.carts.get(cart_id).ok_or(PlaceRefusal::UnknownCart)?;
                if let Some(order_id) = cart.order_id {
                    return Err(PlaceRefusal::CartAlreadyOrdered(order_id));
                }
                let items: Vec<_> = cart
                    .lines
                    .iter()
                    .map(|line| (line.product_id, line.quantity))
                    .collect();
                (items, Some(*cart_id))
            }
        };
        if items.is_empty() {
            return Err(PlaceRefusal::EmptyCart);
        }
        let mut total = Money::zero(Currency::Cny);
        let mut lines = Vec::new();
        for (product_id, quantity) in items {
            let unit_price = self
                .find(product_id)
                .ok_or(PlaceRefusal::UnknownProduct(product_id))?
                .price;
            if *self.stock(product_id) < quantity.get() {
                return Err(PlaceRefusal::SoldOut(product_id));
            }
            let amount = unit_price.checked_mul(quantity.get().into()).unwrap();
            total = total
                .checked_add(amount)
                .map_err(|_| PlaceRefusal::TotalOutOfRange)?;
            lines.push(OrderLine {
                product_id,
                quantity,
                unit_price,
            });
        }
        if command
            .expected_total
            .is_some_and(|expected| expected != total)
        {
            return Err(PlaceRefusal::TotalChanged(total));
        }
        for line in &lines {
            *self.stock(line.product_id) -= line.quantity.get();
        }
        let order_id = OrderId::new(self.next_id()).unwrap();
        let created_at = SystemClock.now();
        let expires_at = double11_units::UnixMicros::new(created_at.get() + window);
        let zero = Money::zero(Currency::Cny);
        let order = Order {
            order_id,
            user_id: command.user_id.clone(),
            state: OrderState::PendingPayment,
            payment_method: command.payment_method,
            total,
            captured: zero,
            processing: zero,
            created_at,
            expires_at,
        };
        self.orders.insert(
            order_id,
            OrderView {
                order,
                lines,
                payments: Vec::new(),
            },
        );
        if let Some(cart) = cart_id.and_then(|cart_id| self.carts.get_mut(&cart_id)) {
            cart.order_id = Some(order_id);
            cart.version += 1;
        }
        Ok(OrderReceipt {
            order_id,
            total,
            expires_at,
        })
    }

    pub(super) fn prepare(&mut self, command: &PreparePayment) -> Result<PayOutcome, PayRefusal> {
        let order = self
            .orders
            .get(&command.order_id)
            .ok_or(PayRefusal::UnknownOrder)?
            .order
            .clone();
        if let Some(claim) = self.claimed("payment", &order.user_id, command.key.as_ref()) {
            let attempt_id = claim
                .map_err(|()| PayRefusal::KeyReused)?
                .attempt_id
                .unwrap();
            return Ok(match self.receipts.get(&attempt_id) {
                Some(receipt) => PayOutcome::Replayed(*receipt),
                None => PayOutcome::InProcess(attempt_id),
            });
        }
        if !order.state.is_open() {
            return Err(PayRefusal::OrderClosed(order.state));
        }
        let left = order.total.checked_sub(order.captured).unwrap();
        if command.amount.minor_units() > left.minor_units() {
            return Err(PayRefusal::AmountExceedsBalance { outstanding: left });
        }
        let free = left.checked_sub(order.processing).unwrap();
        if command.amount.minor_units() > free.minor_units() {
            return Err(PayRefusal::PaymentProcessing);
        }
        let attempt_id = AttemptId::new(self.next_id()).unwrap();
        let created_at = SystemClock.now();
        let view = self.orders.get_mut(&command.order_id).unwrap();
        view.order.processing = view.order.processing.checked_add(command.amount).unwrap();
        view.payments.push(PaymentView {
            attempt_id,
            state: AttemptState::Processing,
            amount: command.amount,
            gateway: command.gateway.to_owned(),
            created_at,
            refund: None,
        });
        if let Some(key) = &command.key {
            let (fingerprint, order_id) = (key.fingerprint, command.order_id);
            let claim = Claim {
                fingerprint,
                order_id,
                attempt_id: Some(attempt_id),
            };
            self.claim("payment", &order.user_id, key, claim);
        }
        let PreparePayment {
            order_id, amount, ..
        } = *command;
        Ok(PayOutcome::Prepared(Attempt {
            order_id,
            attempt_id,
            amount,
            created_at,
        }))
    }

    pub(super) fn finalize(&mut self, command: FinalizePayment) -> Finalized {
        let FinalizePayment {
            order_id,
            attempt_id,
            answer,
        } = command;
        let known = |outcome| Finalized {
            outcome,
            changed: false,
        };
        let now = |outcome| Finalized {
            outcome,
            changed: true,
        };
        let Some(view) = self.orders.get_mut(&order_id) else {
            return known(FinalizeOutcome::UnknownAttempt);
        };
        let Some(payment) = view
            .payments
            .iter_mut()
            .find(|known| known.attempt_id == attempt_id)
        else {
            return known(FinalizeOutcome::UnknownAttempt);
        };
        match payment.state {
            AttemptState::Processing => {}
            AttemptState::Captured => {
                return known(FinalizeOutcome::Captured(self.receipts[&attempt_id]));
            }
            AttemptState::Declined if answer == GatewayAnswer::Captured => {
                payment.state = AttemptState::Late;
                payment.refund = Some(RefundState::Pending);
                return now(FinalizeOutcome::Late);
            }
            AttemptState::Declined => return known(FinalizeOutcome::Declined),
            AttemptState::Late => return known(FinalizeOutcome::Late),
        }
        let order = &mut view.order;
        order.processing = order.processing.checked_sub(payment.amount).unwrap();
        if answer == GatewayAnswer::Declined {
            payment.state = AttemptState::Declined;
            self.keys
                .retain(|_, claim| claim.attempt_id != Some(attempt_id));
            return now(FinalizeOutcome::Declined);
        }
        if !order.state.is_open() {
            payment.state = AttemptState::Late;
            payment.refund = Some(RefundState::Pending);
            return now(FinalizeOutcome::Late);
        }
        payment.state = AttemptState::Captured;
        order.captured = order.captured.checked_add(payment.amount).unwrap();
        let paid = order.captured == order.total;
        order.state = if paid {
            OrderState::Paid
        } else {
            OrderState::PartiallyPaid
        };
        let (amount, order_state) = (payment.amount, order.state);
        let receipt = PaymentReceipt {
            order_id,
            attempt_id,
            amount,
            order_state,
        };
        self.receipts.insert(attempt_id, receipt);
        now(FinalizeOutcome::Captured(receipt))
    }

    pub(super) fn payments_in(&self, wanted: AttemptState) -> Vec<(OrderId, PaymentView)> {
        let orders = self.orders.iter();
        orders
            .flat_map(|(order_id, view)| {
                view.payments
                    .iter()
                    .map(|payment| (*order_id, payment.clone()))
            })
            .filter(|(_, payment)| payment.state == wanted)
            .collect()
    }
}
