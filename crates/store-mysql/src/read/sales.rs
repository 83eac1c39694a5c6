//! Carts, orders, payments and figures.

use double11_store::payment::RefundState;
use double11_store::{
    Attempt, AttemptState, Cart, CartLine, Figures, OrderLine, OrderView, PaymentView,
    PendingRefund,
};
use double11_units::{AttemptId, CartId, Money, OrderId, ProductId, UnixMicros};
use mysql::{Row, Value};

use crate::session::{Session, id, int, maybe_int, maybe_string, string, text};
use crate::work::load::{order, quantity, user, version};
use crate::work::{ShopFacts, WorkError, WorkResult};

/// A cart without lines gives one row, in which the columns of the line are NULL.
const CART: &str = "SELECT c.user_id, c.order_id, c.version, l.product_id, l.quantity, p.price \
                    FROM carts c LEFT JOIN cart_lines l ON l.cart_id = c.cart_id \
                    LEFT JOIN products p ON p.product_id = l.product_id \
                    WHERE c.cart_id = ? ORDER BY l.product_id";

/// The order, its lines and its payments, told apart by the last column.
const VIEW: &str = "SELECT order_id, user_id, state, payment_method, total, captured, processing, \
                    created_at, expires_at, 0 AS part FROM orders WHERE order_id = ? \
                    UNION ALL SELECT product_id, '', '', '', quantity, unit_price, 0, 0, 0, 1 \
                    FROM order_lines WHERE order_id = ? \
                    UNION ALL SELECT p.attempt_id, p.gateway, p.state, COALESCE(r.state, ''), \
                    p.amount, 0, 0, p.created_at, 0, 2 FROM payments p LEFT JOIN refunds r \
                    ON r.order_id = p.order_id AND r.attempt_id = p.attempt_id \
                    WHERE p.order_id = ?";

/// The cart with its lines and current prices.
pub(crate) fn cart(
    session: &mut Session,
    facts: &ShopFacts,
    cart_id: CartId,
) -> WorkResult<Option<Cart>> {
    let mut cart: Option<Cart> = None;
    session.each(CART, vec![Value::Int(cart_id.get())], |row| {
        let header = match &mut cart {
            Some(header) => header,
            none => none.insert(cart_header(row, facts, cart_id)?),
        };
        if maybe_int(row, 3)?.is_some() {
            let line = CartLine {
                product_id: id(row, 3, ProductId::new)?,
                quantity: quantity(row, 4)?,
                unit_price: facts.money(int(row, 5)?),
            };
            header.total = line
                .unit_price
                .checked_mul(i64::from(line.quantity.get()))
                .and_then(|price| header.total.checked_add(price))
                .map_err(|_| WorkError::Damaged("a cart's total does not fit"))?;
            header.lines.push(line);
        }
        Ok(())
    })?;
    Ok(cart)
}

fn cart_header(row: &Row, facts: &ShopFacts, cart_id: CartId) -> WorkResult<Cart> {
    Ok(Cart {
        cart_id,
        user_id: maybe_string(row, 0)?.map(user).transpose()?,
        order_id: maybe_int(row, 1)?
            .map(OrderId::new)
            .transpose()
            .map_err(|_| WorkError::Damaged("a cart's order is no id"))?,
        version: version(row, 2)?,
        lines: Vec::new(),
        total: Money::zero(facts.currency),
    })
}

/// The order with its lines and payments.
pub(crate) fn view(
    session: &mut Session,
    facts: &ShopFacts,
    order_id: OrderId,
) -> WorkResult<Option<OrderView>> {
    let mut found = None;
    let mut lines = Vec::new();
    let mut payments = Vec::new();
    let values = vec![Value::Int(order_id.get()); 3];
    session.each(VIEW, values, |row| {
        match int(row, 9)? {
            0 => found = Some(order(row, facts)?),
            1 => lines.push(OrderLine {
                product_id: id(row, 0, ProductId::new)?,
                quantity: quantity(row, 4)?,
                unit_price: facts.money(int(row, 5)?),
            }),
            _ => payments.push(payment(row, facts)?),
        }
        Ok(())
    })?;
    lines.sort_unstable_by_key(|line: &OrderLine| line.product_id);
    // Ids of different shops say nothing about time.
    payments.sort_unstable_by_key(|payment: &PaymentView| {
        let number = facts.layout.number(payment.attempt_id.get());
        (payment.created_at, number)
    });
    Ok(found.map(|order| OrderView {
        order,
        lines,
        payments,
    }))
}

fn payment(row: &Row, facts: &ShopFacts) -> WorkResult<PaymentView> {
    Ok(PaymentView {
        attempt_id: id(row, 0, AttemptId::new)?,
        gateway: string(row, 1)?.to_owned(),
        state: AttemptState::from_name(string(row, 2)?)
            .ok_or(WorkError::Damaged("unknown state of an attempt"))?,
        refund: match string(row, 3)? {
            "" => None,
            "done" => Some(RefundState::Done),
            _ => Some(RefundState::Pending),
        },
        amount: facts.money(int(row, 4)?),
        created_at: UnixMicros::new(int(row, 7)?),
    })
}

/// Attempts at a gateway without an outcome, oldest first.
pub(crate) fn unresolved(
    session: &mut Session,
    facts: &ShopFacts,
    gateway: &str,
    limit: u32,
) -> WorkResult<Vec<Attempt>> {
    let hint = facts.index("payments_processing");
    session.list(
        &format!(
            "SELECT order_id, attempt_id, amount, created_at FROM payments{hint} \
             WHERE state = 'processing' AND gateway = ? ORDER BY created_at, attempt_id LIMIT ?"
        ),
        vec![text(gateway), Value::Int(i64::from(limit))],
        |row| {
            Ok(Attempt {
                order_id: id(row, 0, OrderId::new)?,
                attempt_id: id(row, 1, AttemptId::new)?,
                amount: facts.money(int(row, 2)?),
                created_at: UnixMicros::new(int(row, 3)?),
            })
        },
    )
}

/// Refunds that a gateway has not confirmed, oldest first.
pub(crate) fn pending_refunds(
    session: &mut Session,
    facts: &ShopFacts,
    gateway: &str,
    limit: u32,
) -> WorkResult<Vec<PendingRefund>> {
    let hint = facts.index("refunds_pending");
    session.list(
        &format!(
            "SELECT order_id, attempt_id, refunds.amount FROM refunds{hint} \
             JOIN payments USING (order_id, attempt_id) \
             WHERE refunds.state = 'pending' AND payments.gateway = ? \
             ORDER BY refunds.created_at, attempt_id LIMIT ?"
        ),
        vec![text(gateway), Value::Int(i64::from(limit))],
        |row| {
            Ok(PendingRefund {
                order_id: id(row, 0, OrderId::new)?,
                attempt_id: id(row, 1, AttemptId::new)?,
                amount: facts.money(int(row, 2)?),
            })
        },
    )
}

/// Figures for the metrics.
pub(crate) fn figures(session: &mut Session) -> WorkResult<Figures> {
    let found = session.find(
        "SELECT CAST(COALESCE(SUM(received <> available + reserved + sold OR available < 0 \
         OR reserved < 0 OR sold < 0), 0) AS SIGNED), \
         CAST(COALESCE(SUM(reserved), 0) AS SIGNED) FROM stock",
        Vec::new(),
        |row| Ok((int(row, 0)?, int(row, 1)?)),
    )?;
    let (oversold, reserved) = found.unwrap_or_default();
    Ok(Figures {
        oversold_products: u64::try_from(oversold).unwrap_or(0),
        reserved_units: u64::try_from(reserved).unwrap_or(0),
    })
}
