//! A shop that writes in groups takes stock of which there was plenty without reading its level. What
//! another shop took meanwhile must never be sold twice, and what is refused must be sold out.

use std::sync::Arc;

use double11_store::conformance::Conditions;
use double11_store::{PlaceOutcome, PlaceRefusal, Store, Variant};
use double11_store_mysql::MysqlStore;
use mysql::prelude::Queryable as _;
use tokio::task::JoinSet;

use crate::common::{Fresh, assert_sound, beside, connect, open_at, order, placed, product};

/// Pieces of each product: far more than may be hoped for without looking.
const PLENTY: u32 = 4_000;

fn sold_out(outcome: &PlaceOutcome, id: i64) -> bool {
    matches!(outcome, PlaceOutcome::Refused(PlaceRefusal::SoldOut(short)) if *short == product(id))
}

async fn shop(url: String) -> Fresh {
    let conditions = Conditions::with_stock(&[PLENTY, PLENTY]);
    let fresh = open_at(url, &conditions, Variant::Optimized.levers());
    // The first order reads the levels, the second need not.
    let items = [(1, 1), (2, 1)];
    placed(&*fresh, order("a", &items, None)).await;
    let before = fresh.store.round_trips();
    placed(&*fresh, order("a", &items, None)).await;
    assert_eq!(fresh.store.round_trips() - before, 2, "it is hoped for");
    fresh
}

/// A hope that fails is an exact answer, and no damage to others of its group.
pub(crate) async fn fail(url: String) {
    let fresh = shop(url).await;
    let connection = &mut connect(&fresh.url);
    let by_another = "UPDATE stock SET sold = sold + available, available = 0 WHERE product_id = 1";
    connection.query_drop(by_another).unwrap();
    let alone = fresh.place_order(order("b", &[(1, 1)], None)).await;
    assert!(sold_out(&alone.unwrap(), 1), "it is sold out");
    let last = "UPDATE stock SET sold = sold + available - 5, available = 5 WHERE product_id = 2";
    connection.query_drop(last).unwrap();
    let mut orders = JoinSet::new();
    for buyer in 0..20 {
        orders.spawn(fresh.place_order(order(&buyer.to_string(), &[(2, 1)], Some("k"))));
    }
    let outcomes: Vec<_> = orders.join_all().await.into_iter().flatten().collect();
    let placed = |outcome: &&PlaceOutcome| matches!(outcome, PlaceOutcome::Placed(_));
    assert_eq!(outcomes.iter().filter(placed).count(), 5);
    let refused = outcomes.iter().filter(|outcome| sold_out(outcome, 2));
    assert_eq!(refused.count(), 15);
}

/// What another shop took in since is sold as well: nobody is refused because of what is remembered.
pub(crate) async fn low(url: String) {
    let fresh = shop(url).await;
    let connection = &mut connect(&fresh.url);
    let by_another = "UPDATE stock SET received = received + 9000, available = available + 9000 WHERE product_id = 1";
    connection.query_drop(by_another).unwrap();
    let mut orders = JoinSet::new();
    for buyer in 0..80 {
        orders.spawn(fresh.place_order(order(&buyer.to_string(), &[(1, 99)], None)));
    }
    for outcome in orders.join_all().await {
        let outcome = outcome.unwrap();
        assert!(matches!(outcome, PlaceOutcome::Placed(_)), "{outcome:?}");
    }
    assert_sound(&fresh.url);
}

/// Shops that sell the same product out, from plenty to the last piece, sell exactly what there is.
pub(crate) async fn end(url: String) {
    const PIECES: u32 = 25;
    let fresh = shop(url).await;
    let conditions = Conditions::with_stock(&[PLENTY, PLENTY]);
    let shops: Vec<Arc<MysqlStore>> = (0..3)
        .map(|_| Arc::new(beside(&fresh.url, &conditions, Variant::Optimized.levers())))
        .collect();
    let mut orders = JoinSet::new();
    for buyer in 0..400 {
        let items = if buyer % 2 == 0 {
            vec![(1, PIECES), (2, PIECES)]
        } else {
            vec![(2, PIECES), (1, PIECES)]
        };
        orders.spawn(shops[buyer % 3].place_order(order(&buyer.to_string(), &items, Some("k"))));
    }
    let (mut placed, mut refused) = (0, 0);
    for outcome in orders.join_all().await {
        match outcome.unwrap() {
            PlaceOutcome::Placed(_) => placed += 1,
            PlaceOutcome::Refused(PlaceRefusal::SoldOut(_)) => refused += 1,
            other => unreachable!("{other:?}"),
        }
    }
    // Two pieces of each went before.
    let most = (PLENTY - 2) / PIECES;
    assert_eq!((placed, refused), (most, 400 - most));
    let reserved = u64::from(2 * (2 + most * PIECES));
    assert_eq!(fresh.figures().await.unwrap().reserved_units, reserved);
    assert_sound(&fresh.url);
}
