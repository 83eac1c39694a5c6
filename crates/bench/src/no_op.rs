//! A shop whose store accepts every order and stores nothing: what HTTP, JSON, routing, admission and
//! metrics cost, and so the most that the write path could ever reach. With a commit that takes time it
//! is the shop of the tests of overload: bound by its store, and by nothing that a machine decides.

mod store;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use double11_gateway::{SandboxGateway, SandboxSettings};
use double11_shop::{Dependencies, Limits, MetricLabels, Metrics, Shop, ShopSettings};
use double11_store::{Clock, SystemClock, Variant};
use double11_units::Currency;

use store::{Nothing, Slowness};

const SEED: u64 = 11;
/// Few products: no order reads them.
const PRODUCTS: u32 = 1_000;

/// How the shop listens.
#[derive(Debug, Args)]
pub(crate) struct NoOp {
    /// Where; port 0 lets the system choose.
    #[arg(long, default_value = "127.0.0.1:0")]
    addr: SocketAddr,
    /// Threads that serve.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Where the gateway keeps its ledger, which stays empty.
    #[arg(long)]
    ledger: std::path::PathBuf,
    /// Connections at a time.
    #[arg(long, default_value_t = Limits::SERVE.connections_max)]
    connections_max: usize,
    /// Requests in process at a time.
    #[arg(long, default_value_t = Limits::SERVE.in_flight_max)]
    in_flight_max: usize,
    /// What a commit takes, in milliseconds; without it orders are accepted at
    /// once.
    #[arg(long)]
    commit_ms: Option<u64>,
    /// Orders in one commit at most.
    #[arg(long, default_value_t = 32)]
    group_max: usize,
}

/// Serves until it is killed.
pub(crate) fn serve(options: &NoOp) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(options.threads)
        .enable_all()
        .build()?
        .block_on(listen(options))
}

async fn listen(options: &NoOp) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let levers = Variant::Optimized.levers();
    let labels = MetricLabels {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        levers: String::new(),
        currency: Currency::Cny.code(),
        gateway: double11_gateway::SANDBOX,
        sale: true,
    };
    let settings = ShopSettings {
        addr: options.addr,
        management_addr: None,
        levers,
        variant: Variant::Optimized.name().to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        currency: Currency::Cny,
        products: PRODUCTS,
        seed: SEED,
        sale: true,
        payment_window: Duration::from_mins(15),
        gateway_deadline: Duration::from_secs(5),
        callback_secret: None,
        limits: Limits {
            connections_max: options.connections_max,
            in_flight_max: options.in_flight_max,
            ..Limits::SERVE
        },
    };
    let gateway = SandboxSettings::serve(options.ledger.clone(), SEED);
    let slowness = options.commit_ms.map(|milliseconds| Slowness {
        commit: Duration::from_millis(milliseconds),
        group_max: options.group_max.max(1),
    });
    let running = Shop::start(
        settings,
        Dependencies {
            store: Arc::new(Nothing::new(SEED, PRODUCTS, slowness)),
            gateway: Arc::new(SandboxGateway::open(gateway, Arc::clone(&clock))?),
            clock,
            metrics: Arc::new(Metrics::new(&labels)),
            cache: None,
        },
    )
    .await
    .context("the shop does not start")?;
    say_where(running.local_addr());
    let mut asked = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    asked.recv().await;
    running.shutdown().await;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the line that a bench waits for")]
fn say_where(addr: SocketAddr) {
    println!("listening on http://{addr}");
}
