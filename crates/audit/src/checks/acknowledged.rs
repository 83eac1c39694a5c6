//! What clients were told, against what is stored: acknowledged ⊆ stored.

use crate::check::{Check, Needs, Rule, nothing_to_prepare};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "acknowledged-orders-stored",
        title: "Every acknowledged order is stored",
        proves: "No order that a client saw as placed was lost or changed: id, user, total and items \
                 are those that were acknowledged.",
        needs: Needs::ClientLedger,
        prepare: nothing_to_prepare,
        examined: "SELECT COUNT(*) FROM entries
                   WHERE kind = 'order' AND outcome = 'acknowledged'",
        rules: &[
            Rule {
                says: "the acknowledged order is not stored",
                sql: "SELECT answer_id AS order_id, user_id, key, ledger, line FROM entries e
                      WHERE kind = 'order' AND outcome = 'acknowledged'
                        AND answer_id IS NOT NULL AND NOT EXISTS (
                          SELECT 1 FROM store.orders o WHERE o.order_id = e.answer_id)",
            },
            Rule {
                says: "the answer named no order and none is stored under the key",
                sql: "SELECT user_id, key, ledger, line FROM entries e
                      WHERE kind = 'order' AND outcome = 'acknowledged'
                        AND answer_id IS NULL AND sent > (SELECT keys_since FROM instants)
                        AND NOT EXISTS (
                          SELECT 1 FROM store.idempotency_keys k WHERE k.key = e.key
                            AND k.operation = 'order' AND k.user_id = e.user_id)",
            },
            Rule {
                says: "the stored order differs from the acknowledged one",
                sql: "SELECT * FROM (
                        SELECT o.order_id, e.user_id, o.user_id AS stored_user_id,
                               e.answer_total AS total, o.total AS stored_total, e.items,
                               (SELECT GROUP_CONCAT(l.product_id || 'x' || l.quantity, ','
                                                    ORDER BY l.product_id)
                                FROM store.order_lines l WHERE l.order_id = o.order_id)
                                 AS stored_items,
                               e.cart_id, o.cart_id AS stored_cart_id, e.ledger, e.line
                        FROM entries e JOIN store.orders o ON o.order_id = e.answer_id
                        WHERE e.kind = 'order' AND e.outcome = 'acknowledged')
                      WHERE user_id <> stored_user_id OR total <> stored_total
                         OR items IS NOT NULL AND items IS NOT stored_items
                         OR cart_id IS NOT NULL AND items IS NULL AND cart_id IS NOT stored_cart_id",
            },
        ],
        remarks: &[],
    },
    Check {
        id: "acknowledged-payments-stored",
        title: "Every acknowledged payment is stored",
        proves: "No payment that a client saw as captured was lost or changed; one that was still in \
                 process when it was answered exists.",
        needs: Needs::ClientLedger,
        prepare: nothing_to_prepare,
        examined: "SELECT COUNT(*) FROM entries
                   WHERE kind = 'payment' AND outcome = 'acknowledged'",
        rules: &[
            Rule {
                says: "the acknowledged payment is not stored",
                sql: "SELECT order_id, answer_id AS attempt_id, key, ledger, line FROM entries e
                      WHERE kind = 'payment' AND outcome = 'acknowledged'
                        AND answer_id IS NOT NULL AND NOT EXISTS (
                          SELECT 1 FROM store.payments p
                          WHERE p.order_id = e.order_id AND p.attempt_id = e.answer_id)",
            },
            Rule {
                says: "the answer named no payment and none is stored under the key",
                sql: "SELECT order_id, key, ledger, line FROM entries e
                      WHERE kind = 'payment' AND outcome = 'acknowledged'
                        AND answer_id IS NULL AND sent > (SELECT keys_since FROM instants)
                        AND NOT EXISTS (
                          SELECT 1 FROM store.orders o JOIN store.idempotency_keys k
                            ON k.key = e.key AND k.operation = 'payment' AND k.user_id = o.user_id
                          WHERE o.order_id = e.order_id AND k.order_id = e.order_id)",
            },
            Rule {
                says: "the stored payment differs from the acknowledged one",
                sql: "SELECT p.order_id, p.attempt_id, e.status, p.state, e.amount,
                             p.amount AS stored_amount, e.ledger, e.line
                      FROM entries e JOIN store.payments p
                        ON p.order_id = e.order_id AND p.attempt_id = e.answer_id
                      WHERE e.kind = 'payment' AND e.outcome = 'acknowledged'
                        AND (e.amount <> p.amount
                          OR e.status = 201 AND p.state NOT IN ('captured', 'late'))",
            },
        ],
        remarks: &[],
    },
    Check {
        id: "acknowledged-carts-stored",
        title: "Every acknowledged cart is stored",
        proves: "No product that a client saw in its cart was lost, whether the cart is still open or \
                 became an order.",
        needs: Needs::ClientLedger,
        prepare: nothing_to_prepare,
        examined: "SELECT COUNT(*) FROM entries WHERE kind = 'cart' AND outcome = 'acknowledged'",
        rules: &[
            Rule {
                says: "the acknowledged cart is not stored",
                sql: "SELECT answer_id AS cart_id, user_id, ledger, line FROM entries e
                      WHERE kind = 'cart' AND outcome = 'acknowledged'
                        AND sent > (SELECT carts_since FROM instants) AND NOT EXISTS (
                          SELECT 1 FROM store.carts c WHERE c.cart_id = e.answer_id)",
            },
            Rule {
                says: "the change was answered with another cart than the one that was named",
                sql: "SELECT cart_id, answer_id AS answered_cart_id, ledger, line FROM entries
                      WHERE kind = 'cart' AND outcome = 'acknowledged' AND cart_id <> answer_id",
            },
            Rule {
                says: "the cart, or the order it became, holds fewer pieces than were acknowledged",
                sql: "WITH added AS (
                        SELECT answer_id AS cart_id, product_id, SUM(quantity) AS acknowledged
                        FROM entries
                        WHERE kind = 'cart' AND outcome = 'acknowledged' AND product_id IS NOT NULL
                          AND NOT EXISTS (SELECT 1 FROM entries WHERE kind = 'cart'
                            AND product_id IS NULL AND outcome <> 'refused')
                        GROUP BY answer_id, product_id)
                      SELECT * FROM (
                        SELECT a.cart_id, c.order_id, a.product_id, a.acknowledged,
                               COALESCE(CASE WHEN c.order_id IS NULL
                                 THEN (SELECT l.quantity FROM store.cart_lines l
                                  WHERE l.cart_id = a.cart_id AND l.product_id = a.product_id)
                                 ELSE (SELECT l.quantity FROM store.order_lines l
                                  WHERE l.order_id = c.order_id AND l.product_id = a.product_id)
                                 END, 0) AS stored
                        FROM added a JOIN store.carts c ON c.cart_id = a.cart_id)
                      WHERE stored < acknowledged",
            },
        ],
        remarks: &[Rule {
            says: "changes of carts name no product, so that pieces may have been taken out again: \
                   the pieces in carts were not compared",
            sql: "SELECT COUNT(*) FROM entries
                  WHERE kind = 'cart' AND product_id IS NULL AND outcome <> 'refused'",
        }],
    },
    Check {
        id: "acknowledged-keys-stored",
        title: "Every acknowledged write claimed its key",
        proves: "The key of each acknowledged order and payment is stored with that write, so that a \
                 retry would be answered with it and not carried out again.",
        needs: Needs::ClientLedger,
        prepare: nothing_to_prepare,
        examined: "SELECT COUNT(*) FROM entries WHERE key IS NOT NULL
                   AND kind IN ('order', 'payment') AND outcome = 'acknowledged'",
        rules: &[
            Rule {
                says: "the key is not stored or names another order",
                sql: "SELECT e.key, e.answer_id AS order_id, k.order_id AS stored_order_id,
                             e.ledger, e.line
                      FROM entries e
                      LEFT JOIN store.orders o ON o.order_id = e.answer_id
                      LEFT JOIN store.idempotency_keys k
                        ON k.key = e.key AND k.operation = 'order' AND k.user_id = e.user_id
                      WHERE e.kind = 'order' AND e.outcome = 'acknowledged'
                        AND e.key IS NOT NULL AND e.answer_id IS NOT NULL
                        AND k.order_id IS NOT e.answer_id
                        AND COALESCE(o.created_at, e.sent) > (SELECT keys_since FROM instants)",
            },
            Rule {
                says: "the key is not stored or names another attempt",
                sql: "SELECT e.key, e.order_id, e.answer_id AS attempt_id,
                             k.attempt_id AS stored_attempt_id, e.ledger, e.line
                      FROM entries e
                      JOIN store.payments p
                        ON p.order_id = e.order_id AND p.attempt_id = e.answer_id
                      JOIN store.orders o ON o.order_id = e.order_id
                      LEFT JOIN store.idempotency_keys k
                        ON k.key = e.key AND k.operation = 'payment' AND k.user_id = o.user_id
                      WHERE e.kind = 'payment' AND e.outcome = 'acknowledged'
                        AND e.key IS NOT NULL AND p.state <> 'declined'
                        AND k.attempt_id IS NOT e.answer_id
                        AND p.created_at > (SELECT keys_since FROM instants)",
            },
        ],
        remarks: &[],
    },
    Check {
        id: "one-answer-per-key",
        title: "One key, one answer; one answer, one write",
        proves: "Every acknowledgement of a key named the same write, and no two different writes \
                 were answered with the same order or payment.",
        needs: Needs::ClientLedger,
        prepare: nothing_to_prepare,
        examined: "SELECT COUNT(*) FROM entries
                   WHERE kind IN ('order', 'payment') AND outcome = 'acknowledged'",
        rules: &[
            Rule {
                says: "the key was answered with different orders or totals",
                sql: "SELECT key, user_id, COUNT(*) AS answers, MIN(answer_id) AS first_order_id,
                             MAX(answer_id) AS last_order_id, MIN(answer_total) AS least_total,
                             MAX(answer_total) AS greatest_total
                      FROM entries
                      WHERE kind = 'order' AND outcome = 'acknowledged' AND key IS NOT NULL
                      GROUP BY key, user_id
                      HAVING first_order_id <> last_order_id OR least_total <> greatest_total",
            },
            Rule {
                says: "the key was answered with different payments",
                sql: "SELECT e.key, o.user_id, COUNT(*) AS answers,
                             MIN(e.answer_id) AS first_attempt_id,
                             MAX(e.answer_id) AS last_attempt_id
                      FROM entries e JOIN store.orders o ON o.order_id = e.order_id
                      WHERE e.kind = 'payment' AND e.outcome = 'acknowledged'
                        AND e.key IS NOT NULL
                      GROUP BY e.key, o.user_id HAVING first_attempt_id <> last_attempt_id",
            },
            Rule {
                says: "different writes were answered with the same order or payment",
                sql: "SELECT kind, answer_id AS id, COUNT(*) AS answers,
                             MIN(line) AS least_line, MAX(line) AS greatest_line
                      FROM entries
                      WHERE kind IN ('order', 'payment') AND outcome = 'acknowledged'
                        AND answer_id IS NOT NULL
                      GROUP BY kind, answer_id
                      HAVING COUNT(DISTINCT COALESCE('key ' || key || ' of ' || COALESCE(user_id, ''),
                                                     'entry ' || entry)) > 1",
            },
        ],
        remarks: &[],
    },
];
