//! Turns what a group changed into few statements.
//!
//! Rows are written many at a time. The writer's connection collects all statements of a group and sends
//! them as one packet; any other one prepares them, and therefore writes rows in sizes that halve, so that
//! few statements serve any number of rows. Everything goes in ascending order of its key, so that two
//! shops that claim the same keys meet in one order.
//!
//! Many rows that are there, each to get values of its own, are changed by inserting them again with `ON
//! DUPLICATE KEY UPDATE`, by far the cheapest statement for it. A row that were not there would be inserted
//! and counted once instead of twice; the group is then rolled back.

use double11_units::{AttemptId, CartId, OrderId, ProductId, UnixMicros, UserId};
use mysql::Value;

use super::set::{
    Changes, Key, KeyScope, LockedCart, LockedOrder, NewRefund, StoredAttempt, WorkingSet,
};
use super::{WorkError, WorkResult};
use crate::session::{Insert, Session, optional_int, optional_text, text};
use double11_store::{OrderState, StockPolicy};

/// Rows of one prepared statement, the most first.
const SIZES: [usize; 8] = [128, 64, 32, 16, 8, 4, 2, 1];
/// Rows of one statement that is sent as text.
const ROWS_MAX: usize = 500;

/// Writes everything that the group changed.
pub(crate) fn write(
    session: &mut Session,
    set: &WorkingSet,
    now: UnixMicros,
    policy: StockPolicy,
) -> WorkResult<()> {
    // Keys first: one that somebody has claimed undoes the group while it is cheap. What is free again
    // may be claimed again by the same group.
    freed_keys(session, &set.changes)?;
    new_keys(session, &set.changes, now)?;
    new_orders(session, &set.changes)?;
    new_attempts(session, &set.changes, now)?;
    ended_attempts(session, set, now)?;
    changed_orders(session, set)?;
    refunds(session, &set.changes, now)?;
    carts(session, set, now)?;
    match policy {
        StockPolicy::Guarded => move_stock(session, set),
        StockPolicy::ReadThenWrite => overwrite_stock(session, set),
    }
}

impl Insert {
    fn write<R>(
        self,
        session: &mut Session,
        rows: &[R],
        bind: impl Fn(&R, &mut Vec<Value>),
    ) -> WorkResult<()> {
        in_sizes(session, rows, |session, rows| {
            session.put_rows(self, rows, &bind, None)
        })
    }
}

/// A statement that gives rows that are there new values.
#[derive(Clone, Copy, Debug)]
struct Update {
    /// For many rows: inserts them again, whole, and changes them instead.
    many: Insert,
    /// The plain statement for one row, with its own values.
    one: &'static str,
}

/// Gives the values of a row.
type Bind<'bind, R> = &'bind dyn Fn(&R, &mut Vec<Value>);

impl Update {
    /// Changes exactly these rows.
    fn write<R>(
        self,
        session: &mut Session,
        rows: &[R],
        bind_many: Bind<'_, R>,
        bind_one: Bind<'_, R>,
    ) -> WorkResult<()> {
        in_sizes(session, rows, |session, rows| {
            if let [row] = rows {
                let mut values = Vec::new();
                bind_one(row, &mut values);
                return session.put(self.one, values, Some(1));
            }
            session.put_rows(self.many, rows, bind_many, Some(2 * rows.len()))
        })
    }
}

/// Hands the rows on in parts of the sizes that fit the connection.
fn in_sizes<R>(
    session: &mut Session,
    rows: &[R],
    mut write: impl FnMut(&mut Session, &[R]) -> WorkResult<()>,
) -> WorkResult<()> {
    if session.is_batched() {
        return rows
            .chunks(ROWS_MAX)
            .try_for_each(|rows| write(session, rows));
    }
    let mut rest = rows;
    for size in SIZES {
        while let Some((now, later)) = rest.split_at_checked(size) {
            write(session, now)?;
            rest = later;
        }
    }
    Ok(())
}

fn new_orders(session: &mut Session, changes: &Changes) -> WorkResult<()> {
    let insert = Insert {
        head: "orders (order_id, user_id, cart_id, payment_method, state, total, created_at, \
               expires_at)",
        row: "(?, ?, ?, ?, 'pending_payment', ?, ?, ?)",
        tail: "",
    };
    insert.write(session, &changes.orders, |new, values| {
        let order = &new.order;
        values.extend([
            Value::Int(order.order_id.get()),
            text(order.user_id.as_str()),
            optional_int(new.cart_id.map(CartId::get)),
            text(order.payment_method.name()),
            Value::Int(order.total.minor_units()),
            Value::Int(order.created_at.get()),
            Value::Int(order.expires_at.get()),
        ]);
    })?;
    let insert = Insert {
        head: "order_lines (order_id, product_id, quantity, unit_price)",
        row: "(?, ?, ?, ?)",
        tail: "",
    };
    let lines: Vec<_> = changes
        .orders
        .iter()
        .flat_map(|new| new.lines.iter().map(|line| (new.order.order_id, line)))
        .collect();
    insert.write(session, &lines, |(order_id, line), values| {
        values.extend([
            Value::Int(order_id.get()),
            Value::Int(line.product_id.get()),
            Value::Int(i64::from(line.quantity.get())),
            Value::Int(line.unit_price.minor_units()),
        ]);
    })
}

fn freed_keys(session: &mut Session, changes: &Changes) -> WorkResult<()> {
    for (scope, attempt_id) in &changes.freed_keys {
        session.put(
            "DELETE FROM idempotency_keys WHERE `key` = ? AND operation = 'payment' \
             AND user_id = ? AND attempt_id = ?",
            vec![
                text(&scope.key),
                text(&scope.user_id),
                Value::Int(attempt_id.get()),
            ],
            None,
        )?;
    }
    Ok(())
}

fn new_keys(session: &mut Session, changes: &Changes, now: UnixMicros) -> WorkResult<()> {
    let insert = Insert {
        head: "idempotency_keys (`key`, operation, user_id, fingerprint, order_id, attempt_id, \
               created_at)",
        row: "(?, ?, ?, ?, ?, ?, ?)",
        tail: "",
    };
    let keys: Vec<(&KeyScope, &Key)> = changes.keys.iter().collect();
    insert.write(session, &keys, |(scope, key), values| {
        values.extend([
            text(&scope.key),
            text(scope.operation.name()),
            text(&scope.user_id),
            Value::Bytes(key.fingerprint.to_vec()),
            Value::Int(key.order_id.get()),
            optional_int(key.attempt_id.map(AttemptId::get)),
            Value::Int(now.get()),
        ]);
    })
}

fn new_attempts(session: &mut Session, changes: &Changes, now: UnixMicros) -> WorkResult<()> {
    let insert = Insert {
        head: "payments (order_id, attempt_id, state, gateway, amount, idempotency_key, created_at)",
        row: "(?, ?, 'processing', ?, ?, ?, ?)",
        tail: "",
    };
    insert.write(session, &changes.attempts, |new, values| {
        values.extend([
            Value::Int(new.order_id.get()),
            Value::Int(new.attempt_id.get()),
            text(new.gateway),
            Value::Int(new.amount.minor_units()),
            optional_text(new.key.as_deref()),
            Value::Int(now.get()),
        ]);
    })
}

struct EndedAttempt<'set> {
    id: (OrderId, AttemptId),
    attempt: &'set StoredAttempt,
}

impl EndedAttempt<'_> {
    fn ids(&self) -> [Value; 2] {
        [Value::Int(self.id.0.get()), Value::Int(self.id.1.get())]
    }

    fn state(&self, now: UnixMicros) -> [Value; 3] {
        let order_state = self.attempt.order_state.map(OrderState::name);
        [
            text(self.attempt.state.name()),
            optional_text(order_state),
            Value::Int(now.get()),
        ]
    }
}

fn ended_attempts(session: &mut Session, set: &WorkingSet, now: UnixMicros) -> WorkResult<()> {
    let mut rows = Vec::new();
    for id in &set.changes.ended_attempts {
        let attempt = set
            .attempts
            .get(id)
            .ok_or(WorkError::Damaged("an attempt ended that was not read"))?;
        rows.push(EndedAttempt { id: *id, attempt });
    }
    let update = Update {
        many: Insert {
            // Gateway and instant of the beginning are not read and stay what they are.
            head: "payments (order_id, attempt_id, state, order_state, finished_at, amount, gateway, \
                   created_at)",
            row: "(?, ?, ?, ?, ?, ?, '', 0)",
            tail: " ON DUPLICATE KEY UPDATE state = VALUES(state), \
                   order_state = VALUES(order_state), finished_at = VALUES(finished_at)",
        },
        one: "UPDATE payments SET state = ?, order_state = ?, finished_at = ? \
              WHERE order_id = ? AND attempt_id = ?",
    };
    update.write(
        session,
        &rows,
        &|row, values| {
            values.extend(row.ids());
            values.extend(row.state(now));
            values.push(Value::Int(row.attempt.amount.minor_units()));
        },
        &|row, values| {
            values.extend(row.state(now));
            values.extend(row.ids());
        },
    )
}

fn changed_orders(session: &mut Session, set: &WorkingSet) -> WorkResult<()> {
    let rows: Vec<_> = set
        .orders
        .values()
        .filter(|locked| locked.is_changed())
        .collect();
    let update = Update {
        many: Insert {
            head: "orders (order_id, user_id, payment_method, total, created_at, expires_at, state, \
                   captured, processing, closed_at)",
            row: "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            tail: " ON DUPLICATE KEY UPDATE state = VALUES(state), captured = VALUES(captured), \
                   processing = VALUES(processing), closed_at = VALUES(closed_at)",
        },
        one: "UPDATE orders SET state = ?, captured = ?, processing = ?, closed_at = ? \
              WHERE order_id = ?",
    };
    let state = |locked: &LockedOrder| {
        [
            text(locked.order.state.name()),
            Value::Int(locked.order.captured.minor_units()),
            Value::Int(locked.order.processing.minor_units()),
            optional_int(locked.closed_at.map(UnixMicros::get)),
        ]
    };
    update.write(
        session,
        &rows,
        &|locked, values| {
            let order = &locked.order;
            values.extend([
                Value::Int(order.order_id.get()),
                text(order.user_id.as_str()),
                text(order.payment_method.name()),
                Value::Int(order.total.minor_units()),
                Value::Int(order.created_at.get()),
                Value::Int(order.expires_at.get()),
            ]);
            values.extend(state(locked));
        },
        &|locked, values| {
            values.extend(state(locked));
            values.push(Value::Int(locked.order.order_id.get()));
        },
    )
}

fn refunds(session: &mut Session, changes: &Changes, now: UnixMicros) -> WorkResult<()> {
    let insert = Insert {
        head: "refunds (order_id, attempt_id, state, amount, created_at)",
        row: "(?, ?, 'pending', ?, ?)",
        tail: "",
    };
    let bind = |refund: &NewRefund, values: &mut Vec<Value>| {
        values.extend([
            Value::Int(refund.order_id.get()),
            Value::Int(refund.attempt_id.get()),
            Value::Int(refund.amount.minor_units()),
            Value::Int(now.get()),
        ]);
    };
    insert.write(session, &changes.refunds, bind)?;
    for (order_id, attempt_id) in &changes.finished_refunds {
        session.put(
            "UPDATE refunds SET state = 'done', finished_at = ? \
             WHERE order_id = ? AND attempt_id = ? AND state = 'pending'",
            vec![
                Value::Int(now.get()),
                Value::Int(order_id.get()),
                Value::Int(attempt_id.get()),
            ],
            None,
        )?;
    }
    Ok(())
}

fn version(cart: &LockedCart) -> Value {
    Value::Int(i64::try_from(cart.version).unwrap_or(i64::MAX))
}

type CartRow<'set> = (&'set CartId, &'set LockedCart);

fn carts(session: &mut Session, set: &WorkingSet, now: UnixMicros) -> WorkResult<()> {
    let changed = set.carts.iter().filter(|(_, cart)| cart.is_changed);
    let (new, old): (Vec<_>, Vec<_>) = changed.partition(|(_, cart)| cart.is_new);
    let state = |cart: &LockedCart| {
        [
            optional_text(cart.user_id.as_ref().map(UserId::as_str)),
            optional_int(cart.order_id.map(OrderId::get)),
            version(cart),
            Value::Int(now.get()),
        ]
    };
    let whole = |(cart_id, cart): &CartRow<'_>, values: &mut Vec<Value>| {
        values.push(Value::Int(cart_id.get()));
        values.extend(state(cart));
        values.push(Value::Int(now.get()));
    };
    let insert = Insert {
        head: "carts (cart_id, user_id, order_id, version, updated_at, created_at)",
        row: "(?, ?, ?, ?, ?, ?)",
        tail: "",
    };
    insert.write(session, &new, whole)?;
    let update = Update {
        many: Insert {
            tail: " ON DUPLICATE KEY UPDATE user_id = VALUES(user_id), \
                   order_id = VALUES(order_id), version = VALUES(version), \
                   updated_at = VALUES(updated_at)",
            ..insert
        },
        one: "UPDATE carts SET user_id = ?, order_id = ?, version = ?, updated_at = ? \
              WHERE cart_id = ?",
    };
    update.write(session, &old, &whole, &|(cart_id, cart), values| {
        values.extend(state(cart));
        values.push(Value::Int(cart_id.get()));
    })?;
    cart_lines(session, &set.changes)
}

fn cart_lines(session: &mut Session, changes: &Changes) -> WorkResult<()> {
    let put: Vec<(CartId, ProductId, u32)> = changes
        .cart_lines
        .iter()
        .filter_map(|((cart_id, product_id), pieces)| Some((*cart_id, *product_id, (*pieces)?)))
        .collect();
    let insert = Insert {
        head: "cart_lines (cart_id, product_id, quantity)",
        row: "(?, ?, ?)",
        tail: " ON DUPLICATE KEY UPDATE quantity = VALUES(quantity)",
    };
    insert.write(session, &put, |(cart_id, product_id, pieces), values| {
        values.extend([
            Value::Int(cart_id.get()),
            Value::Int(product_id.get()),
            Value::Int(i64::from(*pieces)),
        ]);
    })?;
    let gone = changes
        .cart_lines
        .iter()
        .filter(|(_, pieces)| pieces.is_none());
    for ((cart_id, product_id), _) in gone {
        session.put(
            "DELETE FROM cart_lines WHERE cart_id = ? AND product_id = ?",
            vec![Value::Int(cart_id.get()), Value::Int(product_id.get())],
            None,
        )?;
    }
    Ok(())
}

/// Added to every number of a row that moves stock, so that the row by itself keeps the table's rules
/// (pieces only change their state, so that the three add up to what is added to them); far above any level.
const SHIFT: i64 = 1_000_000_000_000;
/// Takes [`SHIFT`] away again.
const MOVE: &str = " ON DUPLICATE KEY UPDATE \
    available = available + VALUES(available) - 1000000000000, \
    reserved = reserved + VALUES(reserved) - 1000000000000, \
    sold = sold + VALUES(sold) - 1000000000000";

/// Adds what moved to the levels. The rules of the table (none below zero, and together what was
/// received) hold afterwards, or the statement is refused.
fn move_stock(session: &mut Session, set: &WorkingSet) -> WorkResult<()> {
    let rows: Vec<_> = set
        .stock
        .iter()
        .filter(|(_, level)| level.is_moved())
        .collect();
    let update = Update {
        many: Insert {
            head: "stock (product_id, received, available, reserved, sold)",
            row: "(?, ?, ?, ?, ?)",
            tail: MOVE,
        },
        one: "UPDATE stock SET available = available + ?, reserved = reserved + ?, sold = sold + ? \
              WHERE product_id = ?",
    };
    update.write(
        session,
        &rows,
        &|(product_id, level), values| {
            let moved = [level.available, level.reserved, level.sold];
            values.push(Value::Int(product_id.get()));
            values.push(Value::Int(3 * SHIFT));
            values.extend(moved.map(|moved| Value::Int(SHIFT + moved)));
        },
        &|(product_id, level), values| {
            let moved = [level.available, level.reserved, level.sold];
            values.extend(moved.map(Value::Int));
            values.push(Value::Int(product_id.get()));
        },
    )
}

/// What was computed from an unlocked read replaces what is there: the deliberately wrong policy.
fn overwrite_stock(session: &mut Session, set: &WorkingSet) -> WorkResult<()> {
    for (product_id, level) in set.stock.iter().filter(|(_, level)| level.is_moved()) {
        let available = Value::Int(level.stored.pieces()? + level.available);
        session.put(
            "UPDATE stock SET available = ?, reserved = received - sold - ? WHERE product_id = ?",
            vec![available.clone(), available, Value::Int(product_id.get())],
            None,
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{MOVE, SHIFT};

    #[test]
    fn what_is_added_is_taken_away_again() {
        assert_eq!(MOVE.matches(&format!("- {SHIFT}")).count(), 3);
    }
}
