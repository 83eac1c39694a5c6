//! What is stored, against what clients were told: stored ⊆ acknowledged ∪ unknown.

use rusqlite::Connection;

use crate::check::{Check, Needs, Rule, nothing_to_prepare};

/// Orders that a ledger accounts for: acknowledged by id, of unknown outcome by key, or of unknown
/// outcome by user and content, without a key or with one that may have been deleted since. Of the
/// last kind as many are explained as were sent.
fn explained_orders(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS explained_orders (order_id INTEGER PRIMARY KEY);
         INSERT OR IGNORE INTO explained_orders
         SELECT answer_id FROM entries
         WHERE kind = 'order' AND outcome = 'acknowledged' AND answer_id IS NOT NULL;
         INSERT OR IGNORE INTO explained_orders
         SELECT k.order_id FROM entries e CROSS JOIN store.idempotency_keys k
           ON k.key = e.key AND k.operation = 'order' AND k.user_id = e.user_id
         WHERE e.kind = 'order' AND e.key IS NOT NULL AND (e.outcome = 'unknown'
           OR e.outcome = 'acknowledged' AND e.answer_id IS NULL);
         CREATE TEMP TABLE keyless_unknown AS
         SELECT user_id, COALESCE(items, 'cart ' || cart_id, '') AS content,
                COUNT(DISTINCT COALESCE('key ' || key, entry)) AS sent
         FROM entries e WHERE kind = 'order' AND (outcome = 'unknown' AND key IS NULL
           OR (outcome = 'unknown' OR outcome = 'acknowledged' AND answer_id IS NULL)
              AND key IS NOT NULL AND sent <= (SELECT keys_since FROM instants)
              AND NOT EXISTS (SELECT 1 FROM store.idempotency_keys k WHERE k.key = e.key
                AND k.operation = 'order' AND k.user_id = e.user_id))
         GROUP BY 1, 2;
         INSERT OR IGNORE INTO explained_orders
         SELECT s.order_id FROM (
           SELECT order_id, user_id, content,
                  ROW_NUMBER() OVER (PARTITION BY user_id, content ORDER BY order_id) AS place
           FROM (
             SELECT o.order_id, o.user_id,
                    COALESCE('cart ' || o.cart_id,
                             (SELECT GROUP_CONCAT(l.product_id || 'x' || l.quantity, ','
                                                  ORDER BY l.product_id)
                              FROM store.order_lines l WHERE l.order_id = o.order_id)) AS content
             FROM store.orders o
             WHERE EXISTS (SELECT 1 FROM keyless_unknown)
               AND o.order_id NOT IN (SELECT order_id FROM explained_orders)
               AND o.order_id NOT IN (SELECT order_id FROM store.idempotency_keys
                                      WHERE operation = 'order'))) s
         JOIN keyless_unknown u
           ON u.user_id = s.user_id AND u.content = s.content AND s.place <= u.sent;
         DROP TABLE keyless_unknown;",
    )
}

/// Attempts that a ledger accounts for, by the same three ways; a payment without a key is known by
/// its order and amount.
fn explained_attempts(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS explained_attempts (
           order_id INTEGER, attempt_id INTEGER, PRIMARY KEY (order_id, attempt_id)) WITHOUT ROWID;
         INSERT OR IGNORE INTO explained_attempts
         SELECT order_id, answer_id FROM entries
         WHERE kind = 'payment' AND outcome = 'acknowledged'
           AND order_id IS NOT NULL AND answer_id IS NOT NULL;
         INSERT OR IGNORE INTO explained_attempts
         SELECT k.order_id, k.attempt_id
         FROM entries e CROSS JOIN store.orders o ON o.order_id = e.order_id
         CROSS JOIN store.idempotency_keys k
           ON k.key = e.key AND k.operation = 'payment' AND k.user_id = o.user_id
         WHERE e.kind = 'payment' AND e.key IS NOT NULL AND k.order_id = e.order_id
           AND k.attempt_id IS NOT NULL AND (e.outcome = 'unknown'
             OR e.outcome = 'acknowledged' AND e.answer_id IS NULL);
         CREATE TEMP TABLE keyless_unknown AS
         SELECT order_id, amount, COUNT(DISTINCT COALESCE('key ' || key, entry)) AS sent
         FROM entries e WHERE kind = 'payment' AND (outcome = 'unknown' AND key IS NULL
           OR (outcome = 'unknown' OR outcome = 'acknowledged' AND answer_id IS NULL)
              AND key IS NOT NULL AND sent <= (SELECT keys_since FROM instants)
              AND NOT EXISTS (SELECT 1 FROM store.idempotency_keys k WHERE k.key = e.key
                AND k.operation = 'payment' AND k.order_id = e.order_id))
         GROUP BY 1, 2;
         INSERT OR IGNORE INTO explained_attempts
         SELECT s.order_id, s.attempt_id FROM (
           SELECT p.order_id, p.attempt_id, p.amount,
                  ROW_NUMBER() OVER (PARTITION BY p.order_id, p.amount
                                     ORDER BY p.attempt_id) AS place
           FROM store.payments p
           WHERE p.order_id IN (SELECT order_id FROM keyless_unknown)
             AND p.state <> 'declined'
             AND NOT EXISTS (SELECT 1 FROM explained_attempts x
               WHERE x.order_id = p.order_id AND x.attempt_id = p.attempt_id)
             AND p.attempt_id NOT IN (SELECT attempt_id FROM store.idempotency_keys
                                      WHERE operation = 'payment' AND attempt_id IS NOT NULL)) s
         JOIN keyless_unknown u
           ON u.order_id = s.order_id AND u.amount = s.amount AND s.place <= u.sent;
         DROP TABLE keyless_unknown;",
    )
}

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "stored-orders-explained",
        title: "Every stored order was asked for",
        proves: "There is no order that no client was told of, unless that client never learned the \
                 outcome: no write was carried out twice.",
        needs: Needs::CompleteClientLedger,
        prepare: explained_orders,
        examined: "SELECT COUNT(*) FROM store.orders",
        rules: &[Rule {
            says: "no client was told of the order, and none has an unknown outcome for it",
            sql: "SELECT order_id, user_id, total, created_at FROM store.orders
                  WHERE order_id NOT IN (SELECT order_id FROM explained_orders)",
        }],
        remarks: &[Rule {
            says: "orders are stored whose client never learned the outcome",
            sql: "SELECT COUNT(*) FROM explained_orders x WHERE NOT EXISTS (
                    SELECT 1 FROM entries e WHERE e.kind = 'order'
                      AND e.outcome = 'acknowledged' AND e.answer_id = x.order_id)",
        }],
    },
    Check {
        id: "stored-payments-explained",
        title: "Every stored payment was asked for",
        proves: "No attempt took or holds money that no client was told of, unless that client never \
                 learned the outcome. Declined attempts, and late ones, whose money goes back, are \
                 left to other checks.",
        needs: Needs::CompleteClientLedger,
        prepare: explained_attempts,
        examined: "SELECT COUNT(*) FROM store.payments WHERE state IN ('captured', 'processing')",
        rules: &[Rule {
            says: "no client was told of the payment, and none has an unknown outcome for it",
            sql: "SELECT order_id, attempt_id, state, amount, created_at FROM store.payments p
                  WHERE state IN ('captured', 'processing') AND NOT EXISTS (
                    SELECT 1 FROM explained_attempts x
                    WHERE x.order_id = p.order_id AND x.attempt_id = p.attempt_id)",
        }],
        remarks: &[],
    },
    Check {
        id: "refused-writes-left-nothing",
        title: "Refused writes left nothing",
        proves: "A key that was only ever refused is not stored, so that a retry can still succeed.",
        needs: Needs::ClientLedger,
        prepare: nothing_to_prepare,
        examined: "SELECT COUNT(*) FROM entries WHERE key IS NOT NULL
                   AND kind IN ('order', 'payment') AND outcome = 'refused'",
        rules: &[
            Rule {
                says: "the order was refused under this key, but the key holds an order",
                sql: "SELECT DISTINCT k.key, k.user_id, k.order_id
                      FROM entries e CROSS JOIN store.idempotency_keys k
                        ON k.key = e.key AND k.operation = 'order' AND k.user_id = e.user_id
                      WHERE e.kind = 'order' AND e.outcome = 'refused' AND e.key IS NOT NULL
                        AND NOT EXISTS (SELECT 1 FROM entries x WHERE x.key = e.key
                          AND x.kind = 'order' AND x.user_id = e.user_id
                          AND x.outcome <> 'refused')",
            },
            Rule {
                says: "the payment was refused under this key, but the key holds an attempt",
                sql: "SELECT DISTINCT k.key, k.user_id, k.order_id, k.attempt_id
                      FROM entries e CROSS JOIN store.orders o ON o.order_id = e.order_id
                      CROSS JOIN store.idempotency_keys k
                        ON k.key = e.key AND k.operation = 'payment' AND k.user_id = o.user_id
                      CROSS JOIN store.payments p
                        ON p.order_id = k.order_id AND p.attempt_id = k.attempt_id
                      WHERE e.kind = 'payment' AND e.outcome = 'refused' AND e.key IS NOT NULL
                        AND k.order_id = e.order_id AND p.state IN ('captured', 'processing')
                        AND NOT EXISTS (SELECT 1 FROM entries x WHERE x.key = e.key
                          AND x.kind = 'payment' AND x.order_id = e.order_id
                          AND x.outcome <> 'refused')",
            },
        ],
        remarks: &[],
    },
];
