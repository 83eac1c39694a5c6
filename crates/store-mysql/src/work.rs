//! What one transaction does for a group of commands: load, decide, write.
//!
//! [`load`] fetches and locks what the group may touch into a [`set::WorkingSet`], always in the order
//! orders, carts, stock, each ascending by id, so that no two transactions wait for each other in a circle;
//! what a shop may hope for ([`crate::memory`]) it leaves to [`write`], which goes on in that order. [`decide`] answers the commands one after the other on that set, without the database.
//! [`write`] turns what changed into few statements.

pub(crate) mod decide;
pub(crate) mod load;
pub(crate) mod set;
pub(crate) mod write;

use std::time::Duration;

use double11_store::{
    AddToCart, CancelOutcome, CartOutcome, FinalizePayment, Finalized, PayOutcome, PlaceOrder,
    PlaceOutcome, PreparePayment, RemoveFromCart,
};
use double11_units::{AttemptId, Currency, Money, OrderId};

use crate::ids::Layout;

/// A write that the store was asked for.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    Place(PlaceOrder),
    Cancel(OrderId),
    Expire {
        limit: u32,
    },
    Prepare(PreparePayment),
    Finalize(FinalizePayment),
    FinishRefund {
        order_id: OrderId,
        attempt_id: AttemptId,
    },
    AddToCart(AddToCart),
    RemoveFromCart(RemoveFromCart),
}

impl Command {
    /// Commands that free what others wait for go before new orders.
    pub(crate) const fn is_urgent(&self) -> bool {
        matches!(
            self,
            Self::Finalize(_) | Self::FinishRefund { .. } | Self::Expire { .. }
        )
    }
}

/// What became of a [`Command`]; the variants correspond.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Place(PlaceOutcome),
    Cancel(CancelOutcome),
    Expire(u32),
    Prepare(PayOutcome),
    Finalize(Finalized),
    FinishRefund,
    Cart(CartOutcome),
}

/// An error inside a transaction.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkError {
    /// Driver or server failed.
    #[error(transparent)]
    Mysql(#[from] mysql::Error),
    /// A row holds what no row may hold; the store is damaged.
    #[error("the store is damaged: {0}")]
    Damaged(&'static str),
    /// Another shop claimed a key between the reading of the keys and a refusal: run the group again.
    #[error("another shop has claimed a key meanwhile")]
    Overtaken,
    /// Of a product there is less than hoped, or perhaps more than remembered: run the group again, with
    /// levels that are read and locked.
    #[error("the stock is not what was remembered")]
    Outsold,
}

/// The result of a step inside a transaction.
pub(crate) type WorkResult<T> = Result<T, WorkError>;

/// What holds for the whole store and never changes while it is open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShopFacts {
    pub(crate) currency: Currency,
    pub(crate) payment_window: Duration,
    /// How ids are made.
    pub(crate) layout: Layout,
    /// Whether secondary indexes may be used.
    pub(crate) has_indexes: bool,
}

impl ShopFacts {
    /// An amount as a row holds it.
    pub(crate) const fn money(&self, minor_units: i64) -> Money {
        Money::from_minor(minor_units, self.currency)
    }

    /// The hint that keeps a shop without the lever `indexes` from using this one.
    pub(crate) fn index(&self, name: &str) -> String {
        if self.has_indexes {
            String::new()
        } else {
            format!(" IGNORE INDEX ({name})")
        }
    }
}

/// A command of a group, with the id that was fixed for it before the transaction began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task<'command> {
    pub(crate) command: &'command Command,
    pub(crate) fresh_id: i64,
}
