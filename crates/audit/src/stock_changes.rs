//! What rows of `stock` do not hold yet: `stock_changes`, replayed into the scratch database.
//!
//! Written against `docs/SCHEMA.md`, "The level of a product". A store of version 1 and one on a server
//! have no such table; their levels are their rows.

use std::collections::BTreeMap;

use rusqlite::Connection;

/// The first version of a store in a file that has the table.
const SINCE: i64 = 2;

const TABLES: &str = "
CREATE TABLE unreadable_changes (change_id INTEGER NOT NULL, why TEXT NOT NULL);
CREATE TABLE unfolded (
  product_id INTEGER PRIMARY KEY, reserved INTEGER NOT NULL, sold INTEGER NOT NULL);
CREATE TEMP VIEW levels AS
SELECT s.product_id AS product_id, s.received AS received,
       CASE WHEN u.product_id IS NULL THEN s.available
            ELSE s.available - u.reserved - u.sold END AS available,
       CASE WHEN u.product_id IS NULL THEN s.reserved ELSE s.reserved + u.reserved END AS reserved,
       CASE WHEN u.product_id IS NULL THEN s.sold ELSE s.sold + u.sold END AS sold
FROM store.stock s LEFT JOIN main.unfolded u ON u.product_id = s.product_id";

/// Makes the view `levels` and the tables behind it, once.
pub(crate) fn replay(connection: &Connection) -> rusqlite::Result<()> {
    if connection.table_exists(Some("main"), "unfolded")? {
        return Ok(());
    }
    let replayed = read(connection)?;
    connection.execute_batch(TABLES)?;
    let mut insert = connection.prepare("INSERT INTO unreadable_changes VALUES (?1, ?2)")?;
    for (change_id, why) in replayed.unreadable {
        insert.execute((change_id, why))?;
    }
    let mut insert = connection.prepare("INSERT INTO unfolded VALUES (?1, ?2, ?3)")?;
    for (product_id, (reserved, sold)) in replayed.unfolded {
        insert.execute([product_id, reserved, sold])?;
    }
    Ok(())
}

/// What the table holds.
#[derive(Debug, Default)]
struct Replayed {
    unreadable: Vec<(i64, &'static str)>,
    /// What `reserved` and `sold` change by, by product.
    unfolded: BTreeMap<i64, (i64, i64)>,
}

fn read(connection: &Connection) -> rusqlite::Result<Replayed> {
    let mut replayed = Replayed::default();
    let version: i64 = connection.query_row("PRAGMA store.user_version", (), |row| row.get(0))?;
    if version < SINCE {
        return Ok(replayed);
    }
    let mut statement = connection
        .prepare("SELECT change_id, changes FROM store.stock_changes ORDER BY change_id")?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let change_id = row.get(0)?;
        let why = match row.get_ref(1)?.as_blob() {
            Ok(bytes) => replayed.take(bytes).err(),
            Err(_) => Some("it is not a blob"),
        };
        replayed.unreadable.extend(why.map(|why| (change_id, why)));
    }
    Ok(replayed)
}

impl Replayed {
    /// Takes in the entries of a row, or nothing of one that cannot be read.
    fn take(&mut self, bytes: &[u8]) -> Result<(), &'static str> {
        for (product_id, change) in entries(bytes)? {
            let Some((reserved, sold)) = change else {
                self.unfolded.remove(&product_id);
                continue;
            };
            let sum = self.unfolded.entry(product_id).or_default();
            let add = |sum: i64, change: i64| {
                sum.checked_add(change)
                    .ok_or("a sum of changes exceeds 64 bits")
            };
            *sum = (add(sum.0, reserved)?, add(sum.1, sold)?);
            // What is available changes by both.
            add(sum.0, sum.1)?;
        }
        Ok(())
    }
}

/// A product, and what it changes by unless everything of it was folded.
type Change = (i64, Option<(i64, i64)>);

/// Reads the entries of a row.
fn entries(bytes: &[u8]) -> Result<Vec<Change>, &'static str> {
    if bytes.is_empty() {
        return Err("it is empty");
    }
    let mut rest = bytes;
    let mut product: u64 = 0;
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let head = number(&mut rest)?;
        if head < 2 {
            return Err("its products do not ascend");
        }
        product = product
            .checked_add(head / 2)
            .ok_or("a product is out of range")?;
        let product_id = i64::try_from(product).map_err(|_| "a product is out of range")?;
        let change = match head % 2 {
            1 => None,
            _ => Some((signed(number(&mut rest)?), signed(number(&mut rest)?))),
        };
        entries.push((product_id, change));
    }
    Ok(entries)
}

/// An unsigned LEB128 number of at most 64 bits.
fn number(rest: &mut &[u8]) -> Result<u64, &'static str> {
    let mut number: u128 = 0;
    let mut weight: u128 = 1;
    for _ in 0..10 {
        let (byte, after) = rest.split_first().ok_or("it ends within an entry")?;
        *rest = after;
        number += u128::from(byte % 0x80) * weight;
        if *byte < 0x80 {
            return u64::try_from(number).map_err(|_| "a number exceeds 64 bits");
        }
        weight *= 0x80;
    }
    Err("a number exceeds 64 bits")
}

/// 0, -1, 1, -2, … of 0, 1, 2, 3, …
fn signed(number: u64) -> i64 {
    let half = (number / 2).cast_signed();
    if number.is_multiple_of(2) {
        half
    } else {
        -half - 1
    }
}

#[cfg(test)]
mod tests {
    use super::{Replayed, entries, signed};

    #[test]
    fn the_bytes_of_the_page_are_read() {
        // 2 × 3 and 2, −1 in zigzag; 2 × 100 + 1 in two bytes.
        let read = entries(&[6, 4, 1, 0xC9, 0x01]).unwrap();
        assert_eq!(read, [(3, Some((2, -1))), (103, None)]);
    }

    #[test]
    fn signs_alternate() {
        let expected = [0, -1, 1, -2, 2];
        for (number, expected) in (0..).zip(expected) {
            assert_eq!(signed(number), expected);
        }
        assert_eq!(signed(u64::MAX), i64::MIN);
        assert_eq!(signed(u64::MAX - 1), i64::MAX);
    }

    #[test]
    fn what_is_no_sequence_of_entries_is_refused() {
        let check = |bytes: &[u8], expected: &str| {
            assert_eq!(entries(bytes), Err(expected), "{bytes:?}");
        };
        check(&[], "it is empty");
        check(&[6, 4], "it ends within an entry");
        check(&[0x86], "it ends within an entry");
        check(&[0, 2, 2], "its products do not ascend");
        check(&[7, 1], "its products do not ascend");
        check(&[0xFF; 10], "a number exceeds 64 bits");
        let beyond = [0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02];
        check(&beyond, "a number exceeds 64 bits");
    }

    #[test]
    fn changes_add_up_until_a_product_is_folded() {
        let mut replayed = Replayed::default();
        replayed.take(&[2, 4, 0, 4, 2, 0]).unwrap();
        replayed.take(&[2, 1, 2]).unwrap();
        assert_eq!(replayed.unfolded.get(&1), Some(&(1, 1)));
        replayed.take(&[3]).unwrap();
        assert_eq!(replayed.unfolded.get(&1), None);
        assert_eq!(replayed.unfolded.get(&3), Some(&(1, 0)));
        let most = [
            2, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0,
        ];
        replayed.take(&most).unwrap();
        assert_eq!(
            replayed.take(&most),
            Err("a sum of changes exceeds 64 bits")
        );
    }
}
