//! Cases in which many clients want the same thing at once.

use std::ops::Deref;
use std::sync::Arc;

use crate::conformance::{
    Conditions, GATEWAY, PAYMENT_WINDOW, finalized, key, order, pay, placed, prepared, reserved,
    state,
};
use crate::{
    FinalizeOutcome, FinalizePayment, GatewayAnswer, OrderState, PayOutcome, PayRefusal,
    PlaceOrder, PlaceOutcome, PlaceRefusal, Store,
};

/// Runs all futures at once and collects their results in order.
async fn all<T: Send + 'static>(
    futures: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let tasks: Vec<_> = futures.into_iter().map(tokio::spawn).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.expect("no task panics"));
    }
    results
}

async fn place_all(store: &dyn Store, commands: Vec<PlaceOrder>) -> Vec<PlaceOutcome> {
    let answers = commands
        .into_iter()
        .map(|command| store.place_order(command));
    let outcomes = all(answers).await;
    outcomes
        .into_iter()
        .map(|outcome| outcome.expect("the store answers"))
        .collect()
}

/// Two hundred buyers, twenty pieces.
pub async fn flash_sale_sells_exactly_the_stock<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let store = open(Conditions::with_stock(&[20])).await;
    let commands = (0..200)
        .map(|buyer| order(&buyer.to_string(), &[(1, 1)]))
        .collect();
    let outcomes = place_all(&*store, commands).await;
    let sold = outcomes
        .iter()
        .filter(|o| matches!(o, PlaceOutcome::Placed(_)))
        .count();
    let refused = outcomes
        .iter()
        .filter(|o| matches!(o, PlaceOutcome::Refused(PlaceRefusal::SoldOut(_))))
        .count();
    assert_eq!((sold, refused), (20, 180));
    assert_eq!(reserved(&*store).await, 20);
}

/// Orders that overlap in two products, asked for in either order: no deadlock, no oversell.
pub async fn orders_for_the_same_two_products<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let store = open(Conditions::with_stock(&[30, 40, 30])).await;
    let baskets = [[(1, 1), (2, 1)], [(2, 1), (3, 1)]];
    let commands = (0..100)
        .map(|buyer| order(&buyer.to_string(), &baskets[buyer % 2]))
        .collect();
    let outcomes = place_all(&*store, commands).await;
    let sold = outcomes
        .iter()
        .filter(|o| matches!(o, PlaceOutcome::Placed(_)))
        .count();
    assert_eq!(sold, 40);
    assert_eq!(reserved(&*store).await, 80);
}

/// A double click, many times: one order, one answer.
pub async fn one_order_per_key<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let store = open(Conditions::with_stock(&[50])).await;
    let mut command = order("a", &[(1, 1)]);
    command.key = Some(key("k", 1));
    let outcomes = place_all(&*store, vec![command; 32]).await;
    let mut placed = Vec::new();
    let mut replayed = Vec::new();
    for outcome in outcomes {
        match outcome {
            PlaceOutcome::Placed(receipt) => placed.push(receipt),
            PlaceOutcome::Replayed(receipt) => replayed.push(receipt),
            PlaceOutcome::Refused(refusal) => unreachable!("refused: {refusal:?}"),
        }
    }
    assert_eq!((placed.len(), replayed.len()), (1, 31));
    assert!(
        replayed.iter().all(|receipt| *receipt == placed[0]),
        "{replayed:?}"
    );
    assert_eq!(reserved(&*store).await, 1);
}

/// Two payments of the whole balance without keys: one is prepared, the other waits its turn.
pub async fn one_payment_for_the_balance<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let store = open(Conditions::with_stock(&[9])).await;
    let receipt = placed(&*store, order("a", &[(1, 9)])).await;
    let answers = (0..16).map(|_| store.prepare_payment(pay(receipt.order_id, 9)));
    let outcomes = all(answers).await;
    let mut attempts = Vec::new();
    for outcome in outcomes {
        match outcome.expect("the store answers") {
            PayOutcome::Prepared(attempt) => attempts.push(attempt),
            PayOutcome::Refused(PayRefusal::PaymentProcessing) => {}
            other => unreachable!("neither prepared nor processing: {other:?}"),
        }
    }
    assert_eq!(attempts.len(), 1);
    finalized(&*store, &attempts[0], GatewayAnswer::Captured).await;
    assert_eq!(state(&*store, receipt.order_id).await, OrderState::Paid);
}

/// Payments race the sweep at the end of the window: each order ends paid or expired, with its
/// stock sold or given back, never both.
pub async fn payment_against_expiry<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let conditions = Conditions::with_stock(&[40]);
    let clock = Arc::clone(&conditions.clock);
    let store = open(conditions).await;
    let mut orders = Vec::new();
    for buyer in 0..40 {
        orders.push(placed(&*store, order(&buyer.to_string(), &[(1, 1)])).await);
    }
    clock.advance(PAYMENT_WINDOW.saturating_sub(std::time::Duration::from_millis(1)));
    let (early, late) = orders.split_at(20);
    let answers: Vec<_> = early
        .iter()
        .map(|receipt| store.prepare_payment(pay(receipt.order_id, 1)))
        .collect();
    let prepared = all(answers).await;
    clock.advance(std::time::Duration::from_millis(1));
    let expiring = store.expire_due(100);
    let answers: Vec<_> = late
        .iter()
        .map(|receipt| store.prepare_payment(pay(receipt.order_id, 1)))
        .collect();
    let refused = all(answers).await;
    assert_eq!(expiring.await.expect("the store answers"), 20);
    for outcome in refused {
        let closed = PayOutcome::Refused(PayRefusal::OrderClosed(OrderState::Expired));
        assert_eq!(outcome.expect("the store answers"), closed);
    }
    for outcome in prepared {
        let PayOutcome::Prepared(attempt) = outcome.expect("the store answers") else {
            unreachable!("paid in time");
        };
        finalized(&*store, &attempt, GatewayAnswer::Captured).await;
        assert_eq!(state(&*store, attempt.order_id).await, OrderState::Paid);
    }
    assert_eq!(reserved(&*store).await, 0);
    placed(&*store, order("z", &[(1, 20)])).await;
}

/// However many bring the same outcome at once, one is told that it made the difference, so that
/// whoever counts outcomes counts each once.
pub async fn one_caller_is_told_of_a_change<S: Deref<Target = dyn Store>>(
    open: impl AsyncFnOnce(Conditions) -> S,
) {
    let store = open(Conditions::with_stock(&[5])).await;
    let receipt = placed(&*store, order("a", &[(1, 5)])).await;
    let attempt = prepared(&*store, pay(receipt.order_id, 2)).await;
    for (answer, outcome) in [
        (GatewayAnswer::Declined, FinalizeOutcome::Declined),
        (GatewayAnswer::Captured, FinalizeOutcome::Late),
    ] {
        let calls = (0..16).map(|_| {
            store.finalize_payment(FinalizePayment {
                order_id: attempt.order_id,
                attempt_id: attempt.attempt_id,
                answer,
            })
        });
        let told: Vec<_> = all(calls).await.into_iter().map(Result::unwrap).collect();
        let changes = told.iter().filter(|finalized| finalized.changed).count();
        assert_eq!(changes, 1, "{told:?}");
        assert!(
            told.iter().all(|finalized| finalized.outcome == outcome),
            "{told:?}"
        );
    }
    assert_eq!(store.pending_refunds(GATEWAY, 9).await.unwrap().len(), 1);
}
