//! What clients send: JSON bodies become commands, field by field, so that each wrong field has a
//! code of its own. Members that are not known are passed over; `null` counts as absent.

mod field;

use std::borrow::Cow;

use double11_store::{
    AddToCart, ClaimedKey, Fingerprint, GatewayAnswer, OrderLines, PaymentMethod, PlaceOrder,
    PreparePayment,
};
use double11_units::{Currency, IdempotencyKey, ProductId, Quantity};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::problem::{self, Problem};
use crate::orders::{ItemsError, merge_items, order_fingerprint, payment_fingerprint};
use crate::payments::Told;

type Raw<'body> = Option<&'body RawValue>;

/// `POST /api/cart`.
#[derive(Deserialize)]
struct AddToCartBody<'body> {
    #[serde(borrow, default)]
    product_id: Raw<'body>,
    #[serde(borrow, default)]
    quantity: Raw<'body>,
    #[serde(borrow, default)]
    cart_id: Raw<'body>,
    #[serde(borrow, default)]
    user_id: Raw<'body>,
}

/// `POST /api/orders`.
#[derive(Deserialize)]
struct PlaceOrderBody<'body> {
    #[serde(borrow, default)]
    user_id: Raw<'body>,
    #[serde(borrow, default)]
    items: Option<Vec<ItemBody<'body>>>,
    #[serde(borrow, default)]
    cart_id: Raw<'body>,
    #[serde(borrow, default)]
    payment_method: Raw<'body>,
    #[serde(borrow, default)]
    expected_total: Raw<'body>,
}

#[derive(Deserialize)]
struct ItemBody<'body> {
    #[serde(borrow, default)]
    product_id: Raw<'body>,
    #[serde(borrow, default)]
    quantity: Raw<'body>,
}

/// `POST /api/payments`.
#[derive(Deserialize)]
struct PaymentBody<'body> {
    #[serde(borrow, default)]
    order_id: Raw<'body>,
    #[serde(borrow, default)]
    amount: Raw<'body>,
    #[serde(borrow, default)]
    gateway: Raw<'body>,
    #[serde(borrow, default)]
    currency: Raw<'body>,
}

pub(super) fn add_to_cart(body: &[u8]) -> Result<AddToCart, Problem> {
    let text = utf8(body)?;
    let body: AddToCartBody<'_> = parse(text)?;
    Ok(AddToCart {
        cart_id: body.cart_id.map(field::cart_id).transpose()?,
        user_id: body.user_id.map(field::user_id).transpose()?,
        product_id: field::product_id(required("product_id", body.product_id)?)?,
        quantity: field::quantity(required("quantity", body.quantity)?)?,
    })
}

/// The payment method of a body that was refused, as far as it can be told: a label of metrics.
#[derive(Debug)]
pub(super) struct RefusedOrder {
    pub(super) problem: Problem,
    pub(super) payment_method: PaymentMethod,
}

pub(super) fn place_order(
    body: &[u8],
    key: Option<IdempotencyKey>,
    currency: Currency,
) -> Result<PlaceOrder, RefusedOrder> {
    let unknown = |problem| RefusedOrder {
        problem,
        payment_method: PaymentMethod::Unspecified,
    };
    let text = utf8(body).map_err(unknown)?;
    let body: PlaceOrderBody<'_> = parse(text).map_err(unknown)?;
    let payment_method = payment_method(body.payment_method).map_err(unknown)?;
    let refused = |problem| RefusedOrder {
        problem,
        payment_method,
    };
    let user_id = required("user_id", body.user_id)
        .and_then(field::user_id)
        .map_err(refused)?;
    let lines = lines(body.items, body.cart_id).map_err(refused)?;
    let expected_total = body
        .expected_total
        .map(|raw| field::amount(raw, currency))
        .transpose()
        .map_err(refused)?;
    let key = key.map(|key| ClaimedKey {
        key,
        fingerprint: order_fingerprint(&user_id, &lines, payment_method, expected_total),
    });
    Ok(PlaceOrder {
        user_id,
        lines,
        payment_method,
        expected_total,
        key,
    })
}

/// `POST /api/payments/callbacks/{gateway}`.
#[derive(Deserialize)]
struct CallbackBody<'body> {
    #[serde(borrow, default)]
    attempt_id: Raw<'body>,
    #[serde(borrow, default)]
    order_id: Raw<'body>,
    #[serde(borrow, default)]
    result: Raw<'body>,
    #[serde(borrow, default)]
    amount: Raw<'body>,
    #[serde(borrow, default)]
    currency: Raw<'body>,
}

pub(super) fn callback(body: &[u8], currency: Currency) -> Result<Told, Problem> {
    let text = utf8(body)?;
    let body: CallbackBody<'_> = parse(text)?;
    let attempt_id = field::attempt_id(required("attempt_id", body.attempt_id)?)?;
    let order_id = field::told_order_id(required("order_id", body.order_id)?)?;
    let result = required("result", body.result)?;
    let answer = match &*field::text(result, problem::INVALID_REQUEST)? {
        "captured" => GatewayAnswer::Captured,
        "declined" => GatewayAnswer::Declined,
        _ => {
            return Err(Problem::from(problem::INVALID_REQUEST)
                .detail("`result` is neither `captured` nor `declined`"));
        }
    };
    let amount = field::told_amount(required("amount", body.amount)?, currency)?;
    let told = required("currency", body.currency)?;
    if field::text(told, problem::INVALID_REQUEST)? != currency.code() {
        let detail = format!("the shop sells in {}", currency.code());
        return Err(Problem::from(problem::AMOUNT_MISMATCH).detail(detail));
    }
    Ok(Told {
        order_id,
        attempt_id,
        amount,
        answer,
    })
}

pub(super) fn payment(
    body: &[u8],
    key: Option<IdempotencyKey>,
    currency: Currency,
    gateway: &'static str,
) -> Result<PreparePayment, Problem> {
    let text = utf8(body)?;
    let body: PaymentBody<'_> = parse(text)?;
    let order_id = field::order_id(required("order_id", body.order_id)?)?;
    let amount = field::amount(required("amount", body.amount)?, currency)?;
    if let Some(raw) = body.gateway
        && field::text(raw, problem::INVALID_GATEWAY)? != gateway
    {
        return Err(Problem::from(problem::UNKNOWN_GATEWAY).detail(format!("use `{gateway}`")));
    }
    if let Some(raw) = body.currency
        && !field::text(raw, problem::INVALID_CURRENCY)?.eq_ignore_ascii_case(currency.code())
    {
        let detail = format!("the shop sells in {}", currency.code());
        return Err(Problem::from(problem::CURRENCY_MISMATCH).detail(detail));
    }
    let fingerprint: Fingerprint = payment_fingerprint(order_id, amount, gateway);
    let key = key.map(|key| ClaimedKey { key, fingerprint });
    Ok(PreparePayment {
        order_id,
        amount,
        gateway,
        key,
    })
}

fn payment_method(raw: Raw<'_>) -> Result<PaymentMethod, Problem> {
    let Some(raw) = raw else {
        return Ok(PaymentMethod::Unspecified);
    };
    Ok(PaymentMethod::from_name(&field::text(
        raw,
        problem::INVALID_PAYMENT_METHOD,
    )?))
}

fn lines(items: Option<Vec<ItemBody<'_>>>, cart_id: Raw<'_>) -> Result<OrderLines, Problem> {
    let items = match (items, cart_id) {
        (Some(items), None) => items,
        (None, Some(cart_id)) => return Ok(OrderLines::Cart(field::cart_id(cart_id)?)),
        (None, None) => {
            return Err(Problem::from(problem::INVALID_ITEMS)
                .detail("one of `items` and `cart_id` is needed"));
        }
        (Some(_), Some(_)) => {
            return Err(Problem::from(problem::INVALID_ITEMS)
                .detail("`items` and `cart_id` exclude each other"));
        }
    };
    let items: Vec<(ProductId, Quantity)> = items
        .into_iter()
        .map(|item| {
            let product_id = field::product_id(required("product_id", item.product_id)?)?;
            let quantity = field::quantity(required("quantity", item.quantity)?)?;
            Ok((product_id, quantity))
        })
        .collect::<Result<_, Problem>>()?;
    let merged = merge_items(items).map_err(|error| match error {
        ItemsError::Empty => Problem::from(problem::INVALID_ITEMS),
        ItemsError::TooMany => Problem::from(problem::TOO_MANY_LINES),
        ItemsError::TooManyPieces(product_id) => {
            Problem::from(problem::INVALID_QUANTITY).product(product_id)
        }
    })?;
    Ok(OrderLines::Items(merged))
}

fn required<'body>(name: &str, raw: Raw<'body>) -> Result<&'body RawValue, Problem> {
    raw.ok_or_else(|| {
        Problem::from(problem::INVALID_REQUEST).detail(format!("`{name}` is missing"))
    })
}

fn utf8(body: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(body)
        .map_err(|_| Problem::from(problem::MALFORMED_JSON).detail("the body is not UTF-8"))
}

fn parse<'body, T: Deserialize<'body>>(text: &'body str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(|error| {
        let kind = match error.classify() {
            serde_json::error::Category::Data => problem::INVALID_REQUEST,
            _ => problem::MALFORMED_JSON,
        };
        Problem::from(kind).detail(error.to_string())
    })
}

/// A JSON string that may have escapes.
fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    let text = raw.get();
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        owned(text).map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

fn owned<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}

/// The `Idempotency-Key` header.
pub(super) fn idempotency_key(value: Option<&[u8]>) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(value) = value else {
        return Ok(None);
    };
    let key = std::str::from_utf8(value).ok().map(IdempotencyKey::new);
    match key {
        Some(Ok(key)) => Ok(Some(key)),
        Some(Err(error)) => {
            Err(Problem::from(problem::INVALID_IDEMPOTENCY_KEY).detail(error.to_string()))
        }
        None => Err(Problem::from(problem::INVALID_IDEMPOTENCY_KEY).detail("it is not UTF-8")),
    }
}

#[cfg(test)]
mod tests;
