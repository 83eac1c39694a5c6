//! Carts: read, add, remove; through the cache where the lever is on.

use std::sync::Arc;

use double11_store::{
    AddToCart, Answer, Cart, CartOutcome, CartRefusal, RemoveFromCart, Store, StoreError,
};
use double11_units::CartId;

use crate::activity::Activity;
use crate::cart_cache::{CartCache, Ticket};
use crate::tasks::{Lost, Tasks};

/// The carts of the shop.
#[derive(Clone)]
pub(crate) struct Carts {
    store: Arc<dyn Store>,
    cache: Option<Arc<CartCache>>,
    activity: Arc<Activity>,
    tasks: Arc<Tasks>,
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
        tasks: Arc<Tasks>,
    ) -> Self {
        Self {
            store,
            cache,
            activity,
            tasks,
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

    /// Runs a change to its end. With a cache it is a task of its own: were it dropped with its
    /// request when a client hangs up, the store would change and the cache would not.
    async fn change(
        &self,
        ticket: Option<Ticket>,
        cart_id: Option<CartId>,
        answer: Answer<CartOutcome>,
    ) -> Result<Changed, StoreError> {
        if ticket.is_none() {
            return Ok(self.changed(None, answer.await?));
        }
        let carts = self.clone();
        let task = self.tasks.run(async move {
            let outcome = answer.await;
            if outcome.is_err()
                && let (Some(cache), Some(cart_id)) = (&carts.cache, cart_id)
            {
                // The change may be durable all the same; the next read asks the store.
                cache.close(cart_id);
            }
            Ok(carts.changed(ticket, outcome?))
        });
        task.await.unwrap_or_else(|Lost| panic_of_task())
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

/// Goes on with the panic of a task where it is counted and answered.
pub(crate) fn panic_of_task() -> ! {
    std::panic::resume_unwind(Box::new("a task of the shop panicked or was cut off"))
}
