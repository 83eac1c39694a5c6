//! Attempts against themselves.

use super::scratch::attempts;
use crate::check::{Check, Needs, Rule, nothing_to_prepare};

const ATTEMPTS: &str = "SELECT COUNT(*) FROM store.payments";

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "attempt-ids-unique",
        title: "No two attempts share an id",
        proves: "The key under which the gateway is charged names one attempt of one order.",
        needs: Needs::Nothing,
        prepare: attempts,
        examined: ATTEMPTS,
        rules: &[Rule {
            says: "attempts of several orders share the id",
            sql: "SELECT attempt_id, COUNT(*) AS attempts, MIN(order_id) AS first_order_id,
                         MAX(order_id) AS last_order_id
                  FROM attempts GROUP BY attempt_id HAVING COUNT(*) > 1",
        }],
        remarks: &[],
    },
    Check {
        id: "attempt-states",
        title: "Every attempt's state agrees with its answer",
        proves: "An attempt has an end exactly when it is no longer in process, and what the payer \
                 was told of the order is what became of it.",
        needs: Needs::Nothing,
        prepare: nothing_to_prepare,
        examined: ATTEMPTS,
        rules: &[
            Rule {
                says: "the state is not one of the four",
                sql: "SELECT order_id, attempt_id, state FROM store.payments
                      WHERE state NOT IN ('processing', 'captured', 'declined', 'late')",
            },
            Rule {
                says: "finished_at must be set exactly when the attempt is not in process",
                sql: "SELECT order_id, attempt_id, state, finished_at FROM store.payments
                      WHERE (finished_at IS NULL) <> (state = 'processing')",
            },
            Rule {
                says: "order_state of a captured attempt must be `partially_paid` or `paid`",
                sql: "SELECT order_id, attempt_id, order_state FROM store.payments
                      WHERE state = 'captured'
                        AND COALESCE(order_state, '') NOT IN ('partially_paid', 'paid')",
            },
            Rule {
                says: "a paid order must have exactly one attempt that answered `paid`, any other none",
                sql: "SELECT order_id, state, answered_paid FROM (
                        SELECT o.order_id AS order_id, o.state AS state,
                               (SELECT COUNT(*) FROM store.payments p
                                WHERE p.order_id = o.order_id AND p.state = 'captured'
                                  AND p.order_state = 'paid') AS answered_paid
                        FROM store.orders o)
                      WHERE answered_paid <> (state = 'paid')",
            },
        ],
        remarks: &[],
    },
    Check {
        id: "settled",
        title: "Nothing is left in process",
        proves: "Every payment has its outcome and every refund was carried out.",
        needs: Needs::SettledStore,
        prepare: nothing_to_prepare,
        examined: "SELECT (SELECT COUNT(*) FROM store.payments)
                        + (SELECT COUNT(*) FROM store.refunds)",
        rules: &[
            Rule {
                says: "the attempt is still in process",
                sql: "SELECT order_id, attempt_id, amount, created_at FROM store.payments
                      WHERE state = 'processing'",
            },
            Rule {
                says: "the refund is still pending",
                sql: "SELECT order_id, attempt_id, amount, created_at FROM store.refunds
                      WHERE state = 'pending'",
            },
        ],
        remarks: &[],
    },
];
