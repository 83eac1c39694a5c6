//! The tables of a store on a server, and the scratch tables that take them in. Source:
//! `docs/SCHEMA.md`, section 1.

use std::fmt::Write as _;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A whole number of 64 bits.
    Integer,
    /// Text in UTF-8.
    Text,
    /// Bytes.
    Bytes,
}

/// One column of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Whether every row must have a value.
    pub(crate) required: bool,
}

/// One table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [Column],
    /// The columns of the primary key.
    pub(crate) key: &'static [&'static str],
    /// Sums that change when a row does.
    pub(crate) sums: &'static str,
}

const fn integer(name: &'static str) -> Column {
    Column {
        name,
        kind: Kind::Integer,
        required: true,
    }
}

const fn text(name: &'static str) -> Column {
    Column {
        name,
        kind: Kind::Text,
        required: true,
    }
}

const fn bytes(name: &'static str) -> Column {
    Column {
        name,
        kind: Kind::Bytes,
        required: true,
    }
}

const fn optional(column: Column) -> Column {
    Column {
        required: false,
        ..column
    }
}

/// Every table that the checks read, with the columns in the order of the page.
pub(crate) const TABLES: [Table; 10] = [
    Table {
        name: "shop",
        columns: &[
            integer("id"),
            text("currency"),
            integer("catalogue_seed"),
            integer("products"),
            integer("created_at"),
        ],
        key: &["id"],
        sums: "SUM(products)",
    },
    Table {
        name: "products",
        columns: &[
            integer("product_id"),
            text("name"),
            text("name_en"),
            text("category"),
            integer("price"),
        ],
        key: &["product_id"],
        sums: "SUM(price)",
    },
    Table {
        name: "stock",
        columns: &[
            integer("product_id"),
            integer("received"),
            integer("available"),
            integer("reserved"),
            integer("sold"),
        ],
        key: &["product_id"],
        sums: "SUM(received), SUM(available), SUM(reserved), SUM(sold)",
    },
    Table {
        name: "carts",
        columns: &[
            integer("cart_id"),
            optional(text("user_id")),
            optional(integer("order_id")),
            integer("version"),
            integer("created_at"),
            integer("updated_at"),
        ],
        key: &["cart_id"],
        sums: "COUNT(order_id), SUM(version)",
    },
    Table {
        name: "cart_lines",
        columns: &[
            integer("cart_id"),
            integer("product_id"),
            integer("quantity"),
        ],
        key: &["cart_id", "product_id"],
        sums: "SUM(quantity)",
    },
    Table {
        name: "orders",
        columns: &[
            integer("order_id"),
            text("user_id"),
            optional(integer("cart_id")),
            text("payment_method"),
            text("state"),
            integer("total"),
            integer("captured"),
            integer("processing"),
            integer("created_at"),
            integer("expires_at"),
            optional(integer("closed_at")),
        ],
        key: &["order_id"],
        sums: "SUM(captured), SUM(processing), COUNT(closed_at)",
    },
    Table {
        name: "order_lines",
        columns: &[
            integer("order_id"),
            integer("product_id"),
            integer("quantity"),
            integer("unit_price"),
        ],
        key: &["order_id", "product_id"],
        sums: "SUM(quantity)",
    },
    Table {
        name: "payments",
        columns: &[
            integer("order_id"),
            integer("attempt_id"),
            text("state"),
            text("gateway"),
            integer("amount"),
            optional(text("order_state")),
            optional(text("idempotency_key")),
            integer("created_at"),
            optional(integer("finished_at")),
        ],
        key: &["order_id", "attempt_id"],
        sums: "SUM(amount), COUNT(finished_at)",
    },
    Table {
        name: "refunds",
        columns: &[
            integer("order_id"),
            integer("attempt_id"),
            text("state"),
            integer("amount"),
            integer("created_at"),
            optional(integer("finished_at")),
        ],
        key: &["order_id", "attempt_id"],
        sums: "SUM(amount), COUNT(finished_at)",
    },
    Table {
        name: "idempotency_keys",
        columns: &[
            text("key"),
            text("operation"),
            text("user_id"),
            bytes("fingerprint"),
            integer("order_id"),
            optional(integer("attempt_id")),
            integer("created_at"),
        ],
        key: &["key", "operation", "user_id"],
        sums: "COUNT(attempt_id)",
    },
];

impl Table {
    /// The scratch table: the primary key of the page and nothing else that could refuse a wrong
    /// row.
    pub(crate) fn create_sql(&self) -> String {
        let mut sql = format!("CREATE TABLE store.{} (", self.name);
        let alone = self.key.len() == 1;
        for column in self.columns {
            let kind = match column.kind {
                Kind::Integer => "INTEGER",
                Kind::Text => "TEXT",
                Kind::Bytes => "BLOB",
            };
            let key = if alone && self.key.contains(&column.name) {
                " PRIMARY KEY"
            } else {
                ""
            };
            push(&mut sql, format_args!("\"{}\" {kind}{key}, ", column.name));
        }
        if alone {
            sql.truncate(sql.len() - 2);
            sql.push(')');
        } else {
            let key = self.key.join("\", \"");
            push(
                &mut sql,
                format_args!("PRIMARY KEY (\"{key}\")) WITHOUT ROWID"),
            );
        }
        sql
    }

    /// Inserts one row.
    pub(crate) fn insert_sql(&self) -> String {
        let places = vec!["?"; self.columns.len()].join(", ");
        format!("INSERT INTO store.{} VALUES ({places})", self.name)
    }

    /// Reads every row from the server, in whatever order it likes best.
    pub(crate) fn select_sql(&self) -> String {
        let names: Vec<String> = self
            .columns
            .iter()
            .map(|column| format!("`{}`", column.name))
            .collect();
        format!("SELECT {} FROM `{}`", names.join(", "), self.name)
    }

    /// Counts and sums on the server.
    pub(crate) fn pulse_sql(&self) -> String {
        format!("SELECT COUNT(*), {} FROM `{}`", self.sums, self.name)
    }
}

fn push(sql: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    sql.write_fmt(text).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::{Kind, TABLES};

    const SCHEMA_PAGE: &str = include_str!("../../../docs/SCHEMA.md");

    /// Name, kind, whether a value is required, and place in the primary key.
    type Described = (String, String, bool, bool);

    fn described_by_the_page(connection: &Connection, table: &str) -> Vec<Described> {
        let mut statement = connection
            .prepare("SELECT name, type, \"notnull\", pk FROM pragma_table_info(?1)")
            .unwrap();
        let rows = statement.query_map([table], |row| {
            let key: i64 = row.get(3)?;
            let required: bool = row.get(2)?;
            Ok((row.get(0)?, row.get(1)?, required || key > 0, key > 0))
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// A store on a server has no changes of the stock beside its rows.
    #[test]
    fn the_tables_are_those_of_the_page() {
        let sql = SCHEMA_PAGE.split("```sql\n").nth(1).unwrap();
        let sql = sql.split("```").next().unwrap();
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(sql).unwrap();
        let count: i64 = connection
            .query_row(
                "SELECT COUNT(*) FROM sqlite_schema
                 WHERE type = 'table' AND name <> 'stock_changes'",
                (),
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(usize::try_from(count).unwrap(), TABLES.len());
        for table in &TABLES {
            let columns: Vec<Described> = table
                .columns
                .iter()
                .map(|column| {
                    let kind = match column.kind {
                        Kind::Integer => "INTEGER",
                        Kind::Text => "TEXT",
                        Kind::Bytes => "BLOB",
                    };
                    let in_key = table.key.contains(&column.name);
                    (
                        column.name.to_owned(),
                        kind.to_owned(),
                        column.required,
                        in_key,
                    )
                })
                .collect();
            assert_eq!(
                columns,
                described_by_the_page(&connection, table.name),
                "{}",
                table.name
            );
        }
    }

    #[test]
    fn the_scratch_tables_can_be_made() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("ATTACH '' AS store").unwrap();
        for table in &TABLES {
            connection.execute_batch(&table.create_sql()).unwrap();
            connection.prepare(&table.insert_sql()).unwrap();
        }
    }
}
