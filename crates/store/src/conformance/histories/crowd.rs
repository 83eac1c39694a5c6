//! Many clients at once, and what must hold whatever the order of their commands was.

use std::collections::BTreeMap;

use double11_units::{Money, OrderId, ProductId};

use super::commands::{Answered, Command, answer_of};
use super::race::join;
use super::steps::{Book, Random, Step};
use crate::conformance::{CURRENCY, Conditions};
use crate::payment::RefundState;
use crate::{
    AttemptState, Clock as _, FinalizeOutcome, Finalized, OrderReceipt, OrderState, OrderView,
    PlaceOutcome, Store, StoreError,
};

/// Pieces of the products: enough for many orders, too few for all.
pub(super) const STOCK: [u32; 3] = [20, 35, 10];
const CLIENTS: u64 = 8;
const COMMANDS_EACH: usize = 30;

/// Everything that was asked for and answered.
type Calls = Vec<(Command, Answered)>;

/// One history of many clients.
pub(super) async fn run(
    store: &dyn Store,
    conditions: &Conditions,
    seed: u64,
) -> Result<(), String> {
    let acting = (0..CLIENTS).map(|client| act(store, conditions, seed * 1_000 + client));
    let calls: Result<Vec<Calls>, StoreError> = join(acting).await.into_iter().collect();
    let calls: Calls = calls
        .map_err(|error| format!("  no answer: {error}"))?
        .into_iter()
        .flatten()
        .collect();
    one_order_for_each_key(&calls)?;
    let views = views(store, &calls).await?;
    for view in &views {
        adds_up(view)?;
    }
    captures_are_stored(&calls, &views)?;
    stock_is_explained(store, &calls, &views).await
}

/// One client: it goes on with what it has made.
async fn act(store: &dyn Store, conditions: &Conditions, seed: u64) -> Result<Calls, StoreError> {
    let mut random = Random::new(seed);
    let mut book = Book::default();
    let mut calls = Vec::new();
    for _ in 0..COMMANDS_EACH {
        let command = Step::at_once(&mut random).command(&book);
        let answered = answer_of(store, &command, conditions.clock.now()).await?;
        book.note(&command, &answered);
        calls.push((command, answered));
    }
    Ok(calls)
}

/// One (user, key, body) is placed once, and every replay repeats that answer.
fn one_order_for_each_key(calls: &Calls) -> Result<(), String> {
    let mut answers: BTreeMap<String, (usize, Vec<OrderReceipt>)> = BTreeMap::new();
    for (command, answered) in calls {
        let (Command::Place(place), Answered::Place(outcome)) = (command, answered) else {
            continue;
        };
        let Some(key) = &place.key else { continue };
        let (placed, receipts) = answers
            .entry(format!("{} {}", place.user_id.as_str(), key.key.as_str()))
            .or_default();
        match outcome {
            PlaceOutcome::Placed(receipt) => {
                *placed += 1;
                receipts.push(*receipt);
            }
            PlaceOutcome::Replayed(receipt) => receipts.push(*receipt),
            PlaceOutcome::Refused(_) => {}
        }
    }
    for (key, (placed, receipts)) in answers {
        let differ = receipts.iter().any(|receipt| *receipt != receipts[0]);
        if differ || !receipts.is_empty() && placed != 1 {
            return Err(format!(
                "  the key of `{key}` was placed {placed} times and answered {receipts:?}"
            ));
        }
    }
    Ok(())
}

/// Every order that somebody was told of, each once.
async fn views(store: &dyn Store, calls: &Calls) -> Result<Vec<OrderView>, String> {
    let mut views = BTreeMap::new();
    for (_, answered) in calls {
        let Answered::Place(PlaceOutcome::Placed(receipt)) = answered else {
            continue;
        };
        let order_id = receipt.order_id;
        let view = store.order(order_id).await;
        let view = view.map_err(|error| format!("  order {order_id}: {error}"))?;
        let view = view.ok_or_else(|| format!("  order {order_id} is not there"))?;
        if views.insert(order_id, view).is_some() {
            return Err(format!("  order {order_id} was placed twice"));
        }
    }
    Ok(views.into_values().collect())
}

/// The amounts of an order are those of its lines and attempts, and its state follows from them.
fn adds_up(view: &OrderView) -> Result<(), String> {
    let order = &view.order;
    let sum = |state: AttemptState| -> i64 {
        let attempts = view.payments.iter();
        attempts
            .filter(|attempt| attempt.state == state)
            .map(|attempt| attempt.amount.minor_units())
            .sum()
    };
    let lines: i64 = view
        .lines
        .iter()
        .map(|line| line.unit_price.minor_units() * i64::from(line.quantity.get()))
        .sum();
    let captured = sum(AttemptState::Captured);
    let state_fits = match order.state {
        OrderState::PendingPayment => captured == 0,
        OrderState::PartiallyPaid => captured > 0 && captured < lines,
        OrderState::Paid => captured == lines,
        OrderState::Cancelled | OrderState::Expired => view
            .payments
            .iter()
            .all(|attempt| attempt.state != AttemptState::Captured || attempt.refund.is_some()),
    };
    let fits = order.total == Money::from_minor(lines, CURRENCY)
        && order.captured.minor_units() == captured
        && order.processing.minor_units() == sum(AttemptState::Processing)
        && state_fits
        && view.payments.iter().all(|attempt| {
            attempt.state != AttemptState::Late
                || matches!(
                    attempt.refund,
                    Some(RefundState::Pending | RefundState::Done)
                )
        });
    if fits {
        Ok(())
    } else {
        Err(format!("  does not add up: {view:?}"))
    }
}

/// Whoever was told that money counts finds it counted.
fn captures_are_stored(calls: &Calls, views: &[OrderView]) -> Result<(), String> {
    let stored: BTreeMap<OrderId, &OrderView> = views
        .iter()
        .map(|view| (view.order.order_id, view))
        .collect();
    for (_, answered) in calls {
        let Answered::Finalize(Finalized {
            outcome: FinalizeOutcome::Captured(receipt),
            ..
        }) = answered
        else {
            continue;
        };
        let found = stored.get(&receipt.order_id).is_some_and(|view| {
            view.payments.iter().any(|attempt| {
                attempt.attempt_id == receipt.attempt_id
                    && attempt.state == AttemptState::Captured
                    && attempt.amount == receipt.amount
            })
        });
        if !found {
            return Err(format!("  a capture is not stored: {receipt:?}"));
        }
    }
    Ok(())
}

/// What was received is available, held by open orders or sold; nothing is oversold.
async fn stock_is_explained(
    store: &dyn Store,
    calls: &Calls,
    views: &[OrderView],
) -> Result<(), String> {
    let mut available: BTreeMap<ProductId, i64> = (1_i64..)
        .zip(STOCK)
        .map(|(id, pieces)| (crate::conformance::product(id), i64::from(pieces)))
        .collect();
    for (command, answered) in calls {
        if let (Command::Restock(product_id, pieces), Answered::Known(true)) = (command, answered) {
            *available.entry(*product_id).or_default() += i64::from(*pieces);
        }
    }
    let mut reserved = 0;
    for view in views {
        for line in &view.lines {
            let pieces = line.quantity.get();
            if view.order.state.is_open() {
                reserved += u64::from(pieces);
            }
            if view.order.state.is_open() || view.order.state == OrderState::Paid {
                *available.entry(line.product_id).or_default() -= i64::from(pieces);
            }
        }
    }
    if let Some((product_id, left)) = available.iter().find(|(_, left)| **left < 0) {
        return Err(format!(
            "  product {product_id} is oversold: {left} are left"
        ));
    }
    let told = |error: StoreError| format!("  the stock cannot be read: {error}");
    let figures = store.figures().await.map_err(told)?;
    if figures.oversold_products != 0 || figures.reserved_units != reserved {
        return Err(format!(
            "  open orders hold {reserved} pieces, and the store says {figures:?}"
        ));
    }
    let sold_out: Vec<ProductId> = available
        .into_iter()
        .filter(|(_, left)| *left == 0)
        .map(|(product_id, _)| product_id)
        .collect();
    let said = store.sold_out_products().await.map_err(told)?;
    if said == sold_out {
        Ok(())
    } else {
        Err(format!(
            "  {sold_out:?} are sold out, and the store says {said:?}"
        ))
    }
}
