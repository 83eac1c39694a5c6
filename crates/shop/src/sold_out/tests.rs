//! When an observation refuses an order, and when it must not.

use std::time::Duration;

use double11_store::{
    ClaimedKey, Fingerprint, OrderLines, PaymentMethod, PlaceOrder, SoldOutFlag, Stopwatch,
};
use double11_units::{CartId, Currency, IdempotencyKey, Money, ProductId, Quantity, UserId};

use super::{HONOURED, SoldOut};

fn id(product: i64) -> ProductId {
    ProductId::new(product).unwrap()
}

fn order(products: &[i64]) -> PlaceOrder {
    let one = Quantity::new(1).unwrap();
    PlaceOrder {
        user_id: UserId::new("7").unwrap(),
        lines: OrderLines::Items(products.iter().map(|product| (id(*product), one)).collect()),
        payment_method: PaymentMethod::Card,
        expected_total: None,
        key: None,
    }
}

/// A table that is old enough for any age of an observation.
async fn table() -> SoldOut {
    let table = SoldOut::new(100);
    tokio::time::sleep(HONOURED + Duration::from_millis(50)).await;
    table
}

fn flag(product: i64, age: Duration) -> SoldOutFlag {
    SoldOutFlag {
        product_id: id(product),
        age,
    }
}

#[tokio::test]
async fn an_order_is_refused_only_where_the_store_would_say_the_same() {
    let table = table().await;
    table.saw(id(7), Stopwatch::start());
    assert_eq!(table.refuses(&order(&[7])), Some(id(7)));
    assert_eq!(table.refuses(&order(&[3, 7, 9])), Some(id(7)));
    assert_eq!(table.refuses(&order(&[3, 9])), None);
    assert_eq!(table.refuses(&order(&[7, 101])), None, "404 comes first");
    let with_key = PlaceOrder {
        key: Some(ClaimedKey {
            key: IdempotencyKey::new("k").unwrap(),
            fingerprint: Fingerprint([0; 16]),
        }),
        ..order(&[7])
    };
    assert_eq!(
        table.refuses(&with_key),
        None,
        "it may have been placed before"
    );
    let with_total = PlaceOrder {
        expected_total: Some(Money::from_minor(1, Currency::Cny)),
        ..order(&[7])
    };
    assert_eq!(
        table.refuses(&with_total),
        None,
        "its total may have changed"
    );
    let from_cart = PlaceOrder {
        lines: OrderLines::Cart(CartId::new(1).unwrap()),
        ..order(&[7])
    };
    assert_eq!(table.refuses(&from_cart), None);
}

#[tokio::test]
async fn an_observation_is_honoured_for_less_than_a_second() {
    let table = table().await;
    let asked = Stopwatch::start();
    // The age counts from before the store was asked, however long it took.
    tokio::time::sleep(Duration::from_millis(400)).await;
    table.saw(id(7), asked);
    table.heard(
        Stopwatch::start(),
        &[flag(8, Duration::from_millis(400)), flag(9, HONOURED)],
    );
    assert!(table.refuses(&order(&[7])).is_some());
    assert!(table.refuses(&order(&[8])).is_some());
    assert!(
        table.refuses(&order(&[9])).is_none(),
        "too old when it was heard"
    );
    tokio::time::sleep(Duration::from_millis(450)).await;
    assert!(table.refuses(&order(&[7])).is_none());
    assert!(table.refuses(&order(&[8])).is_none());
}

#[tokio::test]
async fn the_list_of_all_counts_unless_something_was_seen_since() {
    let table = table().await;
    table.saw(id(7), Stopwatch::start());
    table.saw(id(8), Stopwatch::start());
    let told = table.take_news();
    assert_eq!((told.sold_out.len(), told.in_stock.len()), (2, 0));
    tokio::time::sleep(Duration::from_millis(2)).await;
    let asked = Stopwatch::start();
    tokio::time::sleep(Duration::from_millis(2)).await;
    // Sold out again while the list was being made.
    table.saw(id(8), Stopwatch::start());
    table.list(asked, &[id(1), id(100)]);
    assert!(table.refuses(&order(&[7])).is_none(), "it is back");
    for sold_out in [1, 8, 100] {
        assert!(table.refuses(&order(&[sold_out])).is_some(), "{sold_out}");
    }
    let told = table.take_news();
    let ids = |news: &[(ProductId, Stopwatch)]| -> Vec<i64> {
        news.iter().map(|(product, _)| product.get()).collect()
    };
    assert_eq!(
        (ids(&told.sold_out), ids(&told.in_stock)),
        (vec![8], vec![7])
    );
    // What others saw before the list is no news.
    table.heard(asked, &[flag(7, Duration::from_millis(10))]);
    assert!(table.refuses(&order(&[7])).is_none());
    table.heard(Stopwatch::start(), &[flag(7, Duration::ZERO)]);
    assert!(table.refuses(&order(&[7])).is_some());
}

#[tokio::test]
async fn only_what_was_not_known_is_told_at_once() {
    let table = table().await;
    let told = async |table: &SoldOut| {
        let waiting = tokio::time::timeout(Duration::from_millis(5), table.has_news());
        waiting.await.is_ok()
    };
    assert!(!told(&table).await);
    table.saw(id(7), Stopwatch::start());
    assert!(told(&table).await);
    table.saw(id(7), Stopwatch::start());
    assert!(!told(&table).await);
    assert_eq!(table.take_news().sold_out.len(), 1);
}
