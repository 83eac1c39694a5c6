//! The catalogue.

use double11_store::{Category, ListedProduct, PageRequest, Product, SearchPage};
use double11_units::ProductId;
use mysql::{Row, Value};

use crate::session::{Session, id, int, string, text};
use crate::work::{ShopFacts, WorkError, WorkResult};

const COLUMNS: &str = "p.product_id, p.name, p.name_en, p.category, p.price, s.available > 0";
const MATCHES: &str = "LOWER(p.name) LIKE ? OR LOWER(p.name_en) LIKE ? OR LOWER(p.category) LIKE ?";

/// Products with their stock; `rest` names them by `p` and `s`.
fn listed_sql(facts: &ShopFacts, rest: &str) -> String {
    let hint = facts.index("products_by_category");
    format!("SELECT {COLUMNS} FROM products p{hint} JOIN stock s USING (product_id) {rest}")
}

fn product(row: &Row, facts: &ShopFacts) -> WorkResult<Product> {
    Ok(Product {
        product_id: id(row, 0, ProductId::new)?,
        name: string(row, 1)?.to_owned(),
        name_en: string(row, 2)?.to_owned(),
        category: Category::from_name(string(row, 3)?)
            .ok_or(WorkError::Damaged("unknown category"))?,
        price: facts.money(int(row, 4)?),
    })
}

fn listed(row: &Row, facts: &ShopFacts) -> WorkResult<ListedProduct> {
    Ok(ListedProduct {
        product: product(row, facts)?,
        in_stock: int(row, 5)? != 0,
    })
}

pub(crate) fn all(session: &mut Session, facts: &ShopFacts) -> WorkResult<Vec<Product>> {
    let sql = "SELECT product_id, name, name_en, category, price FROM products ORDER BY product_id";
    session.list(sql, Vec::new(), |row| product(row, facts))
}

/// What is available of every product.
pub(crate) fn levels(session: &mut Session) -> WorkResult<Vec<(ProductId, i64)>> {
    let sql = "SELECT product_id, available FROM stock";
    session.list(sql, Vec::new(), |row| {
        Ok((id(row, 0, ProductId::new)?, int(row, 1)?))
    })
}

pub(crate) fn sold_out(session: &mut Session) -> WorkResult<Vec<ProductId>> {
    let sql = "SELECT product_id FROM stock WHERE available = 0 ORDER BY product_id";
    session.list(sql, Vec::new(), |row| id(row, 0, ProductId::new))
}

pub(crate) fn one(
    session: &mut Session,
    facts: &ShopFacts,
    product_id: ProductId,
) -> WorkResult<Option<ListedProduct>> {
    let sql = listed_sql(facts, "WHERE p.product_id = ?");
    let values = vec![Value::Int(product_id.get())];
    session.find(&sql, values, |row| listed(row, facts))
}

pub(crate) fn random(
    session: &mut Session,
    facts: &ShopFacts,
) -> WorkResult<Option<ListedProduct>> {
    let sql = listed_sql(facts, "ORDER BY RAND() LIMIT 1");
    session.find(&sql, Vec::new(), |row| listed(row, facts))
}

pub(crate) fn page(
    session: &mut Session,
    facts: &ShopFacts,
    request: PageRequest,
) -> WorkResult<Vec<ListedProduct>> {
    let category = request.category.map(|category| text(category.name()));
    let rest = if category.is_some() {
        "WHERE p.category = ? AND p.product_id > ? ORDER BY p.product_id LIMIT ?"
    } else {
        "WHERE p.product_id > ? ORDER BY p.product_id LIMIT ?"
    };
    let after = request.after.map_or(0, ProductId::get);
    let bounds = [Value::Int(after), Value::Int(i64::from(request.limit))];
    let values = category.into_iter().chain(bounds).collect();
    session.list(&listed_sql(facts, rest), values, |row| listed(row, facts))
}

pub(crate) fn search(
    session: &mut Session,
    facts: &ShopFacts,
    query: &str,
    limit: u32,
) -> WorkResult<SearchPage> {
    let pattern = text(&like_pattern(query));
    let patterns = vec![pattern; 3];
    let count = format!("SELECT COUNT(*) FROM products p WHERE {MATCHES}");
    let total = session.find(&count, patterns.clone(), |row| int(row, 0))?;
    let rest = format!("WHERE {MATCHES} ORDER BY p.product_id LIMIT ?");
    let values = patterns
        .into_iter()
        .chain([Value::Int(i64::from(limit))])
        .collect();
    let items = session.list(&listed_sql(facts, &rest), values, |row| listed(row, facts))?;
    Ok(SearchPage {
        total: total
            .and_then(|total| u64::try_from(total).ok())
            .unwrap_or(0),
        items,
    })
}

/// `%text%` in small letters, with the signs of LIKE taken literally.
fn like_pattern(query: &str) -> String {
    let mut pattern = String::with_capacity(query.len() + 2);
    pattern.push('%');
    for character in query.to_lowercase().chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::like_pattern;

    #[test]
    fn signs_of_like_are_literal() {
        assert_eq!(like_pattern("A%b_\\手機"), "%a\\%b\\_\\\\手機%");
    }
}
