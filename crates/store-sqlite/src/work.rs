//! The statements: what each command reads and writes inside a transaction that the caller owns.
//!
//! A command decides before it writes, so that a refusal leaves nothing behind; only
//! [`stock::GuardedStock`] may find out halfway, and its caller rolls back on a refusal.

pub(crate) mod carts;
pub(crate) mod catalogue;
pub(crate) mod data_life;
pub(crate) mod figures;
pub(crate) mod new_orders;
pub(crate) mod orders;
pub(crate) mod payments;
pub(crate) mod stock;

use std::time::Duration;

use double11_store::{
    AddToCart, CancelOutcome, CartOutcome, FinalizePayment, Finalized, PayOutcome, PlaceOrder,
    PlaceOutcome, PreparePayment, RemoveFromCart,
};
use double11_units::{AttemptId, Currency, Money, OrderId, ProductId, UnixMicros};
use rusqlite::Connection;

use data_life::Due;
use new_orders::NewOrders;
use stock::StockMoves;

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
    Restock {
        product_id: ProductId,
        pieces: u32,
    },
    Purge(Due),
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
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Place(PlaceOutcome),
    Cancel(CancelOutcome),
    Expire(u32),
    Prepare(PayOutcome),
    Finalize(Finalized),
    FinishRefund,
    Cart(CartOutcome),
    Restock(bool),
    Purge(u32),
}

impl Outcome {
    /// Whether the command changed nothing, so that a transaction of its own is rolled back.
    pub(crate) const fn changed_nothing(&self) -> bool {
        matches!(
            self,
            Self::Place(PlaceOutcome::Refused(_) | PlaceOutcome::Replayed(_))
                | Self::Cancel(CancelOutcome::Refused(_))
                | Self::Expire(0)
                | Self::Prepare(
                    PayOutcome::Refused(_) | PayOutcome::Replayed(_) | PayOutcome::InProcess(_)
                )
                | Self::Finalize(Finalized { changed: false, .. })
                | Self::Cart(CartOutcome::Refused(_))
                | Self::Restock(false)
                | Self::Purge(0)
        )
    }
}

/// An error inside a transaction.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkError {
    /// SQLite refused a statement.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// A row holds what no row may hold; the store is damaged.
    #[error("the store is damaged: {0}")]
    Damaged(&'static str),
}

impl WorkError {
    /// The error in SQLite's form, for those who only log or map it.
    pub(crate) fn into_sqlite(self) -> rusqlite::Error {
        match self {
            Self::Sqlite(error) => error,
            damaged @ Self::Damaged(_) => {
                rusqlite::Error::ToSqlConversionFailure(Box::new(damaged))
            }
        }
    }
}

/// The result of a step inside a transaction.
pub(crate) type WorkResult<T> = Result<T, WorkError>;

/// What holds for the whole store and never changes while it is open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShopFacts {
    pub(crate) currency: Currency,
    pub(crate) payment_window: Duration,
}

impl ShopFacts {
    /// An amount as a row holds it.
    pub(crate) const fn money(&self, minor_units: i64) -> Money {
        Money::from_minor(minor_units, self.currency)
    }
}

/// One transaction at work.
pub(crate) struct Work<'tx> {
    pub(crate) connection: &'tx Connection,
    pub(crate) facts: ShopFacts,
    /// The instant that all rows of this transaction carry.
    pub(crate) now: UnixMicros,
    pub(crate) stock: &'tx mut dyn StockMoves,
    /// Orders that were placed and are not written yet.
    pub(crate) new_orders: NewOrders<'tx>,
}

impl<'tx> Work<'tx> {
    /// Runs one command. `fresh_id` was fixed before the transaction began.
    pub(crate) fn execute(&mut self, command: &'tx Command, fresh_id: i64) -> WorkResult<Outcome> {
        // Only placing orders does not read what this transaction has placed.
        if !matches!(command, Command::Place(_)) {
            self.new_orders.write(self.connection)?;
        }
        Ok(match command {
            Command::Place(place) => Outcome::Place(orders::place(self, place, fresh_id)?),
            Command::Cancel(order_id) => Outcome::Cancel(orders::cancel(self, *order_id)?),
            Command::Expire { limit } => Outcome::Expire(orders::expire_due(self, *limit)?),
            Command::Prepare(prepare) => {
                Outcome::Prepare(payments::prepare(self, prepare, fresh_id)?)
            }
            Command::Finalize(finalize) => Outcome::Finalize(payments::finalize(self, *finalize)?),
            Command::FinishRefund {
                order_id,
                attempt_id,
            } => {
                payments::finish_refund(self, *order_id, *attempt_id)?;
                Outcome::FinishRefund
            }
            Command::AddToCart(add) => Outcome::Cart(carts::add(self, add, fresh_id)?),
            Command::RemoveFromCart(remove) => Outcome::Cart(carts::remove(self, *remove)?),
            Command::Restock { product_id, pieces } => {
                let connection = self.connection;
                let known = self.stock.receive(connection, *product_id, *pieces)?;
                Outcome::Restock(known)
            }
            Command::Purge(due) => Outcome::Purge(data_life::purge(self, due)?),
        })
    }

    /// Writes what was only collected so far. Called once, before COMMIT.
    pub(crate) fn finish(&mut self) -> WorkResult<()> {
        self.new_orders.write(self.connection)?;
        self.stock.flush(self.connection)
    }
}

/// Runs a statement that is prepared once per connection.
pub(crate) fn run(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> WorkResult<usize> {
    Ok(connection.prepare_cached(sql)?.execute(parameters)?)
}

/// Reads at most one row with a statement that is prepared once per connection.
pub(crate) fn find<T>(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
    read: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> WorkResult<Option<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    Ok(rows.next()?.map(read).transpose()?)
}

/// Reads all rows with a statement that is prepared once per connection.
pub(crate) fn list<T>(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> WorkResult<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(parameters, read)?;
    Ok(rows.collect::<rusqlite::Result<Vec<T>>>()?)
}
