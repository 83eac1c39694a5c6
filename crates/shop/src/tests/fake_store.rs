//! A store in memory that keeps the rules of the real ones, and fails when told to.

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use double11_store::payment::RefundState;
use double11_store::{
    AddToCart, Answer, Attempt, AttemptState, CancelOutcome, CancelRefusal, Cart, CartLine,
    CartOutcome, CartRefusal, ClaimedKey, Clock, Figures, FinalizeOutcome, FinalizePayment,
    Fingerprint, GatewayAnswer, ListedProduct, NewProduct, Order, OrderLine, OrderLines,
    OrderReceipt, OrderState, OrderView, PageRequest, PayOutcome, PayRefusal, PaymentReceipt,
    PaymentView, PendingRefund, PlaceOrder, PlaceOutcome, PlaceRefusal, PreparePayment, Product,
    RemoveFromCart, SearchPage, Store, StoreError, StoreFailure, SystemClock,
};
use double11_units::{AttemptId, CartId, Currency, Money, OrderId, ProductId, Quantity, UserId};

pub(super) struct FakeStore {
    state: Mutex<State>,
    /// How long an order holds its stock, in microseconds.
    window: AtomicI64,
}

#[derive(Default)]
struct State {
    products: Vec<NewProduct>,
    available: Vec<u32>,
    carts: BTreeMap<CartId, Cart>,
    orders: BTreeMap<OrderId, OrderView>,
    receipts: HashMap<AttemptId, PaymentReceipt>,
    keys: HashMap<(String, &'static str, UserId), Claim>,
    last_id: i64,
    fault: Option<StoreError>,
    panics: bool,
}

#[derive(Clone, Copy)]
struct Claim {
    fingerprint: Fingerprint,
    order_id: OrderId,
    attempt_id: Option<AttemptId>,
}

impl FakeStore {
    pub(super) fn new(products: u32) -> Arc<Self> {
        let products = crate::catalogue::generate(11, products, Currency::Cny);
        let available = products.iter().map(|new| new.stock).collect();
        let state = State {
            products,
            available,
            ..State::default()
        };
        Arc::new(Self {
            state: Mutex::new(state),
            window: AtomicI64::new(900_000_000),
        })
    }

    /// Every call fails like this until told otherwise.
    pub(super) fn fail_with(&self, fault: Option<StoreError>) {
        self.lock().fault = fault;
    }

    /// Every call panics until told otherwise.
    pub(super) fn panic(&self, panics: bool) {
        self.lock().panics = panics;
    }

    pub(super) fn set_available(&self, product_id: i64, pieces: u32) {
        self.lock().available[usize::try_from(product_id).unwrap() - 1] = pieces;
    }

    pub(super) fn available(&self, product_id: i64) -> u32 {
        self.lock().available[usize::try_from(product_id).unwrap() - 1]
    }

    pub(super) fn set_window_micros(&self, window: i64) {
        self.window.store(window, Ordering::Relaxed);
    }

    /// Changes a cart behind the shop's back.
    pub(super) fn forget_cart_lines(&self, cart_id: i64) {
        let cart_id = CartId::new(cart_id).unwrap();
        self.lock().carts.get_mut(&cart_id).unwrap().lines.clear();
    }

    pub(super) fn order_now(&self, order_id: &str) -> OrderView {
        self.lock().orders[&OrderId::parse(order_id).unwrap()].clone()
    }

    /// Closes an order although a payment of it is in process, as no real store does.
    pub(super) fn expire_by_force(&self, order_id: &str) {
        let order_id = OrderId::parse(order_id).unwrap();
        self.lock().orders.get_mut(&order_id).unwrap().order.state = OrderState::Expired;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn answer<T: Send + 'static>(&self, act: impl FnOnce(&mut State) -> T) -> Answer<T> {
        let mut state = self.lock();
        assert!(!state.panics, "this panic is part of the test");
        let result = match state.fault.clone() {
            Some(fault) => Err(fault),
            None => Ok(act(&mut state)),
        };
        Box::pin(async move {
            tokio::task::yield_now().await;
            result
        })
    }
}

impl State {
    fn next_id(&mut self) -> i64 {
        self.last_id += 1;
        self.last_id
    }

    fn find(&self, product_id: ProductId) -> Option<&Product> {
        let index = usize::try_from(product_id.get()).ok()?.checked_sub(1)?;
        self.products.get(index).map(|new| &new.product)
    }

    fn listed(&self, product: &Product) -> ListedProduct {
        let index = usize::try_from(product.product_id.get()).unwrap() - 1;
        ListedProduct {
            product: product.clone(),
            in_stock: self.available[index] > 0,
        }
    }

    fn stock(&mut self, product_id: ProductId) -> &mut u32 {
        &mut self.available[usize::try_from(product_id.get()).unwrap() - 1]
    }

    fn release(&mut self, order_id: OrderId, state: OrderState) {
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

    fn claimed(
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

    fn claim(&mut self, operation: &'static str, user_id: &UserId, key: &ClaimedKey, claim: Claim) {
        self.keys.insert(
            (key.key.as_str().to_owned(), operation, user_id.clone()),
            claim,
        );
    }

    fn change_cart(
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

    fn add(&mut self, command: &AddToCart) -> Result<(Cart, bool), CartRefusal> {
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
    fn place(&mut self, command: &PlaceOrder, window: i64) -> Result<OrderReceipt, PlaceRefusal> {
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

    fn prepare(&mut self, command: &PreparePayment) -> Result<PayOutcome, PayRefusal> {
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

    fn finalize(&mut self, command: FinalizePayment) -> FinalizeOutcome {
        let FinalizePayment {
            order_id,
            attempt_id,
            answer,
        } = command;
        let Some(view) = self.orders.get_mut(&order_id) else {
            return FinalizeOutcome::UnknownAttempt;
        };
        let Some(payment) = view
            .payments
            .iter_mut()
            .find(|known| known.attempt_id == attempt_id)
        else {
            return FinalizeOutcome::UnknownAttempt;
        };
        match payment.state {
            AttemptState::Processing => {}
            AttemptState::Captured => return FinalizeOutcome::Captured(self.receipts[&attempt_id]),
            AttemptState::Declined => return FinalizeOutcome::Declined,
            AttemptState::Late => return FinalizeOutcome::Late,
        }
        let order = &mut view.order;
        order.processing = order.processing.checked_sub(payment.amount).unwrap();
        if answer == GatewayAnswer::Declined {
            payment.state = AttemptState::Declined;
            self.keys
                .retain(|_, claim| claim.attempt_id != Some(attempt_id));
            return FinalizeOutcome::Declined;
        }
        if !order.state.is_open() {
            payment.state = AttemptState::Late;
            payment.refund = Some(RefundState::Pending);
            return FinalizeOutcome::Late;
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
        FinalizeOutcome::Captured(receipt)
    }

    fn payments_in(&self, wanted: AttemptState) -> Vec<(OrderId, PaymentView)> {
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

impl Store for FakeStore {
    fn kind(&self) -> &'static str {
        "fake"
    }

    fn catalogue(&self) -> Answer<Vec<Product>> {
        self.answer(|state| {
            state
                .products
                .iter()
                .map(|new| new.product.clone())
                .collect()
        })
    }

    fn sold_out_products(&self) -> Answer<Vec<ProductId>> {
        self.answer(|state| {
            let products = state.products.iter().zip(&state.available);
            products
                .filter(|(_, available)| **available == 0)
                .map(|(new, _)| new.product.product_id)
                .collect()
        })
    }

    fn product(&self, product_id: ProductId) -> Answer<Option<ListedProduct>> {
        self.answer(|state| state.find(product_id).map(|product| state.listed(product)))
    }

    fn random_product(&self) -> Answer<Option<ListedProduct>> {
        self.answer(|state| {
            let number = usize::try_from(state.next_id()).unwrap() * 7 % state.products.len();
            Some(state.listed(&state.products[number].product))
        })
    }

    fn products(&self, page: PageRequest) -> Answer<Vec<ListedProduct>> {
        self.answer(|state| {
            let products = state.products.iter().map(|new| &new.product);
            products
                .filter(|product| {
                    page.category
                        .is_none_or(|wanted| product.category == wanted)
                })
                .filter(|product| page.after.is_none_or(|after| product.product_id > after))
                .take(page.limit as usize)
                .map(|product| state.listed(product))
                .collect()
        })
    }

    fn search(&self, text: String, limit: u32) -> Answer<SearchPage> {
        self.answer(|state| {
            let products = state.products.iter().map(|new| &new.product);
            let found: Vec<_> = products
                .filter(|product| {
                    product.name.contains(&text)
                        || product.name_en.contains(&text)
                        || product.category.name().contains(&text)
                })
                .map(|product| state.listed(product))
                .collect();
            let total = found.len() as u64;
            SearchPage {
                total,
                items: found.into_iter().take(limit as usize).collect(),
            }
        })
    }

    fn cart(&self, cart_id: CartId) -> Answer<Option<Cart>> {
        self.answer(|state| state.carts.get(&cart_id).cloned())
    }

    fn add_to_cart(&self, command: AddToCart) -> Answer<CartOutcome> {
        self.answer(|state| match state.add(&command) {
            Ok((cart, created)) => CartOutcome::Changed { cart, created },
            Err(refusal) => CartOutcome::Refused(refusal),
        })
    }

    fn remove_from_cart(&self, command: RemoveFromCart) -> Answer<CartOutcome> {
        self.answer(|state| {
            let changed = state.change_cart(command.cart_id, |lines| {
                let before = lines.len();
                lines.retain(|line| line.product_id != command.product_id);
                lines.len() < before
            });
            match changed {
                Ok(cart) => CartOutcome::Changed {
                    cart,
                    created: false,
                },
                Err(refusal) => CartOutcome::Refused(refusal),
            }
        })
    }

    fn place_order(&self, command: PlaceOrder) -> Answer<PlaceOutcome> {
        let window = self.window.load(Ordering::Relaxed);
        self.answer(|state| {
            match state.claimed("order", &command.user_id, command.key.as_ref()) {
                Some(Err(())) => return PlaceOutcome::Refused(PlaceRefusal::KeyReused),
                Some(Ok(claim)) => {
                    let order = &state.orders[&claim.order_id].order;
                    let (order_id, total) = (order.order_id, order.total);
                    let expires_at = order.expires_at;
                    return PlaceOutcome::Replayed(OrderReceipt {
                        order_id,
                        total,
                        expires_at,
                    });
                }
                None => {}
            }
            match state.place(&command, window) {
                Ok(receipt) => {
                    if let Some(key) = &command.key {
                        let (fingerprint, order_id) = (key.fingerprint, receipt.order_id);
                        let claim = Claim {
                            fingerprint,
                            order_id,
                            attempt_id: None,
                        };
                        state.claim("order", &command.user_id, key, claim);
                    }
                    PlaceOutcome::Placed(receipt)
                }
                Err(refusal) => PlaceOutcome::Refused(refusal),
            }
        })
    }

    fn order(&self, order_id: OrderId) -> Answer<Option<OrderView>> {
        self.answer(|state| state.orders.get(&order_id).cloned())
    }

    fn cancel_order(&self, order_id: OrderId) -> Answer<CancelOutcome> {
        self.answer(|state| {
            let Some(view) = state.orders.get(&order_id) else {
                return CancelOutcome::Refused(CancelRefusal::UnknownOrder);
            };
            let refusal = match view.order.state {
                OrderState::Paid => Some(CancelRefusal::Paid),
                OrderState::Expired => Some(CancelRefusal::Expired),
                _ if view.order.processing.minor_units() > 0 => {
                    Some(CancelRefusal::PaymentProcessing)
                }
                _ => None,
            };
            if let Some(refusal) = refusal {
                return CancelOutcome::Refused(refusal);
            }
            if view.order.state.is_open() {
                state.release(order_id, OrderState::Cancelled);
            }
            CancelOutcome::Cancelled(state.orders[&order_id].order.clone())
        })
    }

    fn expire_due(&self, limit: u32) -> Answer<u32> {
        self.answer(|state| {
            let now = SystemClock.now();
            let due: Vec<OrderId> = state
                .orders
                .values()
                .map(|view| &view.order)
                .filter(|order| order.state.is_open() && order.expires_at <= now)
                .filter(|order| order.processing.minor_units() == 0)
                .map(|order| order.order_id)
                .take(limit as usize)
                .collect();
            for order_id in &due {
                state.release(*order_id, OrderState::Expired);
            }
            u32::try_from(due.len()).unwrap()
        })
    }

    fn prepare_payment(&self, command: PreparePayment) -> Answer<PayOutcome> {
        self.answer(|state| state.prepare(&command).unwrap_or_else(PayOutcome::Refused))
    }

    fn finalize_payment(&self, command: FinalizePayment) -> Answer<FinalizeOutcome> {
        self.answer(|state| state.finalize(command))
    }

    fn unresolved_payments(&self, limit: u32) -> Answer<Vec<Attempt>> {
        self.answer(|state| {
            let open = state.payments_in(AttemptState::Processing).into_iter();
            open.map(|(order_id, payment)| Attempt {
                order_id,
                attempt_id: payment.attempt_id,
                amount: payment.amount,
                created_at: payment.created_at,
            })
            .take(limit as usize)
            .collect()
        })
    }

    fn pending_refunds(&self, limit: u32) -> Answer<Vec<PendingRefund>> {
        self.answer(|state| {
            let mut taken = state.payments_in(AttemptState::Captured);
            taken.extend(state.payments_in(AttemptState::Late));
            taken
                .into_iter()
                .filter(|(_, payment)| payment.refund == Some(RefundState::Pending))
                .map(
                    |(
                        order_id,
                        PaymentView {
                            attempt_id, amount, ..
                        },
                    )| PendingRefund {
                        order_id,
                        attempt_id,
                        amount,
                    },
                )
                .take(limit as usize)
                .collect()
        })
    }

    fn finish_refund(&self, order_id: OrderId, attempt_id: AttemptId) -> Answer<()> {
        self.answer(|state| {
            let payments = &mut state.orders.get_mut(&order_id).unwrap().payments;
            let payment = payments
                .iter_mut()
                .find(|known| known.attempt_id == attempt_id);
            payment.unwrap().refund = Some(RefundState::Done);
        })
    }

    fn figures(&self) -> Answer<Figures> {
        self.answer(|_| Figures {
            oversold_products: 0,
            reserved_units: 42,
        })
    }

    fn ping(&self) -> Answer<()> {
        self.answer(|_| ())
    }

    fn failed(&self) -> Pin<Box<dyn Future<Output = StoreFailure> + Send + 'static>> {
        Box::pin(std::future::pending())
    }

    fn close(&self) -> Answer<()> {
        self.answer(|_| ())
    }
}
