//! Idempotency keys against the writes that claimed them.

use crate::check::{Check, Needs, Rule, nothing_to_prepare};

const KEYS: &str = "SELECT COUNT(*) FROM store.idempotency_keys";

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "keys-name-their-writes",
        title: "Every key names the write that claimed it",
        proves: "Each key points to an existing order or attempt of its own user, each attempt that \
                 may have taken money holds the key it claimed, and a declined one has released it.",
        needs: Needs::Nothing,
        prepare: nothing_to_prepare,
        examined: KEYS,
        rules: &[
            Rule {
                says: "the key names no order",
                sql: "SELECT key, operation, order_id FROM store.idempotency_keys
                      WHERE order_id NOT IN (SELECT order_id FROM store.orders)",
            },
            Rule {
                says: "the key belongs to another user than the order",
                sql: "SELECT k.key, k.operation, k.order_id, k.user_id, o.user_id AS order_user_id
                      FROM store.idempotency_keys k JOIN store.orders o ON o.order_id = k.order_id
                      WHERE k.user_id IS NOT o.user_id",
            },
            Rule {
                says: "an order's key names an attempt, or a payment's key names none",
                sql: "SELECT key, operation, order_id, attempt_id FROM store.idempotency_keys
                      WHERE (operation = 'payment') <> (attempt_id IS NOT NULL)
                         OR operation NOT IN ('order', 'payment')",
            },
            Rule {
                says: "the key names no attempt of the order",
                sql: "SELECT key, order_id, attempt_id FROM store.idempotency_keys k
                      WHERE operation = 'payment' AND NOT EXISTS (SELECT 1 FROM store.payments p
                        WHERE p.order_id = k.order_id AND p.attempt_id = k.attempt_id)",
            },
            Rule {
                says: "the key's attempt claimed another key",
                sql: "SELECT k.key, k.order_id, k.attempt_id, p.idempotency_key AS claimed_key
                      FROM store.idempotency_keys k JOIN store.payments p
                        ON p.order_id = k.order_id AND p.attempt_id = k.attempt_id
                      WHERE k.operation = 'payment' AND p.idempotency_key IS NOT k.key",
            },
            Rule {
                says: "the key that the attempt claimed is not stored for it",
                sql: "SELECT p.order_id, p.attempt_id, p.state, p.idempotency_key AS claimed_key
                      FROM store.payments p JOIN store.orders o ON o.order_id = p.order_id
                      WHERE p.state IN ('captured', 'processing')
                        AND p.idempotency_key IS NOT NULL
                        AND (p.state = 'processing'
                             OR p.created_at > (SELECT keys_since FROM instants))
                        AND NOT EXISTS (SELECT 1 FROM store.idempotency_keys k
                          WHERE k.key = p.idempotency_key AND k.operation = 'payment'
                            AND k.user_id = o.user_id AND k.order_id = p.order_id
                            AND k.attempt_id = p.attempt_id)",
            },
            Rule {
                says: "a declined attempt still holds its key",
                sql: "SELECT k.key, k.order_id, k.attempt_id
                      FROM store.idempotency_keys k JOIN store.payments p
                        ON p.order_id = k.order_id AND p.attempt_id = k.attempt_id
                      WHERE k.operation = 'payment' AND p.state = 'declined'",
            },
            Rule {
                says: "the fingerprint does not have 16 bytes",
                sql: "SELECT key, operation, LENGTH(fingerprint) AS fingerprint_bytes
                      FROM store.idempotency_keys WHERE LENGTH(fingerprint) <> 16",
            },
        ],
        remarks: &[],
    },
    Check {
        id: "one-key-per-write",
        title: "No write was claimed by two keys",
        proves: "Each order and each attempt answers at most one idempotency key.",
        needs: Needs::Nothing,
        prepare: nothing_to_prepare,
        examined: KEYS,
        rules: &[
            Rule {
                says: "several keys name the order as theirs",
                sql: "SELECT order_id, COUNT(*) AS keys FROM store.idempotency_keys
                      WHERE operation = 'order' GROUP BY order_id HAVING COUNT(*) > 1",
            },
            Rule {
                says: "several keys name the attempt as theirs",
                sql: "SELECT order_id, attempt_id, COUNT(*) AS keys FROM store.idempotency_keys
                      WHERE operation = 'payment' AND attempt_id IS NOT NULL
                      GROUP BY order_id, attempt_id HAVING COUNT(*) > 1",
            },
        ],
        remarks: &[],
    },
];
