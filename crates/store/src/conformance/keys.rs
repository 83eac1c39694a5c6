//! Cases about idempotency keys.

use std::ops::Deref;

use crate::conformance::{
    Conditions, finalized, key, order, pay, placed, prepared, product, refused, reserved,
};
use crate::{
    FinalizeOutcome, GatewayAnswer, PayOutcome, PayRefusal, PlaceOutcome, PlaceRefusal, Store,
};

/// The same key and body get the first answer again, whatever happened to the order since.
pub async fn replays_the_first_answer<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let store = open(Conditions::with_stock(&[3])).await;
    let mut command = order("a", &[(1, 1)]);
    command.key = Some(key("k", 1));
    let receipt = placed(&*store, command.clone()).await;
    for _ in 0..2 {
        let again = store.place_order(command.clone()).await.unwrap();
        assert_eq!(again, PlaceOutcome::Replayed(receipt));
        assert_eq!(reserved(&*store).await, 1);
    }
    store.cancel_order(receipt.order_id).await.unwrap();
    let after_cancel = store.place_order(command).await.unwrap();
    assert_eq!(after_cancel, PlaceOutcome::Replayed(receipt));
    assert_eq!(reserved(&*store).await, 0);
}

/// The same key with another body is refused and changes nothing.
pub async fn another_body_is_refused<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let store = open(Conditions::with_stock(&[3])).await;
    let mut command = order("a", &[(1, 1)]);
    command.key = Some(key("k", 1));
    placed(&*store, command).await;
    let mut other = order("a", &[(1, 2)]);
    other.key = Some(key("k", 2));
    assert_eq!(refused(&*store, other).await, PlaceRefusal::KeyReused);
    assert_eq!(reserved(&*store).await, 1);
}

/// A refusal claims nothing: the same key succeeds once stock has come back.
pub async fn refusals_claim_nothing<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let store = open(Conditions::with_stock(&[1])).await;
    let holder = placed(&*store, order("a", &[(1, 1)])).await;
    let mut command = order("b", &[(1, 1)]);
    command.key = Some(key("k", 1));
    assert_eq!(
        refused(&*store, command.clone()).await,
        PlaceRefusal::SoldOut(product(1))
    );
    store.cancel_order(holder.order_id).await.unwrap();
    placed(&*store, command).await;
}

/// The scope of a key is its user.
pub async fn users_do_not_share_keys<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let store = open(Conditions::with_stock(&[3])).await;
    for buyer in ["a", "b"] {
        let mut command = order(buyer, &[(1, 1)]);
        command.key = Some(key("k", 1));
        placed(&*store, command).await;
    }
    assert_eq!(reserved(&*store).await, 2);
}

/// A payment's key finds the attempt in process, replays a capture, and is freed by a refusal.
pub async fn payment_keys_replay_join_and_release<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let store = open(Conditions::with_stock(&[10])).await;
    let receipt = placed(&*store, order("a", &[(1, 5)])).await;
    let mut command = pay(receipt.order_id, 2);
    command.key = Some(key("p", 1));
    let declined = prepared(&*store, command.clone()).await;
    let joined = store.prepare_payment(command.clone()).await.unwrap();
    assert_eq!(joined, PayOutcome::InProcess(declined.attempt_id));
    let outcome = finalized(&*store, &declined, GatewayAnswer::Declined).await;
    assert_eq!(outcome, FinalizeOutcome::Declined);
    let attempt = prepared(&*store, command.clone()).await;
    assert_ne!(attempt.attempt_id, declined.attempt_id);
    let FinalizeOutcome::Captured(first) =
        finalized(&*store, &attempt, GatewayAnswer::Captured).await
    else {
        unreachable!("the money should count");
    };
    assert_eq!(
        store.prepare_payment(command.clone()).await.unwrap(),
        PayOutcome::Replayed(first)
    );
    command.key = Some(key("p", 2));
    let reused = store.prepare_payment(command).await.unwrap();
    assert_eq!(reused, PayOutcome::Refused(PayRefusal::KeyReused));
}
