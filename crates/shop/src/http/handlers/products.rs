//! Reads of the catalogue.

use bytes::Bytes;
use double11_store::{Category, PageRequest};
use double11_units::ProductId;

use crate::http::json::{self, Object};
use crate::http::problem::{self, Problem};
use crate::http::query;
use crate::http::reply::Reply;
use crate::http::service::App;
use crate::products::{Found, FoundMany};

/// Products on a page unless the request says otherwise.
pub(in crate::http) const LIMIT_DEFAULT: u32 = 20;
/// The most products on a page.
pub(in crate::http) const LIMIT_MAX: u32 = 100;
/// The longest search text, in characters.
pub(in crate::http) const SEARCH_MAX: usize = 100;

pub(super) async fn random(app: &App) -> Result<Reply, Problem> {
    product(app.products.random().await?)
}

pub(super) async fn one(app: &App, id: &str) -> Result<Reply, Problem> {
    let product_id = ProductId::parse(id).map_err(|_| Problem::from(problem::UNKNOWN_PRODUCT))?;
    product(app.products.one(product_id).await?)
}

pub(super) async fn page(app: &App, query: Option<&str>) -> Result<Reply, Problem> {
    let page = PageRequest {
        category: category(query)?,
        after: after(query)?,
        limit: query::count(query, "limit", LIMIT_DEFAULT, LIMIT_MAX)?,
    };
    let found = app.products.page(page).await?;
    let is_full = found.len() == page.limit as usize;
    let next = found.last_id().filter(|_| is_full);
    let mut body = Vec::with_capacity(found.len() * 200 + 64);
    let mut object = Object::begin(&mut body);
    items(&mut object, &found);
    match next {
        Some(next) => object.integer("next_after", next),
        None => object.null("next_after"),
    };
    object.end();
    Ok(Reply::json(200, body))
}

pub(super) async fn search(app: &App, query: Option<&str>) -> Result<Reply, Problem> {
    let text = query::parameter(query, "q")?.unwrap_or_default();
    let is_too_long = text.chars().count() > SEARCH_MAX;
    let text = text.trim();
    if text.is_empty() || is_too_long {
        return Err(Problem::from(problem::INVALID_QUERY).detail(format!(
            "`q` must have 1 to {SEARCH_MAX} characters, not only spaces"
        )));
    }
    let limit = query::count(query, "limit", LIMIT_DEFAULT, LIMIT_MAX)?;
    let (total, found) = app.products.search(text.to_owned(), limit).await?;
    let mut body = Vec::with_capacity(found.len() * 200 + 128);
    let mut object = Object::begin(&mut body);
    object.text("query", text).integer("total", total);
    items(&mut object, &found);
    object.end();
    Ok(Reply::json(200, body))
}

fn product(found: Option<Found>) -> Result<Reply, Problem> {
    let body = match found {
        None => return Err(problem::UNKNOWN_PRODUCT.into()),
        Some(Found::Rendered(body)) => body,
        Some(Found::Listed(listed)) => {
            let mut body = Vec::with_capacity(256);
            json::write_product(&mut body, &listed.product, listed.in_stock);
            Bytes::from(body)
        }
    };
    Ok(Reply::json(200, body))
}

fn items(object: &mut Object<'_>, found: &FoundMany) {
    match found {
        FoundMany::Rendered(snapshot, positions) => {
            object.array("items", positions, |output, position| {
                snapshot.append(*position, output);
            });
        }
        FoundMany::Listed(listed) => {
            object.array("items", listed, |output, listed| {
                json::write_product(output, &listed.product, listed.in_stock);
            });
        }
    }
}

fn category(query: Option<&str>) -> Result<Option<Category>, Problem> {
    let Some(name) = query::parameter(query, "category")? else {
        return Ok(None);
    };
    let known = Category::from_name(&name);
    let names = Category::ALL.map(Category::name).join(" ");
    known.map(Some).ok_or_else(|| {
        Problem::from(problem::INVALID_QUERY).detail(format!("`category` is one of {names}"))
    })
}

fn after(query: Option<&str>) -> Result<Option<ProductId>, Problem> {
    let Some(text) = query::parameter(query, "after")? else {
        return Ok(None);
    };
    ProductId::parse(&text)
        .map(Some)
        .map_err(|_| Problem::from(problem::INVALID_QUERY).detail("`after` is the id of a product"))
}
