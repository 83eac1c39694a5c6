//! The cache as the shop sees it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use double11_store::{
    CacheAnswer, Cart, Offer, OthersActivity, SharedCache, SoldOutFlag, StockNews,
};
use double11_units::CartId;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::address::CacheAddress;
use crate::error::{Lost, OpenError, Refusal};
use crate::keys::Keys;
use crate::link::Connection;
use crate::owed::{Block, Owed};
use crate::stock::{self, Exchange, RedisTime};
use crate::{activity, carts, keeper};

/// How long a request waits for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(50);
/// How long an exchange in the background may take.
const EXCHANGE_TIMEOUT: Duration = Duration::from_millis(500);

/// Which cache, for which store.
#[derive(Clone, Debug)]
pub struct RedisSettings {
    /// Where it is.
    pub address: CacheAddress,
    /// What tells this store from any other, the same for all its shops: keys of another store under the same
    /// prefix are refused.
    pub store_identity: String,
}

/// Carts, sold-out products and activity in Redis. Dropping it ends its background work.
#[derive(Debug)]
pub struct RedisCache {
    inner: Arc<Inner>,
    keeper: Mutex<Option<JoinHandle<()>>>,
}

impl RedisCache {
    /// Connects and checks. A server that does not answer is said in the log and used as soon as it does.
    /// Must be called on a Tokio runtime.
    ///
    /// # Errors
    /// [`OpenError::Refused`] when it answers and cannot be used.
    pub async fn open(settings: RedisSettings) -> Result<Self, OpenError> {
        let inner = Arc::new(Inner {
            keys: Keys::new(settings.address.prefix()),
            address: settings.address,
            store_identity: settings.store_identity,
            shop: format!("{:016x}", rand::random::<u64>()),
            link: Mutex::default(),
            owed: Owed::new(),
            wake: Notify::new(),
            closing: AtomicBool::new(false),
            closed: Notify::new(),
            time: Mutex::default(),
            round_trips: AtomicU64::new(0),
        });
        if let Err(Lost::Refused(refusal)) = keeper::restore(&inner).await {
            return Err(OpenError::Refused {
                address: inner.address.to_string(),
                refusal,
            });
        }
        let keeper = tokio::spawn(keeper::keep(Arc::clone(&inner)));
        Ok(Self {
            inner,
            keeper: Mutex::new(Some(keeper)),
        })
    }

    fn keeper(&self) -> Option<JoinHandle<()>> {
        self.keeper
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl Drop for RedisCache {
    fn drop(&mut self) {
        if let Some(keeper) = self.keeper() {
            keeper.abort();
        }
    }
}

impl SharedCache for RedisCache {
    fn kind(&self) -> &'static str {
        if self.inner.address.is_cluster() {
            "redis-cluster"
        } else {
            "redis"
        }
    }

    fn is_up(&self) -> bool {
        self.inner.lock_link().connection.is_some()
    }

    fn cart(&self, cart_id: CartId) -> CacheAnswer<Option<Cart>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            if inner.owed.concerns(cart_id) {
                return None;
            }
            let (generation, mut connection) = inner.begin()?;
            let command = carts::get(&inner.keys.cart(cart_id));
            let asked = connection.ask(&command, ANSWER_TIMEOUT).await;
            let value: Option<Vec<u8>> = inner.judge(generation, asked)?;
            carts::decode(cart_id, &value?)
        })
    }

    fn offer(&self, cart: Cart, offer: Offer) -> CacheAnswer<()> {
        let inner = Arc::clone(&self.inner);
        let debt = (offer == Offer::Changed).then(|| Debt::perhaps(&inner, cart.cart_id));
        Box::pin(async move {
            let Some((generation, mut connection)) = inner.begin() else {
                return;
            };
            let call = carts::offer(inner.keys.cart(cart.cart_id), &cart);
            let asked = connection.run(&carts::OFFER, &call, ANSWER_TIMEOUT).await;
            let taken: Option<bool> = inner.judge(generation, asked);
            if let (Some(_), Some(debt)) = (taken, debt) {
                debt.paid();
            }
        })
    }

    fn block(&self, cart_id: CartId) -> CacheAnswer<()> {
        let inner = Arc::clone(&self.inner);
        // It holds from now on, whatever becomes of the future.
        let debt = Debt::owed(&inner, cart_id);
        Box::pin(async move {
            let Some((generation, mut connection)) = inner.begin() else {
                return;
            };
            let command = carts::block(&inner.keys.cart(cart_id));
            let asked = connection.ask(&command, ANSWER_TIMEOUT).await;
            let done: Option<redis::Value> = inner.judge(generation, asked);
            if done.is_some() {
                debt.paid();
            }
        })
    }

    fn exchange_stock_news(&self, news: StockNews) -> CacheAnswer<Option<Vec<SoldOutFlag>>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            let (generation, mut connection) = inner.begin()?;
            let key = inner.keys.sold_out();
            let known = *inner.lock_time();
            let (exchange, call) = Exchange::begin(key.clone(), known, &news);
            let asked = connection
                .run(&stock::EXCHANGE, &call, EXCHANGE_TIMEOUT)
                .await;
            let exchanged = exchange.end(inner.judge(generation, asked)?);
            *inner.lock_time() = Some(exchanged.time);
            if exchanged.flags.is_none() {
                tracing::warn!("the clock of the shared cache made a step");
                let mut forget = redis::cmd("DEL");
                forget.arg(key);
                let asked = connection.ask(&forget, EXCHANGE_TIMEOUT).await;
                let _forgotten: Option<i64> = inner.judge(generation, asked);
            }
            Some(exchanged.flags.unwrap_or_default())
        })
    }

    fn exchange_activity(&self, slot: u64, seen: Vec<u8>) -> CacheAnswer<Vec<OthersActivity>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            let Some((generation, mut connection)) = inner.begin() else {
                return Vec::new();
            };
            let pipeline = activity::exchange(&inner.keys, &inner.shop, slot, &seen);
            let asked = connection.ask_all(&pipeline, EXCHANGE_TIMEOUT).await;
            let answer: Option<activity::Answer> = inner.judge(generation, asked);
            answer.map_or_else(Vec::new, |answer| {
                activity::others(&inner.shop, slot, answer)
            })
        })
    }

    fn round_trips_sent(&self) -> u64 {
        self.inner.round_trips.load(Ordering::Relaxed)
    }

    fn close(&self) -> CacheAnswer<()> {
        self.inner.close();
        let keeper = self.keeper();
        Box::pin(async move {
            if let Some(keeper) = keeper {
                // It was told to end; that it panicked is in the log already.
                drop(keeper.await);
            }
        })
    }
}

/// What requests and the background share.
pub(crate) struct Inner {
    pub(crate) address: CacheAddress,
    pub(crate) keys: Keys,
    pub(crate) store_identity: String,
    /// The name of this shop among the others; it means nothing.
    shop: String,
    link: Mutex<Link>,
    pub(crate) owed: Owed,
    /// The background has something to do.
    pub(crate) wake: Notify,
    closing: AtomicBool,
    closed: Notify,
    time: Mutex<Option<RedisTime>>,
    round_trips: AtomicU64,
}

/// The connection, if one can be used.
#[derive(Default)]
struct Link {
    connection: Option<Connection>,
    /// Tells a connection from those before it.
    generation: u64,
}

impl Inner {
    /// The connection and its number.
    pub(crate) fn link(&self) -> Option<(u64, Connection)> {
        let link = self.lock_link();
        let connection = link.connection.clone()?;
        Some((link.generation, connection))
    }

    /// The same for a round trip, which is counted.
    fn begin(&self) -> Option<(u64, Connection)> {
        let link = self.link()?;
        self.round_trips.fetch_add(1, Ordering::Relaxed);
        Some(link)
    }

    /// What was asked, unless it failed; a failure of the connection ends its use.
    fn judge<T>(&self, generation: u64, asked: Result<T, Lost>) -> Option<T> {
        match asked {
            Ok(answer) => Some(answer),
            // One key that somebody else wrote is no reason to give up all others.
            Err(lost @ Lost::Refused(Refusal::Other { .. })) => {
                tracing::debug!(
                    error = &lost as &dyn std::error::Error,
                    "the shared cache refused a command"
                );
                None
            }
            Err(lost) => {
                self.lose(generation, &lost);
                None
            }
        }
    }

    /// This connection is not used any more.
    pub(crate) fn lose(&self, generation: u64, lost: &Lost) {
        let mut link = self.lock_link();
        if link.generation == generation && link.connection.take().is_some() {
            drop(link);
            if !self.is_closed() {
                tracing::warn!(
                    cache.address = %self.address,
                    error = lost as &dyn std::error::Error,
                    "the shared cache is lost; the store answers instead"
                );
            }
            self.wake.notify_one();
        }
    }

    /// This connection is used from now on.
    pub(crate) fn install(&self, connection: Connection) {
        let mut link = self.lock_link();
        if !self.is_closed() {
            link.generation += 1;
            link.connection = Some(connection);
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// Resolves when the cache is being closed.
    pub(crate) async fn closed(&self) {
        self.closed.notified().await;
    }

    fn close(&self) {
        let mut link = self.lock_link();
        self.closing.store(true, Ordering::Release);
        link.connection = None;
        drop(link);
        // Each keeps one notice for a keeper that does not wait yet.
        self.wake.notify_one();
        self.closed.notify_one();
    }

    fn lock_link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_time(&self) -> MutexGuard<'_, Option<RedisTime>> {
        self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Inner")
            .field("address", &self.address)
            .field("shop", &self.shop)
            .finish_non_exhaustive()
    }
}

/// A block that has to be delivered in the background unless it is paid by what is under way.
struct Debt {
    /// None when it was paid.
    inner: Option<Arc<Inner>>,
    due: Due,
}

#[derive(Clone, Copy)]
enum Due {
    /// Owed if this is not paid.
    Perhaps(CartId),
    /// Owed already.
    Surely(Block),
}

impl Debt {
    fn perhaps(inner: &Arc<Inner>, cart_id: CartId) -> Self {
        Self {
            inner: Some(Arc::clone(inner)),
            due: Due::Perhaps(cart_id),
        }
    }

    fn owed(inner: &Arc<Inner>, cart_id: CartId) -> Self {
        Self {
            inner: Some(Arc::clone(inner)),
            due: Due::Surely(inner.owed.add(cart_id)),
        }
    }

    fn paid(mut self) {
        if let Some(inner) = self.inner.take()
            && let Due::Surely(block) = self.due
        {
            inner.owed.delivered(&[block]);
        }
    }
}

impl Drop for Debt {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take() {
            if let Due::Perhaps(cart_id) = self.due {
                inner.owed.add(cart_id);
            }
            inner.wake.notify_one();
        }
    }
}
