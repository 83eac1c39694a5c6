//! Reading the catalogue.

use double11_store::{Category, ListedProduct, PageRequest, Product, SearchPage};
use double11_units::ProductId;
use rusqlite::types::Type;
use rusqlite::{Connection, Row};

use crate::work::{ShopFacts, WorkResult, find, list};

const LISTED: &str = "SELECT p.product_id, p.name, p.name_en, p.category, p.price, \
                      s.available > 0 FROM products p JOIN stock s USING (product_id)";
const MATCHES: &str = "p.name LIKE ?1 ESCAPE '\\' OR p.name_en LIKE ?1 ESCAPE '\\' \
                       OR p.category LIKE ?1 ESCAPE '\\'";

fn product(row: &Row<'_>, facts: &ShopFacts) -> rusqlite::Result<Product> {
    let category: String = row.get(3)?;
    Ok(Product {
        product_id: positive(row, 0, ProductId::new)?,
        name: row.get(1)?,
        name_en: row.get(2)?,
        category: Category::from_name(&category)
            .ok_or_else(|| damaged(3, Type::Text, "unknown category"))?,
        price: facts.money(row.get(4)?),
    })
}

fn listed(row: &Row<'_>, facts: &ShopFacts) -> rusqlite::Result<ListedProduct> {
    Ok(ListedProduct {
        product: product(row, facts)?,
        in_stock: row.get(5)?,
    })
}

/// Reads an id column.
pub(crate) fn positive<T, E>(
    row: &Row<'_>,
    column: usize,
    make: impl FnOnce(i64) -> Result<T, E>,
) -> rusqlite::Result<T> {
    make(row.get(column)?).map_err(|_| damaged(column, Type::Integer, "not a positive id"))
}

/// The error for a value that no row may hold.
pub(crate) fn damaged(column: usize, kind: Type, what: &'static str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, kind, what.into())
}

pub(crate) fn all(connection: &Connection, facts: &ShopFacts) -> WorkResult<Vec<Product>> {
    let sql = "SELECT product_id, name, name_en, category, price FROM products ORDER BY product_id";
    list(connection, sql, [], |row| product(row, facts))
}

pub(crate) fn sold_out(connection: &Connection) -> WorkResult<Vec<ProductId>> {
    let sql = "SELECT product_id FROM stock WHERE available = 0 ORDER BY product_id";
    list(connection, sql, [], |row| positive(row, 0, ProductId::new))
}

pub(crate) fn one(
    connection: &Connection,
    facts: &ShopFacts,
    product_id: ProductId,
) -> WorkResult<Option<ListedProduct>> {
    let sql = format!("{LISTED} WHERE p.product_id = ?1");
    find(connection, &sql, [product_id.get()], |row| {
        listed(row, facts)
    })
}

pub(crate) fn random(
    connection: &Connection,
    facts: &ShopFacts,
) -> WorkResult<Option<ListedProduct>> {
    let sql = format!("{LISTED} ORDER BY RANDOM() LIMIT 1");
    find(connection, &sql, [], |row| listed(row, facts))
}

pub(crate) fn page(
    connection: &Connection,
    facts: &ShopFacts,
    request: PageRequest,
) -> WorkResult<Vec<ListedProduct>> {
    let after = request.after.map_or(0, ProductId::get);
    if let Some(category) = request.category {
        let sql = format!(
            "{LISTED} WHERE p.category = ?1 AND p.product_id > ?2 ORDER BY p.product_id LIMIT ?3"
        );
        list(
            connection,
            &sql,
            (category.name(), after, request.limit),
            |row| listed(row, facts),
        )
    } else {
        let sql = format!("{LISTED} WHERE p.product_id > ?1 ORDER BY p.product_id LIMIT ?2");
        list(connection, &sql, (after, request.limit), |row| {
            listed(row, facts)
        })
    }
}

pub(crate) fn search(
    connection: &Connection,
    facts: &ShopFacts,
    text: &str,
    limit: u32,
) -> WorkResult<SearchPage> {
    let pattern = like_pattern(text);
    let count = format!("SELECT COUNT(*) FROM products p WHERE {MATCHES}");
    let total: i64 = find(connection, &count, [&pattern], |row| row.get(0))?.unwrap_or(0);
    let sql = format!("{LISTED} WHERE {MATCHES} ORDER BY p.product_id LIMIT ?2");
    let items = list(connection, &sql, (&pattern, limit), |row| {
        listed(row, facts)
    })?;
    Ok(SearchPage {
        total: u64::try_from(total).unwrap_or(0),
        items,
    })
}

/// `%text%` with the signs of LIKE taken literally.
fn like_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}
