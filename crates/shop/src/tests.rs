//! Tests of the whole shop over a real socket, on a store in memory.

mod bad_input;
mod callbacks;
mod client;
pub(crate) mod fake_store;
mod gate;
mod life;
mod monitoring;
mod on_sqlite;
mod paying;
mod reference;
mod sharing;
mod shopping;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use double11_gateway::{Gateway, SandboxGateway, SandboxSettings};
use double11_store::{Levers, SystemClock, Variant};
use double11_units::Currency;

use crate::{Dependencies, Limits, MetricLabels, Metrics, Running, Shop, ShopSettings};
use client::Client;
use fake_store::FakeStore;

/// Products of the shops in these tests.
const PRODUCTS: u32 = 200;

/// A running shop on a fake store.
struct Fixture {
    shop: Running,
    store: Arc<FakeStore>,
    metrics: Arc<Metrics>,
    /// Keeps the gateway's ledger until the shop is gone.
    folder: Option<tempfile::TempDir>,
}

impl Fixture {
    async fn client(&self) -> Client {
        Client::connect(self.shop.local_addr()).await
    }
}

fn settings(levers: Levers) -> ShopSettings {
    ShopSettings {
        addr: "127.0.0.1:0".parse().unwrap(),
        management_addr: None,
        levers,
        variant: "test".to_owned(),
        version: "0.0.0".to_owned(),
        currency: Currency::Cny,
        products: PRODUCTS,
        seed: 11,
        sale: true,
        payment_window: Duration::from_mins(15),
        gateway_deadline: Duration::from_secs(10),
        callback_secret: None,
        limits: Limits {
            drain_deadline: Duration::from_secs(2),
            ..Limits::SERVE
        },
    }
}

fn metrics() -> Arc<Metrics> {
    Arc::new(Metrics::new(&MetricLabels {
        version: "0.0.0".to_owned(),
        levers: "pool,indexes".to_owned(),
        currency: "CNY",
        gateway: "sandbox",
        sale: true,
    }))
}

fn sandbox(folder: &Path) -> SandboxGateway {
    let settings = SandboxSettings {
        latency_median: Duration::ZERO,
        ..SandboxSettings::serve(folder.join("shop.gateway"), 5)
    };
    SandboxGateway::open(settings, Arc::new(SystemClock)).unwrap()
}

/// A shop with the sandbox gateway.
async fn start(settings: ShopSettings) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Arc::new(sandbox(folder.path()));
    let mut fixture = start_with(settings, FakeStore::new(PRODUCTS), gateway).await;
    fixture.folder = Some(folder);
    fixture
}

async fn start_with(
    settings: ShopSettings,
    store: Arc<FakeStore>,
    gateway: Arc<dyn Gateway>,
) -> Fixture {
    let metrics = metrics();
    let dependencies = Dependencies {
        store: Arc::clone(&store) as _,
        gateway,
        clock: Arc::new(SystemClock),
        metrics: Arc::clone(&metrics),
        cache: None,
    };
    let shop = Shop::start(settings, dependencies).await.unwrap();
    Fixture {
        shop,
        store,
        metrics,
        folder: None,
    }
}

/// Every variant, so that no test of behaviour depends on levers.
fn variants() -> [Levers; 3] {
    Variant::ALL.map(Variant::levers)
}
