//! Single fields of a body, read from their JSON text.

use std::borrow::Cow;

use double11_units::{CartId, Currency, Money, OrderId, ProductId, Quantity, UserId};
use serde_json::value::RawValue;

use super::string;
use crate::http::problem::{self, Kind, Problem};

/// An integer's text, as RFC 8259 writes one without fraction and exponent.
enum Integer<'text> {
    /// The digits, without a sign.
    Positive(&'text str),
    Negative,
}

fn integer(raw: &RawValue) -> Option<Integer<'_>> {
    let text = raw.get();
    let (digits, negative) = match text.strip_prefix('-') {
        Some(digits) => (digits, true),
        None => (text, false),
    };
    let is_integer = digits.bytes().all(|byte| byte.is_ascii_digit());
    match (is_integer, negative) {
        (false, _) => None,
        (true, true) => Some(Integer::Negative),
        (true, false) => Some(Integer::Positive(digits)),
    }
}

/// A product id. An integer that no product can have is unknown, not invalid.
pub(super) fn product_id(raw: &RawValue) -> Result<ProductId, Problem> {
    match integer(raw) {
        Some(Integer::Positive(digits)) => {
            ProductId::parse(digits).map_err(|_| problem::UNKNOWN_PRODUCT.into())
        }
        Some(Integer::Negative) => Err(problem::UNKNOWN_PRODUCT.into()),
        None => Err(problem::INVALID_PRODUCT_ID.into()),
    }
}

pub(super) fn quantity(raw: &RawValue) -> Result<Quantity, Problem> {
    let pieces = match integer(raw) {
        Some(Integer::Positive(digits)) => digits.parse().ok(),
        _ => None,
    };
    pieces
        .and_then(|pieces| Quantity::new(pieces).ok())
        .ok_or_else(|| problem::INVALID_QUANTITY.into())
}

/// An integer from 0 or a text; the integer 7 and the text "7" are the same user.
pub(super) fn user_id(raw: &RawValue) -> Result<UserId, Problem> {
    let text = match integer(raw) {
        Some(Integer::Positive(digits)) => Some(Cow::Borrowed(digits)),
        Some(Integer::Negative) => None,
        None => string(raw),
    };
    let text = text.ok_or_else(|| Problem::from(problem::INVALID_USER_ID))?;
    UserId::new(text)
        .map_err(|error| Problem::from(problem::INVALID_USER_ID).detail(error.to_string()))
}

/// A cart id as the shop gave it out (a text) or as a number.
pub(super) fn cart_id(raw: &RawValue) -> Result<CartId, Problem> {
    let text = id_text(raw).ok_or_else(|| Problem::from(problem::INVALID_CART_ID))?;
    CartId::parse(&text).map_err(|_| problem::UNKNOWN_CART.into())
}

/// An order id as the shop gave it out (a text) or as a number.
pub(super) fn order_id(raw: &RawValue) -> Result<OrderId, Problem> {
    let text = id_text(raw).ok_or_else(|| Problem::from(problem::INVALID_ORDER_ID))?;
    OrderId::parse(&text).map_err(|_| problem::UNKNOWN_ORDER.into())
}

fn id_text(raw: &RawValue) -> Option<Cow<'_, str>> {
    match integer(raw) {
        Some(Integer::Positive(digits)) => Some(Cow::Borrowed(digits)),
        Some(Integer::Negative) => Some(Cow::Borrowed(raw.get())),
        None => string(raw),
    }
}

/// An amount above zero after rounding to two places.
pub(super) fn amount(raw: &RawValue, currency: Currency) -> Result<Money, Problem> {
    let invalid = |detail: &str| Problem::from(problem::INVALID_AMOUNT).detail(detail);
    let amount = Money::parse(raw.get(), currency).map_err(|error| invalid(&error.to_string()))?;
    if amount.minor_units() > 0 {
        Ok(amount)
    } else {
        Err(invalid("not above zero"))
    }
}

/// A text, or the problem of this kind.
pub(super) fn text(raw: &RawValue, kind: Kind) -> Result<Cow<'_, str>, Problem> {
    string(raw).ok_or_else(|| kind.into())
}
