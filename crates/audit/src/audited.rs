//! The store as every check sees it, wherever it is, and the private scratch database.
//!
//! The connection's `main` schema is a temporary database on disk that SQLite deletes by itself. The
//! audited tables are its schema `store`: the shop's own file, or a copy of one consistent snapshot
//! of a server.

use std::time::Duration;

use double11_units::Currency;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use crate::error::AuditError;
use crate::location::StoreLocation;
use crate::mysql_copy;
use crate::mysql_server::{Pulse, Server};
use crate::sqlite_file::SqliteFile;

/// How long to wait for a process that holds the database exclusively, for instance while it
/// recovers the log.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(2);

/// The two databases of an audit.
pub(crate) struct AuditedStore {
    connection: Connection,
    location: StoreLocation,
    origin: Origin,
}

/// Where the schema `store` comes from.
enum Origin {
    File(SqliteFile),
    Copy { server: Server, pulse: Pulse },
}

impl AuditedStore {
    /// Opens the store and checks that it is one; of a server, everything is read here.
    pub(crate) fn open(location: &StoreLocation) -> Result<Self, AuditError> {
        let connection = scratch()?;
        let origin = match location {
            StoreLocation::Sqlite(path) => Origin::File(SqliteFile::attach(&connection, path)?),
            StoreLocation::Mysql { .. } => {
                let mut server = Server::connect(location)?;
                let pulse = mysql_copy::copy(&mut server, &connection)?;
                Origin::Copy { server, pulse }
            }
        };
        Ok(Self {
            connection,
            location: location.clone(),
            origin,
        })
    }

    /// The connection: scratch tables unqualified, the audited tables as `store.…`.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Begins the one transaction of the audit, so that every check sees the same snapshot.
    pub(crate) fn begin(&self) -> Result<(), AuditError> {
        self.connection.execute_batch("BEGIN")?;
        // The snapshot is taken by the first read, not by BEGIN.
        self.connection
            .query_row("SELECT COUNT(*) FROM store.shop", (), |_| Ok(()))
            .map_err(|error| self.explain(error))
    }

    /// The currency of the shop.
    pub(crate) fn currency(&self) -> Result<Currency, AuditError> {
        let code: Option<Option<String>> = self
            .connection
            .query_row("SELECT currency FROM store.shop", (), |row| row.get(0))
            .optional()
            .map_err(|error| self.explain(error))?;
        code.flatten()
            .and_then(|code| Currency::from_code(&code))
            .ok_or_else(|| AuditError::UnknownCurrency {
                store: self.location.clone(),
            })
    }

    /// Ends the transaction and tells whether somebody wrote to the store since it was opened.
    pub(crate) fn end_and_tell_whether_it_changed(self) -> Result<bool, AuditError> {
        self.connection.execute_batch("ROLLBACK")?;
        match self.origin {
            Origin::File(file) => file.has_changed(&self.connection),
            Origin::Copy { mut server, pulse } => Ok(mysql_copy::read_pulse(&mut server)? != pulse),
        }
    }

    fn explain(&self, error: rusqlite::Error) -> AuditError {
        match &self.origin {
            Origin::File(file) => file.explain(error),
            Origin::Copy { .. } => AuditError::Query(error),
        }
    }
}

/// The scratch database. It is thrown away after a crash, so it needs no durability; its rollback
/// journal is kept in memory so that a failed statement leaves it as it was.
fn scratch() -> Result<Connection, AuditError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // An empty name is SQLite's way to ask for a temporary database on disk.
    let connection = Connection::open_with_flags("", flags)?;
    connection.busy_timeout(LOCK_WAIT_MAX)?;
    connection.execute_batch(
        "PRAGMA main.journal_mode = MEMORY;
         PRAGMA main.synchronous = OFF;
         PRAGMA main.cache_size = -65536;",
    )?;
    Ok(connection)
}
