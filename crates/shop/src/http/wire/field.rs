//! Single fields of a body, read from their JSON text.

use std::borrow::Cow;

use double11_units::{AttemptId, CartId, Currency, Money, OrderId, ProductId, Quantity, UserId};
use serde_json::value::RawValue;

use super::string;
use crate::http::problem::{self, Kind, Problem};

/// An integer, however JSON writes it: `7`, `7.0` and `70e-1` are the same.
enum Integer<'text> {
    /// The digits, without a sign and without leading zeros.
    Positive(Cow<'text, str>),
    Negative,
}

/// The most digits of an integer; no field takes more.
const DIGITS_MAX: usize = 64;

fn integer(raw: &RawValue) -> Option<Integer<'_>> {
    let text = raw.get();
    let (magnitude, is_signed) = match text.strip_prefix('-') {
        Some(magnitude) => (magnitude, true),
        None => (text, false),
    };
    let digits = if magnitude.bytes().all(|byte| byte.is_ascii_digit()) {
        Cow::Borrowed(magnitude)
    } else {
        Cow::Owned(digits_of(magnitude)?)
    };
    if is_signed && digits != "0" {
        Some(Integer::Negative)
    } else {
        Some(Integer::Positive(digits))
    }
}

/// The digits of a number with a fraction or an exponent, if it is whole after all.
fn digits_of(number: &str) -> Option<String> {
    if !number.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = [whole, fraction].concat();
    let places = i64::try_from(fraction.len()).ok()?;
    // The power of ten of the last digit, which is the last one that is not zero.
    let mut power = exponent.parse::<i64>().ok()?.checked_sub(places)?;
    while digits.len() > 1 && digits.ends_with('0') {
        digits.pop();
        power = power.checked_add(1)?;
    }
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Some("0".to_owned());
    }
    let zeros = usize::try_from(power).ok()?;
    let fits = significant.len().checked_add(zeros)? <= DIGITS_MAX;
    fits.then(|| [significant, &"0".repeat(zeros)].concat())
}

/// A product id. An integer that no product can have is unknown, not invalid.
pub(super) fn product_id(raw: &RawValue) -> Result<ProductId, Problem> {
    match integer(raw) {
        Some(Integer::Positive(digits)) => {
            ProductId::parse(&digits).map_err(|_| problem::UNKNOWN_PRODUCT.into())
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
        Some(Integer::Positive(digits)) => Some(digits),
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

/// The id of a payment in a callback, in the forms of other ids.
pub(super) fn attempt_id(raw: &RawValue) -> Result<AttemptId, Problem> {
    let text = id_text(raw).ok_or_else(|| not_an_id("attempt_id"))?;
    AttemptId::parse(&text).map_err(|_| problem::UNKNOWN_ATTEMPT.into())
}

/// The id of the order that a callback names: with another one there is no such payment.
pub(super) fn told_order_id(raw: &RawValue) -> Result<OrderId, Problem> {
    let text = id_text(raw).ok_or_else(|| not_an_id("order_id"))?;
    OrderId::parse(&text).map_err(|_| problem::UNKNOWN_ATTEMPT.into())
}

fn not_an_id(name: &str) -> Problem {
    Problem::from(problem::INVALID_REQUEST).detail(format!("`{name}` is not an id"))
}

fn id_text(raw: &RawValue) -> Option<Cow<'_, str>> {
    match integer(raw) {
        Some(Integer::Positive(digits)) => Some(digits),
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

/// The amount of a callback: a decimal text, or a number.
pub(super) fn told_amount(raw: &RawValue, currency: Currency) -> Result<Money, Problem> {
    let text = string(raw).unwrap_or(Cow::Borrowed(raw.get()));
    Money::parse(&text, currency)
        .map_err(|error| Problem::from(problem::INVALID_REQUEST).detail(error.to_string()))
}

/// A text, or the problem of this kind.
pub(super) fn text(raw: &RawValue, kind: Kind) -> Result<Cow<'_, str>, Problem> {
    string(raw).ok_or_else(|| kind.into())
}
