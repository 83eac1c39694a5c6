//! Filling an empty store with a catalogue.

use double11_store::{CatalogueFacts, NewProduct};
use double11_units::{Currency, UnixMicros};
use mysql::Value;

use crate::session::{Session, int, string, text};
use crate::work::{WorkError, WorkResult};

/// Rows of one statement.
const ROWS: usize = 500;

/// The catalogue that the store was seeded with; none when it is empty.
pub(crate) fn facts(session: &mut Session) -> WorkResult<Option<CatalogueFacts>> {
    session.find(
        "SELECT catalogue_seed, products, currency FROM shop WHERE id = 1",
        Vec::new(),
        |row| {
            Ok(CatalogueFacts {
                seed: int(row, 0)?,
                products: u32::try_from(int(row, 1)?)
                    .map_err(|_| WorkError::Damaged("the catalogue's size is no count"))?,
                currency: Currency::from_code(string(row, 2)?)
                    .ok_or(WorkError::Damaged("unknown currency"))?,
            })
        },
    )
}

/// What tells a seeded store from any other; none when it is empty.
pub(crate) fn identity(session: &mut Session) -> WorkResult<Option<String>> {
    session.find(
        "SELECT created_at, catalogue_seed FROM shop WHERE id = 1",
        Vec::new(),
        |row| Ok(format!("{}-{}", int(row, 0)?, int(row, 1)?)),
    )
}

/// What is seeded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seed<'products> {
    pub(crate) number: i64,
    pub(crate) products: &'products [NewProduct],
    pub(crate) currency: Currency,
    pub(crate) now: UnixMicros,
}

/// Writes the catalogue in one transaction; the row of `shop` first, so that of two shops that seed at
/// once one is refused.
pub(crate) fn seed(session: &mut Session, seed: Seed<'_>) -> WorkResult<()> {
    session.begin()?;
    let result = insert(session, seed).and_then(|()| Ok(session.commit()?));
    if result.is_err() {
        session.roll_back();
    }
    result
}

fn insert(session: &mut Session, seed: Seed<'_>) -> WorkResult<()> {
    let count = i64::try_from(seed.products.len()).unwrap_or(i64::MAX);
    session.change(
        "INSERT INTO shop (id, currency, catalogue_seed, products, created_at) \
         VALUES (1, ?, ?, ?, ?)",
        vec![
            text(seed.currency.code()),
            Value::Int(seed.number),
            Value::Int(count),
            Value::Int(seed.now.get()),
        ],
    )?;
    for chunk in seed.products.chunks(ROWS) {
        let products = chunk.iter().flat_map(|new| {
            [
                Value::Int(new.product.product_id.get()),
                text(&new.product.name),
                text(&new.product.name_en),
                text(new.product.category.name()),
                Value::Int(new.product.price.minor_units()),
            ]
        });
        let sql = format!(
            "INSERT INTO products (product_id, name, name_en, category, price) VALUES {}",
            vec!["(?, ?, ?, ?, ?)"; chunk.len()].join(", ")
        );
        session.change(&sql, products.collect())?;
        let stock = chunk.iter().flat_map(|new| {
            let pieces = Value::Int(i64::from(new.stock));
            [
                Value::Int(new.product.product_id.get()),
                pieces.clone(),
                pieces,
            ]
        });
        let sql = format!(
            "INSERT INTO stock (product_id, received, available, reserved, sold) VALUES {}",
            vec!["(?, ?, ?, 0, 0)"; chunk.len()].join(", ")
        );
        session.change(&sql, stock.collect())?;
    }
    Ok(())
}
