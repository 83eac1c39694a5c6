//! Carts: read, add, remove; through the cache where the lever is on.

use std::sync::Arc;

use double11_store::{
    AddToCart, Answer, Cart, CartOutcome, CartRefusal, Offer, RemoveFromCart, Store, StoreError,
};
use double11_units::CartId;

use crate::activity::Activity;
use crate::cart_memory::{Asked, CartMemory};

/// The carts of the shop.
#[derive(Clone)]
pub(crate) struct Carts {
    store: Arc<dyn Store>,
    memory: CartMemory,
    activity: Arc<Activity>,
}

/// What became of a change.
#[derive(Debug)]
pub(crate) enum Changed {
    Cart { cart: Arc<Cart>, created: bool },
    Refused(CartRefusal),
}

impl Carts {
    pub(crate) fn new(store: Arc<dyn Store>, memory: CartMemory, activity: Arc<Activity>) -> Self {
        Self {
            store,
            memory,
            activity,
        }
    }

    pub(crate) async fn read(&self, cart_id: CartId) -> Result<Option<Arc<Cart>>, StoreError> {
        if let Some(cart) = self.memory.get(cart_id).await {
            self.activity.saw_cart(cart_id);
            return Ok(Some(cart));
        }
        let asked = self.memory.ask(Some(cart_id));
        let cart = self.store.cart(cart_id).await?.map(Arc::new);
        if let Some(cart) = &cart {
            self.activity.saw_cart(cart_id);
            self.memory.remember(asked, cart, Offer::Read).await;
        }
        Ok(cart)
    }

    pub(crate) async fn add(&self, command: AddToCart) -> Result<Changed, StoreError> {
        if let Some(user_id) = &command.user_id {
            self.activity.saw_user(user_id);
        }
        let cart_id = command.cart_id;
        let asked = self.memory.ask(cart_id);
        self.change(asked, cart_id, self.store.add_to_cart(command))
            .await
    }

    pub(crate) async fn remove(&self, command: RemoveFromCart) -> Result<Changed, StoreError> {
        let cart_id = Some(command.cart_id);
        let asked = self.memory.ask(cart_id);
        self.change(asked, cart_id, self.store.remove_from_cart(command))
            .await
    }

    async fn change(
        &self,
        asked: Asked,
        cart_id: Option<CartId>,
        answer: Answer<CartOutcome>,
    ) -> Result<Changed, StoreError> {
        let changing = cart_id.map(|cart_id| self.memory.changing(cart_id));
        let outcome = answer.await;
        if outcome.is_err()
            && let Some(cart_id) = cart_id
        {
            // The change may be durable all the same; the next read asks the store.
            self.memory.forget(cart_id).await;
        }
        let changed = match outcome {
            Ok(outcome) => Ok(self.changed(asked, outcome).await),
            Err(error) => Err(error),
        };
        if let Some(changing) = changing {
            changing.told();
        }
        changed
    }

    async fn changed(&self, asked: Asked, outcome: CartOutcome) -> Changed {
        match outcome {
            CartOutcome::Changed { cart, created } => {
                let cart = Arc::new(cart);
                self.activity.saw_cart(cart.cart_id);
                self.activity.cart_changed(&cart);
                self.memory.remember(asked, &cart, Offer::Changed).await;
                Changed::Cart { cart, created }
            }
            CartOutcome::Refused(refusal) => Changed::Refused(refusal),
        }
    }
}
