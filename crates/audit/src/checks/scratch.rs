//! Scratch tables that more than one check uses. Each is built once.

use rusqlite::Connection;

use crate::stock_changes::replay;

/// Pieces that open and paid orders hold, per product. Orders and lines are both clustered by order
/// id, so that the join is one pass over each.
///
/// Beside it the levels of stock, which they are compared with.
pub(super) fn holdings(connection: &Connection) -> rusqlite::Result<()> {
    replay(connection)?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS holdings AS
         SELECT l.product_id AS product_id,
                SUM(CASE WHEN o.state = 'paid' THEN 0 ELSE l.quantity END) AS open,
                SUM(CASE WHEN o.state = 'paid' THEN l.quantity ELSE 0 END) AS paid
         FROM store.orders o CROSS JOIN store.order_lines l ON l.order_id = o.order_id
         WHERE o.state IN ('pending_payment', 'partially_paid', 'paid')
         GROUP BY l.product_id;
         CREATE INDEX IF NOT EXISTS holdings_by_product ON holdings (product_id);",
    )
}

/// Attempts and refunds by attempt id alone, which is how the gateway names them.
pub(super) fn attempts(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS attempts AS
         SELECT attempt_id, order_id, state, amount FROM store.payments;
         CREATE INDEX IF NOT EXISTS attempts_by_id ON attempts (attempt_id);
         CREATE TABLE IF NOT EXISTS refund_rows AS
         SELECT attempt_id, order_id, state, amount FROM store.refunds;
         CREATE INDEX IF NOT EXISTS refund_rows_by_id ON refund_rows (attempt_id);",
    )
}
