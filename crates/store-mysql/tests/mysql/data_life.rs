//! Restocking and forgetting.

use std::time::Duration;

use double11_store::Store as _;
use double11_store::conformance::Conditions;
use double11_store::{Clock, GatewayAnswer, PlaceOutcome, PlaceRefusal, Variant};
use double11_units::UnixMicros;

use crate::common::{add, answered, changed, open, order, pay, placed, prepared, product, server};

#[tokio::test]
async fn received_pieces_are_available_at_once() {
    let fresh = open(
        server(),
        &Conditions::with_stock(&[1]),
        Variant::Optimized.levers(),
    );
    placed(&*fresh, order("a", &[(1, 1)], None)).await;
    let short = fresh
        .place_order(order("b", &[(1, 2)], None))
        .await
        .unwrap();
    assert_eq!(
        short,
        PlaceOutcome::Refused(PlaceRefusal::SoldOut(product(1)))
    );
    assert!(fresh.store.restock(product(1), 2).await.unwrap());
    assert!(!fresh.store.restock(product(2), 2).await.unwrap());
    placed(&*fresh, order("b", &[(1, 2)], None)).await;
    assert_eq!(fresh.figures().await.unwrap().oversold_products, 0);
}

#[tokio::test]
async fn old_keys_and_carts_go_but_not_those_of_running_payments() {
    let conditions = Conditions::with_stock(&[9, 9]);
    let fresh = open(server(), &conditions, Variant::Tuned.levers());
    let store = &fresh.store;
    let keyed = |name: &str| order("a", &[(1, 1)], Some(name));
    let first = placed(store, keyed("k1")).await;
    placed(store, keyed("k2")).await;
    let mut command = pay(first.order_id, 1);
    command.key = keyed("p").key;
    let attempt = prepared(store, command).await;
    let cart = changed(store, add(None, 1, 1)).await;
    changed(store, add(Some(cart.cart_id), 2, 1)).await;
    conditions.clock.advance(Duration::from_hours(25));
    let young = changed(store, add(None, 1, 1)).await;
    placed(store, keyed("k3")).await;
    let now = conditions.clock.now();
    let day_ago = UnixMicros::new(now.get() - 24 * 3_600_000_000);

    assert_eq!(store.purge(day_ago, day_ago, 1).await.unwrap(), 1);
    assert_eq!(store.purge(day_ago, day_ago, 9).await.unwrap(), 2);
    assert_eq!(store.purge(day_ago, day_ago, 9).await.unwrap(), 0);
    assert!(fresh.cart(cart.cart_id).await.unwrap().is_none());
    assert!(fresh.cart(young.cart_id).await.unwrap().is_some());
    let replay = fresh.place_order(keyed("k3")).await.unwrap();
    assert!(matches!(replay, PlaceOutcome::Replayed(_)), "{replay:?}");
    placed(store, keyed("k1")).await;

    fresh
        .finalize_payment(answered(&attempt, GatewayAnswer::Captured))
        .await
        .unwrap();
    assert_eq!(store.purge(day_ago, day_ago, 9).await.unwrap(), 1);
    let lines = crate::common::number(
        &mut crate::common::connect(&fresh.url),
        "SELECT COUNT(*) FROM cart_lines",
    );
    assert_eq!(lines, 1, "lines go with their cart");
}
