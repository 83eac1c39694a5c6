//! Orders against their lines, their attempts and their own state.

use crate::check::{Check, Needs, Rule, nothing_to_prepare};

const ORDERS: &str = "SELECT COUNT(*) FROM store.orders";

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "order-totals",
        title: "Every order is the sum of its lines",
        proves: "No order was half written: each has lines, each line an order, and the total is \
                 their sum.",
        needs: Needs::Nothing,
        prepare: nothing_to_prepare,
        examined: ORDERS,
        rules: &[
            Rule {
                says: "an order has no lines",
                sql: "SELECT order_id, total FROM store.orders o WHERE NOT EXISTS (
                        SELECT 1 FROM store.order_lines l WHERE l.order_id = o.order_id)",
            },
            Rule {
                says: "the total is not the sum of the lines",
                sql: "SELECT order_id, total, lines_total FROM (
                        SELECT order_id, total,
                               (SELECT SUM(l.quantity * l.unit_price) FROM store.order_lines l
                                WHERE l.order_id = o.order_id) AS lines_total
                        FROM store.orders o)
                      WHERE lines_total IS NOT NULL AND total IS NOT lines_total",
            },
            Rule {
                says: "a line has no positive quantity or price",
                sql: "SELECT order_id, product_id, quantity, unit_price FROM store.order_lines
                      WHERE quantity <= 0 OR unit_price <= 0",
            },
            Rule {
                says: "a line belongs to no order",
                sql: "SELECT order_id, product_id FROM store.order_lines
                      WHERE order_id NOT IN (SELECT order_id FROM store.orders)",
            },
        ],
        remarks: &[],
    },
    Check {
        id: "order-states",
        title: "Every order's state agrees with its money and times",
        proves: "Paid exactly when everything is captured, partially paid exactly when a part is, and \
                 closed exactly when its stock was given back.",
        needs: Needs::Nothing,
        prepare: nothing_to_prepare,
        examined: ORDERS,
        rules: &[
            Rule {
                says: "the state is not one of the five",
                sql: "SELECT order_id, state FROM store.orders WHERE state NOT IN
                      ('pending_payment', 'partially_paid', 'paid', 'cancelled', 'expired')",
            },
            Rule {
                says: "the state does not agree with what was captured",
                sql: "SELECT order_id, state, total, captured FROM store.orders
                      WHERE (state = 'paid') <> (captured = total)
                         OR (state = 'partially_paid' AND NOT (captured > 0 AND captured < total))
                         OR (state = 'pending_payment' AND captured <> 0)",
            },
            Rule {
                says: "closed_at must be set exactly for cancelled and expired orders",
                sql: "SELECT order_id, state, closed_at FROM store.orders
                      WHERE (closed_at IS NOT NULL) <> (state IN ('cancelled', 'expired'))",
            },
        ],
        remarks: &[],
    },
    Check {
        id: "order-payments",
        title: "Every order's money is the sum of its attempts",
        proves: "captured and processing are the sums of the attempts in those states and together \
                 never exceed the total.",
        needs: Needs::Nothing,
        prepare: nothing_to_prepare,
        examined: ORDERS,
        rules: &[
            Rule {
                says: "captured is not the sum of the captured attempts",
                sql: "SELECT order_id, captured, in_attempts FROM (
                        SELECT order_id, captured,
                               COALESCE((SELECT SUM(p.amount) FROM store.payments p
                                         WHERE p.order_id = o.order_id
                                           AND p.state = 'captured'), 0) AS in_attempts
                        FROM store.orders o)
                      WHERE captured IS NOT in_attempts",
            },
            Rule {
                says: "processing is not the sum of the attempts in process",
                sql: "SELECT order_id, processing, in_attempts FROM (
                        SELECT order_id, processing,
                               COALESCE((SELECT SUM(p.amount) FROM store.payments p
                                         WHERE p.order_id = o.order_id
                                           AND p.state = 'processing'), 0) AS in_attempts
                        FROM store.orders o)
                      WHERE processing IS NOT in_attempts",
            },
            Rule {
                says: "captured and processing exceed the total, or are negative",
                sql: "SELECT order_id, total, captured, processing FROM store.orders
                      WHERE captured + processing > total OR captured < 0 OR processing < 0",
            },
            Rule {
                says: "an attempt belongs to no order",
                sql: "SELECT order_id, attempt_id FROM store.payments
                      WHERE order_id NOT IN (SELECT order_id FROM store.orders)",
            },
        ],
        remarks: &[],
    },
];
