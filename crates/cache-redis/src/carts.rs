//! Carts: one key each, which holds either the newest version that was offered or the mark that blocks it.
//!
//! The value is the version in 20 digits, so that the script can compare it as text, and the cart as JSON. What
//! cannot be read, for example because a later version of the program wrote it, counts as not there.

use std::sync::LazyLock;
use std::time::Duration;

use double11_store::{Cart, CartLine};
use double11_units::{CartId, Currency, Money, OrderId, ProductId, Quantity, UserId};
use redis::Cmd;
use serde::{Deserialize, Serialize};

use crate::link::{Call, Procedure};

/// How long a cart lives after the last offer of a newer version. It bounds how long a shop that died between
/// a change and its offer leaves the cart of before.
const CART_TTL: Duration = Duration::from_mins(1);
/// How long a block keeps offers away: longer than any request may last that read the cart before.
const BLOCK_TTL: Duration = Duration::from_mins(1);
/// The value of a blocked cart.
const BLOCKED: &[u8] = b"blocked";
/// Digits of the largest version.
const VERSION_DIGITS: usize = 20;

/// Keeps the newer version, and nothing while the cart is blocked.
pub(crate) static OFFER: LazyLock<Procedure> = LazyLock::new(|| {
    Procedure::new(
        "local known = redis.call('GETRANGE', KEYS[1], 0, 19) \
         if known == 'blocked' then return 0 end \
         if known ~= '' and known >= string.sub(ARGV[1], 1, 20) then return 0 end \
         redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) \
         return 1",
    )
});

/// Offers a cart.
pub(crate) fn offer(key: String, cart: &Cart) -> Call {
    Call {
        key,
        arguments: vec![encode(cart), CART_TTL.as_millis().to_string().into_bytes()],
    }
}

/// Reads a cart.
pub(crate) fn get(key: &str) -> Cmd {
    let mut command = redis::cmd("GET");
    command.arg(key);
    command
}

/// Blocks a cart.
pub(crate) fn block(key: &str) -> Cmd {
    let mut command = redis::cmd("SET");
    command.arg(key).arg(BLOCKED);
    command.arg("PX").arg(BLOCK_TTL.as_millis().to_string());
    command
}

/// A cart as it lies in Redis. Names are short: they are stored with every cart.
#[derive(Serialize, Deserialize)]
struct Form {
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    order_id: Option<i64>,
    #[serde(rename = "c")]
    currency: String,
    #[serde(rename = "t")]
    total: i64,
    /// Product, pieces, price of one in minor units.
    #[serde(rename = "l")]
    lines: Vec<(i64, u32, i64)>,
}

fn encode(cart: &Cart) -> Vec<u8> {
    let form = Form {
        user_id: cart.user_id.as_ref().map(|user| user.as_str().to_owned()),
        order_id: cart.order_id.map(OrderId::get),
        currency: cart.total.currency().code().to_owned(),
        total: cart.total.minor_units(),
        lines: cart
            .lines
            .iter()
            .map(|line| {
                let price = line.unit_price.minor_units();
                (line.product_id.get(), line.quantity.get(), price)
            })
            .collect(),
    };
    let mut value = format!("{:0VERSION_DIGITS$}", cart.version).into_bytes();
    if let Err(error) = serde_json::to_writer(&mut value, &form) {
        debug_assert!(false, "writing to memory does not fail: {error}");
    }
    value
}

/// The cart of a value; none when it is blocked or cannot be read.
pub(crate) fn decode(cart_id: CartId, value: &[u8]) -> Option<Cart> {
    let (version, form) = value.split_at_checked(VERSION_DIGITS)?;
    let version = std::str::from_utf8(version).ok()?.parse().ok()?;
    let form: Form = serde_json::from_slice(form).ok()?;
    let currency = Currency::from_code(&form.currency)?;
    let line = |(product_id, quantity, price)| {
        Some(CartLine {
            product_id: ProductId::new(product_id).ok()?,
            quantity: Quantity::new(quantity).ok()?,
            unit_price: Money::from_minor(price, currency),
        })
    };
    Some(Cart {
        cart_id,
        user_id: form.user_id.map(UserId::new).transpose().ok()?,
        order_id: form.order_id.map(OrderId::new).transpose().ok()?,
        version,
        lines: form.lines.into_iter().map(line).collect::<Option<_>>()?,
        total: Money::from_minor(form.total, currency),
    })
}

#[cfg(test)]
mod tests {
    use double11_store::{Cart, CartLine};
    use double11_units::{CartId, Currency, Money, OrderId, ProductId, Quantity, UserId};
    use proptest::prelude::*;

    use super::{BLOCKED, decode, encode};

    fn money(minor: i64) -> Money {
        Money::from_minor(minor, Currency::Cny)
    }

    prop_compose! {
        fn carts()(
            cart_id in 1..=i64::MAX,
            user in proptest::option::of("[a-z0-9\"\\\\ 手機]{1,20}"),
            order in proptest::option::of(1..=i64::MAX),
            version in any::<u64>(),
            lines in proptest::collection::vec((1..=i64::MAX, 1..=100_000_u32, 1..=i64::MAX), 0..5),
            total in 0..=i64::MAX,
        ) -> Cart {
            Cart {
                cart_id: CartId::new(cart_id).unwrap(),
                user_id: user.and_then(|user| UserId::new(user).ok()),
                order_id: order.map(|order| OrderId::new(order).unwrap()),
                version,
                lines: lines
                    .into_iter()
                    .map(|(product, pieces, price)| CartLine {
                        product_id: ProductId::new(product).unwrap(),
                        quantity: Quantity::new(pieces).unwrap(),
                        unit_price: money(price),
                    })
                    .collect(),
                total: money(total),
            }
        }
    }

    proptest! {
        #[test]
        fn a_cart_is_read_as_it_was_written(cart in carts()) {
            prop_assert_eq!(decode(cart.cart_id, &encode(&cart)), Some(cart));
        }

        #[test]
        fn what_is_no_cart_is_none(value in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(decode(CartId::new(1).unwrap(), &value), None);
        }
    }

    #[test]
    fn a_block_is_no_cart() {
        assert_eq!(decode(CartId::new(1).unwrap(), BLOCKED), None);
    }
}
