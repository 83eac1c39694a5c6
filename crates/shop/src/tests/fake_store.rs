//! A store in memory that keeps the rules of the real ones, and fails when told to.

mod state;

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use double11_store::payment::RefundState;
use double11_store::{
    AddToCart, Answer, Attempt, AttemptState, CancelOutcome, CancelRefusal, Cart, CartOutcome,
    Clock, Figures, FinalizePayment, Finalized, ListedProduct, OrderReceipt, OrderState, OrderView,
    PageRequest, PayOutcome, PaymentView, PendingRefund, PlaceOrder, PlaceOutcome, PlaceRefusal,
    PreparePayment, Product, RemoveFromCart, SearchPage, Store, StoreError, StoreFailure,
    SystemClock,
};
use double11_units::{AttemptId, CartId, Currency, OrderId, ProductId, UnixMicros};
use state::{Claim, State};

pub(crate) struct FakeStore {
    state: Mutex<State>,
    /// How long an order holds its stock, in microseconds.
    window: AtomicI64,
    /// Whether other shops use it too.
    shared: AtomicBool,
    /// Whether the list of sold-out products leaves out all of them.
    hides_sold_out: AtomicBool,
    /// Orders that it was asked to place.
    orders_asked: AtomicU64,
}

impl FakeStore {
    pub(crate) fn new(products: u32) -> Arc<Self> {
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
            shared: AtomicBool::new(false),
            hides_sold_out: AtomicBool::new(false),
            orders_asked: AtomicU64::new(0),
        })
    }

    /// A store that several shops use.
    pub(super) fn shared(products: u32) -> Arc<Self> {
        let store = Self::new(products);
        store.shared.store(true, Ordering::Relaxed);
        store
    }

    /// Lists no product as sold out, so that only refusals tell.
    pub(super) fn hide_sold_out(&self, hides: bool) {
        self.hides_sold_out.store(hides, Ordering::Relaxed);
    }

    /// How often it was asked to place an order.
    pub(super) fn orders_asked(&self) -> u64 {
        self.orders_asked.load(Ordering::Relaxed)
    }

    /// Every call fails like this until told otherwise.
    pub(crate) fn fail_with(&self, fault: Option<StoreError>) {
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

    /// This many keys and carts are older than whatever is asked for.
    pub(crate) fn set_purgeable(&self, rows: u32) {
        self.lock().purgeable = rows;
    }

    /// The instants of every purge that was asked for: of keys and of carts.
    pub(crate) fn purges(&self) -> Vec<(UnixMicros, UnixMicros)> {
        self.lock().purges.clone()
    }

    /// Whether other shops may use it too.
    pub(super) fn set_shared(&self, is_shared: bool) {
        self.shared.store(is_shared, Ordering::Relaxed);
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

impl Store for FakeStore {
    fn kind(&self) -> &'static str {
        "fake"
    }

    fn is_shared(&self) -> bool {
        self.shared.load(Ordering::Relaxed)
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
        let hides = self.hides_sold_out.load(Ordering::Relaxed);
        self.answer(|state| {
            let products = state.products.iter().zip(&state.available);
            products
                .filter(|(_, available)| **available == 0 && !hides)
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
        self.orders_asked.fetch_add(1, Ordering::Relaxed);
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

    fn finalize_payment(&self, command: FinalizePayment) -> Answer<Finalized> {
        self.answer(|state| state.finalize(command))
    }

    fn unresolved_payments(&self, gateway: &'static str, limit: u32) -> Answer<Vec<Attempt>> {
        self.answer(|state| {
            let open = state.payments_in(AttemptState::Processing).into_iter();
            let own = open.filter(|(_, payment)| payment.gateway == gateway);
            own.map(|(order_id, payment)| Attempt {
                order_id,
                attempt_id: payment.attempt_id,
                amount: payment.amount,
                created_at: payment.created_at,
            })
            .take(limit as usize)
            .collect()
        })
    }

    fn pending_refunds(&self, gateway: &'static str, limit: u32) -> Answer<Vec<PendingRefund>> {
        self.answer(|state| {
            let mut taken = state.payments_in(AttemptState::Captured);
            taken.extend(state.payments_in(AttemptState::Late));
            taken
                .into_iter()
                .filter(|(_, payment)| payment.refund == Some(RefundState::Pending))
                .filter(|(_, payment)| payment.gateway == gateway)
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

    fn restock(&self, product_id: ProductId, pieces: u32) -> Answer<bool> {
        self.answer(|state| {
            let known = state.find(product_id).is_some();
            if known {
                let index = usize::try_from(product_id.get()).unwrap() - 1;
                state.available[index] += pieces;
            }
            known
        })
    }

    fn purge(&self, keys_before: UnixMicros, carts_before: UnixMicros, limit: u32) -> Answer<u32> {
        self.answer(|state| {
            state.purges.push((keys_before, carts_before));
            let deleted = state.purgeable.min(limit);
            state.purgeable -= deleted;
            deleted
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
