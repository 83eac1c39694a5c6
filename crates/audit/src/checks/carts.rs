//! Carts against the orders they became.

use crate::check::{Check, Needs, Rule};

/// Orders by the cart they came from.
fn cart_orders(connection: &rusqlite::Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS cart_orders AS
         SELECT cart_id, order_id FROM store.orders WHERE cart_id IS NOT NULL;
         CREATE INDEX IF NOT EXISTS cart_orders_by_cart ON cart_orders (cart_id);",
    )
}

pub(super) const CHECKS: &[Check] = &[Check {
    id: "carts-match-orders",
    title: "A cart becomes one order",
    proves: "A cart and the order it became name each other and hold the same, and no cart became two \
             orders.",
    needs: Needs::Nothing,
    prepare: cart_orders,
    examined: "SELECT COUNT(*) FROM store.carts",
    rules: &[
        Rule {
            says: "the cart names an order that does not name it",
            sql: "SELECT c.cart_id, c.order_id, o.cart_id AS order_cart_id
                  FROM store.carts c LEFT JOIN store.orders o ON o.order_id = c.order_id
                  WHERE c.order_id IS NOT NULL AND o.cart_id IS NOT c.cart_id",
        },
        Rule {
            says: "the order names a cart that does not name it",
            sql: "SELECT x.order_id, x.cart_id, c.order_id AS cart_order_id
                  FROM cart_orders x JOIN store.carts c ON c.cart_id = x.cart_id
                  WHERE c.order_id IS NOT x.order_id",
        },
        Rule {
            says: "several orders name the cart",
            sql: "SELECT cart_id, COUNT(*) AS orders, MIN(order_id) AS first_order_id,
                         MAX(order_id) AS last_order_id
                  FROM cart_orders GROUP BY cart_id HAVING COUNT(*) > 1",
        },
        Rule {
            says: "the order has other items than the cart it came from",
            sql: "SELECT * FROM (
                    SELECT c.cart_id, c.order_id,
                           (SELECT GROUP_CONCAT(l.product_id || 'x' || l.quantity, ','
                                                ORDER BY l.product_id)
                            FROM store.cart_lines l WHERE l.cart_id = c.cart_id) AS cart_items,
                           (SELECT GROUP_CONCAT(l.product_id || 'x' || l.quantity, ','
                                                ORDER BY l.product_id)
                            FROM store.order_lines l WHERE l.order_id = c.order_id) AS order_items
                    FROM store.carts c WHERE c.order_id IS NOT NULL)
                  WHERE cart_items <> order_items",
        },
        Rule {
            says: "a line belongs to no cart",
            sql: "SELECT cart_id, product_id FROM store.cart_lines
                  WHERE cart_id NOT IN (SELECT cart_id FROM store.carts)",
        },
        Rule {
            says: "a line has no positive quantity",
            sql: "SELECT cart_id, product_id, quantity FROM store.cart_lines WHERE quantity <= 0",
        },
    ],
    remarks: &[],
}];
