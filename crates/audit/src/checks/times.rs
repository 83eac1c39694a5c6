//! The instants of orders, attempts and refunds against each other.

use crate::check::{Check, Needs, Rule, nothing_to_prepare};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "order-times",
        title: "Everything happened in a possible order",
        proves: "Orders expire after they were placed and not before their time, and nothing \
                 happened before its cause or in the future.",
        needs: Needs::Nothing,
        prepare: nothing_to_prepare,
        examined: "SELECT (SELECT COUNT(*) FROM store.orders)
                        + (SELECT COUNT(*) FROM store.payments)
                        + (SELECT COUNT(*) FROM store.refunds)",
        rules: &[
            Rule {
                says: "the payment window ends before it begins",
                sql: "SELECT order_id, created_at, expires_at FROM store.orders
                      WHERE expires_at <= created_at",
            },
            Rule {
                says: "the order was closed before it was placed",
                sql: "SELECT order_id, created_at, closed_at FROM store.orders
                      WHERE closed_at < created_at",
            },
            Rule {
                says: "the order expired before its time",
                sql: "SELECT order_id, expires_at, closed_at FROM store.orders
                      WHERE state = 'expired' AND closed_at < expires_at",
            },
            Rule {
                says: "the order was placed or closed more than a second after this audit",
                sql: "SELECT order_id, created_at, closed_at, now AS audited_at
                      FROM store.orders CROSS JOIN instants
                      WHERE MAX(created_at, COALESCE(closed_at, created_at)) > now + 1000000",
            },
            Rule {
                says: "the attempt was made before its order",
                sql:
                    "SELECT p.order_id, p.attempt_id, o.created_at AS order_created_at, p.created_at
                      FROM store.payments p JOIN store.orders o ON o.order_id = p.order_id
                      WHERE p.created_at < o.created_at",
            },
            Rule {
                says: "the attempt ended before it began",
                sql: "SELECT order_id, attempt_id, created_at, finished_at FROM store.payments
                      WHERE finished_at < created_at",
            },
            Rule {
                says: "the refund ended before it began",
                sql: "SELECT order_id, attempt_id, created_at, finished_at FROM store.refunds
                      WHERE finished_at < created_at",
            },
        ],
        remarks: &[],
    },
    Check {
        id: "closing-waits-for-payment",
        title: "No order was closed under a running payment",
        proves: "No order expired or was cancelled between the beginning and the end of an attempt \
                 that then counted for it.",
        needs: Needs::Nothing,
        prepare: nothing_to_prepare,
        examined: "SELECT COUNT(*) FROM store.payments",
        rules: &[Rule {
            says: "the order was closed while the attempt was in process",
            sql:
                "SELECT p.order_id, p.attempt_id, p.state, p.created_at, o.closed_at, p.finished_at
                  FROM store.payments p JOIN store.orders o ON o.order_id = p.order_id
                  WHERE p.state IN ('captured', 'declined')
                    AND p.created_at <= o.closed_at AND p.finished_at > o.closed_at",
        }],
        remarks: &[],
    },
];
