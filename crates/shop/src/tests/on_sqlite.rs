//! The shop on its real store: what must hold together, and nothing that the store's own suite covers.

use std::sync::Arc;
use std::time::Duration;

use double11_store::{Levers, StockPolicy, Store, SystemClock};
use double11_store_sqlite::{SqliteOptions, SqliteStore};
use double11_units::Currency;
use serde_json::Value;

use super::client::Client;
use super::{PRODUCTS, metrics, sandbox, settings, variants};
use crate::{Dependencies, Running, Shop, catalogue};

struct OnSqlite {
    shop: Running,
    store: Arc<SqliteStore>,
    folder: tempfile::TempDir,
}

async fn start(levers: Levers) -> OnSqlite {
    let folder = tempfile::tempdir().unwrap();
    let metrics = metrics();
    let options = SqliteOptions {
        path: folder.path().join("shop.db"),
        levers,
        stock_policy: StockPolicy::Guarded,
        payment_window: Duration::from_mins(15),
        currency: Currency::Cny,
        pool_size: 4,
        queue_max: 1_024,
        group_max: 256,
        clock: Arc::new(SystemClock),
        observer: Arc::clone(&metrics) as _,
    };
    let store = Arc::new(SqliteStore::open(options).unwrap());
    store
        .seed(11, &catalogue::generate(11, PRODUCTS, Currency::Cny))
        .unwrap();
    let dependencies = Dependencies {
        store: Arc::clone(&store) as _,
        gateway: Arc::new(sandbox(folder.path())),
        clock: Arc::new(SystemClock),
        metrics,
        cache: None,
    };
    let shop = Shop::start(settings(levers), dependencies).await.unwrap();
    OnSqlite {
        shop,
        store,
        folder,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_buyers_at_once_are_served_and_counted() {
    for levers in variants() {
        let fixture = start(levers).await;
        let addr = fixture.shop.local_addr();
        let mut buyers = tokio::task::JoinSet::new();
        for buyer in 0..40_u32 {
            buyers.spawn(async move { buy(Client::connect(addr).await, buyer).await });
        }
        let mut captured = 0;
        while let Some(paid) = buyers.join_next().await {
            captured += u32::from(paid.unwrap());
        }
        assert_eq!(captured, 40);
        let mut client = Client::connect(addr).await;
        let scrape = client.get("/actuator/prometheus").await;
        let scrape = String::from_utf8(scrape.body).unwrap();
        for line in [
            "ecommerce_orders_total{payment_method=\"unspecified\",status=\"success\"} 40",
            "ecommerce_payments_total{currency=\"CNY\",gateway=\"sandbox\",status=\"success\"} 40",
            "ecommerce_carts_converted_total 20",
        ] {
            assert!(scrape.contains(line), "{line}");
        }
        let report = fixture.shop.shutdown().await;
        assert_eq!(report.connections_cut, 0);
        let figures = fixture.store.figures().await.unwrap();
        assert_eq!((figures.oversold_products, figures.reserved_units), (0, 0));
        fixture.store.close().await.unwrap();
        let ledger = std::fs::read_to_string(fixture.folder.path().join("shop.gateway")).unwrap();
        assert_eq!(ledger.matches("\"captured\"").count(), 40);
    }
}

/// Browses, fills a cart, orders (every second buyer from the cart) and pays; tells whether it did.
async fn buy(mut client: Client, buyer: u32) -> bool {
    assert_eq!(client.get("/api/products/random").await.status, 200);
    assert_eq!(
        client.get("/api/search?q=%E6%89%8B%E6%A9%9F").await.status,
        200
    );
    let item = format!(r#"{{"product_id":{},"quantity":2}}"#, 1 + buyer % 5);
    let cart = client.post("/api/cart", &item).await;
    assert_eq!(cart.status, 201, "{cart:?}");
    let cart_id = cart.text("cart_id");
    assert_eq!(
        client.get(&format!("/api/cart/{cart_id}")).await.json(),
        cart.json()
    );
    let order = if buyer.is_multiple_of(2) {
        format!(r#"{{"user_id":{buyer},"items":[{item}]}}"#)
    } else {
        format!(r#"{{"user_id":{buyer},"cart_id":"{cart_id}"}}"#)
    };
    let placed = client.post_with_key("/api/orders", "order", &order).await;
    assert_eq!(placed.status, 201, "{placed:?}");
    let replay = client.post_with_key("/api/orders", "order", &order).await;
    assert_eq!((replay.status, replay.json()), (201, placed.json()));
    let order_id = placed.text("order_id");
    let total: Value = placed.json()["total"].clone();
    let payment = format!(r#"{{"order_id":"{order_id}","amount":{total}}}"#);
    let paid = client
        .post_with_key("/api/payments", "payment", &payment)
        .await;
    let again = client
        .post_with_key("/api/payments", "payment", &payment)
        .await;
    assert_eq!((again.status, again.json()), (paid.status, paid.json()));
    let view = client.get(&format!("/api/orders/{order_id}")).await.json();
    paid.status == 201 && view["status"] == "paid" && view["captured"] == total
}
