//! Cases about carts.

use std::ops::Deref;

use crate::cart::LINES_MAX;
use crate::conformance::{Conditions, placed, product, refused, user, yuan};
use crate::{
    AddToCart, Cart, CartOutcome, CartRefusal, OrderLines, PaymentMethod, PlaceOrder, PlaceRefusal,
    RemoveFromCart, Store,
};
use double11_units::{CartId, Quantity};

fn add(cart_id: Option<CartId>, id: i64, pieces: u32) -> AddToCart {
    let quantity = Quantity::new(pieces).expect("tests add pieces");
    AddToCart {
        cart_id,
        user_id: None,
        product_id: product(id),
        quantity,
    }
}

async fn changed(store: &dyn Store, command: AddToCart) -> Cart {
    match store.add_to_cart(command).await {
        Ok(CartOutcome::Changed { cart, .. }) => cart,
        other => unreachable!("the cart should have changed: {other:?}"),
    }
}

fn order_of(cart_id: CartId, buyer: &str) -> PlaceOrder {
    PlaceOrder {
        user_id: user(buyer),
        lines: OrderLines::Cart(cart_id),
        payment_method: PaymentMethod::Unspecified,
        expected_total: None,
        key: None,
    }
}

/// Lines add up, can be taken out, and every change has a higher version.
pub async fn grows_and_shrinks<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let store = open(Conditions::with_stock(&[9, 9])).await;
    let cart = changed(&*store, add(None, 2, 1)).await;
    let cart = changed(&*store, add(Some(cart.cart_id), 1, 2)).await;
    let cart = changed(&*store, add(Some(cart.cart_id), 2, 3)).await;
    assert_eq!(cart.total, yuan(10));
    assert_eq!(store.cart(cart.cart_id).await.unwrap().unwrap(), cart);
    let remove = RemoveFromCart {
        cart_id: cart.cart_id,
        product_id: product(2),
    };
    let CartOutcome::Changed { cart: after, .. } = store.remove_from_cart(remove).await.unwrap()
    else {
        unreachable!("the line was there");
    };
    assert_eq!((after.total, after.lines.len()), (yuan(2), 1));
    assert!(after.version > cart.version);
    let again = store.remove_from_cart(remove).await.unwrap();
    assert_eq!(again, CartOutcome::Refused(CartRefusal::UnknownCart));
    assert_eq!(store.cart(cart.cart_id).await.unwrap().unwrap(), after);
}

/// A cart becomes one order and is closed by it.
pub async fn becomes_one_order<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let store = open(Conditions::with_stock(&[9, 9])).await;
    let cart = changed(&*store, add(None, 2, 3)).await;
    let receipt = placed(&*store, order_of(cart.cart_id, "a")).await;
    assert_eq!(receipt.total, yuan(6));
    let again = refused(&*store, order_of(cart.cart_id, "a")).await;
    assert_eq!(again, PlaceRefusal::CartAlreadyOrdered(receipt.order_id));
    let closed = store
        .add_to_cart(add(Some(cart.cart_id), 1, 1))
        .await
        .unwrap();
    assert_eq!(
        closed,
        CartOutcome::Refused(CartRefusal::AlreadyOrdered(receipt.order_id))
    );
    let stored = store.cart(cart.cart_id).await.unwrap().unwrap();
    assert_eq!(stored.order_id, Some(receipt.order_id));
    assert!(stored.version > cart.version);
}

/// A cart with an owner is invisible to others.
pub async fn belongs_to_its_owner<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let store = open(Conditions::with_stock(&[9])).await;
    let mut command = add(None, 1, 1);
    command.user_id = Some(user("a"));
    let cart = changed(&*store, command.clone()).await;
    command.cart_id = Some(cart.cart_id);
    command.user_id = Some(user("b"));
    let foreign = store.add_to_cart(command).await.unwrap();
    assert_eq!(foreign, CartOutcome::Refused(CartRefusal::UnknownCart));
    let stolen = refused(&*store, order_of(cart.cart_id, "b")).await;
    assert_eq!(stolen, PlaceRefusal::CartOfAnotherUser);
    placed(&*store, order_of(cart.cart_id, "a")).await;
}

/// Unknown things, too many pieces and too many lines are refused.
pub async fn limits_hold<S: Deref<Target = dyn Store>>(open: impl AsyncFnOnce(Conditions) -> S) {
    let store = open(Conditions::with_stock(&[9; LINES_MAX + 1])).await;
    let unknown = store.add_to_cart(add(None, 999, 1)).await.unwrap();
    assert_eq!(
        unknown,
        CartOutcome::Refused(CartRefusal::UnknownProduct(product(999)))
    );
    let nowhere = CartId::new(1).unwrap();
    let unknown = store.add_to_cart(add(Some(nowhere), 1, 1)).await.unwrap();
    assert_eq!(unknown, CartOutcome::Refused(CartRefusal::UnknownCart));
    assert_eq!(
        refused(&*store, order_of(nowhere, "a")).await,
        PlaceRefusal::UnknownCart
    );
    let cart = changed(&*store, add(None, 1, Quantity::MAX)).await;
    let over = store
        .add_to_cart(add(Some(cart.cart_id), 1, 1))
        .await
        .unwrap();
    assert_eq!(over, CartOutcome::Refused(CartRefusal::LimitExceeded));
    let lines = i64::try_from(LINES_MAX).expect("a small limit");
    for id in 2..=lines {
        changed(&*store, add(Some(cart.cart_id), id, 1)).await;
    }
    let over = store
        .add_to_cart(add(Some(cart.cart_id), lines + 1, 1))
        .await
        .unwrap();
    assert_eq!(over, CartOutcome::Refused(CartRefusal::LimitExceeded));
    let emptied = changed(&*store, add(None, 1, 1)).await;
    let remove = RemoveFromCart {
        cart_id: emptied.cart_id,
        product_id: product(1),
    };
    store.remove_from_cart(remove).await.unwrap();
    assert_eq!(
        refused(&*store, order_of(emptied.cart_id, "a")).await,
        PlaceRefusal::EmptyCart
    );
}
