//! What several shops on one store share beside it: carts, which products are sold out, who was seen.
//!
//! A shared cache speeds up and never decides: whatever it does not know, cannot be asked or has lost,
//! the store is asked instead, and no request fails for it. None of the answers is therefore an error. What it
//! gives may be old, within bounds that an implementation has to state and keep.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use double11_units::{CartId, ProductId};

use crate::cart::Cart;
use crate::clock::Stopwatch;

/// The future answer of a cache. Boxed, so that the cache can be chosen at run time.
pub type CacheAnswer<T> = Pin<Box<dyn Future<Output = T> + Send + 'static>>;

/// Why a cart is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It was read: nothing is lost when the offer is.
    Read,
    /// It was changed: the cache may hold the cart of before.
    Changed,
}

/// Products that a shop saw sold out, or seen back in stock since.
#[derive(Clone, Debug, Default)]
pub struct StockNews {
    /// Products of which the store had nothing available. The stopwatch was started *before* the store was
    /// asked, so that what it shows is at least the age of the observation.
    pub sold_out: Vec<(ProductId, Stopwatch)>,
    /// Products of which the store had something available again, in the same way.
    pub in_stock: Vec<(ProductId, Stopwatch)>,
}

/// A product that some shop saw sold out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoldOutFlag {
    /// The product.
    pub product_id: ProductId,
    /// How long before the cache was *asked* the observation was made, at least. What passed since is for the
    /// asker to add.
    pub age: Duration,
}

/// What several shops on one store share beside it.
///
/// Every method returns at once; the work happens in the future. A future answers within a fraction of a
/// second, whatever is wrong with the cache, and at once while the cache is known to be lost.
pub trait SharedCache: Send + Sync + 'static {
    /// The kind of cache, for `/actuator/health`: `redis`, `redis-cluster`.
    fn kind(&self) -> &'static str;

    /// Whether the cache answered when it was last asked. Asks nothing.
    fn is_up(&self) -> bool;

    /// A cart, unless it is not there, may be out of date for a reason that this shop knows, or cannot be had in
    /// time.
    fn cart(&self, cart_id: CartId) -> CacheAnswer<Option<Cart>>;

    /// Remembers a cart as the store gave it, unless a version as new is there or the cart is blocked. If a change
    /// was offered and it is not known whether that was done, or the future is dropped, the cart is blocked.
    fn offer(&self, cart: Cart, offer: Offer) -> CacheAnswer<()>;

    /// Forgets a cart and every offer of it that is still under way, in any shop: the store may have changed it
    /// in a way that no offer will tell. Holds for this shop from the call on and for all as soon as the cache
    /// has been told, which is tried until it succeeds; the future may be dropped.
    fn block(&self, cart_id: CartId) -> CacheAnswer<()>;

    /// Tells what this shop saw of the stock and gives what all shops did; nothing when the cache cannot be
    /// asked. Observations that are too old to be of use may be left out on either way.
    fn exchange_stock_news(&self, news: StockNews) -> CacheAnswer<Option<Vec<SoldOutFlag>>>;

    /// Publishes whom this shop saw in a slot of time, and gives what other shops published for that slot and the
    /// one before. A slot is a count of equal spans of wall-clock time; what it holds is opaque to the cache.
    fn exchange_activity(&self, slot: u64, seen: Vec<u8>) -> CacheAnswer<Vec<OthersActivity>>;

    /// Round trips begun so far on behalf of the methods above, for budgets.
    fn round_trips_sent(&self) -> u64;

    /// Ends background work and connections. Later calls answer as if the cache were lost.
    fn close(&self) -> CacheAnswer<()>;
}

/// Whom another shop saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OthersActivity {
    /// The slot.
    pub slot: u64,
    /// What was published for it.
    pub seen: Vec<u8>,
}
