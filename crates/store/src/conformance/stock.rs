//! Cases about stock and the catalogue.

use std::ops::Deref;
use std::sync::Arc;

use crate::conformance::{
    Conditions, PAYMENT_WINDOW, order, placed, product, refused, reserved, state, yuan,
};
use crate::{CancelOutcome, CancelRefusal, Category, OrderState, PageRequest, PlaceRefusal, Store};
use double11_units::OrderId;

/// Sells until nothing is left, then refuses, and tells what it sold.
pub async fn sells_and_refuses<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let store = open(Conditions::with_stock(&[3, 5])).await;
    let receipt = placed(&*store, order("a", &[(1, 2), (2, 1)])).await;
    assert_eq!(receipt.total, yuan(4));
    assert_eq!(reserved(&*store).await, 3);
    assert_eq!(
        refused(&*store, order("b", &[(1, 2)])).await,
        PlaceRefusal::SoldOut(product(1))
    );
    placed(&*store, order("c", &[(1, 1)])).await;
    assert_eq!(
        refused(&*store, order("d", &[(1, 1)])).await,
        PlaceRefusal::SoldOut(product(1))
    );
    let view = store.order(receipt.order_id).await.unwrap().unwrap();
    assert_eq!(view.order.state, OrderState::PendingPayment);
    assert_eq!(view.order.total, yuan(4));
    assert_eq!(
        view.order.expires_at.since(view.order.created_at),
        PAYMENT_WINDOW
    );
    let lines: Vec<_> = view
        .lines
        .iter()
        .map(|l| (l.product_id, l.quantity.get()))
        .collect();
    assert_eq!(lines, [(product(1), 2), (product(2), 1)]);
    assert!(
        store
            .order(OrderId::new(1).unwrap())
            .await
            .unwrap()
            .is_none()
    );
}

/// An order that cannot have all its lines takes none.
pub async fn all_or_nothing<S: Deref<Target = dyn Store>>(open: impl AsyncFnOnce(Conditions) -> S) {
    let store = open(Conditions::with_stock(&[9, 1, 9])).await;
    let wanted = order("a", &[(1, 4), (2, 2), (3, 1)]);
    assert_eq!(
        refused(&*store, wanted).await,
        PlaceRefusal::SoldOut(product(2))
    );
    assert_eq!(reserved(&*store).await, 0);
    placed(&*store, order("b", &[(1, 9), (2, 1), (3, 9)])).await;
}

/// Cancelling gives the stock back, once.
pub async fn cancelling_gives_back<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let store = open(Conditions::with_stock(&[1])).await;
    let first = placed(&*store, order("a", &[(1, 1)])).await;
    for _ in 0..2 {
        let cancelled = store.cancel_order(first.order_id).await.unwrap();
        assert!(
            matches!(cancelled, CancelOutcome::Cancelled(_)),
            "{cancelled:?}"
        );
        assert_eq!(reserved(&*store).await, 0);
    }
    assert_eq!(state(&*store, first.order_id).await, OrderState::Cancelled);
    placed(&*store, order("b", &[(1, 1)])).await;
    assert_eq!(
        refused(&*store, order("c", &[(1, 1)])).await,
        PlaceRefusal::SoldOut(product(1))
    );
    let unknown = store.cancel_order(OrderId::new(1).unwrap()).await.unwrap();
    assert_eq!(unknown, CancelOutcome::Refused(CancelRefusal::UnknownOrder));
}

/// Orders expire when their time has come, not before, at most as many as asked for.
pub async fn expiry_gives_back<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let conditions = Conditions::with_stock(&[3]);
    let clock = Arc::clone(&conditions.clock);
    let store = open(conditions).await;
    let mut orders = Vec::new();
    for buyer in ["a", "b", "c"] {
        orders.push(placed(&*store, order(buyer, &[(1, 1)])).await);
    }
    clock.advance(PAYMENT_WINDOW.saturating_sub(std::time::Duration::from_secs(1)));
    assert_eq!(store.expire_due(10).await.unwrap(), 0);
    clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(store.expire_due(2).await.unwrap(), 2);
    assert_eq!(store.expire_due(2).await.unwrap(), 1);
    assert_eq!(store.expire_due(2).await.unwrap(), 0);
    assert_eq!(reserved(&*store).await, 0);
    for receipt in &orders {
        assert_eq!(state(&*store, receipt.order_id).await, OrderState::Expired);
        let cancel = store.cancel_order(receipt.order_id).await.unwrap();
        assert_eq!(cancel, CancelOutcome::Refused(CancelRefusal::Expired));
    }
    placed(&*store, order("d", &[(1, 3)])).await;
}

/// A product that does not exist is refused, whatever else is in the order.
pub async fn refuses_unknown_products<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let store = open(Conditions::with_stock(&[3])).await;
    let refusal = refused(&*store, order("a", &[(1, 1), (7, 1)])).await;
    assert_eq!(refusal, PlaceRefusal::UnknownProduct(product(7)));
    assert_eq!(reserved(&*store).await, 0);
    assert!(store.product(product(7)).await.unwrap().is_none());
}

/// A total that the buyer did not see is refused with the right one.
pub async fn refuses_a_changed_total<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let store = open(Conditions::with_stock(&[3, 3])).await;
    let mut command = order("a", &[(2, 2)]);
    command.expected_total = Some(yuan(3));
    let refusal = refused(&*store, command.clone()).await;
    assert_eq!(refusal, PlaceRefusal::TotalChanged(yuan(4)));
    command.expected_total = Some(yuan(4));
    placed(&*store, command).await;
}

/// Lists exactly the products of which nothing is left.
pub async fn lists_what_is_sold_out<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let store = open(Conditions::with_stock(&[1, 2, 1])).await;
    assert!(store.sold_out_products().await.unwrap().is_empty());
    let receipt = placed(&*store, order("a", &[(1, 1), (2, 1), (3, 1)])).await;
    assert_eq!(
        store.sold_out_products().await.unwrap(),
        [product(1), product(3)]
    );
    assert!(!store.product(product(1)).await.unwrap().unwrap().in_stock);
    assert!(store.product(product(2)).await.unwrap().unwrap().in_stock);
    store.cancel_order(receipt.order_id).await.unwrap();
    assert!(store.sold_out_products().await.unwrap().is_empty());
}

/// Pages, searches and random picks tell of the catalogue as it was seeded.
pub async fn finds_products<S: Deref<Target = dyn Store>>(open: impl AsyncFnOnce(Conditions) -> S) {
    let store = open(Conditions::with_stock(&[1; 12])).await;
    assert_eq!(store.catalogue().await.unwrap().len(), 12);
    let page = |category, after, limit| PageRequest {
        category,
        after,
        limit,
    };
    let first = store.products(page(None, None, 5)).await.unwrap();
    assert_eq!(
        first
            .iter()
            .map(|p| p.product.product_id.get())
            .collect::<Vec<_>>(),
        [1, 2, 3, 4, 5]
    );
    let rest = store
        .products(page(None, Some(product(10)), 5))
        .await
        .unwrap();
    assert_eq!(
        rest.iter()
            .map(|p| p.product.product_id.get())
            .collect::<Vec<_>>(),
        [11, 12]
    );
    let digital = store
        .products(page(Some(Category::Digital), Some(product(4)), 5))
        .await
        .unwrap();
    assert_eq!(
        digital
            .iter()
            .map(|p| p.product.product_id.get())
            .collect::<Vec<_>>(),
        [9]
    );
    let found = store.search("商品1".to_owned(), 2).await.unwrap();
    assert_eq!(found.total, 4);
    assert_eq!(
        found
            .items
            .iter()
            .map(|p| p.product.product_id.get())
            .collect::<Vec<_>>(),
        [1, 10]
    );
    assert_eq!(
        store
            .search("TEST PRODUCT 12".to_owned(), 9)
            .await
            .unwrap()
            .total,
        1
    );
    assert_eq!(store.search("%".to_owned(), 9).await.unwrap().total, 0);
    assert_eq!(store.search("_".to_owned(), 9).await.unwrap().total, 0);
    assert_eq!(store.search("數碼".to_owned(), 9).await.unwrap().total, 2);
    let random = store.random_product().await.unwrap().unwrap();
    assert!((1..=12).contains(&random.product.product_id.get()));
}
