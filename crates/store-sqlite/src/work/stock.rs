//! How stock moves between available, reserved and sold.
//!
//! [`GuardedStock`] runs one guarded update a line, at once: the plain way. [`GroupedStock`] serves a
//! whole group: it allocates in arrival order against what the store holds, and writes one update a
//! product with the summed moves when the group ends. [`UnlockedStock`] is wrong on purpose.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use double11_store::OrderLine;
use double11_units::{ProductId, Quantity};
use rusqlite::Connection;

use crate::work::{WorkError, WorkResult, find, run};

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
const MOVE: &str = "UPDATE stock SET available = available + ?2, reserved = reserved + ?3, \
                    sold = sold + ?4 WHERE product_id = ?1 AND available + ?2 >= 0";
const RECEIVE: &str = "UPDATE stock SET received = received + ?2, available = available + ?2 \
                       WHERE product_id = ?1";
const PRICE: &str = "SELECT price FROM products WHERE product_id = ?1";
const AVAILABLE: &str = "SELECT available FROM stock WHERE product_id = ?1";

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

/// What the only writer knows of a product, and what the present group moves of it.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    /// What the store holds.
    stored: i64,
    available: i64,
    reserved: i64,
    sold: i64,
    /// What the present group took in; unlike the moves it is written at once.
    received: i64,
}

/// Moves of a whole group, one update a product. What the store holds is read once: only the writer
/// that owns this changes it, so that what it has committed is what the store holds.
#[derive(Debug, Default)]
pub(crate) struct GroupedStock {
    prices: HashMap<ProductId, i64>,
    levels: HashMap<ProductId, Level>,
    /// Products that the group moves, each once or more.
    moved: Vec<ProductId>,
}

impl GroupedStock {
    fn level(&mut self, connection: &Connection, product_id: ProductId) -> WorkResult<&mut Level> {
        match self.levels.entry(product_id) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(unknown) => {
                let stored = find(connection, AVAILABLE, [product_id.get()], |row| row.get(0))?
                    .ok_or(WorkError::Damaged("a product has no stock row"))?;
                Ok(unknown.insert(Level {
                    stored,
                    ..Level::default()
                }))
            }
        }
    }

    fn shift(
        &mut self,
        connection: &Connection,
        line: &OrderLine,
        (available, reserved, sold): (i64, i64, i64),
    ) -> WorkResult<()> {
        let pieces = pieces(line.quantity);
        let level = self.level(connection, line.product_id)?;
        level.available += available * pieces;
        level.reserved += reserved * pieces;
        level.sold += sold * pieces;
        self.moved.push(line.product_id);
        Ok(())
    }

    /// The group is over: it is stored, or nothing of it is.
    pub(crate) fn end(&mut self, is_stored: bool) {
        for product_id in self.moved.drain(..) {
            if let Some(level) = self.levels.get_mut(&product_id) {
                let moved = if is_stored {
                    level.available + level.received
                } else {
                    0
                };
                *level = Level {
                    stored: level.stored + moved,
                    ..Level::default()
                };
            }
        }
    }
}

impl StockMoves for GroupedStock {
    fn reserve(
        &mut self,
        connection: &Connection,
        lines: &[OrderLine],
    ) -> WorkResult<Option<ProductId>> {
        for line in lines {
            let level = self.level(connection, line.product_id)?;
            if level.stored + level.available + level.received < pieces(line.quantity) {
                return Ok(Some(line.product_id));
            }
        }
        for line in lines {
            self.shift(connection, line, (-1, 1, 0))?;
        }
        Ok(None)
    }

    fn release(&mut self, connection: &Connection, line: &OrderLine) -> WorkResult<()> {
        self.shift(connection, line, (1, -1, 0))
    }

    fn sell(&mut self, connection: &Connection, line: &OrderLine) -> WorkResult<()> {
        self.shift(connection, line, (0, -1, 1))
    }

    fn receive(
        &mut self,
        connection: &Connection,
        product: ProductId,
        pieces: u32,
    ) -> WorkResult<bool> {
        // What is stored must be known before it is changed, or the pieces would count twice.
        if find(connection, AVAILABLE, [product.get()], |_| Ok(()))?.is_none() {
            return Ok(false);
        }
        self.level(connection, product)?.received += i64::from(pieces);
        self.moved.push(product);
        Ok(run(connection, RECEIVE, (product.get(), pieces))? == 1)
    }

    fn flush(&mut self, connection: &Connection) -> WorkResult<()> {
        // Ascending, so that rows on one page follow each other.
        self.moved.sort_unstable();
        self.moved.dedup();
        for product_id in &self.moved {
            let level = self.levels.get(product_id).copied().unwrap_or_default();
            if level.available == 0 && level.reserved == 0 && level.sold == 0 {
                continue;
            }
            let parameters = (
                product_id.get(),
                level.available,
                level.reserved,
                level.sold,
            );
            if run(connection, MOVE, parameters)? != 1 {
                return Err(WorkError::Damaged("stock changed under the only writer"));
            }
        }
        Ok(())
    }

    fn price(&mut self, connection: &Connection, product: ProductId) -> WorkResult<Option<i64>> {
        if let Some(price) = self.prices.get(&product) {
            return Ok(Some(*price));
        }
        let price = stored_price(connection, product)?;
        if let Some(price) = price {
            self.prices.insert(product, price);
        }
        Ok(price)
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
