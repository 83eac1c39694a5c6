//! Stores on databases of a private server.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test program uses a part of this"
)]

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use double11_servers::{MariaDb, Tool, present};
use double11_store::conformance::{CURRENCY, Conditions, PAYMENT_WINDOW};
use double11_store::{
    AddToCart, Attempt, Cart, CartOutcome, ClaimedKey, Clock, FinalizePayment, Fingerprint,
    GatewayAnswer, Levers, OrderLines, OrderReceipt, PayOutcome, PaymentMethod, PlaceOrder,
    PlaceOutcome, PreparePayment, StockPolicy, Store, StoreObserver,
};
use double11_store_mysql::{MysqlOptions, MysqlStore, migrate};
use double11_units::{CartId, IdempotencyKey, Money, OrderId, ProductId, Quantity, UserId};
use mysql::prelude::Queryable;
use mysql::{Conn, Opts};

/// The one `MariaDB` of a test program; it ends with the program. It claims to sync and does not: these
/// tests lose no power, and most of their time would go to the making of tables.
pub fn server() -> &'static MariaDb {
    static SERVER: OnceLock<MariaDb> = OnceLock::new();
    SERVER.get_or_init(|| {
        needs(Tool::MariaDb);
        MariaDb::start_unsynced(&[]).unwrap()
    })
}

/// Skips the whole test program, visibly, where the server is not installed.
#[expect(
    clippy::exit,
    reason = "the cases of the suite can return nothing but a store"
)]
pub fn needs(tool: Tool) {
    if !present(tool) {
        std::process::exit(0);
    }
}

/// A name for a database that this program has not used yet.
pub fn fresh_name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("double11_rehearsal_test_{number}")
}

/// A fresh database with tables; its URL.
pub fn database(server: &MariaDb) -> String {
    let url = server.create_database(&fresh_name()).unwrap();
    migrate(&url, None).unwrap();
    url
}

/// A connection beside the stores.
pub fn connect(url: &str) -> Conn {
    Conn::new(Opts::from_url(url).unwrap()).unwrap()
}

/// Counts what the store commits.
#[derive(Debug, Default)]
pub struct Commits(pub AtomicU32);

impl StoreObserver for Commits {
    fn committed(&self, _writes: usize, _commit: Duration) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

pub fn options(url: &str, levers: Levers, clock: Arc<dyn Clock>) -> MysqlOptions {
    MysqlOptions {
        url: url.to_owned(),
        password: None,
        levers,
        stock_policy: StockPolicy::Guarded,
        payment_window: PAYMENT_WINDOW,
        currency: CURRENCY,
        pool_size: 4,
        queue_max: 10_000,
        group_max: 64,
        clock,
        observer: Arc::new(Commits::default()),
    }
}

/// A store on a fresh database.
pub struct Fresh {
    pub store: MysqlStore,
    pub url: String,
}

impl Deref for Fresh {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        &self.store
    }
}

/// Opens a store on a migrated database and seeds it.
pub fn open_at(url: String, conditions: &Conditions, levers: Levers) -> Fresh {
    let store = beside(&url, conditions, levers);
    store.seed(1, &conditions.catalogue()).unwrap();
    Fresh { store, url }
}

/// Opens a seeded store on a fresh database.
pub fn open(server: &MariaDb, conditions: &Conditions, levers: Levers) -> Fresh {
    open_at(database(server), conditions, levers)
}

/// Opens another shop on a database.
pub fn beside(url: &str, conditions: &Conditions, levers: Levers) -> MysqlStore {
    let clock = Arc::clone(&conditions.clock) as Arc<dyn Clock>;
    MysqlStore::open(options(url, levers, clock)).unwrap()
}

/// Some product.
pub fn product(id: i64) -> ProductId {
    ProductId::new(id).unwrap()
}

/// An order of `user` for these (product, pieces), with a key when one is named.
pub fn order(user: &str, items: &[(i64, u32)], key: Option<&str>) -> PlaceOrder {
    let items = items
        .iter()
        .map(|(id, pieces)| (product(*id), Quantity::new(*pieces).unwrap()));
    PlaceOrder {
        user_id: UserId::new(user).unwrap(),
        lines: OrderLines::Items(items.collect()),
        payment_method: PaymentMethod::Unspecified,
        expected_total: None,
        key: key.map(|key| ClaimedKey {
            key: IdempotencyKey::new(key).unwrap(),
            fingerprint: Fingerprint([0xff; 16]),
        }),
    }
}

/// An order that must be placed.
pub async fn placed(store: &dyn Store, command: PlaceOrder) -> OrderReceipt {
    match store.place_order(command).await {
        Ok(PlaceOutcome::Placed(receipt)) => receipt,
        other => unreachable!("the order should have been placed: {other:?}"),
    }
}

/// A payment of this many yuan, without a key.
pub fn pay(order_id: OrderId, major: i64) -> PreparePayment {
    PreparePayment {
        order_id,
        amount: Money::from_minor(major * 100, CURRENCY),
        gateway: "sandbox",
        key: None,
    }
}

/// An attempt that must be prepared.
pub async fn prepared(store: &dyn Store, command: PreparePayment) -> Attempt {
    match store.prepare_payment(command).await {
        Ok(PayOutcome::Prepared(attempt)) => attempt,
        other => unreachable!("the payment should have been prepared: {other:?}"),
    }
}

/// The gateway's answer to an attempt.
pub const fn answered(attempt: &Attempt, answer: GatewayAnswer) -> FinalizePayment {
    FinalizePayment {
        order_id: attempt.order_id,
        attempt_id: attempt.attempt_id,
        answer,
    }
}

/// Adds pieces to a cart.
pub fn add(cart_id: Option<CartId>, id: i64, pieces: u32) -> AddToCart {
    AddToCart {
        cart_id,
        user_id: None,
        product_id: product(id),
        quantity: Quantity::new(pieces).unwrap(),
    }
}

/// A cart that must change.
pub async fn changed(store: &dyn Store, command: AddToCart) -> Cart {
    match store.add_to_cart(command).await {
        Ok(CartOutcome::Changed { cart, .. }) => cart,
        other => unreachable!("the cart should have changed: {other:?}"),
    }
}

/// One number from the database.
pub fn number(conn: &mut Conn, sql: &str) -> i64 {
    conn.query_first(sql).unwrap().unwrap()
}

/// That nothing contradicts anything: the rules of docs/SCHEMA.md that these tests can break.
pub fn assert_sound(url: &str) {
    let conn = &mut connect(url);
    for sql in [
        "SELECT COUNT(*) FROM stock WHERE received <> available + reserved + sold",
        "SELECT COUNT(*) FROM stock s WHERE s.reserved <> (SELECT COALESCE(SUM(l.quantity), 0) \
         FROM order_lines l JOIN orders o USING (order_id) WHERE l.product_id = s.product_id \
         AND o.state IN ('pending_payment', 'partially_paid'))",
        "SELECT COUNT(*) FROM stock s WHERE s.sold <> (SELECT COALESCE(SUM(l.quantity), 0) \
         FROM order_lines l JOIN orders o USING (order_id) WHERE l.product_id = s.product_id \
         AND o.state = 'paid')",
        "SELECT COUNT(*) FROM orders o WHERE o.total <> (SELECT SUM(quantity * unit_price) \
         FROM order_lines l WHERE l.order_id = o.order_id)",
        "SELECT COUNT(*) FROM orders o WHERE o.captured <> (SELECT COALESCE(SUM(amount), 0) \
         FROM payments p WHERE p.order_id = o.order_id AND p.state = 'captured')",
        "SELECT COUNT(*) FROM orders o WHERE (o.state = 'paid') <> (o.captured = o.total)",
    ] {
        assert_eq!(number(conn, sql), 0, "{sql}");
    }
}
