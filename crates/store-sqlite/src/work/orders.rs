//! Orders: placing, reading, cancelling, expiring.

use double11_store::{
    CancelOutcome, CancelRefusal, ClaimedKey, Order, OrderLine, OrderLines, OrderReceipt,
    OrderState, OrderView, PaymentMethod, PlaceOrder, PlaceOutcome, PlaceRefusal,
};
use double11_units::{CartId, Money, OrderId, ProductId, UnixMicros, UserId};
use rusqlite::types::Type;
use rusqlite::{Connection, Row};

use crate::work::catalogue::{damaged, positive};
use crate::work::new_orders::{LineRow, OrderRow};
use crate::work::{ShopFacts, Work, WorkError, WorkResult, carts, find, list, payments, run};

const ORDER: &str = "SELECT order_id, user_id, state, payment_method, total, captured, \
                     processing, created_at, expires_at FROM orders WHERE order_id = ?1";

fn order(row: &Row<'_>, facts: &ShopFacts) -> rusqlite::Result<Order> {
    let user: String = row.get(1)?;
    let state: String = row.get(2)?;
    let payment_method: String = row.get(3)?;
    Ok(Order {
        order_id: positive(row, 0, OrderId::new)?,
        user_id: UserId::new(user).map_err(|_| damaged(1, Type::Text, "not a user"))?,
        state: OrderState::from_name(&state)
            .ok_or_else(|| damaged(2, Type::Text, "unknown state"))?,
        payment_method: PaymentMethod::from_name(&payment_method),
        total: facts.money(row.get(4)?),
        captured: facts.money(row.get(5)?),
        processing: facts.money(row.get(6)?),
        created_at: UnixMicros::new(row.get(7)?),
        expires_at: UnixMicros::new(row.get(8)?),
    })
}

/// The order without its lines.
pub(crate) fn read(
    connection: &Connection,
    facts: &ShopFacts,
    order_id: OrderId,
) -> WorkResult<Option<Order>> {
    find(connection, ORDER, [order_id.get()], |row| order(row, facts))
}

/// The order with its lines and payments.
pub(crate) fn view(
    connection: &Connection,
    facts: &ShopFacts,
    order_id: OrderId,
) -> WorkResult<Option<OrderView>> {
    let Some(order) = read(connection, facts, order_id)? else {
        return Ok(None);
    };
    let lines = lines(connection, facts, order_id)?;
    let payments = payments::of_order(connection, facts, order_id)?;
    Ok(Some(OrderView {
        order,
        lines,
        payments,
    }))
}

/// The lines of an order, ascending by product.
pub(crate) fn lines(
    connection: &Connection,
    facts: &ShopFacts,
    order_id: OrderId,
) -> WorkResult<Vec<OrderLine>> {
    list(
        connection,
        "SELECT product_id, quantity, unit_price FROM order_lines WHERE order_id = ?1 \
         ORDER BY product_id",
        [order_id.get()],
        |row| {
            Ok(OrderLine {
                product_id: positive(row, 0, ProductId::new)?,
                quantity: carts::quantity(row, 1)?,
                unit_price: facts.money(row.get(2)?),
            })
        },
    )
}

/// An order that passed every check but the stock's.
struct Priced {
    cart_id: Option<CartId>,
    lines: Vec<OrderLine>,
    total: Money,
}

pub(crate) fn place<'tx>(
    work: &mut Work<'tx>,
    command: &'tx PlaceOrder,
    fresh_id: i64,
) -> WorkResult<PlaceOutcome> {
    let priced = match price(work, command)? {
        Ok(priced) => priced,
        Err(refusal) => return earlier_or(work, command, refusal),
    };
    if let Some(short) = work.stock.reserve(work.connection, &priced.lines)? {
        return earlier_or(work, command, PlaceRefusal::SoldOut(short));
    }
    let receipt = OrderReceipt {
        order_id: OrderId::new(fresh_id).map_err(|_| WorkError::Damaged("ids have run out"))?,
        total: priced.total,
        expires_at: work.now.plus(work.facts.payment_window),
    };
    // A key is new far more often than not, so that claiming it is the way to ask whether it is.
    if let Some(key) = &command.key
        && !claim(work, command, key, receipt.order_id)?
    {
        for line in &priced.lines {
            work.stock.release(work.connection, line)?;
        }
        return earlier_answer(work, command, key)?.ok_or(WorkError::Damaged(
            "a key that was claimed before is not there",
        ));
    }
    insert(work, command, &priced, &receipt)?;
    Ok(PlaceOutcome::Placed(receipt))
}

/// The answer that an earlier order with the same key got, which counts more than what would refuse it
/// now.
fn earlier_or(
    work: &mut Work<'_>,
    command: &PlaceOrder,
    refusal: PlaceRefusal,
) -> WorkResult<PlaceOutcome> {
    let earlier = match &command.key {
        Some(key) => earlier_answer(work, command, key)?,
        None => None,
    };
    Ok(earlier.unwrap_or(PlaceOutcome::Refused(refusal)))
}

/// Claims a key for an order; `false` when it was claimed before.
fn claim(
    work: &Work<'_>,
    command: &PlaceOrder,
    key: &ClaimedKey,
    order_id: OrderId,
) -> WorkResult<bool> {
    let claimed = run(
        work.connection,
        "INSERT INTO idempotency_keys (key, operation, user_id, fingerprint, order_id, \
         attempt_id, created_at) VALUES (?1, 'order', ?2, ?3, ?4, NULL, ?5) \
         ON CONFLICT DO NOTHING",
        (
            key.key.as_str(),
            command.user_id.as_str(),
            key.fingerprint.0,
            order_id.get(),
            work.now.get(),
        ),
    )?;
    Ok(claimed == 1)
}

/// What an earlier order with the same key decides about this one.
fn earlier_answer(
    work: &mut Work<'_>,
    command: &PlaceOrder,
    key: &ClaimedKey,
) -> WorkResult<Option<PlaceOutcome>> {
    let claimed = find(
        work.connection,
        "SELECT fingerprint, order_id FROM idempotency_keys \
         WHERE key = ?1 AND operation = 'order' AND user_id = ?2",
        (key.key.as_str(), command.user_id.as_str()),
        |row| {
            let fingerprint: [u8; 16] = row.get(0)?;
            Ok((fingerprint, positive(row, 1, OrderId::new)?))
        },
    )?;
    let Some((fingerprint, order_id)) = claimed else {
        return Ok(None);
    };
    if fingerprint != key.fingerprint.0 {
        return Ok(Some(PlaceOutcome::Refused(PlaceRefusal::KeyReused)));
    }
    work.new_orders.write(work.connection)?;
    let order = read(work.connection, &work.facts, order_id)?.ok_or(WorkError::Damaged(
        "a key names an order that does not exist",
    ))?;
    Ok(Some(PlaceOutcome::Replayed(OrderReceipt {
        order_id,
        total: order.total,
        expires_at: order.expires_at,
    })))
}

/// Finds the lines and their prices, and checks everything but the stock.
fn price(work: &mut Work<'_>, command: &PlaceOrder) -> WorkResult<Result<Priced, PlaceRefusal>> {
    let (cart_id, lines) = match &command.lines {
        OrderLines::Items(items) => {
            let mut lines = Vec::with_capacity(items.len());
            for (product_id, quantity) in items {
                let Some(price) = work.stock.price(work.connection, *product_id)? else {
                    return Ok(Err(PlaceRefusal::UnknownProduct(*product_id)));
                };
                let unit_price = work.facts.money(price);
                lines.push(OrderLine {
                    product_id: *product_id,
                    quantity: *quantity,
                    unit_price,
                });
            }
            (None, lines)
        }
        OrderLines::Cart(cart_id) => match cart_lines(work, command, *cart_id)? {
            Ok(lines) => (Some(*cart_id), lines),
            Err(refusal) => return Ok(Err(refusal)),
        },
    };
    let Some(total) = total(&work.facts, &lines) else {
        return Ok(Err(PlaceRefusal::TotalOutOfRange));
    };
    if command
        .expected_total
        .is_some_and(|expected| expected != total)
    {
        return Ok(Err(PlaceRefusal::TotalChanged(total)));
    }
    Ok(Ok(Priced {
        cart_id,
        lines,
        total,
    }))
}

fn cart_lines(
    work: &Work<'_>,
    command: &PlaceOrder,
    cart_id: CartId,
) -> WorkResult<Result<Vec<OrderLine>, PlaceRefusal>> {
    let Some(cart) = carts::read(work.connection, &work.facts, cart_id)? else {
        return Ok(Err(PlaceRefusal::UnknownCart));
    };
    if let Some(order_id) = cart.order_id {
        return Ok(Err(PlaceRefusal::CartAlreadyOrdered(order_id)));
    }
    if cart
        .user_id
        .as_ref()
        .is_some_and(|owner| *owner != command.user_id)
    {
        return Ok(Err(PlaceRefusal::CartOfAnotherUser));
    }
    if cart.lines.is_empty() {
        return Ok(Err(PlaceRefusal::EmptyCart));
    }
    let lines = cart.lines.iter().map(|line| OrderLine {
        product_id: line.product_id,
        quantity: line.quantity,
        unit_price: line.unit_price,
    });
    Ok(Ok(lines.collect()))
}

fn total(facts: &ShopFacts, lines: &[OrderLine]) -> Option<Money> {
    lines
        .iter()
        .try_fold(Money::zero(facts.currency), |sum, line| {
            let price = line
                .unit_price
                .checked_mul(i64::from(line.quantity.get()))
                .ok()?;
            sum.checked_add(price).ok()
        })
}

fn insert<'tx>(
    work: &mut Work<'tx>,
    command: &'tx PlaceOrder,
    priced: &Priced,
    receipt: &OrderReceipt,
) -> WorkResult<()> {
    let order_id = receipt.order_id.get();
    work.new_orders.orders.push(OrderRow {
        order_id,
        user_id: &command.user_id,
        cart_id: priced.cart_id.map(CartId::get),
        payment_method: command.payment_method.name(),
        total: priced.total.minor_units(),
        created_at: work.now.get(),
        expires_at: receipt.expires_at.get(),
    });
    let lines = priced.lines.iter().map(|line| LineRow {
        order_id,
        product_id: line.product_id.get(),
        quantity: line.quantity.get(),
        unit_price: line.unit_price.minor_units(),
    });
    work.new_orders.lines.extend(lines);
    if let Some(cart_id) = priced.cart_id {
        carts::become_order(work, cart_id, receipt.order_id)?;
    }
    Ok(())
}

pub(crate) fn cancel(work: &mut Work<'_>, order_id: OrderId) -> WorkResult<CancelOutcome> {
    let Some(mut order) = read(work.connection, &work.facts, order_id)? else {
        return Ok(CancelOutcome::Refused(CancelRefusal::UnknownOrder));
    };
    match order.state {
        OrderState::Paid => return Ok(CancelOutcome::Refused(CancelRefusal::Paid)),
        OrderState::Expired => return Ok(CancelOutcome::Refused(CancelRefusal::Expired)),
        OrderState::Cancelled => return Ok(CancelOutcome::Cancelled(order)),
        OrderState::PendingPayment | OrderState::PartiallyPaid => {}
    }
    if order.processing.minor_units() > 0 {
        return Ok(CancelOutcome::Refused(CancelRefusal::PaymentProcessing));
    }
    order.state = OrderState::Cancelled;
    close(work, order_id, OrderState::Cancelled)?;
    Ok(CancelOutcome::Cancelled(order))
}

/// Expires orders that are due and have no payment in process; returns how many.
pub(crate) fn expire_due(work: &mut Work<'_>, limit: u32) -> WorkResult<u32> {
    let due = list(
        work.connection,
        "SELECT order_id FROM orders WHERE state IN ('pending_payment','partially_paid') \
         AND expires_at <= ?1 AND processing = 0 ORDER BY expires_at LIMIT ?2",
        (work.now.get(), limit),
        |row| positive(row, 0, OrderId::new),
    )?;
    for order_id in &due {
        close(work, *order_id, OrderState::Expired)?;
    }
    u32::try_from(due.len()).map_err(|_| WorkError::Damaged("more rows than the limit"))
}

/// Closes an unpaid order: stock back, refunds of every capture, all in this transaction.
fn close(work: &mut Work<'_>, order_id: OrderId, state: OrderState) -> WorkResult<()> {
    for line in lines(work.connection, &work.facts, order_id)? {
        work.stock.release(work.connection, &line)?;
    }
    run(
        work.connection,
        "UPDATE orders SET state = ?2, closed_at = ?3 WHERE order_id = ?1",
        (order_id.get(), state.name(), work.now.get()),
    )?;
    run(
        work.connection,
        "INSERT INTO refunds (order_id, attempt_id, state, amount, created_at) \
         SELECT order_id, attempt_id, 'pending', amount, ?2 FROM payments \
         WHERE order_id = ?1 AND state = 'captured'",
        (order_id.get(), work.now.get()),
    )?;
    Ok(())
}

/// Turns the stock of a paid order from reserved into sold.
pub(crate) fn sell(work: &mut Work<'_>, order_id: OrderId) -> WorkResult<()> {
    for line in lines(work.connection, &work.facts, order_id)? {
        work.stock.sell(work.connection, &line)?;
    }
    Ok(())
}
