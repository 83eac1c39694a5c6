//! How many round trips to the server a request takes, each with one statement or more: held exactly.

use std::sync::Arc;

use double11_store::conformance::{Conditions, PAYMENT_WINDOW};
use double11_store::{GatewayAnswer, OrderLines, PageRequest, RemoveFromCart, Store, Variant};
use double11_store_mysql::MysqlStore;

use mysql::prelude::Queryable;

use crate::common::{
    add, answered, changed, connect, database, open, options, order, pay, placed, prepared,
    product, server,
};

/// What was sent, by the name of the request.
struct Counter<'store> {
    store: &'store MysqlStore,
    counts: Vec<(&'static str, u64)>,
}

impl Counter<'_> {
    /// The request is made inside, because writes are queued when they are asked for.
    async fn count<T>(&mut self, what: &'static str, request: impl AsyncFnOnce() -> T) -> T {
        let before = self.store.round_trips();
        let answer = request().await;
        let sent = self.store.round_trips() - before;
        self.counts.push((what, sent));
        answer
    }
}

/// Sends every request once, after a first of its kind.
async fn count_all(store: &MysqlStore, conditions: &Conditions) -> Vec<(&'static str, u64)> {
    placed(store, order("w", &[(1, 1), (2, 1)], Some("w"))).await;
    let mut counter = Counter {
        store,
        counts: Vec::new(),
    };
    catalogue(&mut counter).await;
    let command = || order("a", &[(1, 1)], Some("k"));
    let receipt = counter
        .count("order", async || placed(store, command()).await)
        .await;
    let again = counter.count("order again", async || store.place_order(command()).await);
    again.await.unwrap();
    let too_many = || order("a", &[(1, 900)], Some("k2"));
    let refused = counter.count("order refused", async || {
        store.place_order(too_many()).await
    });
    refused.await.unwrap();
    let read = counter.count("order read", async || store.order(receipt.order_id).await);
    read.await.unwrap();
    carts(&mut counter).await;
    payments(&mut counter, receipt.order_id).await;
    conditions.clock.advance(PAYMENT_WINDOW * 2);
    let expired = counter.count("expire one", async || store.expire_due(1).await);
    assert_eq!(expired.await.unwrap(), 1);
    while store.expire_due(9).await.unwrap() > 0 {}
    let none = counter.count("expire none", async || store.expire_due(9).await);
    assert_eq!(none.await.unwrap(), 0);
    let figures = counter.count("figures", async || store.figures().await);
    figures.await.unwrap();
    counter
        .count("ping", async || store.ping().await)
        .await
        .unwrap();
    counter.counts
}

async fn catalogue(counter: &mut Counter<'_>) {
    let store = counter.store;
    store.ping().await.unwrap();
    let page = PageRequest {
        category: None,
        after: None,
        limit: 5,
    };
    let all = counter.count("catalogue", async || store.catalogue().await);
    all.await.unwrap();
    let gone = counter.count("sold out", async || store.sold_out_products().await);
    gone.await.unwrap();
    let one = counter.count("product", async || store.product(product(1)).await);
    one.await.unwrap();
    let some = counter.count("random product", async || store.random_product().await);
    some.await.unwrap();
    let some = counter.count("page", async || store.products(page).await);
    some.await.unwrap();
    let found = counter.count("search", async || store.search("1".to_owned(), 5).await);
    found.await.unwrap();
}

async fn carts(counter: &mut Counter<'_>) {
    let store = counter.store;
    let cart = counter
        .count("cart made", async || changed(store, add(None, 1, 1)).await)
        .await;
    let cart_id = cart.cart_id;
    counter
        .count("cart grown", async || {
            changed(store, add(Some(cart_id), 2, 1)).await
        })
        .await;
    let remove = RemoveFromCart {
        cart_id,
        product_id: product(1),
    };
    let shrunk = counter.count("cart shrunk", async || store.remove_from_cart(remove).await);
    shrunk.await.unwrap();
    let read = counter.count("cart read", async || store.cart(cart_id).await);
    read.await.unwrap();
    let mut command = order("c", &[], None);
    command.lines = OrderLines::Cart(cart_id);
    let receipt = counter
        .count("cart ordered", async || placed(store, command).await)
        .await;
    let cancel = counter.count("cancel", async || {
        store.cancel_order(receipt.order_id).await
    });
    cancel.await.unwrap();
}

async fn payments(counter: &mut Counter<'_>, order_id: double11_units::OrderId) {
    let store = counter.store;
    let partly = placed(store, order("p", &[(2, 1)], None)).await;
    let mut keyed = pay(order_id, 1);
    keyed.key = order("a", &[], Some("p")).key;
    let attempt = counter
        .count("prepare", async || prepared(store, keyed).await)
        .await;
    let captured = counter.count("finalize, paid", async || {
        let captured = answered(&attempt, GatewayAnswer::Captured);
        store.finalize_payment(captured).await
    });
    captured.await.unwrap();
    let part = prepared(store, pay(partly.order_id, 1)).await;
    let captured = counter.count("finalize, part", async || {
        let captured = answered(&part, GatewayAnswer::Captured);
        store.finalize_payment(captured).await
    });
    captured.await.unwrap();
    let rest = prepared(store, pay(partly.order_id, 1)).await;
    let declined = counter.count("finalize, declined", async || {
        let declined = answered(&rest, GatewayAnswer::Declined);
        store.finalize_payment(declined).await
    });
    declined.await.unwrap();
    let unresolved = counter.count("unresolved", async || {
        store.unresolved_payments("sandbox", 9).await
    });
    unresolved.await.unwrap();
    store.cancel_order(partly.order_id).await.unwrap();
    let refunds = counter.count("refunds", async || {
        store.pending_refunds("sandbox", 9).await
    });
    assert_eq!(refunds.await.unwrap().len(), 1);
    let finish = counter.count("finish refund", async || {
        store.finish_refund(part.order_id, part.attempt_id).await
    });
    finish.await.unwrap();
}

fn table(counts: &[(&'static str, u64)]) -> String {
    let rows = counts
        .iter()
        .map(|(what, sent)| format!("{what}: {sent}\n"));
    rows.collect()
}

#[tokio::test]
async fn of_the_baseline() {
    let conditions = Conditions::with_stock(&[9; 20]);
    let fresh = open(server(), &conditions, Variant::Baseline.levers());
    let counts = count_all(&fresh.store, &conditions).await;
    assert_eq!(table(&counts), include_str!("statements_baseline.txt"));
}

#[tokio::test]
async fn of_the_optimized_shop() {
    let conditions = Conditions::with_stock(&[9; 20]);
    let fresh = open(server(), &conditions, Variant::Optimized.levers());
    let counts = count_all(&fresh.store, &conditions).await;
    assert_eq!(table(&counts), include_str!("statements_optimized.txt"));
}

/// A full group takes few round trips more than a group of one.
#[tokio::test]
async fn of_a_group_of_many_orders() {
    let conditions = Conditions::with_stock(&[900; 20]);
    let url = database(server());
    let clock = Arc::clone(&conditions.clock);
    let mut options = options(&url, Variant::Optimized.levers(), clock);
    options.group_max = 256;
    let store = MysqlStore::open(options).unwrap();
    store.seed(1, &conditions.catalogue()).unwrap();
    // The first order reads the prices.
    let all: Vec<(i64, u32)> = (1..=20).map(|id| (id, 1)).collect();
    placed(&store, order("w", &all, None)).await;
    // While the writer waits for a row with a group of one, the others collect.
    let lock = &mut connect(&url);
    lock.query_drop("BEGIN").unwrap();
    lock.query_drop("SELECT * FROM stock WHERE product_id = 1 FOR UPDATE")
        .unwrap();
    let before = store.round_trips();
    let first = store.place_order(order("w", &[(1, 1)], None));
    let begun = before + 2;
    while store.round_trips() < begun {
        tokio::task::yield_now().await;
    }
    let answers: Vec<_> = (0..256_i64)
        .map(|number| {
            let items = [(1 + number % 19, 1), (20, 1)];
            store.place_order(order("a", &items, Some(&format!("k{number:03}"))))
        })
        .collect();
    lock.query_drop("COMMIT").unwrap();
    first.await.unwrap();
    for answer in answers {
        answer.await.unwrap();
    }
    let sent = store.round_trips() - begun;
    assert!(sent <= 12, "{sent} round trips for 257 orders");
}
