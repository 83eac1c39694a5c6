//! The figures of the stock that a shop shows while it runs.

use double11_store::Figures;
use rusqlite::Connection;

use super::stock::changes::{self, Change};
use super::{WorkError, WorkResult, find};

/// Counts the levels that are wrong, and the pieces that are reserved.
pub(crate) fn read(connection: &Connection) -> WorkResult<Figures> {
    // One snapshot for rows and what they do not hold yet.
    let transaction = connection.unchecked_transaction()?;
    let rows = find(
        &transaction,
        "SELECT TOTAL(received <> available + reserved + sold OR available < 0 OR reserved < 0 \
         OR sold < 0), TOTAL(reserved) FROM stock",
        [],
        |row| {
            let oversold: f64 = row.get(0)?;
            let reserved: f64 = row.get(1)?;
            Ok((oversold, reserved))
        },
    )?;
    let (mut oversold, mut reserved) = rows.unwrap_or_default();
    for (product, change) in changes::unfolded(&transaction)? {
        let (row, level) = rightness(&transaction, product, change)?;
        oversold += f64::from(i8::from(row) - i8::from(level));
        reserved += change.reserved as f64;
    }
    Ok(Figures {
        oversold_products: whole(oversold),
        reserved_units: whole(reserved),
    })
}

/// Whether the row of a product is right, and whether its level is.
fn rightness(connection: &Connection, product: i64, change: Change) -> WorkResult<(bool, bool)> {
    let row = find(
        connection,
        "SELECT received, available, reserved, sold FROM stock WHERE product_id = ?1",
        [product],
        |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]),
    )?;
    let Some([received, available, reserved, sold]) = row else {
        return Err(WorkError::Damaged("a product has no stock row"));
    };
    let is_right = |parts: [i64; 3]| {
        parts.iter().all(|part| *part >= 0) && parts.iter().sum::<i64>() == received
    };
    let level = [
        available + change.available(),
        reserved + change.reserved,
        sold + change.sold,
    ];
    Ok((is_right([available, reserved, sold]), is_right(level)))
}

/// A count that SQLite's TOTAL gives as a float; exact below 2^53.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a sum of counts is a whole number, and negative sums are shown as 0"
)]
fn whole(count: f64) -> u64 {
    count.max(0.0) as u64
}
