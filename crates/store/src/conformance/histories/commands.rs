//! Commands as data, their answers, and what both the store and the model make of them.

use std::pin::Pin;
use std::time::Duration;

use double11_units::{AttemptId, CartId, OrderId, ProductId, UnixMicros};

use crate::conformance::model::{CARTS_KEPT, KEYS_KEPT, Model, without_version};
use crate::{
    AddToCart, CancelOutcome, CartOutcome, FinalizePayment, Finalized, PayOutcome, PlaceOrder,
    PlaceOutcome, PreparePayment, RemoveFromCart, Store, StoreError,
};

/// More orders, keys and carts than any history makes.
const ALL: u32 = 10_000;

/// Something that is done to a shop.
#[derive(Clone, Debug)]
pub(super) enum Command {
    Place(PlaceOrder),
    Cancel(OrderId),
    Expire,
    Prepare(PreparePayment),
    Finalize(FinalizePayment),
    FinishRefund(OrderId, AttemptId),
    AddToCart(AddToCart),
    RemoveFromCart(RemoveFromCart),
    Restock(ProductId, u32),
    Purge,
    Advance(Duration),
}

/// What the shop answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    Place(PlaceOutcome),
    Cancel(CancelOutcome),
    Rows(u32),
    Prepare(PayOutcome),
    Finalize(Finalized),
    Cart(CartOutcome),
    Known(bool),
    Done,
}

type Answering<'store> =
    Pin<Box<dyn Future<Output = Result<Answered, StoreError>> + Send + 'store>>;

/// Asks the store; a cart's version is left out.
pub(super) fn answer_of<'store>(
    store: &'store dyn Store,
    command: &Command,
    now: UnixMicros,
) -> Answering<'store> {
    let command = command.clone();
    Box::pin(async move {
        Ok(match command {
            Command::Place(place) => Answered::Place(store.place_order(place).await?),
            Command::Cancel(order_id) => Answered::Cancel(store.cancel_order(order_id).await?),
            Command::Expire => Answered::Rows(store.expire_due(ALL).await?),
            Command::Prepare(prepare) => Answered::Prepare(store.prepare_payment(prepare).await?),
            Command::Finalize(finalize) => {
                Answered::Finalize(store.finalize_payment(finalize).await?)
            }
            Command::FinishRefund(order_id, attempt_id) => {
                store.finish_refund(order_id, attempt_id).await?;
                Answered::Done
            }
            Command::AddToCart(add) => Answered::Cart(plain(store.add_to_cart(add).await?)),
            Command::RemoveFromCart(remove) => {
                Answered::Cart(plain(store.remove_from_cart(remove).await?))
            }
            Command::Restock(product_id, pieces) => {
                Answered::Known(store.restock(product_id, pieces).await?)
            }
            Command::Purge => {
                let (keys, carts) = (now.minus(KEYS_KEPT), now.minus(CARTS_KEPT));
                Answered::Rows(store.purge(keys, carts, ALL).await?)
            }
            Command::Advance(_) => Answered::Done,
        })
    })
}

/// What the model answers, with the id of what the store has made.
pub(super) fn apply(model: &mut Model, command: &Command, seen: &Answered) -> Answered {
    match command {
        Command::Place(place) => {
            let fresh = match seen {
                Answered::Place(PlaceOutcome::Placed(receipt)) => receipt.order_id,
                _ => OrderId::new(i64::MAX).expect("positive"),
            };
            Answered::Place(model.place_order(place, fresh))
        }
        Command::Cancel(order_id) => Answered::Cancel(model.cancel_order(*order_id)),
        Command::Expire => Answered::Rows(model.expire_due()),
        Command::Prepare(prepare) => {
            let fresh = match seen {
                Answered::Prepare(PayOutcome::Prepared(attempt)) => attempt.attempt_id,
                _ => AttemptId::new(i64::MAX).expect("positive"),
            };
            Answered::Prepare(model.prepare_payment(prepare, fresh))
        }
        Command::Finalize(finalize) => Answered::Finalize(model.finalize_payment(*finalize)),
        Command::FinishRefund(order_id, attempt_id) => {
            model.finish_refund(*order_id, *attempt_id);
            Answered::Done
        }
        Command::AddToCart(add) => {
            let fresh = match seen {
                Answered::Cart(CartOutcome::Changed {
                    cart,
                    created: true,
                }) => cart.cart_id,
                _ => CartId::new(i64::MAX).expect("positive"),
            };
            Answered::Cart(plain(model.add_to_cart(add, fresh)))
        }
        Command::RemoveFromCart(remove) => Answered::Cart(plain(model.remove_from_cart(*remove))),
        Command::Restock(product_id, pieces) => {
            Answered::Known(model.restock(*product_id, *pieces))
        }
        Command::Purge => Answered::Rows(model.purge()),
        Command::Advance(span) => {
            model.advance(*span);
            Answered::Done
        }
    }
}

fn plain(outcome: CartOutcome) -> CartOutcome {
    match outcome {
        CartOutcome::Changed { cart, created } => CartOutcome::Changed {
            cart: without_version(cart),
            created,
        },
        refused @ CartOutcome::Refused(_) => refused,
    }
}
