//! Cases about what is received later and what need not be kept for ever.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use double11_units::Quantity;

use crate::conformance::{
    Conditions, captured, finalized, key, order, pay, placed, prepared, product, refused, reserved,
};
use crate::{
    AddToCart, CartOutcome, Clock as _, GatewayAnswer, PayOutcome, PlaceOutcome, PlaceRefusal,
    Store,
};

const DAY: Duration = Duration::from_hours(24);

/// What was taken in can be sold at once, to the last piece, and the equation of the stock holds.
pub async fn restocked_pieces_are_sold<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let store = open(Conditions::with_stock(&[1, 1])).await;
    placed(&*store, order("a", &[(1, 1)])).await;
    assert_eq!(store.sold_out_products().await.unwrap(), [product(1)]);
    assert!(store.restock(product(1), 2).await.unwrap());
    assert!(store.sold_out_products().await.unwrap().is_empty());
    placed(&*store, order("b", &[(1, 2)])).await;
    assert_eq!(
        refused(&*store, order("c", &[(1, 1)])).await,
        PlaceRefusal::SoldOut(product(1))
    );
    // At once with an order: whichever comes first, nothing is lost.
    let (restocked, outcome) = tokio::join!(
        store.restock(product(2), 3),
        store.place_order(order("d", &[(2, 1)]))
    );
    assert!(restocked.unwrap());
    assert!(matches!(outcome.unwrap(), PlaceOutcome::Placed(_)));
    placed(&*store, order("e", &[(2, 3)])).await;
    assert_eq!(reserved(&*store).await, 7);
    assert!(!store.restock(product(9), 1).await.unwrap());
    assert!(store.product(product(9)).await.unwrap().is_none());
}

/// Old keys are free again; young ones, and those of payments in process, are kept.
pub async fn old_keys_are_deleted<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let conditions = Conditions::with_stock(&[9]);
    let clock = Arc::clone(&conditions.clock);
    let store = open(conditions).await;
    let purge = async |limit: u32| {
        let before = clock.now().minus(DAY);
        store.purge(before, before, limit).await.unwrap()
    };
    let keyed = |name: &str| {
        let mut command = order("a", &[(1, 1)]);
        command.key = Some(key(name, 1));
        command
    };
    let old = placed(&*store, keyed("old")).await;
    placed(&*store, keyed("old too")).await;
    let mut paying = pay(old.order_id, 1);
    paying.key = Some(key("paying", 1));
    let attempt = prepared(&*store, paying.clone()).await;
    clock.advance(DAY);
    let young = placed(&*store, keyed("young")).await;
    // Exactly a day old is not older than a day.
    assert_eq!(purge(10).await, 0);
    clock.advance(Duration::from_micros(1));
    assert_eq!(purge(1).await, 1);
    assert_eq!(purge(10).await, 1);
    assert_eq!(purge(10).await, 0);
    let again = store.place_order(keyed("young")).await.unwrap();
    assert_eq!(again, PlaceOutcome::Replayed(young));
    let again = store.prepare_payment(paying.clone()).await.unwrap();
    assert_eq!(again, PayOutcome::InProcess(attempt.attempt_id));
    let anew = placed(&*store, keyed("old")).await;
    assert_ne!(anew.order_id, old.order_id);
    // With its outcome the payment's key may go, and the order stays as it is.
    finalized(&*store, &attempt, GatewayAnswer::Captured).await;
    assert_eq!(purge(10).await, 1);
    let view = store.order(old.order_id).await.unwrap().unwrap();
    assert_eq!(view.payments.len(), 1);
    captured(&*store, anew.order_id, 1).await;
}

/// Carts that nobody has changed for long are gone, with their lines; what they became stays.
pub async fn old_carts_are_deleted<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let conditions = Conditions::with_stock(&[9]);
    let clock = Arc::clone(&conditions.clock);
    let store = open(conditions).await;
    let add = async |cart_id| {
        let command = AddToCart {
            cart_id,
            user_id: None,
            product_id: product(1),
            quantity: Quantity::new(1).unwrap(),
        };
        match store.add_to_cart(command).await.unwrap() {
            CartOutcome::Changed { cart, .. } => cart.cart_id,
            CartOutcome::Refused(refusal) => unreachable!("refused: {refusal:?}"),
        }
    };
    let (left, changed, ordered) = (add(None).await, add(None).await, add(None).await);
    let mut by_cart = order("a", &[]);
    by_cart.lines = crate::OrderLines::Cart(ordered);
    let receipt = placed(&*store, by_cart).await;
    clock.advance(DAY);
    add(Some(changed)).await;
    clock.advance(Duration::from_secs(1));
    let before = clock.now().minus(DAY);
    assert_eq!(store.purge(before, before, 10).await.unwrap(), 2);
    assert!(store.cart(left).await.unwrap().is_none());
    assert!(store.cart(ordered).await.unwrap().is_none());
    let kept = store.cart(changed).await.unwrap().unwrap();
    assert_eq!(kept.lines[0].quantity.get(), 2);
    let view = store.order(receipt.order_id).await.unwrap().unwrap();
    assert_eq!(view.lines.len(), 1);
}
