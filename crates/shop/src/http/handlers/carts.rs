//! Carts.

use double11_store::{Cart, CartRefusal, RemoveFromCart};
use double11_units::{CartId, ProductId};

use crate::carts::Changed;
use crate::http::json::Object;
use crate::http::problem::{self, Problem};
use crate::http::reply::Reply;
use crate::http::request_body::Upload;
use crate::http::service::App;
use crate::http::wire;

pub(super) async fn add(app: &App, upload: &mut Upload<'_>) -> Result<Reply, Problem> {
    let body = upload.read(app.body_limits()).await?;
    let command = wire::add_to_cart(&body)?;
    match app.carts.add(command).await? {
        Changed::Cart { cart, created } => {
            app.metrics.cart_addition(created);
            Ok(reply(201, &cart))
        }
        Changed::Refused(refusal) => Err(refused(refusal)),
    }
}

pub(super) async fn read(app: &App, id: &str) -> Result<Reply, Problem> {
    let cart_id = CartId::parse(id).map_err(|_| Problem::from(problem::UNKNOWN_CART))?;
    let cart = app.carts.read(cart_id).await?;
    cart.map(|cart| reply(200, &cart))
        .ok_or_else(|| problem::UNKNOWN_CART.into())
}

pub(super) async fn remove(app: &App, id: &str, product: &str) -> Result<Reply, Problem> {
    let (Ok(cart_id), Ok(product_id)) = (CartId::parse(id), ProductId::parse(product)) else {
        return Err(problem::UNKNOWN_CART.into());
    };
    match app
        .carts
        .remove(RemoveFromCart {
            cart_id,
            product_id,
        })
        .await?
    {
        Changed::Cart { cart, .. } => Ok(reply(200, &cart)),
        Changed::Refused(refusal) => Err(refused(refusal)),
    }
}

fn refused(refusal: CartRefusal) -> Problem {
    match refusal {
        CartRefusal::UnknownProduct(product_id) => {
            Problem::from(problem::UNKNOWN_PRODUCT).product(product_id)
        }
        CartRefusal::UnknownCart => problem::UNKNOWN_CART.into(),
        CartRefusal::AlreadyOrdered(order_id) => {
            Problem::from(problem::CART_ALREADY_ORDERED).order(order_id)
        }
        CartRefusal::LimitExceeded => problem::LIMIT_EXCEEDED.into(),
    }
}

fn reply(status: u16, cart: &Cart) -> Reply {
    let mut body = Vec::with_capacity(128 + cart.lines.len() * 64);
    let mut object = Object::begin(&mut body);
    object.id("cart_id", cart.cart_id.get());
    match &cart.user_id {
        Some(user_id) => object.text("user_id", user_id.as_str()),
        None => object.null("user_id"),
    };
    match cart.order_id {
        Some(order_id) => object.id("order_id", order_id.get()),
        None => object.null("order_id"),
    };
    object
        .array("items", &cart.lines, |output, line| {
            let mut item = Object::begin(output);
            item.integer("product_id", line.product_id.get())
                .integer("quantity", line.quantity.get())
                .money("unit_price", line.unit_price);
            item.end();
        })
        .money("total", cart.total)
        .text("currency", cart.total.currency().code());
    object.end();
    Reply::json(status, body)
}
