//! Turns what a group changed into few statements.
//!
//! Rows are written many at a time in sizes that halve, so that a kept connection prepares few statements
//! and sends few for any number of rows. Everything goes in ascending order of its key, so that two shops
//! that claim the same keys meet in one order.

use double11_units::{AttemptId, CartId, OrderId, ProductId, UnixMicros, UserId};
use mysql::Value;

use super::set::{Changes, Key, KeyScope, LockedCart, NewRefund, WorkingSet};
use super::{WorkError, WorkResult};
use crate::session::{Session, optional_int, optional_text, text};

/// Rows of one statement, the most first.
const SIZES: [usize; 8] = [128, 64, 32, 16, 8, 4, 2, 1];

/// How stock is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StockWrite {
    /// What moved is added, guarded against falling below zero.
    Guarded,
    /// What was computed from an unlocked read replaces what is there: the deliberately wrong policy.
    Overwrite,
}

/// Writes everything that the group changed.
pub(crate) fn write(
    session: &mut Session,
    set: &WorkingSet,
    now: UnixMicros,
    stock: StockWrite,
) -> WorkResult<()> {
    new_orders(session, &set.changes)?;
    // What is free again may be claimed again by the same group.
    freed_keys(session, &set.changes)?;
    new_keys(session, &set.changes, now)?;
    new_attempts(session, &set.changes, now)?;
    ended_attempts(session, set, now)?;
    changed_orders(session, set)?;
    refunds(session, &set.changes, now)?;
    carts(session, set, now)?;
    match stock {
        StockWrite::Guarded => move_stock(session, set),
        StockWrite::Overwrite => overwrite_stock(session, set),
    }
}

/// A statement that inserts many rows.
#[derive(Clone, Copy, Debug)]
struct Insert {
    head: &'static str,
    /// One row of values.
    row: &'static str,
    tail: &'static str,
}

impl Insert {
    fn write<R>(
        self,
        session: &mut Session,
        rows: &[R],
        bind: impl Fn(&R, &mut Vec<Value>),
    ) -> WorkResult<()> {
        in_sizes(rows, |rows| {
            let sql = format!(
                "INSERT INTO {} VALUES {}{}",
                self.head,
                vec![self.row; rows.len()].join(", "),
                self.tail
            );
            let mut values = Vec::with_capacity(rows.len() * self.row.len() / 3);
            for row in rows {
                bind(row, &mut values);
            }
            session.change(&sql, values).map(drop)
        })
    }
}

/// A statement that gives many rows new values. The values of a row are its key and what is set, in the
/// order of `columns`.
#[derive(Clone, Copy, Debug)]
struct Update {
    table: &'static str,
    /// The values of one row, each with its name.
    columns: &'static str,
    /// The same without names, for the rows after the first.
    more: &'static str,
    /// How a row `t` and its values `m` belong together.
    on: &'static str,
    set: &'static str,
    /// What must hold of a row, with `WHERE`; or nothing.
    guard: &'static str,
}

/// Gives the values of a row.
type Bind<'bind, R> = &'bind dyn Fn(&R) -> Vec<Value>;

impl Update {
    /// Changes exactly these rows. `single` is the plain statement for one row, with its own values.
    fn write<R>(
        self,
        session: &mut Session,
        rows: &[R],
        bind: impl Fn(&R) -> Vec<Value>,
        single: (&str, Bind<'_, R>),
    ) -> WorkResult<()> {
        in_sizes(rows, |rows| {
            if let [row] = rows {
                return session.change_exactly(1, single.0, (single.1)(row));
            }
            let more = format!(" UNION ALL SELECT {}", self.more).repeat(rows.len() - 1);
            let sql = format!(
                "UPDATE (SELECT {}{more}) m STRAIGHT_JOIN {} t FORCE INDEX (PRIMARY) ON {} SET {} {}",
                self.columns, self.table, self.on, self.set, self.guard
            );
            let values = rows.iter().flat_map(&bind).collect();
            session.change_exactly(rows.len(), &sql, values)
        })
    }
}

/// Hands the rows on in parts of the fixed sizes.
fn in_sizes<R>(rows: &[R], mut write: impl FnMut(&[R]) -> WorkResult<()>) -> WorkResult<()> {
    let mut rest = rows;
    for size in SIZES {
        while let Some((now, later)) = rest.split_at_checked(size) {
            write(now)?;
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
        session.change(
            "DELETE FROM idempotency_keys WHERE `key` = ? AND operation = 'payment' \
             AND user_id = ? AND attempt_id = ?",
            vec![
                text(&scope.key),
                text(&scope.user_id),
                Value::Int(attempt_id.get()),
            ],
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

type AttemptRow = (OrderId, AttemptId, &'static str, Option<&'static str>);

fn ended_attempts(session: &mut Session, set: &WorkingSet, now: UnixMicros) -> WorkResult<()> {
    let mut rows: Vec<AttemptRow> = Vec::new();
    for id in &set.changes.ended_attempts {
        let attempt = set
            .attempts
            .get(id)
            .ok_or(WorkError::Damaged("an attempt ended that was not read"))?;
        let order_state = attempt.order_state.map(double11_store::OrderState::name);
        rows.push((id.0, id.1, attempt.state.name(), order_state));
    }
    let update = Update {
        table: "payments",
        columns: "CAST(? AS SIGNED) AS o, CAST(? AS SIGNED) AS a, ? AS s, ? AS os, \
                  CAST(? AS SIGNED) AS f",
        more: "CAST(? AS SIGNED), CAST(? AS SIGNED), ?, ?, CAST(? AS SIGNED)",
        on: "t.order_id = m.o AND t.attempt_id = m.a",
        set: "t.state = m.s, t.order_state = m.os, t.finished_at = m.f",
        guard: "",
    };
    let single = "UPDATE payments SET state = ?, order_state = ?, finished_at = ? \
                  WHERE order_id = ? AND attempt_id = ?";
    let ids = |row: &AttemptRow| [Value::Int(row.0.get()), Value::Int(row.1.get())];
    let state = |row: &AttemptRow| [text(row.2), optional_text(row.3), Value::Int(now.get())];
    update.write(
        session,
        &rows,
        |row| ids(row).into_iter().chain(state(row)).collect(),
        (single, &|row| {
            state(row).into_iter().chain(ids(row)).collect()
        }),
    )
}

fn changed_orders(session: &mut Session, set: &WorkingSet) -> WorkResult<()> {
    let rows: Vec<_> = set
        .orders
        .values()
        .filter(|locked| locked.is_changed)
        .collect();
    let update = Update {
        table: "orders",
        columns: "CAST(? AS SIGNED) AS o, ? AS s, CAST(? AS SIGNED) AS c, CAST(? AS SIGNED) AS p, \
                  CAST(? AS SIGNED) AS e",
        more: "CAST(? AS SIGNED), ?, CAST(? AS SIGNED), CAST(? AS SIGNED), CAST(? AS SIGNED)",
        on: "t.order_id = m.o",
        set: "t.state = m.s, t.captured = m.c, t.processing = m.p, t.closed_at = m.e",
        guard: "",
    };
    let single = "UPDATE orders SET state = ?, captured = ?, processing = ?, closed_at = ? \
                  WHERE order_id = ?";
    let id = |locked: &super::set::LockedOrder| Value::Int(locked.order.order_id.get());
    let state = |locked: &super::set::LockedOrder| {
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
        |row| std::iter::once(id(row)).chain(state(row)).collect(),
        (single, &|row| {
            state(row).into_iter().chain([id(row)]).collect()
        }),
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
        session.change(
            "UPDATE refunds SET state = 'done', finished_at = ? \
             WHERE order_id = ? AND attempt_id = ? AND state = 'pending'",
            vec![
                Value::Int(now.get()),
                Value::Int(order_id.get()),
                Value::Int(attempt_id.get()),
            ],
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
    let user = |cart: &LockedCart| optional_text(cart.user_id.as_ref().map(UserId::as_str));
    let order = |cart: &LockedCart| optional_int(cart.order_id.map(OrderId::get));
    let insert = Insert {
        head: "carts (cart_id, user_id, order_id, version, created_at, updated_at)",
        row: "(?, ?, ?, ?, ?, ?)",
        tail: "",
    };
    insert.write(session, &new, |(cart_id, cart), values| {
        values.extend([
            Value::Int(cart_id.get()),
            user(cart),
            order(cart),
            version(cart),
            Value::Int(now.get()),
            Value::Int(now.get()),
        ]);
    })?;
    let update = Update {
        table: "carts",
        columns: "CAST(? AS SIGNED) AS c, ? AS u, CAST(? AS SIGNED) AS o, CAST(? AS SIGNED) AS v, \
                  CAST(? AS SIGNED) AS a",
        more: "CAST(? AS SIGNED), ?, CAST(? AS SIGNED), CAST(? AS SIGNED), CAST(? AS SIGNED)",
        on: "t.cart_id = m.c",
        set: "t.user_id = m.u, t.order_id = m.o, t.version = m.v, t.updated_at = m.a",
        guard: "",
    };
    let single = "UPDATE carts SET user_id = ?, order_id = ?, version = ?, updated_at = ? \
                  WHERE cart_id = ?";
    let id = |row: &CartRow<'_>| Value::Int(row.0.get());
    let state = |row: &CartRow<'_>| {
        let cart = row.1;
        [
            user(cart),
            order(cart),
            version(cart),
            Value::Int(now.get()),
        ]
    };
    update.write(
        session,
        &old,
        |row| std::iter::once(id(row)).chain(state(row)).collect(),
        (single, &|row| {
            state(row).into_iter().chain([id(row)]).collect()
        }),
    )?;
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
        session.change(
            "DELETE FROM cart_lines WHERE cart_id = ? AND product_id = ?",
            vec![Value::Int(cart_id.get()), Value::Int(product_id.get())],
        )?;
    }
    Ok(())
}

fn move_stock(session: &mut Session, set: &WorkingSet) -> WorkResult<()> {
    let rows: Vec<_> = set
        .stock
        .iter()
        .filter(|(_, level)| level.is_moved())
        .collect();
    let update = Update {
        table: "stock",
        columns: "CAST(? AS SIGNED) AS p, CAST(? AS SIGNED) AS a, CAST(? AS SIGNED) AS r, \
                  CAST(? AS SIGNED) AS s",
        more: "CAST(? AS SIGNED), CAST(? AS SIGNED), CAST(? AS SIGNED), CAST(? AS SIGNED)",
        on: "t.product_id = m.p",
        set: "t.available = t.available + m.a, t.reserved = t.reserved + m.r, t.sold = t.sold + m.s",
        guard: "WHERE t.available + m.a >= 0",
    };
    let single = "UPDATE stock SET available = available + ?, reserved = reserved + ?, \
                  sold = sold + ? WHERE product_id = ? AND available >= ?";
    update.write(
        session,
        &rows,
        |(product_id, level)| {
            vec![
                Value::Int(product_id.get()),
                Value::Int(level.available),
                Value::Int(level.reserved),
                Value::Int(level.sold),
            ]
        },
        (single, &|(product_id, level)| {
            vec![
                Value::Int(level.available),
                Value::Int(level.reserved),
                Value::Int(level.sold),
                Value::Int(product_id.get()),
                Value::Int(-level.available),
            ]
        }),
    )
}

fn overwrite_stock(session: &mut Session, set: &WorkingSet) -> WorkResult<()> {
    for (product_id, level) in set.stock.iter().filter(|(_, level)| level.is_moved()) {
        let available = Value::Int(level.stored + level.available);
        session.change(
            "UPDATE stock SET available = ?, reserved = received - sold - ? WHERE product_id = ?",
            vec![available.clone(), available, Value::Int(product_id.get())],
        )?;
    }
    Ok(())
}
