//! A store that accepts every order, numbers it and forgets it; at once, or as slowly as a commit takes.

use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use double11_shop::catalogue;
use double11_store::{
    AddToCart, Answer, Attempt, CancelOutcome, Cart, CartOutcome, Clock as _, Figures,
    FinalizePayment, Finalized, ListedProduct, OrderReceipt, OrderView, PageRequest, PayOutcome,
    PendingRefund, PlaceOrder, PlaceOutcome, PreparePayment, Product, RemoveFromCart, SearchPage,
    Store, StoreError, StoreFailure, SystemClock,
};
use double11_units::{AttemptId, CartId, Currency, Money, OrderId, ProductId, UnixMicros};
use tokio::sync::{mpsc, oneshot};

/// Orders that may wait for a commit, as many as `serve` lets wait.
const QUEUE_MAX: usize = 8_192;

/// How slowly orders are committed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slowness {
    /// What one commit takes.
    pub(super) commit: Duration,
    /// Orders in one commit at most.
    pub(super) group_max: usize,
}

/// Accepts orders, numbers them and forgets them.
pub(super) struct Nothing {
    seed: u64,
    products: u32,
    next: AtomicI64,
    /// Orders that wait for a commit, where one takes time.
    queue: Option<mpsc::Sender<oneshot::Sender<()>>>,
}

impl Nothing {
    /// A store of so many products. A slow one has to be made inside the runtime.
    pub(super) fn new(seed: u64, products: u32, slowness: Option<Slowness>) -> Self {
        Self {
            seed,
            products,
            next: AtomicI64::new(1),
            queue: slowness.map(|slowness| {
                let (queue, waiting) = mpsc::channel(QUEUE_MAX);
                tokio::spawn(commit(slowness, waiting));
                queue
            }),
        }
    }

    fn receipt(&self) -> Result<PlaceOutcome, StoreError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Ok(PlaceOutcome::Placed(OrderReceipt {
            order_id: OrderId::new(number).map_err(|_| StoreError::Closed)?,
            total: Money::from_minor(100, Currency::Cny),
            expires_at: SystemClock.now().plus(Duration::from_mins(15)),
        }))
    }
}

/// One commit after the other, each of what waits when it begins. Ends with the store.
async fn commit(slowness: Slowness, mut waiting: mpsc::Receiver<oneshot::Sender<()>>) {
    let mut group = Vec::with_capacity(slowness.group_max);
    while waiting.recv_many(&mut group, slowness.group_max).await > 0 {
        tokio::time::sleep(slowness.commit).await;
        for order in group.drain(..) {
            // A client that hung up no longer waits.
            order.send(()).ok();
        }
    }
}

fn closed<T: Send + 'static>() -> Answer<T> {
    Box::pin(std::future::ready(Err(StoreError::Closed)))
}

fn answer<T: Send + 'static>(value: T) -> Answer<T> {
    Box::pin(std::future::ready(Ok(value)))
}

impl Store for Nothing {
    fn kind(&self) -> &'static str {
        "nothing"
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn place_order(&self, _command: PlaceOrder) -> Answer<PlaceOutcome> {
        let receipt = self.receipt();
        let Some(queue) = &self.queue else {
            return Box::pin(std::future::ready(receipt));
        };
        let (order, durable) = oneshot::channel();
        if queue.try_send(order).is_err() {
            return Box::pin(std::future::ready(Err(StoreError::QueueFull)));
        }
        Box::pin(async move {
            durable.await.map_err(|_| StoreError::Closed)?;
            receipt
        })
    }

    fn catalogue(&self) -> Answer<Vec<Product>> {
        let products = catalogue::generate(self.seed, self.products, Currency::Cny);
        answer(products.into_iter().map(|new| new.product).collect())
    }

    fn sold_out_products(&self) -> Answer<Vec<ProductId>> {
        answer(Vec::new())
    }

    fn product(&self, _product_id: ProductId) -> Answer<Option<ListedProduct>> {
        closed()
    }

    fn random_product(&self) -> Answer<Option<ListedProduct>> {
        closed()
    }

    fn products(&self, _page: PageRequest) -> Answer<Vec<ListedProduct>> {
        closed()
    }

    fn search(&self, _text: String, _limit: u32) -> Answer<SearchPage> {
        closed()
    }

    fn cart(&self, _cart_id: CartId) -> Answer<Option<Cart>> {
        closed()
    }

    fn add_to_cart(&self, _command: AddToCart) -> Answer<CartOutcome> {
        closed()
    }

    fn remove_from_cart(&self, _command: RemoveFromCart) -> Answer<CartOutcome> {
        closed()
    }

    fn order(&self, _order_id: OrderId) -> Answer<Option<OrderView>> {
        closed()
    }

    fn cancel_order(&self, _order_id: OrderId) -> Answer<CancelOutcome> {
        closed()
    }

    fn expire_due(&self, _limit: u32) -> Answer<u32> {
        answer(0)
    }

    fn prepare_payment(&self, _command: PreparePayment) -> Answer<PayOutcome> {
        closed()
    }

    fn finalize_payment(&self, _command: FinalizePayment) -> Answer<Finalized> {
        closed()
    }

    fn unresolved_payments(&self, _gateway: &'static str, _limit: u32) -> Answer<Vec<Attempt>> {
        answer(Vec::new())
    }

    fn pending_refunds(&self, _gateway: &'static str, _limit: u32) -> Answer<Vec<PendingRefund>> {
        answer(Vec::new())
    }

    fn finish_refund(&self, _order_id: OrderId, _attempt_id: AttemptId) -> Answer<()> {
        closed()
    }

    fn restock(&self, _product_id: ProductId, _pieces: u32) -> Answer<bool> {
        closed()
    }

    fn purge(&self, _keys: UnixMicros, _carts: UnixMicros, _limit: u32) -> Answer<u32> {
        answer(0)
    }

    fn figures(&self) -> Answer<Figures> {
        answer(Figures::default())
    }

    fn ping(&self) -> Answer<()> {
        answer(())
    }

    fn failed(&self) -> Pin<Box<dyn Future<Output = StoreFailure> + Send + 'static>> {
        Box::pin(std::future::pending())
    }

    fn close(&self) -> Answer<()> {
        answer(())
    }
}
