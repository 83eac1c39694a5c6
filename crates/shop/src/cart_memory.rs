//! Where carts are remembered (lever `cart-cache`): here, with other shops, or in the store alone.

use std::sync::Arc;

use double11_store::{Cart, Lever, Levers, Offer, SharedCache, Store};
use double11_units::CartId;

use crate::cart_cache::{CartCache, Ticket};

/// What remembers carts beside the store.
#[derive(Clone)]
pub(crate) enum CartMemory {
    /// Nothing does.
    None,
    /// This shop, which alone changes them.
    Own(Arc<CartCache>),
    /// All shops on the store together.
    Shared(Arc<dyn SharedCache>),
}

/// The moment before a cart was asked from the store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked(Option<Ticket>);

impl CartMemory {
    /// The memory that fits: a shop's own would be out of date where others change the same carts.
    pub(crate) fn choose(
        levers: Levers,
        entries_max: usize,
        store: &dyn Store,
        cache: Option<&Arc<dyn SharedCache>>,
    ) -> Self {
        if !levers.has(Lever::CartCache) {
            return Self::None;
        }
        match cache {
            _ if !store.is_shared() => Self::Own(Arc::new(CartCache::new(entries_max))),
            Some(cache) => Self::Shared(Arc::clone(cache)),
            None => {
                tracing::info!(
                    "without a shared cache, carts are read from the store that shops share"
                );
                Self::None
            }
        }
    }

    /// The cart, as new as the last change that was acknowledged.
    pub(crate) async fn get(&self, cart_id: CartId) -> Option<Arc<Cart>> {
        match self {
            Self::None => None,
            Self::Own(cache) => cache.get(cart_id),
            Self::Shared(cache) => cache.cart(cart_id).await.map(Arc::new),
        }
    }

    /// To be taken before the store is asked for a cart.
    pub(crate) fn ask(&self, cart_id: Option<CartId>) -> Asked {
        match self {
            Self::Own(cache) => Asked(Some(cache.ticket(cart_id))),
            Self::None | Self::Shared(_) => Asked(None),
        }
    }

    /// Remembers what the store answered.
    pub(crate) async fn remember(&self, asked: Asked, cart: &Arc<Cart>, offer: Offer) {
        match (self, asked) {
            (Self::Own(cache), Asked(Some(ticket))) => cache.offer(ticket, cart),
            (Self::Shared(cache), _) => cache.offer(Cart::clone(cart), offer).await,
            (Self::None | Self::Own(_), _) => {}
        }
    }

    /// Forgets a cart that was closed, or changed in a way that nobody knows.
    pub(crate) async fn forget(&self, cart_id: CartId) {
        match self {
            Self::None => {}
            Self::Own(cache) => cache.close(cart_id),
            Self::Shared(cache) => cache.block(cart_id).await,
        }
    }

    /// Forgets the cart unless the change is told to this memory: a client may hang up while the store makes it.
    pub(crate) fn changing(&self, cart_id: CartId) -> Changing<'_> {
        Changing {
            memory: self,
            cart_id,
            is_told: false,
        }
    }
}

/// A change that is under way.
pub(crate) struct Changing<'memory> {
    memory: &'memory CartMemory,
    cart_id: CartId,
    is_told: bool,
}

impl Changing<'_> {
    /// What became of the change was told, or it changed nothing.
    pub(crate) fn told(mut self) {
        self.is_told = true;
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        if self.is_told {
            return;
        }
        match self.memory {
            CartMemory::None => {}
            CartMemory::Own(cache) => cache.close(self.cart_id),
            // It is blocked from the call on, and delivered in the background.
            CartMemory::Shared(cache) => drop(cache.block(self.cart_id)),
        }
    }
}
