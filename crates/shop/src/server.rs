//! Starts a shop and shuts it down.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use double11_gateway::Gateway;
use double11_store::{Clock, Lever, Product, SharedCache, Store, StoreError};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::activity::Activity;
use crate::admission::Admission;
use crate::cart_memory::CartMemory;
use crate::carts::Carts;
use crate::http::connection::accept;
use crate::http::{self, App, Door, References};
use crate::metrics::Metrics;
use crate::orders::Orders;
use crate::payments::{PaymentParts, Payments};
use crate::products::{Picks, Products};
use crate::search::SearchIndex;
use crate::settings::ShopSettings;
use crate::share;
use crate::snapshot::{self, GapInCatalogue, Snapshot};
use crate::sold_out::SoldOut;
use crate::upkeep::{self, Kept};
use double11_store::Stopwatch;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4_096;

/// What a shop runs on. Whoever hands it in closes it, after the shop.
pub struct Dependencies {
    /// The truth about everything.
    pub store: Arc<dyn Store>,
    /// Who takes the money.
    pub gateway: Arc<dyn Gateway>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// The metrics; the store reports its commits to the same ones.
    pub metrics: Arc<Metrics>,
    /// What this shop shares with others on the same store, if anything.
    pub cache: Option<Arc<dyn SharedCache>>,
}

/// A shop that is to be started.
#[derive(Debug)]
pub struct Shop;

/// Why a shop could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on: in use, not of this machine, or not allowed.
    #[error("cannot listen on {addr}")]
    Listen {
        /// The address that was asked for.
        addr: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The store did not give its catalogue.
    #[error("the store did not give its catalogue")]
    Store(#[from] StoreError),
    /// The ids of the catalogue are not 1..=N.
    #[error(transparent)]
    Catalogue(#[from] GapInCatalogue),
    /// The store has another number of products than the settings say.
    #[error("the store has {found} products, not {expected}")]
    CatalogueSize {
        /// What the settings say.
        expected: u32,
        /// What the store has.
        found: usize,
    },
    /// Building the snapshot or the index ended in a panic.
    #[error("the catalogue could not be prepared")]
    Preparation(#[source] tokio::task::JoinError),
}

impl Shop {
    /// Prepares the caches that are on, listens, and starts serving.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running then.
    pub async fn start(
        settings: ShopSettings,
        dependencies: Dependencies,
    ) -> Result<Running, StartError> {
        let (listener, local_addr) = listen(settings.addr)?;
        let management = settings.management_addr.map(listen).transpose()?;
        let management_addr = management.as_ref().map(|(_, addr)| *addr);
        let prepared = Prepared::new(&settings, &*dependencies.store).await?;
        let activity = Arc::new(Activity::new());
        let app = Arc::new(app(settings, &dependencies, &prepared, &activity));
        let (stop_serving, serving_stops) = watch::channel(false);
        let (stop_upkeep, upkeep_stops) = watch::channel(false);
        let upkeep = start_upkeep(&app, &prepared, &dependencies, &activity, &upkeep_stops);
        let mut serving = JoinSet::new();
        let door = if management.is_some() {
            Door::Public
        } else {
            Door::Whole
        };
        serving.spawn(accept(
            listener,
            Arc::clone(&app),
            door,
            serving_stops.clone(),
        ));
        if let Some((listener, _)) = management {
            serving.spawn(accept(
                listener,
                Arc::clone(&app),
                Door::Management,
                serving_stops,
            ));
        }
        tracing::info!(
            server.address = %local_addr,
            shop.variant = app.settings.variant,
            shop.store = app.store.kind(),
            "the shop is open"
        );
        Ok(Running {
            local_addr,
            management_addr,
            app,
            serving,
            upkeep,
            stop_serving,
            stop_upkeep,
        })
    }
}

/// A shop that answers and does nothing on its own, whose work can be counted. Serves until the sender
/// is gone.
#[cfg(test)]
pub(crate) async fn without_upkeep(
    settings: ShopSettings,
    dependencies: Dependencies,
) -> Result<(SocketAddr, watch::Sender<bool>), StartError> {
    let (listener, local_addr) = listen(settings.addr)?;
    let prepared = Prepared::new(&settings, &*dependencies.store).await?;
    let activity = Arc::new(Activity::new());
    let app = Arc::new(app(settings, &dependencies, &prepared, &activity));
    let (stop, stops) = watch::channel(false);
    tokio::spawn(accept(listener, app, Door::Whole, stops));
    Ok((local_addr, stop))
}

/// A shop that serves. Dropping it stops it at once; [`Running::shutdown`] stops it in good order.
pub struct Running {
    local_addr: SocketAddr,
    management_addr: Option<SocketAddr>,
    pub(crate) app: Arc<App>,
    serving: JoinSet<usize>,
    upkeep: JoinSet<()>,
    stop_serving: watch::Sender<bool>,
    stop_upkeep: watch::Sender<bool>,
}

/// What a shutdown had to cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShutdownReport {
    /// Connections whose requests were not answered within the drain deadline; what a payment left
    /// open the next start resolves.
    pub connections_cut: usize,
    /// How long the shutdown took.
    pub took: Duration,
}

impl Running {
    /// Where the shop listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Where `/actuator` is served, if it has an address of its own.
    pub fn management_addr(&self) -> Option<SocketAddr> {
        self.management_addr
    }

    /// Says that it is not ready, accepts no more, finishes what is in process until the drain
    /// deadline, and stops its own tasks. Store and gateway stay open; their owner closes them.
    pub async fn shutdown(mut self) -> ShutdownReport {
        let stopwatch = Stopwatch::start();
        self.app.draining.store(true, Ordering::Release);
        self.stop_serving.send_replace(true);
        let mut connections_cut = 0;
        while let Some(ended) = self.serving.join_next().await {
            connections_cut += ended.unwrap_or(0);
        }
        let deadline = self.app.settings.limits.drain_deadline;
        self.stop_upkeep.send_replace(true);
        let upkeep = &mut self.upkeep;
        let all = async { while upkeep.join_next().await.is_some() {} };
        if tokio::time::timeout(deadline, all).await.is_err() {
            self.upkeep.shutdown().await;
        }
        let report = ShutdownReport {
            connections_cut,
            took: stopwatch.elapsed(),
        };
        tracing::info!(
            connections.cut = report.connections_cut,
            "the shop is closed"
        );
        report
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Running")
            .field("local_addr", &self.local_addr)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Dependencies {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Dependencies")
            .finish_non_exhaustive()
    }
}

/// What some levers need before the first request.
struct Prepared {
    snapshot: Option<Arc<Snapshot>>,
    index: Option<Arc<SearchIndex>>,
}

impl Prepared {
    async fn new(settings: &ShopSettings, store: &dyn Store) -> Result<Self, StartError> {
        let with_snapshot = settings.levers.has(Lever::CatalogCache);
        let with_index = settings.levers.has(Lever::SearchIndex);
        if !with_snapshot && !with_index {
            return Ok(Self {
                snapshot: None,
                index: None,
            });
        }
        let products: Vec<Product> = store.catalogue().await?;
        if products.len() != settings.products as usize {
            let (expected, found) = (settings.products, products.len());
            return Err(StartError::CatalogueSize { expected, found });
        }
        snapshot::check_ids(&products)?;
        let build = move || Self {
            snapshot: with_snapshot
                .then(|| Arc::new(Snapshot::build(&products, http::write_product_in_stock))),
            index: with_index.then(|| Arc::new(SearchIndex::build(&products))),
        };
        let stopwatch = Stopwatch::start();
        let prepared = tokio::task::spawn_blocking(build)
            .await
            .map_err(StartError::Preparation)?;
        if let Some(snapshot) = &prepared.snapshot {
            snapshot.set_sold_out(&store.sold_out_products().await?);
        }
        tracing::info!(
            duration_ms = stopwatch.elapsed().as_millis(),
            "the catalogue is prepared"
        );
        Ok(prepared)
    }
}

/// A listener and where it listens.
fn listen(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let bind = || {
        let socket = if addr.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        // A port of a shop that just ended may be taken again at once.
        socket.set_reuseaddr(true)?;
        socket.bind(addr)?;
        let listener = socket.listen(BACKLOG)?;
        let local_addr = listener.local_addr()?;
        Ok((listener, local_addr))
    };
    bind().map_err(|source: io::Error| StartError::Listen { addr, source })
}

fn app(
    settings: ShopSettings,
    dependencies: &Dependencies,
    prepared: &Prepared,
    activity: &Arc<Activity>,
) -> App {
    let Dependencies {
        store,
        gateway,
        clock,
        metrics,
        cache,
    } = dependencies;
    let levers = settings.levers;
    let entries_max = settings.limits.cart_cache_entries;
    let memory = CartMemory::choose(levers, entries_max, &**store, cache.as_ref());
    // The list that takes products off again is refreshed for the snapshot.
    let sold_out = (store.is_shared() && prepared.snapshot.is_some())
        .then(|| Arc::new(SoldOut::new(settings.products)));
    let picks = Picks {
        levers,
        count: settings.products,
        seed: settings.seed,
    };
    let payments = Payments::new(PaymentParts {
        store: Arc::clone(store),
        gateway: Arc::clone(gateway),
        clock: Arc::clone(clock),
        metrics: Arc::clone(metrics),
        gateway_deadline: settings.gateway_deadline,
    });
    App {
        store: Arc::clone(store),
        metrics: Arc::clone(metrics),
        admission: Admission::new(
            levers
                .has(Lever::Admission)
                .then_some(settings.limits.in_flight_max),
        ),
        products: Products::new(
            Arc::clone(store),
            prepared.snapshot.clone(),
            prepared.index.clone(),
            picks,
        ),
        carts: Carts::new(Arc::clone(store), memory.clone(), Arc::clone(activity)),
        orders: Orders::new(
            Arc::clone(store),
            memory,
            sold_out.clone(),
            Arc::clone(activity),
        ),
        sold_out,
        cache: cache.clone(),
        payments: Arc::new(payments),
        references: References::new(&settings, gateway.name()),
        draining: AtomicBool::new(false),
        settings,
    }
}

fn start_upkeep(
    app: &Arc<App>,
    prepared: &Prepared,
    dependencies: &Dependencies,
    activity: &Arc<Activity>,
    stop: &upkeep::Stop,
) -> JoinSet<()> {
    let store = || Arc::clone(&app.store);
    let payments = || Arc::clone(&app.payments);
    let mut tasks = JoinSet::new();
    tasks.spawn(upkeep::expire(store(), payments(), stop.clone()));
    tasks.spawn(payments().resolve_until(stop.clone()));
    let limits = &app.settings.limits;
    let kept = Kept {
        keys: limits.keep_keys,
        carts: limits.keep_carts,
    };
    tasks.spawn(upkeep::purge(
        store(),
        Arc::clone(&dependencies.clock),
        kept,
        stop.clone(),
    ));
    if let Some(snapshot) = &prepared.snapshot {
        tasks.spawn(upkeep::refresh_stock(
            store(),
            Arc::clone(snapshot),
            app.sold_out.clone(),
            stop.clone(),
        ));
    }
    tasks.spawn(upkeep::feel_pressure(Arc::clone(app), stop.clone()));
    tasks.spawn(upkeep::refresh_gauges(
        Arc::clone(app),
        Arc::clone(activity),
        Arc::clone(&dependencies.clock),
        stop.clone(),
    ));
    if let Some(cache) = &app.cache {
        tasks.spawn(share::exchange(
            Arc::clone(cache),
            Arc::clone(app),
            stop.clone(),
        ));
    }
    tasks
}
