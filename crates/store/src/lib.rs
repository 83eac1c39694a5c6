//! What a shop needs from its store: the words, the commands, their answers and the [`Store`] trait.
//!
//! Stores implement the trait; the shop calls it. This crate knows neither SQL nor HTTP, and its
//! [`conformance`] suite is the one definition of right behaviour that every store must pass.

pub mod cart;
pub mod catalogue;
pub mod clock;
#[expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::indexing_slicing,
    reason = "a test suite in the form of a library: every case panics when the store is wrong"
)]
pub mod conformance;
pub mod error;
pub mod levers;
pub mod order;
pub mod payment;
pub mod shared_cache;
pub mod writer;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use double11_units::{AttemptId, CartId, OrderId, ProductId, UnixMicros};

pub use cart::{AddToCart, Cart, CartLine, CartOutcome, CartRefusal, RemoveFromCart};
pub use catalogue::{
    CatalogueFacts, Category, ListedProduct, NewProduct, PageRequest, Product, SearchPage,
};
pub use clock::{Clock, Stopwatch, SystemClock};
pub use error::{StoreError, StoreFailure};
pub use levers::{Lever, Levers, StockPolicy, Variant};
pub use order::{
    CancelOutcome, CancelRefusal, ClaimedKey, Fingerprint, Order, OrderLine, OrderLines,
    OrderReceipt, OrderState, OrderView, PaymentMethod, PlaceOrder, PlaceOutcome, PlaceRefusal,
};
pub use payment::{
    Attempt, AttemptState, FinalizeOutcome, FinalizePayment, Finalized, GatewayAnswer, PayOutcome,
    PayRefusal, PaymentReceipt, PaymentView, PendingRefund, PreparePayment,
};
pub use shared_cache::{CacheAnswer, Offer, OthersActivity, SharedCache, SoldOutFlag, StockNews};
pub use writer::FailureSignal;

/// The future answer of a store. Boxed, so that the store can be chosen at run time.
pub type Answer<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'static>>;

/// Sizes that only a scan of the store can tell; refreshed for the metrics every 30 s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Products whose stock equation does not hold or whose counts are negative. Must be 0.
    pub oversold_products: u64,
    /// Pieces that unpaid orders hold.
    pub reserved_units: u64,
}

/// Told by the store of each transaction that wrote.
pub trait StoreObserver: Send + Sync + 'static {
    /// `writes` commands became durable together; the commit alone took `commit`.
    fn committed(&self, writes: usize, commit: Duration);
}

/// The truth about catalogue, stock, carts, orders and payments.
///
/// Every write is durable before its answer is given. A refusal is given only after everything that
/// it was judged against is durable too. Methods return at once; the work happens in the future.
pub trait Store: Send + Sync + 'static {
    /// The kind of store, for `/actuator/info` and reports: `sqlite`, `mysql`.
    fn kind(&self) -> &'static str;
    /// Whether other shops may use the same data at the same time, so that nothing that this shop
    /// remembers of it may be taken for the truth.
    fn is_shared(&self) -> bool;

    /// Every product, ascending by id. Does not change while the shop runs.
    fn catalogue(&self) -> Answer<Vec<Product>>;
    /// Products of which nothing is available now, ascending by id.
    fn sold_out_products(&self) -> Answer<Vec<ProductId>>;
    /// One product with its availability.
    fn product(&self, product_id: ProductId) -> Answer<Option<ListedProduct>>;
    /// Some product, each as likely as any other.
    fn random_product(&self) -> Answer<Option<ListedProduct>>;
    /// One page of the catalogue, ascending by id.
    fn products(&self, page: PageRequest) -> Answer<Vec<ListedProduct>>;
    /// Products whose Chinese name, English name or category contains `text`, ascending by id.
    fn search(&self, text: String, limit: u32) -> Answer<SearchPage>;

    /// A cart with its lines and current prices.
    fn cart(&self, cart_id: CartId) -> Answer<Option<Cart>>;
    /// Adds pieces to a cart, making an anonymous one when none is named.
    fn add_to_cart(&self, command: AddToCart) -> Answer<CartOutcome>;
    /// Takes one product out of a cart.
    fn remove_from_cart(&self, command: RemoveFromCart) -> Answer<CartOutcome>;

    /// Reserves the stock of every line, all or nothing, and stores the order with its key.
    fn place_order(&self, command: PlaceOrder) -> Answer<PlaceOutcome>;
    /// An order with its lines and payments; reads its own writes.
    fn order(&self, order_id: OrderId) -> Answer<Option<OrderView>>;
    /// Closes an unpaid order, gives its stock back and queues refunds of what was captured.
    fn cancel_order(&self, order_id: OrderId) -> Answer<CancelOutcome>;
    /// Expires at most `limit` orders that are due by the store's clock; returns how many.
    fn expire_due(&self, limit: u32) -> Answer<u32>;

    /// First phase of a payment: stores an attempt that holds its amount.
    fn prepare_payment(&self, command: PreparePayment) -> Answer<PayOutcome>;
    /// Last phase of a payment; giving the same answer again changes nothing, and says so.
    fn finalize_payment(&self, command: FinalizePayment) -> Answer<Finalized>;
    /// At most `limit` attempts at a gateway without an outcome, oldest first.
    fn unresolved_payments(&self, gateway: &'static str, limit: u32) -> Answer<Vec<Attempt>>;
    /// At most `limit` refunds that a gateway has not yet confirmed, oldest first.
    fn pending_refunds(&self, gateway: &'static str, limit: u32) -> Answer<Vec<PendingRefund>>;
    /// Marks the refund of an attempt as confirmed by the gateway. Idempotent.
    fn finish_refund(&self, order_id: OrderId, attempt_id: AttemptId) -> Answer<()>;

    /// Takes in pieces of a product, which can be sold at once; `false` when there is no such product.
    fn restock(&self, product_id: ProductId, pieces: u32) -> Answer<bool>;
    /// Deletes what need not be kept for ever: idempotency keys claimed before `keys_before`, unless
    /// their payment has no outcome yet, and carts last changed before `carts_before`, with their
    /// lines. At most `limit` keys and carts together; returns how many. Whoever gets `limit` should ask
    /// again.
    fn purge(&self, keys_before: UnixMicros, carts_before: UnixMicros, limit: u32) -> Answer<u32>;

    /// Figures for the metrics.
    fn figures(&self) -> Answer<Figures>;
    /// Whether the store answers now.
    fn ping(&self) -> Answer<()>;
    /// Resolves when the store had to stop for good; the program then exits with code 3.
    fn failed(&self) -> Pin<Box<dyn Future<Output = StoreFailure> + Send + 'static>>;
    /// Finishes what is queued, then closes the files. Writes after this are refused.
    fn close(&self) -> Answer<()>;
}
