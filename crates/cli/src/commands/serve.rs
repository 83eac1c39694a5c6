//! `double11 serve`: a shop of its own, until it is asked to end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use double11_cache_redis::{RedisCache, RedisSettings};
use double11_limits::CpuLimit;
use double11_shop::{
    Dependencies, Limits, MetricLabels, Metrics, Running, Shop, ShopSettings, StartError, catalogue,
};
use double11_store::{CatalogueFacts, Clock, Levers, SharedCache, StockPolicy, Store, SystemClock};
use double11_units::Currency;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::arguments::{Auth, Serve};
use crate::commands::any_store::{AnyStore, Opening};
use crate::commands::store_url::StoreUrl;
use crate::commands::{cache_url, gateway, limits};
use crate::console;
use crate::exit::{CommandResult, Exit, Failure};
use crate::machine;

pub(crate) fn run(arguments: Serve) -> CommandResult {
    check_address("--addr", arguments.addr, arguments.auth)?;
    if let Some(addr) = arguments.management_addr {
        check_address("--management-addr", addr, arguments.auth)?;
    }
    if !arguments.cpus.is_empty() {
        machine::pin(&arguments.cpus)
            .map_err(|error| Failure::usage(error).hint("name cores that this machine has"))?;
    }
    if arguments.end_with_parent {
        machine::end_with_parent().map_err(Failure::environment)?;
    }
    machine::raise_descriptor_limit();
    let limited = arguments.resources.limits();
    let limited = limited
        .map(|limits| limits::hold(limits, arguments.variant.name()))
        .transpose()?;
    if let Some(limited) = &limited {
        console::data(&format!("limited to {}\n", limited.held));
    }
    let ended = run_to_the_end(arguments);
    if let Some(limited) = limited {
        limited.release();
    }
    ended
}

fn run_to_the_end(arguments: Serve) -> CommandResult {
    // More threads than the quota can feed would only wait for each other.
    let fed = arguments.resources.cpu_limit;
    let fed = fed.map_or(usize::MAX, CpuLimit::rounded_up);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(machine::cores().len().min(fed))
        .max_blocking_threads(arguments.limits.store_threads.max(1))
        .enable_all()
        .build()
        .map_err(Failure::environment)?;
    let exit = runtime.block_on(serve(arguments));
    // A blocking call that hangs must not hang the program.
    runtime.shutdown_timeout(Duration::from_secs(5));
    exit
}

/// Beyond loopback somebody must have said who may call.
pub(super) fn check_address(
    option: &str,
    addr: SocketAddr,
    auth: Option<Auth>,
) -> Result<(), Failure> {
    if addr.ip().is_loopback() || auth.is_some() {
        return Ok(());
    }
    Err(Failure::usage(anyhow::anyhow!(
        "`{option} {addr}` is reachable from other machines"
    ))
    .hint("say `--auth none` if everybody there may call, or listen on 127.0.0.1"))
}

/// What the command line asks for, with the variant's levers resolved.
fn levers(arguments: &Serve) -> Levers {
    let enabled = arguments.enable.iter().copied();
    let levers = enabled.fold(arguments.variant.levers(), Levers::with);
    arguments
        .disable
        .iter()
        .copied()
        .fold(levers, Levers::without)
}

async fn serve(arguments: Serve) -> CommandResult {
    // Heard from here on: whoever sees the line "listening" may ask for the end at once.
    let asked = Asked::listen().map_err(Failure::environment)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let levers = levers(&arguments);
    let lever_names: Vec<&str> = levers.iter().map(double11_store::Lever::name).collect();
    let gateway_name = gateway::name(&arguments.gateway)?;
    let metrics = Arc::new(Metrics::new(&MetricLabels {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        levers: lever_names.join(","),
        currency: Currency::default().code(),
        gateway: gateway_name,
        sale: arguments.sale,
    }));
    let (any_store, facts) = open_store(&arguments, levers, &clock, &metrics)?;
    let cache = open_cache(&arguments, &any_store).await?;
    let gateway = gateway::open(&arguments, gateway_name, &clock)?;
    let store = any_store.store();
    let mut settings = shop_settings(&arguments, levers, facts);
    settings.callback_secret = gateway::secret(&arguments.gateway.secret)?;
    let running = Shop::start(
        settings,
        Dependencies {
            store: Arc::clone(&store),
            gateway,
            clock,
            metrics,
            cache: cache.clone(),
        },
    )
    .await
    .map_err(start_failure)?;
    let ended = until_asked(running, &*store, asked).await;
    if let Some(cache) = cache {
        cache.close().await;
    }
    ended
}

/// The signals that ask a server to end.
pub(super) struct Asked {
    terminate: Signal,
    interrupt: Signal,
}

impl Asked {
    /// Hears them from now on.
    pub(super) fn listen() -> std::io::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self {
            terminate,
            interrupt,
        })
    }

    /// Waits for the first of them.
    pub(super) async fn heard(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Serves until a signal comes or the store stops, then ends in good order.
async fn until_asked(running: Running, store: &dyn Store, mut asked: Asked) -> CommandResult {
    if let Some(addr) = running.management_addr() {
        console::data(&format!("management on http://{addr}\n"));
    }
    console::data(&format!("listening on http://{}\n", running.local_addr()));
    let failure = tokio::select! {
        () = asked.heard() => None,
        failure = store.failed() => Some(failure),
    };
    let report = running.shutdown().await;
    if report.connections_cut > 0 {
        console::say(&format!(
            "cut off after {:.1} s: {} connections (what they left open the next start resolves)",
            report.took.as_secs_f64(),
            report.connections_cut
        ));
    }
    if let Some(failure) = failure {
        return Err(Failure::environment(failure)
            .hint("nothing that was acknowledged is lost; check the disk, then start again"));
    }
    store.close().await.map_err(Failure::environment)?;
    Ok(Exit::Done)
}

/// Opens the store, and fills it when it is empty.
fn open_store(
    arguments: &Serve,
    levers: Levers,
    clock: &Arc<dyn Clock>,
    metrics: &Arc<Metrics>,
) -> Result<(AnyStore, CatalogueFacts), Failure> {
    let limits = &arguments.limits;
    let opening = Opening {
        levers,
        stock_policy: if arguments.read_then_write_stock {
            StockPolicy::ReadThenWrite
        } else {
            StockPolicy::Guarded
        },
        payment_window: arguments.payment_window,
        pool_size: limits.pool_size,
        queue_max: limits.queue_max,
        group_max: limits.group_max,
        clock: Arc::clone(clock),
        observer: Arc::clone(metrics) as Arc<dyn double11_store::StoreObserver>,
    };
    let store = AnyStore::open(StoreUrl::parse(&arguments.store)?, opening)?;
    if let Some(facts) = store.catalogue_facts()? {
        return Ok((store, facts));
    }
    let mut products = catalogue::generate(arguments.seed, arguments.products, Currency::default());
    if let Some(stock) = arguments.stock {
        for product in &mut products {
            product.stock = stock;
        }
    }
    let seed = i64::from_ne_bytes(arguments.seed.to_ne_bytes());
    let facts = store.fill(seed, &products)?;
    Ok((store, facts))
}

/// Opens the cache that shops on one store share, if one is named.
async fn open_cache(
    arguments: &Serve,
    store: &AnyStore,
) -> Result<Option<Arc<dyn SharedCache>>, Failure> {
    let Some(url) = &arguments.cache else {
        return Ok(None);
    };
    let Some(store_identity) = store.identity()? else {
        return Err(Failure::usage(anyhow::anyhow!(
            "`--cache` is for shops that share a store on a server"
        ))
        .hint("leave it out: the only shop on a file keeps everything in memory"));
    };
    let settings = RedisSettings {
        address: cache_url::parse(url)?,
        store_identity,
    };
    let cache = RedisCache::open(settings)
        .await
        .map_err(|error| cache_url::failure(&error))?;
    Ok(Some(Arc::new(cache)))
}

fn start_failure(error: StartError) -> Failure {
    let hint = match &error {
        StartError::Listen { .. } => "choose another address with `--addr`; port 0 is always free",
        _ => "the store may be damaged; `double11 audit` tells more",
    };
    Failure::environment(error).hint(hint)
}

fn shop_settings(arguments: &Serve, levers: Levers, facts: CatalogueFacts) -> ShopSettings {
    let wanted = &arguments.limits;
    ShopSettings {
        addr: arguments.addr,
        management_addr: arguments.management_addr,
        levers,
        variant: arguments.variant.name().to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        currency: facts.currency,
        products: facts.products,
        seed: arguments.seed,
        sale: arguments.sale,
        payment_window: arguments.payment_window,
        gateway_deadline: arguments.gateway.gateway_deadline,
        callback_secret: None,
        limits: Limits {
            body_bytes: wanted.body_bytes,
            head_timeout: wanted.head_timeout,
            connections_max: wanted.connections_max,
            in_flight_max: wanted.in_flight_max,
            drain_deadline: wanted.drain_deadline,
            keep_keys: arguments.kept.keep_keys,
            keep_carts: arguments.kept.keep_carts,
            ..Limits::SERVE
        },
    }
}
