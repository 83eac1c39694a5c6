//! Carts in memory (lever `cart-cache`). The store stays the truth; the cache never goes back in time.
//!
//! Whoever reads or writes a cart in the store takes a [`Ticket`] first and offers the result with it.
//! An offer is dropped when a newer version is already there, or when the cart was closed after the
//! ticket was taken: closing is a change whose version the cache does not see.

use std::sync::{Arc, Mutex, PoisonError};

use double11_store::Cart;
use double11_units::CartId;
use quick_cache::sync::Cache;

/// Locks that order offers and closings; carts share one by their id.
const STRIPES: usize = 256;

/// A bounded cache of carts.
#[derive(Debug)]
pub(crate) struct CartCache {
    carts: Cache<CartId, Arc<Cart>>,
    /// How often a cart of this stripe was closed. The lock also makes compare-and-insert one step.
    stripes: Vec<Mutex<u64>>,
}

/// The moment before a cart was asked from the store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket(Option<u64>);

impl CartCache {
    pub(crate) fn new(entries_max: usize) -> Self {
        Self {
            carts: Cache::new(entries_max.max(1)),
            stripes: (0..STRIPES).map(|_| Mutex::new(0)).collect(),
        }
    }

    pub(crate) fn get(&self, cart_id: CartId) -> Option<Arc<Cart>> {
        self.carts.get(&cart_id)
    }

    /// To be taken before the store is asked. A cart without an id yet cannot be closed meanwhile.
    pub(crate) fn ticket(&self, cart_id: Option<CartId>) -> Ticket {
        Ticket(cart_id.map(|cart_id| *self.lock(cart_id)))
    }

    /// Remembers what the store answered, unless something newer is known.
    pub(crate) fn offer(&self, ticket: Ticket, cart: &Arc<Cart>) {
        let closings = self.lock(cart.cart_id);
        let closed_since = ticket.0.is_some_and(|taken| taken != *closings);
        let known = self.carts.peek(&cart.cart_id);
        let is_older = known.is_some_and(|known| known.version >= cart.version);
        if !closed_since && !is_older {
            self.carts.insert(cart.cart_id, Arc::clone(cart));
        }
    }

    /// Forgets a cart that is being closed by an order, and every answer that is under way.
    pub(crate) fn close(&self, cart_id: CartId) {
        let mut closings = self.lock(cart_id);
        *closings = closings.wrapping_add(1);
        self.carts.remove(&cart_id);
    }

    fn lock(&self, cart_id: CartId) -> std::sync::MutexGuard<'_, u64> {
        let stripe = cart_id.get().unsigned_abs() % STRIPES as u64;
        self.stripes[usize::try_from(stripe).unwrap_or(0)]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use double11_store::Cart;
    use double11_units::{CartId, Currency, Money};

    use super::CartCache;

    fn cart(version: u64) -> Arc<Cart> {
        Arc::new(Cart {
            cart_id: CartId::new(5).unwrap(),
            user_id: None,
            order_id: None,
            version,
            lines: Vec::new(),
            total: Money::zero(Currency::Cny),
        })
    }

    #[test]
    fn an_older_version_never_replaces_a_newer_one() {
        let cache = CartCache::new(10);
        let id = CartId::new(5).unwrap();
        let slow_reader = cache.ticket(Some(id));
        cache.offer(cache.ticket(Some(id)), &cart(3));
        cache.offer(slow_reader, &cart(2));
        assert_eq!(cache.get(id).unwrap().version, 3);
        cache.offer(cache.ticket(Some(id)), &cart(4));
        assert_eq!(cache.get(id).unwrap().version, 4);
    }

    #[test]
    fn nothing_asked_before_a_closing_comes_back_after_it() {
        let cache = CartCache::new(10);
        let id = CartId::new(5).unwrap();
        let slow_reader = cache.ticket(Some(id));
        cache.close(id);
        cache.offer(slow_reader, &cart(9));
        assert!(cache.get(id).is_none());
        cache.offer(cache.ticket(Some(id)), &cart(10));
        assert_eq!(cache.get(id).unwrap().version, 10);
    }

    #[test]
    fn memory_is_bounded() {
        let cache = CartCache::new(100);
        for id in 1..=10_000 {
            let mut new = (*cart(1)).clone();
            new.cart_id = CartId::new(id).unwrap();
            cache.offer(cache.ticket(None), &Arc::new(new));
        }
        assert!(cache.carts.len() <= 100, "{}", cache.carts.len());
    }
}
