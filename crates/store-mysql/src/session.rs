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
    /// Reads prepared; changes collected, and sent as one packet of statements with their values in them.
    Batched,
}

/// Bytes from which a batch is sent before it is whole. With one statement more it stays below the smallest
/// `max_allowed_packet` that is in use, 1 MiB.
const BATCH_MAX: usize = 256 << 10;

/// A statement that inserts many rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Insert {
    /// Table and columns.
    pub(crate) head: &'static str,
    /// One row of values.
    pub(crate) row: &'static str,
    /// What follows the rows.
    pub(crate) tail: &'static str,
}

/// Statements that were put and not sent yet, separated by semicolons.
#[derive(Debug, Default)]
struct Batch {
    sql: String,
    /// For each statement, how many rows it must meet.
    rows: Vec<Option<usize>>,
}

impl Batch {
    fn push(&mut self, sql: &str, values: &[Value], rows: Option<usize>) {
        self.begin(rows);
        push_text(&mut self.sql, sql, values);
    }

    fn push_rows<R>(
        &mut self,
        insert: Insert,
        rows: &[R],
        bind: impl Fn(&R, &mut Vec<Value>),
        wanted: Option<usize>,
    ) {
        self.begin(wanted);
        self.sql.push_str("INSERT INTO ");
        self.sql.push_str(insert.head);
        self.sql.push_str(" VALUES ");
        let mut values = Vec::new();
        for (place, row) in rows.iter().enumerate() {
            if place > 0 {
                self.sql.push_str(", ");
            }
            bind(row, &mut values);
            push_text(&mut self.sql, insert.row, &values);
            values.clear();
        }
        self.sql.push_str(insert.tail);
    }

    fn begin(&mut self, rows: Option<usize>) {
        if !self.rows.is_empty() {
            self.sql.push(';');
        }
        self.rows.push(rows);
    }

    fn clear(&mut self) {
        self.sql.clear();
        self.rows.clear();
    }
}

/// A connection at work.
pub(crate) struct Session {
    conn: Conn,
    style: Style,
    sent: Arc<AtomicU64>,
    batch: Batch,
    is_lost: bool,
    in_transaction: bool,
    /// Whether the beginning of the transaction still waits in the batch.
    is_to_begin: bool,
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
            batch: Batch::default(),
            is_lost: false,
            in_transaction: false,
            is_to_begin: false,
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
        const BEGIN: &str = "START TRANSACTION";
        if self.style == Style::Batched {
            self.batch.push(BEGIN, &[], None);
            self.is_to_begin = true;
        } else {
            self.run(BEGIN)?;
        }
        self.in_transaction = true;
        Ok(())
    }

    /// Whether changes are collected, so that one statement may hold any number of rows.
    pub(crate) fn is_batched(&self) -> bool {
        self.style == Style::Batched
    }

    /// Changes rows, now or with [`Session::flush`]. With `rows` it must meet exactly as many, or the
    /// store is not what it was read to be.
    pub(crate) fn put(
        &mut self,
        sql: &str,
        values: Vec<Value>,
        rows: Option<usize>,
    ) -> WorkResult<()> {
        if self.is_batched() {
            self.batch.push(sql, &values, rows);
            return self.flush_if_long();
        }
        let met = self.change(sql, values)?;
        check_rows(met, rows)
    }

    /// The same for an insertion of many rows; `bind` gives the values of one.
    pub(crate) fn put_rows<R>(
        &mut self,
        insert: Insert,
        rows: &[R],
        bind: impl Fn(&R, &mut Vec<Value>),
        wanted: Option<usize>,
    ) -> WorkResult<()> {
        if self.is_batched() {
            self.batch.push_rows(insert, rows, bind, wanted);
            return self.flush_if_long();
        }
        let Insert { head, row, tail } = insert;
        let places = vec![row; rows.len()].join(", ");
        let mut values = Vec::new();
        for row in rows {
            bind(row, &mut values);
        }
        let sql = format!("INSERT INTO {head} VALUES {places}{tail}");
        self.put(&sql, values, wanted)
    }

    fn flush_if_long(&mut self) -> WorkResult<()> {
        if self.batch.sql.len() < BATCH_MAX {
            Ok(())
        } else {
            self.flush()
        }
    }

    /// Sends what was put; after an error nothing of it is there once the transaction is rolled back.
    pub(crate) fn flush(&mut self) -> WorkResult<()> {
        if self.batch.rows.is_empty() {
            return Ok(());
        }
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.is_to_begin = false;
        let mut wanted = std::mem::take(&mut self.batch.rows).into_iter();
        let result = self
            .conn
            .query_iter(&self.batch.sql)
            .and_then(|mut answers| {
                let mut outcome = Ok(());
                while let Some(mut answer) = answers.iter() {
                    let met = answer.affected_rows();
                    if let Some(Err(error)) = answer.next() {
                        return Err(error);
                    }
                    let checked = check_rows(met, wanted.next().flatten());
                    outcome = outcome.and(checked);
                }
                Ok(outcome)
            });
        self.batch.clear();
        let outcome = self.note(result)?;
        if wanted.next().is_some() {
            return Err(WorkError::Damaged("a statement was not answered"));
        }
        outcome
    }

    /// Ends the transaction. After an error only the caller can know what it means.
    pub(crate) fn commit(&mut self) -> mysql::Result<()> {
        self.run("COMMIT")?;
        self.in_transaction = false;
        Ok(())
    }

    /// Undoes the transaction; a connection on which not even this works is not used again.
    pub(crate) fn roll_back(&mut self) {
        self.batch.clear();
        if std::mem::take(&mut self.is_to_begin) {
            self.in_transaction = false;
        }
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
        self.flush()?;
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
            Style::Prepared | Style::Batched => self
                .conn
                .exec_iter(sql, Params::Positional(values))
                .and_then(|mut rows| rows.try_for_each(&mut take)),
        };
        self.note(result)?;
        outcome
    }

    /// Changes rows now; tells how many it met, changed or not.
    pub(crate) fn change(&mut self, sql: &str, values: Vec<Value>) -> WorkResult<u64> {
        self.flush()?;
        self.sent.fetch_add(1, Ordering::Relaxed);
        let result = match self.style {
            Style::Text => self.conn.query_drop(in_text(sql, &values)),
            Style::Prepared | Style::Batched => {
                self.conn.exec_drop(sql, Params::Positional(values))
            }
        };
        self.note(result)?;
        Ok(self.conn.affected_rows())
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

fn check_rows(met: u64, wanted: Option<usize>) -> WorkResult<()> {
    if wanted.is_none_or(|rows| u64::try_from(rows).ok() == Some(met)) {
        Ok(())
    } else {
        Err(WorkError::Damaged("a locked row is not what was read"))
    }
}

/// The statement with its values in place of the question marks.
fn in_text(sql: &str, values: &[Value]) -> String {
    let mut text = String::with_capacity(sql.len() + 16 * values.len());
    push_text(&mut text, sql, values);
    text
}

fn push_text(text: &mut String, sql: &str, values: &[Value]) {
    let mut values = values.iter();
    let mut rest = sql;
    while let Some((before, after)) = rest.split_once('?') {
        text.push_str(before);
        match values.next() {
            Some(value) => push_literal(text, value),
            None => text.push('?'),
        }
        rest = after;
    }
    text.push_str(rest);
}

fn push_literal(text: &mut String, value: &Value) {
    match value {
        Value::Int(number) => text.push_str(itoa::Buffer::new().format(*number)),
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            // Nothing in it means anything to a server, whatever its settings.
            Ok(plain) if plain.bytes().all(is_plain) => {
                text.push('\'');
                text.push_str(plain);
                text.push('\'');
            }
            Ok(_) => text.push_str(&value.as_sql(false)),
            Err(_) => {
                text.push_str("X'");
                for byte in bytes {
                    write!(text, "{byte:02x}").unwrap_or_default();
                }
                text.push('\'');
            }
        },
        other => text.push_str(&other.as_sql(false)),
    }
}

const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'@' | b' ')
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
