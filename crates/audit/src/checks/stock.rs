//! Stock against itself and against the orders that hold it.

use super::scratch::holdings;
use crate::check::{Check, Needs, Rule, nothing_to_prepare};
use crate::stock_changes::replay;

const PRODUCTS: &str = "SELECT COUNT(*) FROM store.stock";

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "stock-complete",
        title: "Every product has its stock",
        proves: "Products and stock rows match one to one, their number is the one the shop was made \
                 with, and no order holds a product without stock.",
        needs: Needs::Nothing,
        prepare: nothing_to_prepare,
        examined: PRODUCTS,
        rules: &[
            Rule {
                says: "a product has no stock row",
                sql: "SELECT product_id FROM store.products
                      WHERE product_id NOT IN (SELECT product_id FROM store.stock)",
            },
            Rule {
                says: "a stock row has no product",
                sql: "SELECT product_id FROM store.stock
                      WHERE product_id NOT IN (SELECT product_id FROM store.products)",
            },
            Rule {
                says: "the number of products is not the one the shop was made with",
                sql: "SELECT products AS made_with, (SELECT COUNT(*) FROM store.products) AS found
                      FROM store.shop WHERE made_with <> found",
            },
            Rule {
                says: "an order line names a product without stock",
                sql: "SELECT order_id, product_id FROM store.order_lines
                      WHERE product_id NOT IN (SELECT product_id FROM store.stock)",
            },
        ],
        remarks: &[],
    },
    Check {
        id: "stock-changes",
        title: "What rows of stock do not hold yet can be read",
        proves: "Every change that is not folded into its row is readable and of a product with stock, \
                 and says the same as the row about whether a piece is available.",
        needs: Needs::Nothing,
        prepare: replay,
        examined: PRODUCTS,
        rules: &[
            Rule {
                says: "a row of changes cannot be read",
                sql: "SELECT change_id, why FROM unreadable_changes",
            },
            Rule {
                says: "changes name a product without stock",
                sql: "SELECT product_id, reserved, sold FROM unfolded
                      WHERE product_id NOT IN (SELECT product_id FROM store.stock)",
            },
            Rule {
                says: "the row of a product and its level differ on whether a piece is available",
                sql: "SELECT s.product_id, s.available AS in_row, l.available AS of_level
                      FROM unfolded u JOIN store.stock s ON s.product_id = u.product_id
                      JOIN levels l ON l.product_id = u.product_id
                      WHERE (s.available > 0) IS NOT (l.available > 0)",
            },
        ],
        remarks: &[],
    },
    Check {
        id: "stock-equation",
        title: "received = available + reserved + sold",
        proves: "No piece of any product appeared or vanished, and no count is negative.",
        needs: Needs::Nothing,
        prepare: replay,
        examined: PRODUCTS,
        rules: &[
            Rule {
                says: "received is not available + reserved + sold",
                sql: "SELECT product_id, received, available, reserved, sold FROM levels
                      WHERE received IS NOT available + reserved + sold",
            },
            Rule {
                says: "a count is negative",
                sql: "SELECT product_id, received, available, reserved, sold FROM levels
                      WHERE MIN(received, available, reserved, sold) < 0
                      UNION
                      SELECT product_id, received, available, reserved, sold FROM store.stock
                      WHERE MIN(received, available, reserved, sold) < 0",
            },
        ],
        remarks: &[],
    },
    Check {
        id: "reserved-matches-orders",
        title: "Reserved pieces are those of the unpaid orders",
        proves: "Every reservation belongs to an open order and every open order has its reservation: \
                 no update of the stock was lost.",
        needs: Needs::Nothing,
        prepare: holdings,
        examined: PRODUCTS,
        rules: &[Rule {
            says: "reserved is not the sum of the lines of open orders",
            sql: "SELECT s.product_id, s.reserved, COALESCE(h.open, 0) AS in_open_orders
                  FROM levels s LEFT JOIN holdings h ON h.product_id = s.product_id
                  WHERE s.reserved IS NOT in_open_orders",
        }],
        remarks: &[],
    },
    Check {
        id: "sold-matches-orders",
        title: "Sold pieces are those of the paid orders",
        proves: "Every sold piece belongs to a paid order and every paid order has its pieces.",
        needs: Needs::Nothing,
        prepare: holdings,
        examined: PRODUCTS,
        rules: &[Rule {
            says: "sold is not the sum of the lines of paid orders",
            sql: "SELECT s.product_id, s.sold, COALESCE(h.paid, 0) AS in_paid_orders
                  FROM levels s LEFT JOIN holdings h ON h.product_id = s.product_id
                  WHERE s.sold IS NOT in_paid_orders",
        }],
        remarks: &[],
    },
    Check {
        id: "no-oversell",
        title: "Nothing is oversold",
        proves: "Open and paid orders together hold no more of any product than was received.",
        needs: Needs::Nothing,
        prepare: holdings,
        examined: PRODUCTS,
        rules: &[Rule {
            says: "open and paid orders hold more than was received",
            sql: "SELECT h.product_id, s.received, h.open + h.paid AS in_orders
                  FROM holdings h JOIN store.stock s ON s.product_id = h.product_id
                  WHERE in_orders > s.received",
        }],
        remarks: &[],
    },
];
