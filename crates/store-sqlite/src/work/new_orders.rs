//! Rows of orders that were placed in this transaction, collected and written many at a time.
//!
//! One statement with many rows keeps its place in the tables from row to row, which a statement a row
//! has to find again. Whoever reads orders before the transaction ends writes what was collected first.

use std::sync::LazyLock;

use double11_units::UserId;
use rusqlite::{Connection, Statement};

use crate::work::WorkResult;

/// Rows of one statement, the most first.
const SIZES: [usize; 3] = [32, 8, 1];

static ORDERS: LazyLock<Inserts> = LazyLock::new(|| {
    Inserts::new(
        "INSERT INTO orders (order_id, user_id, cart_id, payment_method, state, total, created_at, \
         expires_at) VALUES ",
        "(?, ?, ?, ?, 'pending_payment', ?, ?, ?)",
        7,
    )
});
static LINES: LazyLock<Inserts> = LazyLock::new(|| {
    Inserts::new(
        "INSERT INTO order_lines (order_id, product_id, quantity, unit_price) VALUES ",
        "(?, ?, ?, ?)",
        4,
    )
});

/// The statements of one table.
struct Inserts {
    by_size: [(usize, String); SIZES.len()],
    parameters: usize,
}

impl Inserts {
    fn new(head: &str, row: &str, parameters: usize) -> Self {
        Self {
            by_size: SIZES.map(|size| (size, head.to_owned() + &vec![row; size].join(", "))),
            parameters,
        }
    }

    /// Writes all rows; `bind` fills the parameters of one, of which the first has this number.
    fn write<R>(
        &self,
        connection: &Connection,
        rows: &[R],
        bind: fn(&R, &mut Statement<'_>, usize) -> rusqlite::Result<()>,
    ) -> WorkResult<()> {
        let mut rest = rows;
        for (size, sql) in &self.by_size {
            while let Some((now, later)) = rest.split_at_checked(*size) {
                let mut statement = connection.prepare_cached(sql)?;
                let mut first = 1;
                for row in now {
                    bind(row, &mut statement, first)?;
                    first += self.parameters;
                }
                statement.raw_execute()?;
                rest = later;
            }
        }
        Ok(())
    }
}

/// A row of `orders`.
#[derive(Debug)]
pub(crate) struct OrderRow<'command> {
    pub(crate) order_id: i64,
    pub(crate) user_id: &'command UserId,
    pub(crate) cart_id: Option<i64>,
    pub(crate) payment_method: &'static str,
    pub(crate) total: i64,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
}

impl OrderRow<'_> {
    fn bind(&self, statement: &mut Statement<'_>, first: usize) -> rusqlite::Result<()> {
        statement.raw_bind_parameter(first, self.order_id)?;
        statement.raw_bind_parameter(first + 1, self.user_id.as_str())?;
        statement.raw_bind_parameter(first + 2, self.cart_id)?;
        statement.raw_bind_parameter(first + 3, self.payment_method)?;
        statement.raw_bind_parameter(first + 4, self.total)?;
        statement.raw_bind_parameter(first + 5, self.created_at)?;
        statement.raw_bind_parameter(first + 6, self.expires_at)
    }
}

/// A row of `order_lines`.
#[derive(Debug)]
pub(crate) struct LineRow {
    pub(crate) order_id: i64,
    pub(crate) product_id: i64,
    pub(crate) quantity: u32,
    pub(crate) unit_price: i64,
}

impl LineRow {
    fn bind(&self, statement: &mut Statement<'_>, first: usize) -> rusqlite::Result<()> {
        statement.raw_bind_parameter(first, self.order_id)?;
        statement.raw_bind_parameter(first + 1, self.product_id)?;
        statement.raw_bind_parameter(first + 2, self.quantity)?;
        statement.raw_bind_parameter(first + 3, self.unit_price)
    }
}

/// What was placed and is not written yet.
#[derive(Debug, Default)]
pub(crate) struct NewOrders<'command> {
    pub(crate) orders: Vec<OrderRow<'command>>,
    pub(crate) lines: Vec<LineRow>,
}

impl NewOrders<'_> {
    /// Writes what was collected.
    pub(crate) fn write(&mut self, connection: &Connection) -> WorkResult<()> {
        ORDERS.write(connection, &self.orders, OrderRow::bind)?;
        LINES.write(connection, &self.lines, LineRow::bind)?;
        self.orders.clear();
        self.lines.clear();
        Ok(())
    }
}
