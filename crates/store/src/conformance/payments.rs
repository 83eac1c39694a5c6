//! Cases about payments and refunds.

use std::ops::Deref;
use std::sync::Arc;

use crate::conformance::{
    Conditions, GATEWAY, PAYMENT_WINDOW, captured, finalized, order, pay, placed, prepared,
    reserved, state, yuan,
};
use crate::payment::RefundState;
use crate::{
    AttemptState, CancelOutcome, CancelRefusal, FinalizeOutcome, FinalizePayment, GatewayAnswer,
    OrderState, PayOutcome, PayRefusal, PreparePayment, Store,
};
use double11_units::{AttemptId, OrderId};

/// Paying in full turns the reservation into a sale for good.
pub async fn full_payment_sells<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let conditions = Conditions::with_stock(&[5]);
    let clock = Arc::clone(&conditions.clock);
    let store = open(conditions).await;
    let receipt = placed(&*store, order("a", &[(1, 5)])).await;
    assert_eq!(
        captured(&*store, receipt.order_id, 5).await,
        OrderState::Paid
    );
    assert_eq!(reserved(&*store).await, 0);
    let cancel = store.cancel_order(receipt.order_id).await.unwrap();
    assert_eq!(cancel, CancelOutcome::Refused(CancelRefusal::Paid));
    let more = store
        .prepare_payment(pay(receipt.order_id, 1))
        .await
        .unwrap();
    assert_eq!(
        more,
        PayOutcome::Refused(PayRefusal::OrderClosed(OrderState::Paid))
    );
    clock.advance(PAYMENT_WINDOW * 2);
    assert_eq!(store.expire_due(9).await.unwrap(), 0);
    assert_eq!(state(&*store, receipt.order_id).await, OrderState::Paid);
    assert!(store.pending_refunds(GATEWAY, 9).await.unwrap().is_empty());
}

/// Double 11 sells by deposit and balance.
pub async fn deposit_and_balance<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let store = open(Conditions::with_stock(&[5])).await;
    let receipt = placed(&*store, order("a", &[(1, 5)])).await;
    assert_eq!(
        captured(&*store, receipt.order_id, 2).await,
        OrderState::PartiallyPaid
    );
    assert_eq!(reserved(&*store).await, 5);
    assert_eq!(
        captured(&*store, receipt.order_id, 3).await,
        OrderState::Paid
    );
    let view = store.order(receipt.order_id).await.unwrap().unwrap();
    assert_eq!(view.order.captured, yuan(5));
    let states: Vec<_> = view.payments.iter().map(|p| (p.state, p.amount)).collect();
    assert_eq!(
        states,
        [
            (AttemptState::Captured, yuan(2)),
            (AttemptState::Captured, yuan(3))
        ]
    );
}

/// Captured and held amounts never exceed the total, and the refusal says why.
pub async fn amounts_are_bounded<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let store = open(Conditions::with_stock(&[5])).await;
    let receipt = placed(&*store, order("a", &[(1, 5)])).await;
    captured(&*store, receipt.order_id, 1).await;
    let refusal = store
        .prepare_payment(pay(receipt.order_id, 5))
        .await
        .unwrap();
    let outstanding = yuan(4);
    assert_eq!(
        refusal,
        PayOutcome::Refused(PayRefusal::AmountExceedsBalance { outstanding })
    );
    let held = prepared(&*store, pay(receipt.order_id, 3)).await;
    let refusal = store
        .prepare_payment(pay(receipt.order_id, 2))
        .await
        .unwrap();
    assert_eq!(refusal, PayOutcome::Refused(PayRefusal::PaymentProcessing));
    finalized(&*store, &held, GatewayAnswer::Declined).await;
    captured(&*store, receipt.order_id, 4).await;
    let unknown = store
        .prepare_payment(pay(OrderId::new(1).unwrap(), 1))
        .await
        .unwrap();
    assert_eq!(unknown, PayOutcome::Refused(PayRefusal::UnknownOrder));
}

/// The gateway may say the same thing many times; the first answer stands.
pub async fn finalizing_twice_changes_nothing<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let store = open(Conditions::with_stock(&[5])).await;
    let receipt = placed(&*store, order("a", &[(1, 5)])).await;
    let attempt = prepared(&*store, pay(receipt.order_id, 2)).await;
    let first = finalized(&*store, &attempt, GatewayAnswer::Captured).await;
    captured(&*store, receipt.order_id, 3).await;
    for answer in [GatewayAnswer::Captured, GatewayAnswer::Declined] {
        assert_eq!(finalized(&*store, &attempt, answer).await, first);
    }
    let view = store.order(receipt.order_id).await.unwrap().unwrap();
    assert_eq!(
        (view.order.captured, view.order.state),
        (yuan(5), OrderState::Paid)
    );
    let unknown = FinalizePayment {
        order_id: receipt.order_id,
        attempt_id: AttemptId::new(1).unwrap(),
        answer: GatewayAnswer::Captured,
    };
    let finalized = store.finalize_payment(unknown).await.unwrap();
    assert_eq!(finalized.outcome, FinalizeOutcome::UnknownAttempt);
    assert!(!finalized.changed);
}

/// While an attempt has no outcome its order neither expires nor can be cancelled.
pub async fn a_payment_in_process_holds_the_order<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let conditions = Conditions::with_stock(&[5]);
    let clock = Arc::clone(&conditions.clock);
    let store = open(conditions).await;
    let receipt = placed(&*store, order("a", &[(1, 5)])).await;
    let attempt = prepared(&*store, pay(receipt.order_id, 5)).await;
    let unresolved = store.unresolved_payments(GATEWAY, 9).await.unwrap();
    assert_eq!(unresolved, [attempt]);
    let cancel = store.cancel_order(receipt.order_id).await.unwrap();
    assert_eq!(
        cancel,
        CancelOutcome::Refused(CancelRefusal::PaymentProcessing)
    );
    clock.advance(PAYMENT_WINDOW * 2);
    assert_eq!(store.expire_due(9).await.unwrap(), 0);
    finalized(&*store, &attempt, GatewayAnswer::Declined).await;
    assert!(
        store
            .unresolved_payments(GATEWAY, 9)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(store.expire_due(9).await.unwrap(), 1);
    assert_eq!(state(&*store, receipt.order_id).await, OrderState::Expired);
}

/// Closing a part-paid order refunds every capture, durably, exactly once.
pub async fn closing_refunds_every_capture<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let store = open(Conditions::with_stock(&[5])).await;
    let receipt = placed(&*store, order("a", &[(1, 5)])).await;
    captured(&*store, receipt.order_id, 1).await;
    captured(&*store, receipt.order_id, 2).await;
    store.cancel_order(receipt.order_id).await.unwrap();
    store.cancel_order(receipt.order_id).await.unwrap();
    let refunds = store.pending_refunds(GATEWAY, 9).await.unwrap();
    let mut amounts: Vec<_> = refunds
        .iter()
        .map(|refund| refund.amount.minor_units())
        .collect();
    amounts.sort_unstable();
    assert_eq!(amounts, [100, 200]);
    for refund in &refunds {
        for _ in 0..2 {
            store
                .finish_refund(refund.order_id, refund.attempt_id)
                .await
                .unwrap();
        }
    }
    assert!(store.pending_refunds(GATEWAY, 9).await.unwrap().is_empty());
    let view = store.order(receipt.order_id).await.unwrap().unwrap();
    assert!(
        view.payments
            .iter()
            .all(|p| p.refund == Some(RefundState::Done)),
        "{view:?}"
    );
    assert_eq!(reserved(&*store).await, 0);
}

/// A gateway that never heard of an attempt makes it void: it is asked for none of another one's.
pub async fn each_gateway_is_asked_for_its_own<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let store = open(Conditions::with_stock(&[5])).await;
    let receipt = placed(&*store, order("a", &[(1, 5)])).await;
    let elsewhere = |major| PreparePayment {
        gateway: "http",
        ..pay(receipt.order_id, major)
    };
    let captured = prepared(&*store, elsewhere(1)).await;
    finalized(&*store, &captured, GatewayAnswer::Captured).await;
    let open_elsewhere = prepared(&*store, elsewhere(1)).await;
    let open_here = prepared(&*store, pay(receipt.order_id, 1)).await;
    let unresolved = async |gateway| {
        let attempts = store.unresolved_payments(gateway, 9).await.unwrap();
        let ids = attempts.iter().map(|attempt| attempt.attempt_id);
        ids.collect::<Vec<_>>()
    };
    assert_eq!(unresolved("http").await, [open_elsewhere.attempt_id]);
    assert_eq!(unresolved(GATEWAY).await, [open_here.attempt_id]);
    assert!(unresolved("nobody").await.is_empty());
    for open in [open_elsewhere, open_here] {
        finalized(&*store, &open, GatewayAnswer::Declined).await;
    }
    store.cancel_order(receipt.order_id).await.unwrap();
    assert!(store.pending_refunds(GATEWAY, 9).await.unwrap().is_empty());
    let refunds = store.pending_refunds("http", 9).await.unwrap();
    assert_eq!(refunds.len(), 1);
    assert_eq!(refunds[0].attempt_id, captured.attempt_id);
    assert_eq!(refunds[0].amount, yuan(1));
}

/// Money that comes after the attempt was given up is refunded and never revives an order.
pub async fn a_late_capture_is_refunded<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let conditions = Conditions::with_stock(&[5]);
    let clock = Arc::clone(&conditions.clock);
    let store = open(conditions).await;
    let receipt = placed(&*store, order("a", &[(1, 5)])).await;
    let attempt = prepared(&*store, pay(receipt.order_id, 5)).await;
    finalized(&*store, &attempt, GatewayAnswer::Declined).await;
    clock.advance(PAYMENT_WINDOW);
    assert_eq!(store.expire_due(9).await.unwrap(), 1);
    for _ in 0..2 {
        let late = finalized(&*store, &attempt, GatewayAnswer::Captured).await;
        assert_eq!(late, FinalizeOutcome::Late);
    }
    assert_eq!(state(&*store, receipt.order_id).await, OrderState::Expired);
    let refunds = store.pending_refunds(GATEWAY, 9).await.unwrap();
    assert_eq!(refunds.len(), 1);
    assert_eq!(refunds[0].amount, yuan(5));
    let view = store.order(receipt.order_id).await.unwrap().unwrap();
    assert_eq!(view.order.captured, yuan(0));
    assert_eq!(reserved(&*store).await, 0);
}

/// From the end of its window on an order takes no payment, even before it was swept.
pub async fn an_overdue_order_takes_no_payment<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let conditions = Conditions::with_stock(&[5]);
    let clock = Arc::clone(&conditions.clock);
    let store = open(conditions).await;
    let receipt = placed(&*store, order("a", &[(1, 5)])).await;
    clock.advance(PAYMENT_WINDOW);
    let refusal = store
        .prepare_payment(pay(receipt.order_id, 5))
        .await
        .unwrap();
    assert_eq!(
        refusal,
        PayOutcome::Refused(PayRefusal::OrderClosed(OrderState::Expired))
    );
}
