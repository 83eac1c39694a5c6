//! Refunds against the attempts that they give back.

use crate::check::{Check, Needs, Rule, nothing_to_prepare};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "refunds-complete",
        title: "Everything owed back has a refund",
        proves: "Each captured attempt of a closed order and each late attempt is being refunded.",
        needs: Needs::Nothing,
        prepare: nothing_to_prepare,
        examined: "SELECT COUNT(*) FROM store.payments WHERE state IN ('captured', 'late')",
        rules: &[
            Rule {
                says: "a captured attempt of a closed order has no refund",
                sql: "SELECT p.order_id, p.attempt_id, o.state AS order_state, p.amount
                      FROM store.payments p JOIN store.orders o ON o.order_id = p.order_id
                      WHERE p.state = 'captured' AND o.state IN ('cancelled', 'expired')
                        AND NOT EXISTS (SELECT 1 FROM store.refunds r
                          WHERE r.order_id = p.order_id AND r.attempt_id = p.attempt_id)",
            },
            Rule {
                says: "a late attempt has no refund",
                sql: "SELECT p.order_id, p.attempt_id, p.amount FROM store.payments p
                      WHERE p.state = 'late'
                        AND NOT EXISTS (SELECT 1 FROM store.refunds r
                          WHERE r.order_id = p.order_id AND r.attempt_id = p.attempt_id)",
            },
        ],
        remarks: &[],
    },
    Check {
        id: "refunds-justified",
        title: "Every refund gives back what was taken",
        proves: "Each refund is of a late attempt or a captured one of a closed order, and whole.",
        needs: Needs::Nothing,
        prepare: nothing_to_prepare,
        examined: "SELECT COUNT(*) FROM store.refunds",
        rules: &[
            Rule {
                says: "the refund names no attempt of the order",
                sql: "SELECT order_id, attempt_id, amount FROM store.refunds r
                      WHERE NOT EXISTS (SELECT 1 FROM store.payments p
                        WHERE p.order_id = r.order_id AND p.attempt_id = r.attempt_id)",
            },
            Rule {
                says: "the refund is not the amount of its attempt",
                sql: "SELECT r.order_id, r.attempt_id, p.amount AS attempt_amount, r.amount
                      FROM store.refunds r JOIN store.payments p
                        ON p.order_id = r.order_id AND p.attempt_id = r.attempt_id
                      WHERE r.amount IS NOT p.amount",
            },
            Rule {
                says: "the attempt took no money or the order still needs it",
                sql: "SELECT r.order_id, r.attempt_id, p.state AS attempt_state,
                             o.state AS order_state
                      FROM store.refunds r
                      JOIN store.payments p
                        ON p.order_id = r.order_id AND p.attempt_id = r.attempt_id
                      JOIN store.orders o ON o.order_id = r.order_id
                      WHERE NOT (p.state = 'late' OR (p.state = 'captured'
                        AND o.state IN ('cancelled', 'expired')))",
            },
            Rule {
                says: "finished_at must be set exactly for refunds that are done",
                sql: "SELECT order_id, attempt_id, state, finished_at FROM store.refunds
                      WHERE state NOT IN ('pending', 'done')
                         OR (finished_at IS NOT NULL) <> (state = 'done')",
            },
        ],
        remarks: &[],
    },
];
