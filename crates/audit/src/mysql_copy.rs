//! One consistent snapshot of a server, copied into the schema `store` of the scratch database, so that
//! every check runs on it as on a file.
//!
//! Values are taken over as they are or not at all: what has another type, does not fit or repeats a
//! primary key is written down as a complaint, which fails the check `file-intact`.

use mysql::Value;
use mysql::prelude::Queryable as _;
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, ErrorCode, Statement, ToSql};

use crate::error::AuditError;
use crate::mysql_server::{Pulse, Server};
use crate::mysql_tables::{Column, Kind, TABLES, Table};

/// Most complaints about one table that are kept; SQLite's own check stops at the same number.
const COMPLAINTS_MAX: u32 = 100;

/// The copy needs no durability and no way back: when it fails, so does the audit.
const PREPARE: &str = "
ATTACH '' AS store;
PRAGMA store.journal_mode = OFF;
PRAGMA store.synchronous = OFF;
PRAGMA store.cache_size = -65536;
CREATE TABLE main.complaints (complaint TEXT NOT NULL);
CREATE TABLE main.intact_examined (rows INTEGER NOT NULL);
BEGIN";

/// Copies every table and returns the numbers of the snapshot.
pub(crate) fn copy(server: &mut Server, scratch: &Connection) -> Result<Pulse, AuditError> {
    scratch.execute_batch(PREPARE)?;
    server.begin_snapshot()?;
    let pulse = read_pulse(server)?;
    let mut rows = 0;
    for (table, numbers) in TABLES.iter().zip(&pulse) {
        scratch.execute_batch(&table.create_sql())?;
        let counted = numbers.first().and_then(integer_of);
        rows += copy_table(server, scratch, table, counted)?;
    }
    scratch.execute("INSERT INTO main.intact_examined VALUES (?1)", [rows])?;
    scratch.execute_batch("COMMIT")?;
    server.end_snapshot()?;
    Ok(pulse)
}

/// The numbers of every table now.
pub(crate) fn read_pulse(server: &mut Server) -> Result<Pulse, AuditError> {
    let numbers = |table: &Table| Ok(server.first_row(&table.pulse_sql())?.unwrap_or_default());
    TABLES.iter().map(numbers).collect()
}

/// Copies one table and returns the rows that were read.
fn copy_table(
    server: &mut Server,
    scratch: &Connection,
    table: &Table,
    counted: Option<i64>,
) -> Result<i64, AuditError> {
    let mut sink = Sink {
        table,
        insert: scratch.prepare(&table.insert_sql())?,
        complain: scratch.prepare("INSERT INTO main.complaints VALUES (?1)")?,
        complaints: 0,
    };
    let rows = match take_rows(&mut server.connection, &mut sink)? {
        Ok(rows) => rows,
        Err(error) => return Err(server.explain(error)),
    };
    if counted != Some(rows) {
        let counted = counted.map_or_else(|| "nothing".to_owned(), |count| count.to_string());
        sink.complain(&format!(
            "the server counts {counted} rows and gave {rows} in the same snapshot"
        ))?;
    }
    Ok(rows)
}

/// Hands every row of the table to the sink and counts them; the inner error is the server's.
fn take_rows(
    connection: &mut mysql::Conn,
    sink: &mut Sink<'_>,
) -> Result<Result<i64, mysql::Error>, AuditError> {
    let answer = match connection.exec_iter(sink.table.select_sql(), ()) {
        Ok(answer) => answer,
        Err(error) => return Ok(Err(error)),
    };
    let mut rows = 0;
    for row in answer {
        match row {
            Ok(row) => sink.take(&row.unwrap())?,
            Err(error) => return Ok(Err(error)),
        }
        rows += 1;
    }
    Ok(Ok(rows))
}

/// Takes in the rows of one table.
struct Sink<'scratch> {
    table: &'scratch Table,
    insert: Statement<'scratch>,
    complain: Statement<'scratch>,
    complaints: u32,
}

impl Sink<'_> {
    fn take(&mut self, row: &[Value]) -> Result<(), AuditError> {
        for (index, (column, value)) in self.table.columns.iter().zip(row).enumerate() {
            let cell = Cell::of(column, value);
            if let Some(fault) = cell.fault() {
                self.complain(&format!("{}: `{}` {fault}", self.name_of(row), column.name))?;
                if self.table.key.contains(&column.name) {
                    // Without its key a row cannot be told from others.
                    return Ok(());
                }
            }
            self.insert.raw_bind_parameter(index + 1, cell)?;
        }
        match self.insert.raw_execute() {
            Ok(_) => Ok(()),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                self.complain(&format!("{}: the row is there twice", self.name_of(row)))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn complain(&mut self, complaint: &str) -> Result<(), AuditError> {
        self.complaints += 1;
        if self.complaints <= COMPLAINTS_MAX {
            let text = format!("table `{}`: {complaint}", self.table.name);
            self.complain.execute([text])?;
        }
        Ok(())
    }

    /// The primary key of a row, as far as it can be shown.
    fn name_of(&self, row: &[Value]) -> String {
        let parts: Vec<String> = self
            .table
            .columns
            .iter()
            .zip(row)
            .filter(|(column, _)| self.table.key.contains(&column.name))
            .map(|(column, value)| {
                let shown = match value {
                    Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                    other => other.as_sql(true),
                };
                format!("{} {shown}", column.name)
            })
            .collect();
        parts.join(", ")
    }
}

/// A value on its way into SQLite.
enum Cell<'row> {
    Null,
    MissingValue,
    Integer(i64),
    Text(&'row str),
    Bytes(&'row [u8]),
    NotUtf8(&'row [u8]),
    TooLarge,
    OtherType(Kind),
}

impl<'row> Cell<'row> {
    fn of(column: &Column, value: &'row Value) -> Self {
        match (column.kind, value) {
            (_, Value::NULL) if column.required => Self::MissingValue,
            (_, Value::NULL) => Self::Null,
            (Kind::Integer, Value::Int(value)) => Self::Integer(*value),
            (Kind::Integer, Value::UInt(value)) => {
                i64::try_from(*value).map_or(Self::TooLarge, Self::Integer)
            }
            (Kind::Text, Value::Bytes(bytes)) => match std::str::from_utf8(bytes) {
                Ok(text) => Self::Text(text),
                Err(_) => Self::NotUtf8(bytes),
            },
            (Kind::Bytes, Value::Bytes(bytes)) => Self::Bytes(bytes),
            (kind, _) => Self::OtherType(kind),
        }
    }

    /// What is wrong with the value, if anything is.
    fn fault(&self) -> Option<&'static str> {
        match self {
            Self::Null | Self::Integer(_) | Self::Text(_) | Self::Bytes(_) => None,
            Self::MissingValue => Some("has no value"),
            Self::NotUtf8(_) => Some("is not UTF-8"),
            Self::TooLarge => Some("exceeds 63 bits"),
            Self::OtherType(Kind::Integer) => Some("is not an integer"),
            Self::OtherType(Kind::Text) => Some("is not text"),
            Self::OtherType(Kind::Bytes) => Some("is not bytes"),
        }
    }
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        use rusqlite::types::ValueRef;
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null | Self::MissingValue | Self::TooLarge | Self::OtherType(_) => ValueRef::Null,
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) | Self::NotUtf8(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// A whole number in either of the protocol's forms.
fn integer_of(value: &Value) -> Option<i64> {
    match value {
        Value::Int(value) => Some(*value),
        Value::UInt(value) => i64::try_from(*value).ok(),
        Value::Bytes(digits) => std::str::from_utf8(digits).ok()?.parse().ok(),
        _ => None,
    }
}
