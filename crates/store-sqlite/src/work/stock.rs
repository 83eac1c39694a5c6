//! How stock moves between available, reserved and sold.
//!
//! [`GuardedStock`] runs one guarded update a line, at once: the plain way. [`GroupedStock`] serves a
//! whole group: it allocates in arrival order against what it knows, and writes the summed moves when
//! the group ends. [`UnlockedStock`] is wrong on purpose.

pub(crate) mod changes;
mod grouped;

use std::collections::BTreeMap;

use double11_store::OrderLine;
use double11_units::{ProductId, Quantity};
use rusqlite::Connection;

use crate::work::{WorkResult, find, run};
pub(crate) use grouped::GroupedStock;

/// Moves of stock inside one transaction.
pub(crate) trait StockMoves {
    /// Takes every line from what is available, ascending by product. Tells the first product of
    /// which there is too little; then the caller must not keep what this call wrote.
    fn reserve(
        &mut self,
        connection: &Connection,
        lines: &[OrderLine],
    ) -> WorkResult<Option<ProductId>>;

    /// Gives reserved pieces back.
    fn release(&mut self, connection: &Connection, line: &OrderLine) -> WorkResult<()>;

    /// Turns reserved pieces into sold ones.
    fn sell(&mut self, connection: &Connection, line: &OrderLine) -> WorkResult<()>;

    /// Takes in pieces that can be sold from now on; `false` when there is no such product.
    fn receive(
        &mut self,
        connection: &Connection,
        product: ProductId,
        pieces: u32,
    ) -> WorkResult<bool> {
        Ok(run(connection, RECEIVE, (product.get(), pieces))? == 1)
    }

    /// Writes what was only collected so far. Called once, before COMMIT.
    fn flush(&mut self, connection: &Connection) -> WorkResult<()>;

    /// The price of a product, in minor units; none when there is no such product.
    fn price(&mut self, connection: &Connection, product: ProductId) -> WorkResult<Option<i64>> {
        stored_price(connection, product)
    }
}

fn stored_price(connection: &Connection, product: ProductId) -> WorkResult<Option<i64>> {
    find(connection, PRICE, [product.get()], |row| row.get(0))
}

const RESERVE: &str = "UPDATE stock SET available = available - ?2, reserved = reserved + ?2 \
                       WHERE product_id = ?1 AND available >= ?2";
const RELEASE: &str = "UPDATE stock SET available = available + ?2, reserved = reserved - ?2 \
                       WHERE product_id = ?1";
const SELL: &str =
    "UPDATE stock SET reserved = reserved - ?2, sold = sold + ?2 WHERE product_id = ?1";
const RECEIVE: &str = "UPDATE stock SET received = received + ?2, available = available + ?2 \
                       WHERE product_id = ?1";
const PRICE: &str = "SELECT price FROM products WHERE product_id = ?1";

fn pieces(quantity: Quantity) -> i64 {
    i64::from(quantity.get())
}

/// One guarded update a line.
#[derive(Debug, Default)]
pub(crate) struct GuardedStock;

impl StockMoves for GuardedStock {
    fn reserve(
        &mut self,
        connection: &Connection,
        lines: &[OrderLine],
    ) -> WorkResult<Option<ProductId>> {
        for line in lines {
            let parameters = (line.product_id.get(), pieces(line.quantity));
            if run(connection, RESERVE, parameters)? != 1 {
                return Ok(Some(line.product_id));
            }
        }
        Ok(None)
    }

    fn release(&mut self, connection: &Connection, line: &OrderLine) -> WorkResult<()> {
        run(
            connection,
            RELEASE,
            (line.product_id.get(), pieces(line.quantity)),
        )?;
        Ok(())
    }

    fn sell(&mut self, connection: &Connection, line: &OrderLine) -> WorkResult<()> {
        run(
            connection,
            SELL,
            (line.product_id.get(), pieces(line.quantity)),
        )?;
        Ok(())
    }

    fn flush(&mut self, _connection: &Connection) -> WorkResult<()> {
        Ok(())
    }
}

/// Deliberately wrong, for the audit's own test: it writes back what was computed from a read made
/// without a lock, so that two buyers of the last piece both get it.
#[derive(Debug)]
pub(crate) struct UnlockedStock {
    /// Stock rows as they were before the transaction began: available, reserved.
    read_before: BTreeMap<ProductId, (i64, i64)>,
}

impl UnlockedStock {
    /// Reads the stock of the lines outside any transaction.
    pub(crate) fn read(connection: &Connection, products: &[ProductId]) -> WorkResult<Self> {
        let mut read_before = BTreeMap::new();
        for product_id in products {
            let row = find(
                connection,
                "SELECT available, reserved FROM stock WHERE product_id = ?1",
                [product_id.get()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            if let Some(row) = row {
                read_before.insert(*product_id, row);
            }
        }
        Ok(Self { read_before })
    }
}

impl StockMoves for UnlockedStock {
    fn reserve(
        &mut self,
        connection: &Connection,
        lines: &[OrderLine],
    ) -> WorkResult<Option<ProductId>> {
        for line in lines {
            let quantity = pieces(line.quantity);
            let Some((available, reserved)) = self.read_before.get(&line.product_id).copied()
            else {
                return Ok(Some(line.product_id));
            };
            if available < quantity {
                return Ok(Some(line.product_id));
            }
            run(
                connection,
                "UPDATE stock SET available = ?2, reserved = received - sold - ?2 \
                 WHERE product_id = ?1",
                (line.product_id.get(), available - quantity),
            )?;
            self.read_before
                .insert(line.product_id, (available - quantity, reserved + quantity));
        }
        Ok(None)
    }

    fn release(&mut self, connection: &Connection, line: &OrderLine) -> WorkResult<()> {
        GuardedStock.release(connection, line)
    }

    fn sell(&mut self, connection: &Connection, line: &OrderLine) -> WorkResult<()> {
        GuardedStock.sell(connection, line)
    }

    fn flush(&mut self, _connection: &Connection) -> WorkResult<()> {
        Ok(())
    }
}
