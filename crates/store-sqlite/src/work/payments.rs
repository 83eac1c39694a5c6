//! Payments: preparing, finalizing, refunding.

use double11_store::payment::RefundState;
use double11_store::{
    Attempt, AttemptState, ClaimedKey, FinalizeOutcome, FinalizePayment, Finalized, GatewayAnswer,
    Order, OrderState, PayOutcome, PayRefusal, PaymentReceipt, PaymentView, PendingRefund,
    PreparePayment,
};
use double11_units::{AttemptId, Money, OrderId, UnixMicros};
use rusqlite::types::Type;
use rusqlite::{Connection, Row};

use crate::work::catalogue::{damaged, positive};
use crate::work::{ShopFacts, Work, WorkError, WorkResult, find, list, orders, run};

/// An attempt as its row holds it.
struct StoredAttempt {
    state: AttemptState,
    amount: Money,
    order_state: Option<OrderState>,
    key: Option<String>,
}

fn attempt_state(row: &Row<'_>, column: usize) -> rusqlite::Result<AttemptState> {
    let state: String = row.get(column)?;
    AttemptState::from_name(&state).ok_or_else(|| damaged(column, Type::Text, "unknown state"))
}

fn read(work: &Work<'_>, id: (OrderId, AttemptId)) -> WorkResult<Option<StoredAttempt>> {
    find(
        work.connection,
        "SELECT state, amount, order_state, idempotency_key FROM payments \
         WHERE order_id = ?1 AND attempt_id = ?2",
        (id.0.get(), id.1.get()),
        |row| {
            let order_state: Option<String> = row.get(2)?;
            Ok(StoredAttempt {
                state: attempt_state(row, 0)?,
                amount: work.facts.money(row.get(1)?),
                order_state: order_state.as_deref().and_then(OrderState::from_name),
                key: row.get(3)?,
            })
        },
    )
}

fn receipt(id: (OrderId, AttemptId), attempt: &StoredAttempt) -> WorkResult<PaymentReceipt> {
    Ok(PaymentReceipt {
        order_id: id.0,
        attempt_id: id.1,
        amount: attempt.amount,
        order_state: attempt
            .order_state
            .ok_or(WorkError::Damaged("a captured attempt has no order state"))?,
    })
}

/// The attempts of an order, oldest first.
pub(crate) fn of_order(
    connection: &Connection,
    facts: &ShopFacts,
    order_id: OrderId,
) -> WorkResult<Vec<PaymentView>> {
    list(
        connection,
        "SELECT p.attempt_id, p.state, p.amount, p.gateway, p.created_at, r.state \
         FROM payments p LEFT JOIN refunds r USING (order_id, attempt_id) \
         WHERE p.order_id = ?1 ORDER BY p.attempt_id",
        [order_id.get()],
        |row| {
            let refund: Option<String> = row.get(5)?;
            Ok(PaymentView {
                attempt_id: positive(row, 0, AttemptId::new)?,
                state: attempt_state(row, 1)?,
                amount: facts.money(row.get(2)?),
                gateway: row.get(3)?,
                created_at: UnixMicros::new(row.get(4)?),
                refund: refund.map(|state| {
                    if state == "done" {
                        RefundState::Done
                    } else {
                        RefundState::Pending
                    }
                }),
            })
        },
    )
}

pub(crate) fn prepare(
    work: &Work<'_>,
    command: &PreparePayment,
    fresh_id: i64,
) -> WorkResult<PayOutcome> {
    let Some(order) = orders::read(work.connection, &work.facts, command.order_id)? else {
        return Ok(PayOutcome::Refused(PayRefusal::UnknownOrder));
    };
    if let Some(key) = &command.key
        && let Some(earlier) = earlier_answer(work, &order, key)?
    {
        return Ok(earlier);
    }
    if let Some(refusal) = refusal(&order, command.amount, work.now)? {
        return Ok(PayOutcome::Refused(refusal));
    }
    let attempt_id = AttemptId::new(fresh_id).map_err(|_| WorkError::Damaged("no more ids"))?;
    insert(work, command, &order, attempt_id)?;
    Ok(PayOutcome::Prepared(Attempt {
        order_id: command.order_id,
        attempt_id,
        amount: command.amount,
        created_at: work.now,
    }))
}

/// What an earlier payment with the same key decides about this one.
fn earlier_answer(
    work: &Work<'_>,
    order: &Order,
    key: &ClaimedKey,
) -> WorkResult<Option<PayOutcome>> {
    let claimed = find(
        work.connection,
        "SELECT fingerprint, order_id, attempt_id FROM idempotency_keys \
         WHERE key = ?1 AND operation = 'payment' AND user_id = ?2",
        (key.key.as_str(), order.user_id.as_str()),
        |row| {
            let fingerprint: [u8; 16] = row.get(0)?;
            let order_id = positive(row, 1, OrderId::new)?;
            Ok((fingerprint, (order_id, positive(row, 2, AttemptId::new)?)))
        },
    )?;
    let Some((fingerprint, id)) = claimed else {
        return Ok(None);
    };
    if fingerprint != key.fingerprint.0 {
        return Ok(Some(PayOutcome::Refused(PayRefusal::KeyReused)));
    }
    let attempt = read(work, id)?.ok_or(WorkError::Damaged(
        "a key names an attempt that does not exist",
    ))?;
    Ok(Some(match attempt.state {
        AttemptState::Captured => PayOutcome::Replayed(receipt(id, &attempt)?),
        AttemptState::Processing => PayOutcome::InProcess(id.1),
        AttemptState::Late => PayOutcome::Refused(PayRefusal::OrderClosed(order.state)),
        AttemptState::Declined => {
            return Err(WorkError::Damaged("a declined attempt still holds a key"));
        }
    }))
}

fn refusal(order: &Order, amount: Money, now: UnixMicros) -> WorkResult<Option<PayRefusal>> {
    if !order.state.is_open() {
        return Ok(Some(PayRefusal::OrderClosed(order.state)));
    }
    if order.expires_at <= now {
        return Ok(Some(PayRefusal::OrderClosed(OrderState::Expired)));
    }
    let damaged = |_| WorkError::Damaged("an order's amounts do not add up");
    let outstanding = order.total.checked_sub(order.captured).map_err(damaged)?;
    if amount.minor_units() > outstanding.minor_units() {
        return Ok(Some(PayRefusal::AmountExceedsBalance { outstanding }));
    }
    let free = outstanding.checked_sub(order.processing).map_err(damaged)?;
    if amount.minor_units() > free.minor_units() {
        return Ok(Some(PayRefusal::PaymentProcessing));
    }
    Ok(None)
}

fn insert(
    work: &Work<'_>,
    command: &PreparePayment,
    order: &Order,
    attempt_id: AttemptId,
) -> WorkResult<()> {
    let (order_id, now) = (command.order_id.get(), work.now.get());
    let amount = command.amount.minor_units();
    let key = command.key.as_ref();
    run(
        work.connection,
        "INSERT INTO payments (order_id, attempt_id, state, gateway, amount, idempotency_key, \
         created_at) VALUES (?1, ?2, 'processing', ?3, ?4, ?5, ?6)",
        (
            order_id,
            attempt_id.get(),
            command.gateway,
            amount,
            key.map(|key| key.key.as_str()),
            now,
        ),
    )?;
    run(
        work.connection,
        "UPDATE orders SET processing = processing + ?2 WHERE order_id = ?1",
        (order_id, amount),
    )?;
    if let Some(key) = key {
        run(
            work.connection,
            "INSERT INTO idempotency_keys (key, operation, user_id, fingerprint, order_id, \
             attempt_id, created_at) VALUES (?1, 'payment', ?2, ?3, ?4, ?5, ?6)",
            (
                key.key.as_str(),
                order.user_id.as_str(),
                key.fingerprint.0,
                order_id,
                attempt_id.get(),
                now,
            ),
        )?;
    }
    Ok(())
}

pub(crate) fn finalize(work: &mut Work<'_>, command: FinalizePayment) -> WorkResult<Finalized> {
    let id = (command.order_id, command.attempt_id);
    let known = |outcome| Finalized {
        outcome,
        changed: false,
    };
    let Some(attempt) = read(work, id)? else {
        return Ok(known(FinalizeOutcome::UnknownAttempt));
    };
    let outcome = match (attempt.state, command.answer) {
        (AttemptState::Processing, GatewayAnswer::Captured) => capture(work, id, &attempt)?,
        (AttemptState::Processing, GatewayAnswer::Declined) => decline(work, id, &attempt)?,
        (AttemptState::Declined, GatewayAnswer::Captured) => take_late(work, id, &attempt)?,
        (AttemptState::Captured, _) => {
            return Ok(known(FinalizeOutcome::Captured(receipt(id, &attempt)?)));
        }
        (AttemptState::Declined, GatewayAnswer::Declined) => {
            return Ok(known(FinalizeOutcome::Declined));
        }
        (AttemptState::Late, _) => return Ok(known(FinalizeOutcome::Late)),
    };
    Ok(Finalized {
        outcome,
        changed: true,
    })
}

/// The money counts: an order with an attempt in process cannot have been closed.
fn capture(
    work: &mut Work<'_>,
    id: (OrderId, AttemptId),
    attempt: &StoredAttempt,
) -> WorkResult<FinalizeOutcome> {
    let order = orders::read(work.connection, &work.facts, id.0)?
        .ok_or(WorkError::Damaged("an attempt has no order"))?;
    let captured = order
        .captured
        .checked_add(attempt.amount)
        .map_err(|_| WorkError::Damaged("an order's amounts do not add up"))?;
    let order_state = if captured == order.total {
        OrderState::Paid
    } else {
        OrderState::PartiallyPaid
    };
    run(
        work.connection,
        "UPDATE orders SET captured = ?2, processing = processing - ?3, state = ?4 \
         WHERE order_id = ?1",
        (
            id.0.get(),
            captured.minor_units(),
            attempt.amount.minor_units(),
            order_state.name(),
        ),
    )?;
    finish(work, id, AttemptState::Captured, Some(order_state))?;
    if order_state == OrderState::Paid {
        orders::sell(work, id.0)?;
    }
    let amount = attempt.amount;
    Ok(FinalizeOutcome::Captured(PaymentReceipt {
        order_id: id.0,
        attempt_id: id.1,
        amount,
        order_state,
    }))
}

/// Nothing was taken: the held amount and the key are free again.
fn decline(
    work: &Work<'_>,
    id: (OrderId, AttemptId),
    attempt: &StoredAttempt,
) -> WorkResult<FinalizeOutcome> {
    run(
        work.connection,
        "UPDATE orders SET processing = processing - ?2 WHERE order_id = ?1",
        (id.0.get(), attempt.amount.minor_units()),
    )?;
    finish(work, id, AttemptState::Declined, None)?;
    if let Some(key) = &attempt.key {
        run(
            work.connection,
            "DELETE FROM idempotency_keys WHERE key = ?1 AND operation = 'payment' \
             AND user_id = (SELECT user_id FROM orders WHERE order_id = ?2) AND attempt_id = ?3",
            (key, id.0.get(), id.1.get()),
        )?;
    }
    Ok(FinalizeOutcome::Declined)
}

/// The gateway took the money after all, when the attempt had been given up: refund it.
fn take_late(
    work: &Work<'_>,
    id: (OrderId, AttemptId),
    attempt: &StoredAttempt,
) -> WorkResult<FinalizeOutcome> {
    finish(work, id, AttemptState::Late, None)?;
    run(
        work.connection,
        "INSERT INTO refunds (order_id, attempt_id, state, amount, created_at) \
         VALUES (?1, ?2, 'pending', ?3, ?4)",
        (
            id.0.get(),
            id.1.get(),
            attempt.amount.minor_units(),
            work.now.get(),
        ),
    )?;
    Ok(FinalizeOutcome::Late)
}

fn finish(
    work: &Work<'_>,
    id: (OrderId, AttemptId),
    state: AttemptState,
    order_state: Option<OrderState>,
) -> WorkResult<()> {
    run(
        work.connection,
        "UPDATE payments SET state = ?3, order_state = ?4, finished_at = ?5 \
         WHERE order_id = ?1 AND attempt_id = ?2",
        (
            id.0.get(),
            id.1.get(),
            state.name(),
            order_state.map(OrderState::name),
            work.now.get(),
        ),
    )?;
    Ok(())
}

/// Attempts at a gateway without an outcome, oldest first.
pub(crate) fn unresolved(
    connection: &Connection,
    facts: &ShopFacts,
    gateway: &str,
    limit: u32,
) -> WorkResult<Vec<Attempt>> {
    list(
        connection,
        "SELECT order_id, attempt_id, amount, created_at FROM payments \
         WHERE state = 'processing' AND gateway = ?1 ORDER BY created_at LIMIT ?2",
        (gateway, limit),
        |row| {
            Ok(Attempt {
                order_id: positive(row, 0, OrderId::new)?,
                attempt_id: positive(row, 1, AttemptId::new)?,
                amount: facts.money(row.get(2)?),
                created_at: UnixMicros::new(row.get(3)?),
            })
        },
    )
}

/// Refunds that a gateway has not confirmed, oldest first.
pub(crate) fn pending_refunds(
    connection: &Connection,
    facts: &ShopFacts,
    gateway: &str,
    limit: u32,
) -> WorkResult<Vec<PendingRefund>> {
    list(
        connection,
        "SELECT order_id, attempt_id, refunds.amount FROM refunds \
         JOIN payments USING (order_id, attempt_id) \
         WHERE refunds.state = 'pending' AND payments.gateway = ?1 \
         ORDER BY refunds.created_at LIMIT ?2",
        (gateway, limit),
        |row| {
            Ok(PendingRefund {
                order_id: positive(row, 0, OrderId::new)?,
                attempt_id: positive(row, 1, AttemptId::new)?,
                amount: facts.money(row.get(2)?),
            })
        },
    )
}

pub(crate) fn finish_refund(
    work: &Work<'_>,
    order_id: OrderId,
    attempt_id: AttemptId,
) -> WorkResult<()> {
    run(
        work.connection,
        "UPDATE refunds SET state = 'done', finished_at = ?3 \
         WHERE order_id = ?1 AND attempt_id = ?2 AND state = 'pending'",
        (order_id.get(), attempt_id.get(), work.now.get()),
    )?;
    Ok(())
}
