//! One connection: sends statements, counts them, and reads what comes back.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mysql::prelude::Queryable;
use mysql::{Conn, Params, Row, Value};

use crate::failure::is_lost;
use crate::work::{WorkError, WorkResult};

/// How statements are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// As text with the values in it: what plain code does on a connection of its own.
    Text,
    /// Prepared once a connection, then executed with values in binary form.
    Prepared,
}

/// A connection at work.
pub(crate) struct Session {
    conn: Conn,
    style: Style,
    sent: Arc<AtomicU64>,
    is_lost: bool,
    in_transaction: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Session")
            .field("connection", &self.conn.connection_id())
            .field("style", &self.style)
            .finish_non_exhaustive()
    }
}

impl Session {
    pub(crate) fn new(conn: Conn, style: Style, sent: Arc<AtomicU64>) -> Self {
        Self {
            conn,
            style,
            sent,
            is_lost: false,
            in_transaction: false,
        }
    }

    /// The server's number of this connection.
    pub(crate) fn id(&self) -> u32 {
        self.conn.connection_id()
    }

    /// Whether the connection can serve another request: it is there, and in no transaction.
    pub(crate) fn is_reusable(&self) -> bool {
        !self.is_lost && !self.in_transaction
    }

    /// Runs a statement without values, as text.
    pub(crate) fn run(&mut self, sql: &str) -> mysql::Result<()> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let result = self.conn.query_drop(sql);
        self.note(result)
    }

    /// Begins a transaction.
    pub(crate) fn begin(&mut self) -> WorkResult<()> {
        self.run("START TRANSACTION")?;
        self.in_transaction = true;
        Ok(())
    }

    /// Ends the transaction. After an error only the caller can know what it means.
    pub(crate) fn commit(&mut self) -> mysql::Result<()> {
        self.run("COMMIT")?;
        self.in_transaction = false;
        Ok(())
    }

    /// Undoes the transaction; a connection on which not even this works is not used again.
    pub(crate) fn roll_back(&mut self) {
        if self.is_lost || !self.in_transaction {
            return;
        }
        match self.run("ROLLBACK") {
            Ok(()) => self.in_transaction = false,
            Err(error) => tracing::debug!(%error, "ROLLBACK failed"),
        }
    }

    /// Reads all rows.
    pub(crate) fn list<T>(
        &mut self,
        sql: &str,
        values: Vec<Value>,
        mut read: impl FnMut(&Row) -> WorkResult<T>,
    ) -> WorkResult<Vec<T>> {
        let mut found = Vec::new();
        self.each(sql, values, |row| {
            found.push(read(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// Reads the first row, if there is one.
    pub(crate) fn find<T>(
        &mut self,
        sql: &str,
        values: Vec<Value>,
        read: impl FnMut(&Row) -> WorkResult<T>,
    ) -> WorkResult<Option<T>> {
        Ok(self.list(sql, values, read)?.into_iter().next())
    }

    /// Hands every row to `read`.
    pub(crate) fn each(
        &mut self,
        sql: &str,
        values: Vec<Value>,
        mut read: impl FnMut(&Row) -> WorkResult<()>,
    ) -> WorkResult<()> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let mut outcome = Ok(());
        let mut take = |row: mysql::Result<Row>| match row {
            Ok(row) => {
                if outcome.is_ok() {
                    outcome = read(&row);
                }
                Ok(())
            }
            Err(error) => Err(error),
        };
        let result = match self.style {
            Style::Text => self
                .conn
                .query_iter(in_text(sql, &values))
                .and_then(|mut rows| rows.try_for_each(&mut take)),
            Style::Prepared => self
                .conn
                .exec_iter(sql, Params::Positional(values))
                .and_then(|mut rows| rows.try_for_each(&mut take)),
        };
        self.note(result)?;
        outcome
    }

    /// Changes rows; tells how many it met, changed or not.
    pub(crate) fn change(&mut self, sql: &str, values: Vec<Value>) -> WorkResult<u64> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let result = match self.style {
            Style::Text => self.conn.query_drop(in_text(sql, &values)),
            Style::Prepared => self.conn.exec_drop(sql, Params::Positional(values)),
        };
        self.note(result)?;
        Ok(self.conn.affected_rows())
    }

    /// Changes exactly this many rows, or the store is not what it was read to be.
    pub(crate) fn change_exactly(
        &mut self,
        rows: usize,
        sql: &str,
        values: Vec<Value>,
    ) -> WorkResult<()> {
        let met = self.change(sql, values)?;
        if usize::try_from(met).ok() == Some(rows) {
            Ok(())
        } else {
            Err(WorkError::Damaged("a locked row is not what was read"))
        }
    }

    fn note<T>(&mut self, result: mysql::Result<T>) -> mysql::Result<T> {
        if let Err(error) = &result
            && is_lost(error)
        {
            self.is_lost = true;
        }
        result
    }
}

/// The statement with its values in place of the question marks.
fn in_text(sql: &str, values: &[Value]) -> String {
    let mut text = String::with_capacity(sql.len() + 16 * values.len());
    let mut values = values.iter();
    let mut rest = sql;
    while let Some((before, after)) = rest.split_once('?') {
        text.push_str(before);
        match values.next() {
            Some(value) => push_literal(&mut text, value),
            None => text.push('?'),
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

fn push_literal(text: &mut String, value: &Value) {
    match value {
        Value::Bytes(bytes) if std::str::from_utf8(bytes).is_err() => {
            text.push_str("X'");
            for byte in bytes {
                write!(text, "{byte:02x}").unwrap_or_default();
            }
            text.push('\'');
        }
        other => text.push_str(&other.as_sql(false)),
    }
}

/// A text as a value.
pub(crate) fn text(text: &str) -> Value {
    Value::Bytes(text.as_bytes().to_vec())
}

/// A text or nothing.
pub(crate) fn optional_text(value: Option<&str>) -> Value {
    value.map_or(Value::NULL, text)
}

/// An integer or nothing.
pub(crate) fn optional_int(value: Option<i64>) -> Value {
    value.map_or(Value::NULL, Value::Int)
}

/// Reads an integer column.
pub(crate) fn int(row: &Row, column: usize) -> WorkResult<i64> {
    maybe_int(row, column)?.ok_or(WorkError::Damaged("NULL where a number belongs"))
}

/// Reads an integer column that may be NULL.
pub(crate) fn maybe_int(row: &Row, column: usize) -> WorkResult<Option<i64>> {
    let number = match row.as_ref(column) {
        Some(Value::NULL) => return Ok(None),
        Some(Value::Int(number)) => Some(*number),
        Some(Value::UInt(number)) => i64::try_from(*number).ok(),
        Some(Value::Bytes(digits)) => std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| digits.parse().ok()),
        _ => None,
    };
    number
        .map(Some)
        .ok_or(WorkError::Damaged("not a number where one belongs"))
}

/// Reads an id column.
pub(crate) fn id<T, E>(
    row: &Row,
    column: usize,
    make: impl FnOnce(i64) -> Result<T, E>,
) -> WorkResult<T> {
    make(int(row, column)?).map_err(|_| WorkError::Damaged("not a positive id"))
}

/// Reads a column of bytes.
pub(crate) fn bytes(row: &Row, column: usize) -> WorkResult<&[u8]> {
    match row.as_ref(column) {
        Some(Value::Bytes(bytes)) => Ok(bytes),
        _ => Err(WorkError::Damaged("no text where one belongs")),
    }
}

/// Reads a text column.
pub(crate) fn string(row: &Row, column: usize) -> WorkResult<&str> {
    std::str::from_utf8(bytes(row, column)?).map_err(|_| WorkError::Damaged("a text is not UTF-8"))
}

/// Reads a text column that may be NULL.
pub(crate) fn maybe_string(row: &Row, column: usize) -> WorkResult<Option<&str>> {
    match row.as_ref(column) {
        Some(Value::NULL) => Ok(None),
        _ => string(row, column).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use mysql::Value;

    use super::{in_text, text};

    #[test]
    fn values_are_quoted_in_text() {
        let values = [
            text("O'Hara \\ ?"),
            Value::Int(-7),
            Value::NULL,
            Value::Bytes(vec![0xff, 0x00]),
        ];
        assert_eq!(
            in_text("SELECT ?, ?, ?, ?", &values),
            "SELECT 'O\\'Hara \\\\ ?', -7, NULL, X'ff00'"
        );
    }
}
