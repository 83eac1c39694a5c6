//! Changes of the stock that its rows do not hold yet: how a group's are coded, kept and read again.
//!
//! The form is `docs/SCHEMA.md`, "The level of a product". Only the writer of a store with the lever
//! `group-commit` appends changes ([`super::GroupedStock`]); every start folds what another run left.

use std::collections::BTreeMap;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::work::{WorkError, WorkResult, find, run};

/// What a product's three levels change by. What is available changes by the rest, so that no change
/// makes or loses a piece.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) reserved: i64,
    pub(crate) sold: i64,
}

impl Change {
    pub(crate) const fn available(self) -> i64 {
        -(self.reserved + self.sold)
    }

    pub(crate) const fn is_nothing(self) -> bool {
        self.reserved == 0 && self.sold == 0
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self {
            reserved: self.reserved + other.reserved,
            sold: self.sold + other.sold,
        }
    }

    /// None when a number overflows.
    fn checked_and(self, other: Self) -> Option<Self> {
        let sum = Self {
            reserved: self.reserved.checked_add(other.reserved)?,
            sold: self.sold.checked_add(other.sold)?,
        };
        sum.reserved.checked_add(sum.sold)?;
        Some(sum)
    }
}

/// What a row of `stock_changes` says of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// It changed by this much.
    Changed(Change),
    /// Its row in `stock` holds everything up to here.
    Folded,
}

/// Codes the entries of a group. They come ascending by product, no product twice.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    bytes: Vec<u8>,
    last: u64,
}

impl Encoder {
    pub(crate) fn push(&mut self, product: u64, entry: Entry) {
        let gap = (product - self.last) << 1;
        self.last = product;
        match entry {
            Entry::Folded => self.number(gap | 1),
            Entry::Changed(change) => {
                self.number(gap);
                self.number(zigzag(change.reserved));
                self.number(zigzag(change.sold));
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "seven bits at a time")]
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.last = 0;
    }
}

const fn zigzag(number: i64) -> u64 {
    (number.cast_unsigned() << 1) ^ (number >> 63).cast_unsigned()
}

const fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
}

/// Reads what [`Encoder`] wrote.
struct Decoder<'bytes> {
    rest: &'bytes [u8],
    last: u64,
}

impl Decoder<'_> {
    fn next(&mut self) -> WorkResult<Option<(i64, Entry)>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let damaged = || WorkError::Damaged("a row of stock_changes cannot be read");
        let head = self.number().ok_or_else(damaged)?;
        let product = self.last.checked_add(head >> 1).ok_or_else(damaged)?;
        let is_new = product > self.last;
        let id = i64::try_from(product).ok().filter(|_| is_new);
        self.last = product;
        let entry = if head & 1 == 1 {
            Entry::Folded
        } else {
            Entry::Changed(Change {
                reserved: unzigzag(self.number().ok_or_else(damaged)?),
                sold: unzigzag(self.number().ok_or_else(damaged)?),
            })
        };
        Ok(Some((id.ok_or_else(damaged)?, entry)))
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let (first, rest) = self.rest.split_first()?;
            self.rest = rest;
            let bits = u64::from(first & 0x7F);
            if (bits << shift) >> shift != bits {
                return None;
            }
            number |= bits << shift;
            if first & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

/// Reads the changes that rows of `stock` do not hold, by product.
pub(crate) fn unfolded(connection: &Connection) -> WorkResult<BTreeMap<i64, Change>> {
    let mut unfolded: BTreeMap<i64, Change> = BTreeMap::new();
    let mut statement =
        connection.prepare_cached("SELECT changes FROM stock_changes ORDER BY change_id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let rest = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        let mut entries = Decoder { rest, last: 0 };
        while let Some((product, entry)) = entries.next()? {
            match entry {
                Entry::Folded => {
                    unfolded.remove(&product);
                }
                Entry::Changed(change) => {
                    let sum = unfolded.entry(product).or_default();
                    *sum = sum
                        .checked_and(change)
                        .ok_or(WorkError::Damaged("changes of the stock overflow"))?;
                }
            }
        }
    }
    Ok(unfolded)
}

/// Changes the row of a product.
const FOLD: &str = "UPDATE stock SET available = available + ?2, reserved = reserved + ?3, \
                    sold = sold + ?4 WHERE product_id = ?1 AND available + ?2 >= 0";

/// Folds a change into the row of its product.
pub(crate) fn fold(connection: &Connection, product: i64, change: Change) -> WorkResult<()> {
    let parameters = (product, change.available(), change.reserved, change.sold);
    if run(connection, FOLD, parameters)? == 1 {
        Ok(())
    } else {
        Err(WorkError::Damaged("stock changed under the only writer"))
    }
}

/// Appends a row.
pub(crate) fn append(connection: &Connection, change_id: i64, changes: &[u8]) -> WorkResult<()> {
    let sql = "INSERT INTO stock_changes (change_id, changes) VALUES (?1, ?2)";
    run(connection, sql, (change_id, changes)).map(drop)
}

/// Deletes the rows up to one.
pub(crate) fn forget(connection: &Connection, change_id: i64) -> WorkResult<()> {
    let sql = "DELETE FROM stock_changes WHERE change_id <= ?1";
    run(connection, sql, [change_id]).map(drop)
}

/// Folds everything, in a transaction of its own. Nobody may hold levels in memory then.
pub(crate) fn fold_everything(connection: &Connection) -> WorkResult<()> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let is_empty = find(
        &transaction,
        "SELECT 1 FROM stock_changes LIMIT 1",
        [],
        |_| Ok(()),
    )?;
    if is_empty.is_none() {
        return Ok(());
    }
    for (product, change) in unfolded(&transaction)? {
        if !change.is_nothing() {
            fold(&transaction, product, change)?;
        }
    }
    forget(&transaction, i64::MAX)?;
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests {
    use super::{Change, Decoder, Encoder, Entry, unzigzag, zigzag};

    fn decode(bytes: &[u8]) -> Option<Vec<(i64, Entry)>> {
        let mut decoder = Decoder {
            rest: bytes,
            last: 0,
        };
        let mut entries = Vec::new();
        while let Some(entry) = decoder.next().ok()? {
            entries.push(entry);
        }
        Some(entries)
    }

    #[test]
    fn the_bytes_are_those_of_the_page() {
        let mut encoder = Encoder::default();
        encoder.push(
            3,
            Entry::Changed(Change {
                reserved: 2,
                sold: -1,
            }),
        );
        encoder.push(103, Entry::Folded);
        assert_eq!(encoder.bytes(), [6, 4, 1, 0xC9, 0x01]);
    }

    #[test]
    fn what_is_coded_is_read_again() {
        for number in [0, 1, -1, 63, -64, 64, i64::MAX, i64::MIN] {
            assert_eq!(unzigzag(zigzag(number)), number);
        }
        let changed = |reserved, sold| Entry::Changed(Change { reserved, sold });
        let entries = [
            (1, changed(i64::MIN, i64::MAX)),
            (2, Entry::Folded),
            (1 << 40, changed(-300, 7)),
            (i64::MAX, Entry::Folded),
        ];
        let mut encoder = Encoder::default();
        for (product, entry) in entries {
            encoder.push(product.cast_unsigned(), entry);
        }
        assert_eq!(decode(encoder.bytes()).unwrap(), entries);
        let whole = encoder.bytes();
        for end in 1..whole.len() {
            let cut = decode(&whole[..end]);
            assert!(cut.is_none_or(|read| read.len() < entries.len()));
        }
    }

    #[test]
    fn damage_is_told() {
        for bytes in [
            &[0x80][..],
            &[6, 4],
            &[1],
            &[7, 1],
            &[0xFF; 11],
            &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02],
        ] {
            assert_eq!(decode(bytes), None, "{bytes:?}");
        }
    }
}
