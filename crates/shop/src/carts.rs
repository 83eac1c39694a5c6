//! Carts: read, add, remove; through the cache where the lever is on.

use std::sync::Arc;

use double11_store::{
    AddToCart, Answer, Cart, CartOutcome, CartRefusal, RemoveFromCart, Store, StoreError,
};
use double11_units::CartId;

use crate::activity::Activity;
use crate::cart_cache::{CartCache, Ticket};

/// The carts of the shop.
#[derive(Clone)]
pub(crate) struct Carts {
    store: Arc<dyn Store>,
    cache: Option<Arc<CartCache>>,
    activity: Arc<Activity>,
}

/// What became of a change.
#[derive(Debug)]
pub(crate) enum Changed {
    Cart { cart: Arc<Cart>, created: bool },
    Refused(CartRefusal),
}

impl Carts {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        cache: Option<Arc<CartCache>>,
        activity: Arc<Activity>,
    ) -> Self {
        Self {
            store,
            cache,
            activity,
        }
    }

    pub(crate) async fn read(&self, cart_id: CartId) -> Result<Option<Arc<Cart>>, StoreError> {
        if let Some(cart) = self.cache.as_deref().and_then(|cache| cache.get(cart_id)) {
            self.activity.saw_cart(cart_id);
            return Ok(Some(cart));
        }
        let ticket = self.ticket(Some(cart_id));
        let cart = self.store.cart(cart_id).await?.map(Arc::new);
        if let Some(cart) = &cart {
            self.activity.saw_cart(cart_id);
            self.remember(ticket, cart);
        }
        Ok(cart)
    }

    pub(crate) async fn add(&self, command: AddToCart) -> Result<Changed, StoreError> {
        if let Some(user_id) = &command.user_id {
            self.activity.saw_user(user_id);
        }
        let ticket = self.ticket(command.cart_id);
        let cart_id = command.cart_id;
        self.change(ticket, cart_id, self.store.add_to_cart(command))
            .await
    }

    pub(crate) async fn remove(&self, command: RemoveFromCart) -> Result<Changed, StoreError> {
        let cart_id = Some(command.cart_id);
        let ticket = self.ticket(cart_id);
        self.change(ticket, cart_id, self.store.remove_from_cart(command))
            .await
    }

    fn ticket(&self, cart_id: Option<CartId>) -> Option<Ticket> {
        self.cache.as_deref().map(|cache| cache.ticket(cart_id))
    }

    async fn change(
        &self,
        ticket: Option<Ticket>,
        cart_id: Option<CartId>,
        answer: Answer<CartOutcome>,
    ) -> Result<Changed, StoreError> {
        let outcome = answer.await;
        if outcome.is_err()
            && let (Some(cache), Some(cart_id)) = (&self.cache, cart_id)
        {
            // The change may be durable all the same; the next read asks the store.
            cache.close(cart_id);
        }
        Ok(self.changed(ticket, outcome?))
    }

    fn changed(&self, ticket: Option<Ticket>, outcome: CartOutcome) -> Changed {
        match outcome {
            CartOutcome::Changed { cart, created } => {
                let cart = Arc::new(cart);
                self.activity.saw_cart(cart.cart_id);
                self.activity.cart_changed(&cart);
                self.remember(ticket, &cart);
                Changed::Cart { cart, created }
            }
            CartOutcome::Refused(refusal) => Changed::Refused(refusal),
        }
    }

    fn remember(&self, ticket: Option<Ticket>, cart: &Arc<Cart>) {
        if let (Some(cache), Some(ticket)) = (self.cache.as_deref(), ticket) {
            cache.offer(ticket, cart);
        }
    }
}
