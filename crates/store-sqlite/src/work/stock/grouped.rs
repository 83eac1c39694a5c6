//! Stock as the only writer of a store moves it: a whole group at once, most of it folded later.
//!
//! What the store holds of a product is read once: only the writer that owns this changes it, so that
//! what it has committed is what the store holds. A group that moves many products appends one row of
//! changes instead of an update for each; a sweep folds a few products with every group
//! (`docs/SCHEMA.md`, "The level of a product").

use std::collections::hash_map::Entry as Known;
use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;

use double11_store::OrderLine;
use double11_units::{ProductId, Quantity};
use rusqlite::Connection;

use super::changes::{self, Change, Encoder, Entry};
use super::{RECEIVE, StockMoves, pieces, stored_price};
use crate::work::{WorkError, WorkResult, find, run};

/// A group that changes at most so many products updates their rows at once.
const FEW: usize = 4;
/// The sweep folds this share of the products that the group changes, and at least [`FEW`].
const SWEPT_SHARE: usize = 8;
/// Rows of changes that one group deletes at most, so that no group has to wait for many.
const FORGOTTEN_AT_ONCE: i64 = 64;

const AVAILABLE: &str = "SELECT available FROM stock WHERE product_id = ?1";

/// What the only writer knows of a product, and what the present group changes of it.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    /// What was available after the last group that was stored.
    available: i64,
    /// What the row of the product does not hold yet.
    unfolded: Change,
    /// Rows of changes tell of it, younger than its last folding; their sum may be nothing.
    is_dirty: bool,
    /// What the present group changes.
    group: Change,
    /// What the present group took in; unlike changes it is written at once.
    received: i64,
}

impl Level {
    const fn left(&self) -> i64 {
        self.available + self.received + self.group.available()
    }

    /// Readers ask rows whether anything is available; a row that would say otherwise cannot wait.
    const fn would_mislead(&self) -> bool {
        let in_row = self.available - self.unfolded.available() + self.received;
        (in_row > 0) != (self.left() > 0)
    }
}

/// What a group does with a product that it changes or folds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Nothing, or goods that were taken in, which is written already.
    Keep,
    Fold,
    Defer,
}

/// What becomes true when the group is stored.
#[derive(Debug, Default)]
struct Plan {
    steps: Vec<(ProductId, Step)>,
    /// What the sweep folds of `steps`, ascending.
    swept: Vec<ProductId>,
    sweep_ends: bool,
    appends: bool,
    forgets: Option<i64>,
}

/// The sweep over the dirty products, and the rows of changes.
#[derive(Debug, Default)]
struct Sweep {
    /// The product that was swept last; none at the beginning.
    mark: Option<ProductId>,
    /// The youngest row when the sweep began.
    began: i64,
    /// The youngest row.
    last: i64,
    /// The youngest row that may be deleted: every change up to it is folded.
    needless: i64,
    /// The youngest row that is deleted.
    forgotten: i64,
}

/// Moves of a whole group.
#[derive(Debug, Default)]
pub(crate) struct GroupedStock {
    /// Whether rows of changes may be appended. Not where anybody else writes rows of the stock.
    defers: bool,
    prices: HashMap<ProductId, i64>,
    levels: HashMap<ProductId, Level>,
    /// Products that the group moves, each once or more.
    moved: Vec<ProductId>,
    dirty: BTreeSet<ProductId>,
    sweep: Sweep,
    plan: Plan,
    encoder: Encoder,
}

impl GroupedStock {
    /// Everything in the store must be folded.
    pub(crate) fn new(defers: bool) -> Self {
        Self {
            defers,
            ..Self::default()
        }
    }

    fn level(&mut self, connection: &Connection, product_id: ProductId) -> WorkResult<&mut Level> {
        match self.levels.entry(product_id) {
            Known::Occupied(known) => Ok(known.into_mut()),
            Known::Vacant(unknown) => {
                let available = find(connection, AVAILABLE, [product_id.get()], |row| row.get(0))?
                    .ok_or(WorkError::Damaged("a product has no stock row"))?;
                Ok(unknown.insert(Level {
                    available,
                    ..Level::default()
                }))
            }
        }
    }

    fn shift(
        &mut self,
        connection: &Connection,
        (product_id, quantity): (ProductId, Quantity),
        (reserved, sold): (i64, i64),
    ) -> WorkResult<()> {
        let pieces = pieces(quantity);
        let level = self.level(connection, product_id)?;
        level.group.reserved += reserved * pieces;
        level.group.sold += sold * pieces;
        self.moved.push(product_id);
        Ok(())
    }

    /// The group is over: it is stored, or nothing of it is.
    pub(crate) fn end(&mut self, is_stored: bool) {
        let plan = std::mem::take(&mut self.plan);
        if is_stored {
            self.carry_out(&plan);
        }
        for product_id in self.moved.drain(..) {
            if let Some(level) = self.levels.get_mut(&product_id) {
                level.group = Change::default();
                level.received = 0;
            }
        }
        // Only the room is kept.
        self.plan.steps = plan.steps;
        self.plan.steps.clear();
        self.plan.swept = plan.swept;
        self.plan.swept.clear();
    }

    fn carry_out(&mut self, plan: &Plan) {
        for (product_id, step) in &plan.steps {
            let Some(level) = self.levels.get_mut(product_id) else {
                continue;
            };
            level.available = level.left();
            match step {
                Step::Keep => {}
                Step::Fold => {
                    level.unfolded = Change::default();
                    if std::mem::take(&mut level.is_dirty) {
                        self.dirty.remove(product_id);
                    }
                }
                Step::Defer => {
                    level.unfolded = level.unfolded.and(level.group);
                    if !std::mem::replace(&mut level.is_dirty, true) {
                        self.dirty.insert(*product_id);
                    }
                }
            }
        }
        let sweep = &mut self.sweep;
        sweep.last += i64::from(plan.appends);
        sweep.forgotten = plan.forgets.unwrap_or(sweep.forgotten);
        sweep.mark = plan.swept.last().copied().or(sweep.mark);
        if self.dirty.is_empty() {
            sweep.began = sweep.last;
        }
        if plan.sweep_ends || self.dirty.is_empty() {
            sweep.mark = None;
            sweep.needless = std::mem::replace(&mut sweep.began, sweep.last);
        }
    }

    /// Decides what becomes of each product; nothing is written.
    fn plan(&mut self) {
        // Ascending, so that rows on one page follow each other.
        self.moved.sort_unstable();
        self.moved.dedup();
        let levels = &self.levels;
        let changes = |product: &&ProductId| {
            levels
                .get(product)
                .is_some_and(|level| !level.group.is_nothing())
        };
        let changed = self.moved.iter().filter(changes).count();
        let at_once = !self.defers || changed <= FEW;
        let budget = FEW.max(changed / SWEPT_SHARE);
        let Plan {
            steps,
            swept,
            sweep_ends,
            ..
        } = &mut self.plan;
        if !self.dirty.is_empty() {
            let from = self.sweep.mark.map_or(Bound::Unbounded, Bound::Excluded);
            swept.extend(self.dirty.range((from, Bound::Unbounded)).take(budget));
            *sweep_ends = swept.len() < budget;
        }
        let both = self.moved.iter().chain(swept.iter());
        steps.extend(both.map(|product| (*product, Step::Keep)));
        steps.sort_unstable_by_key(|(product, _)| *product);
        steps.dedup_by_key(|(product, _)| *product);
        for (product, step) in steps {
            let Some(level) = levels.get(product) else {
                continue;
            };
            *step = if swept.binary_search(product).is_ok() {
                Step::Fold
            } else if level.group.is_nothing() {
                Step::Keep
            } else if at_once || level.would_mislead() {
                Step::Fold
            } else {
                Step::Defer
            };
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
            if self.level(connection, line.product_id)?.left() < pieces(line.quantity) {
                return Ok(Some(line.product_id));
            }
        }
        for line in lines {
            self.shift(connection, (line.product_id, line.quantity), (1, 0))?;
        }
        Ok(None)
    }

    fn release(&mut self, connection: &Connection, line: &OrderLine) -> WorkResult<()> {
        self.shift(connection, (line.product_id, line.quantity), (-1, 0))
    }

    fn sell(&mut self, connection: &Connection, line: &OrderLine) -> WorkResult<()> {
        self.shift(connection, (line.product_id, line.quantity), (-1, 1))
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
        self.plan();
        self.encoder.clear();
        for (product, step) in &self.plan.steps {
            let level = self.levels.get(product).copied().unwrap_or_default();
            let id = product.get();
            match step {
                Step::Keep => {}
                Step::Fold => {
                    let change = level.unfolded.and(level.group);
                    if !change.is_nothing() {
                        changes::fold(connection, id, change)?;
                    }
                    if level.is_dirty {
                        self.encoder.push(id.cast_unsigned(), Entry::Folded);
                    }
                }
                Step::Defer => {
                    let entry = Entry::Changed(level.group);
                    self.encoder.push(id.cast_unsigned(), entry);
                }
            }
        }
        if !self.encoder.bytes().is_empty() {
            changes::append(connection, self.sweep.last + 1, self.encoder.bytes())?;
            self.plan.appends = true;
        }
        if self.sweep.forgotten < self.sweep.needless {
            let up_to = (self.sweep.forgotten + FORGOTTEN_AT_ONCE).min(self.sweep.needless);
            changes::forget(connection, up_to)?;
            self.plan.forgets = Some(up_to);
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

#[cfg(test)]
mod tests;
