//! A shop whose store accepts every order and stores nothing: what HTTP, JSON, routing, admission and
//! metrics cost, and so the most that the write path could ever reach.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use double11_shop::{
    Dependencies, Limits, MetricLabels, Metrics, SandboxGateway, SandboxSettings, Shop,
    ShopSettings, catalogue,
};
use double11_store::{
    AddToCart, Answer, Attempt, CancelOutcome, Cart, CartOutcome, Clock, Figures, FinalizeOutcome,
    FinalizePayment, ListedProduct, OrderReceipt, OrderView, PageRequest, PayOutcome,
    PendingRefund, PlaceOrder, PlaceOutcome, PreparePayment, Product, RemoveFromCart, SearchPage,
    Store, StoreError, StoreFailure, SystemClock, Variant,
};
use double11_units::{AttemptId, CartId, Currency, Money, OrderId, ProductId};

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
        gateway: double11_shop::gateway::SANDBOX,
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
        limits: Limits::SERVE,
    };
    let gateway = SandboxSettings::serve(options.ledger.clone(), SEED);
    let running = Shop::start(
        settings,
        Dependencies {
            store: Arc::new(Nothing(AtomicI64::new(1))),
            gateway: Arc::new(SandboxGateway::open(gateway, Arc::clone(&clock))?),
            clock,
            metrics: Arc::new(Metrics::new(&labels)),
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

/// Accepts orders, numbers them and forgets them.
struct Nothing(AtomicI64);

fn closed<T: Send + 'static>() -> Answer<T> {
    Box::pin(std::future::ready(Err(StoreError::Closed)))
}

fn answer<T: Send + 'static>(value: T) -> Answer<T> {
    Box::pin(std::future::ready(Ok(value)))
}

impl Store for Nothing {
    fn kind(&self) -> &'static str {
        "nothing"
    }

    fn place_order(&self, _command: PlaceOrder) -> Answer<PlaceOutcome> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let Ok(order_id) = OrderId::new(number) else {
            return closed();
        };
        answer(PlaceOutcome::Placed(OrderReceipt {
            order_id,
            total: Money::from_minor(100, Currency::Cny),
            expires_at: SystemClock.now().plus(Duration::from_mins(15)),
        }))
    }

    fn catalogue(&self) -> Answer<Vec<Product>> {
        let products = catalogue::generate(SEED, PRODUCTS, Currency::Cny);
        answer(products.into_iter().map(|new| new.product).collect())
    }

    fn sold_out_products(&self) -> Answer<Vec<ProductId>> {
        answer(Vec::new())
    }

    fn product(&self, _product_id: ProductId) -> Answer<Option<ListedProduct>> {
        closed()
    }

    fn random_product(&self) -> Answer<Option<ListedProduct>> {
        closed()
    }

    fn products(&self, _page: PageRequest) -> Answer<Vec<ListedProduct>> {
        closed()
    }

    fn search(&self, _text: String, _limit: u32) -> Answer<SearchPage> {
        closed()
    }

    fn cart(&self, _cart_id: CartId) -> Answer<Option<Cart>> {
        closed()
    }

    fn add_to_cart(&self, _command: AddToCart) -> Answer<CartOutcome> {
        closed()
    }

    fn remove_from_cart(&self, _command: RemoveFromCart) -> Answer<CartOutcome> {
        closed()
    }

    fn order(&self, _order_id: OrderId) -> Answer<Option<OrderView>> {
        closed()
    }

    fn cancel_order(&self, _order_id: OrderId) -> Answer<CancelOutcome> {
        closed()
    }

    fn expire_due(&self, _limit: u32) -> Answer<u32> {
        answer(0)
    }

    fn prepare_payment(&self, _command: PreparePayment) -> Answer<PayOutcome> {
        closed()
    }

    fn finalize_payment(&self, _command: FinalizePayment) -> Answer<FinalizeOutcome> {
        closed()
    }

    fn unresolved_payments(&self, _limit: u32) -> Answer<Vec<Attempt>> {
        answer(Vec::new())
    }

    fn pending_refunds(&self, _limit: u32) -> Answer<Vec<PendingRefund>> {
        answer(Vec::new())
    }

    fn finish_refund(&self, _order_id: OrderId, _attempt_id: AttemptId) -> Answer<()> {
        closed()
    }

    fn figures(&self) -> Answer<Figures> {
        answer(Figures::default())
    }

    fn ping(&self) -> Answer<()> {
        answer(())
    }

    fn failed(&self) -> Pin<Box<dyn Future<Output = StoreFailure> + Send + 'static>> {
        Box::pin(std::future::pending())
    }

    fn close(&self) -> Answer<()> {
        answer(())
    }
}
