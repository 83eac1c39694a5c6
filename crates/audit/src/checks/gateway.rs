//! The store against the gateway's own ledger: where the money really went.

use super::scratch::attempts;
use crate::check::{Check, Needs, Rule, nothing_to_prepare};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "charged-once",
        title: "Nothing was charged or refunded twice",
        proves: "By the gateway's own account each attempt has at most one charge and one refund, \
                 and refunds give back exactly what was taken.",
        needs: Needs::GatewayLedger,
        prepare: nothing_to_prepare,
        examined: "SELECT (SELECT COUNT(*) FROM gateway_charges)
                        + (SELECT COUNT(*) FROM gateway_refunds)",
        rules: &[
            Rule {
                says: "the attempt was charged more than once",
                sql: "SELECT attempt_id, COUNT(*) AS charges, SUM(amount) AS amount,
                             MIN(line) AS first_line, MAX(line) AS last_line
                      FROM gateway_charges GROUP BY attempt_id HAVING COUNT(*) > 1",
            },
            Rule {
                says: "the attempt was refunded more than once",
                sql: "SELECT attempt_id, COUNT(*) AS refunds, SUM(amount) AS amount,
                             MIN(line) AS first_line, MAX(line) AS last_line
                      FROM gateway_refunds GROUP BY attempt_id HAVING COUNT(*) > 1",
            },
            Rule {
                says: "the refund has no captured charge of its amount and currency",
                sql: "SELECT attempt_id, amount, currency, line FROM gateway_refunds r
                      WHERE NOT EXISTS (SELECT 1 FROM gateway_charges c
                        WHERE c.attempt_id = r.attempt_id AND c.result = 'captured'
                          AND c.amount = r.amount AND c.currency = r.currency)",
            },
            Rule {
                says: "the attempt was charged although it was declared void",
                sql: "SELECT c.attempt_id, c.line AS charge_line, v.line AS void_line
                      FROM gateway_charges c JOIN gateway_voids v ON v.attempt_id = c.attempt_id",
            },
        ],
        remarks: &[],
    },
    Check {
        id: "captures-match-gateway",
        title: "Captured payments are the gateway's",
        proves: "Every attempt that took money is a captured charge of the same amount and currency \
                 at the gateway, and the gateway was never asked for one the store does not know.",
        needs: Needs::GatewayLedger,
        prepare: attempts,
        examined: "SELECT (SELECT COUNT(*) FROM attempts WHERE state IN ('captured', 'late'))
                        + (SELECT COUNT(*) FROM gateway_charges)",
        rules: &[
            Rule {
                says: "the gateway did not capture the attempt",
                sql: "SELECT order_id, attempt_id, state, amount FROM attempts a
                      WHERE state IN ('captured', 'late') AND NOT EXISTS (
                        SELECT 1 FROM gateway_charges c
                        WHERE c.attempt_id = a.attempt_id AND c.result = 'captured')",
            },
            Rule {
                says: "the gateway was asked for another amount or currency",
                sql: "SELECT a.order_id, a.attempt_id, a.amount, c.amount AS gateway_amount,
                             c.currency AS gateway_currency, c.result, c.line
                      FROM gateway_charges c JOIN attempts a ON a.attempt_id = c.attempt_id
                      WHERE c.amount IS NOT a.amount
                         OR c.currency IS NOT (SELECT currency FROM store.shop)",
            },
            Rule {
                says: "the gateway captured an attempt that the store calls declined",
                sql: "SELECT a.order_id, a.attempt_id, c.amount AS gateway_amount, c.line
                      FROM gateway_charges c JOIN attempts a ON a.attempt_id = c.attempt_id
                      WHERE c.result = 'captured' AND a.state = 'declined'",
            },
            Rule {
                says: "the gateway was asked for an attempt that the store does not have",
                sql: "SELECT attempt_id, amount AS gateway_amount, result, line
                      FROM gateway_charges c WHERE NOT EXISTS (
                        SELECT 1 FROM attempts a WHERE a.attempt_id = c.attempt_id)",
            },
        ],
        remarks: &[Rule {
            says: "captured charges belong to attempts still in process",
            sql: "SELECT COUNT(*) FROM gateway_charges c
                  JOIN attempts a ON a.attempt_id = c.attempt_id
                  WHERE c.result = 'captured' AND a.state = 'processing'",
        }],
    },
    Check {
        id: "refunds-match-gateway",
        title: "Refunds are the gateway's",
        proves: "Every refund that is done was carried out by the gateway, and it carried out none \
                 that the store does not know.",
        needs: Needs::GatewayLedger,
        prepare: attempts,
        examined: "SELECT (SELECT COUNT(*) FROM refund_rows WHERE state = 'done')
                        + (SELECT COUNT(*) FROM gateway_refunds)",
        rules: &[
            Rule {
                says: "the gateway did not carry out the refund",
                sql: "SELECT order_id, attempt_id, amount FROM refund_rows r
                      WHERE state = 'done' AND NOT EXISTS (
                        SELECT 1 FROM gateway_refunds g WHERE g.attempt_id = r.attempt_id)",
            },
            Rule {
                says: "the gateway refunded another amount",
                sql: "SELECT r.order_id, r.attempt_id, r.amount, g.amount AS gateway_amount, g.line
                      FROM gateway_refunds g JOIN refund_rows r ON r.attempt_id = g.attempt_id
                      WHERE g.amount IS NOT r.amount",
            },
            Rule {
                says: "the gateway refunded an attempt without a refund in the store",
                sql: "SELECT attempt_id, amount AS gateway_amount, line FROM gateway_refunds g
                      WHERE NOT EXISTS (
                        SELECT 1 FROM refund_rows r WHERE r.attempt_id = g.attempt_id)",
            },
        ],
        remarks: &[],
    },
    Check {
        id: "gateway-balance",
        title: "captured − refunded is the gateway's balance",
        proves: "The sum of all captures less all refunds is the same in the store and at the \
                 gateway; what is still in process counts on neither side.",
        needs: Needs::GatewayLedger,
        prepare: attempts,
        examined: "SELECT (SELECT COUNT(*) FROM attempts) + (SELECT COUNT(*) FROM gateway_charges)
                        + (SELECT COUNT(*) FROM gateway_refunds)",
        rules: &[Rule {
            says: "the balances differ",
            sql: "WITH sums AS (SELECT
                    (SELECT COALESCE(SUM(amount), 0) FROM attempts
                     WHERE state IN ('captured', 'late')) AS store_captured,
                    (SELECT COALESCE(SUM(amount), 0) FROM refund_rows
                     WHERE state = 'done') AS store_refunded,
                    (SELECT COALESCE(SUM(amount), 0) FROM gateway_charges c
                     WHERE result = 'captured' AND NOT EXISTS (SELECT 1 FROM attempts a
                       WHERE a.attempt_id = c.attempt_id AND a.state = 'processing'))
                      AS gateway_captured,
                    (SELECT COALESCE(SUM(amount), 0) FROM gateway_refunds g
                     WHERE NOT EXISTS (SELECT 1 FROM refund_rows r
                       WHERE r.attempt_id = g.attempt_id AND r.state = 'pending'))
                      AS gateway_refunded)
                  SELECT * FROM sums
                  WHERE store_captured - store_refunded <> gateway_captured - gateway_refunded",
        }],
        remarks: &[],
    },
];
