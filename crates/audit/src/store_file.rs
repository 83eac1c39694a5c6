//! The shop's SQLite file, opened read-only, and the private scratch database beside it.
//!
//! The connection's `main` schema is a temporary database on disk that SQLite deletes by itself; the
//! audited file is attached as `store` with `mode=ro`. Of a shop that was killed the committed part
//! of the write-ahead log is read too: SQLite rebuilds the `-shm` index for that, which is why the
//! folder must be writable when the index is missing. `immutable=1` would avoid that and is not used:
//! it ignores the log, and with it orders that were acknowledged.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use double11_units::Currency;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _};

use crate::error::AuditError;

/// `PRAGMA application_id` of a store: "D111". Source: `docs/SCHEMA.md`, section 1.
const APPLICATION_ID: i32 = 0x4431_3131;
/// `PRAGMA user_version` of a store. Source: `docs/SCHEMA.md`, section 1.
const SCHEMA_VERSION: i32 = 1;
/// How long to wait for a process that holds the database exclusively, for instance while it
/// recovers the log.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(2);

/// The two databases of an audit.
pub(crate) struct StoreFile {
    connection: Connection,
    path: PathBuf,
    data_version: i64,
}

impl StoreFile {
    /// Opens the store and checks that it is one.
    pub(crate) fn open(path: &Path) -> Result<Self, AuditError> {
        require_file(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        // An empty name is SQLite's way to ask for a temporary database on disk.
        let connection = Connection::open_with_flags("", flags)?;
        connection.busy_timeout(LOCK_WAIT_MAX)?;
        // The scratch database is thrown away after a crash, so it needs no durability; its rollback
        // journal is kept in memory so that a failed statement leaves it as it was.
        connection.execute_batch(
            "PRAGMA main.journal_mode = MEMORY;
             PRAGMA main.synchronous = OFF;
             PRAGMA main.cache_size = -65536;",
        )?;
        let mut store = Self {
            connection,
            path: path.to_owned(),
            data_version: 0,
        };
        store.attach().map_err(|error| store.explain(error))?;
        store.require_format()?;
        store.data_version = store.read_data_version()?;
        Ok(store)
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
        let code: Option<String> = self
            .connection
            .query_row("SELECT currency FROM store.shop", (), |row| row.get(0))
            .optional()
            .map_err(|error| self.explain(error))?;
        code.and_then(|code| Currency::from_code(&code))
            .ok_or_else(|| AuditError::UnknownCurrency {
                path: self.path.clone(),
            })
    }

    /// Ends the transaction and tells whether another process committed to the store since it was
    /// opened.
    pub(crate) fn end_and_tell_whether_it_changed(&self) -> Result<bool, AuditError> {
        self.connection.execute_batch("ROLLBACK")?;
        Ok(self.read_data_version()? != self.data_version)
    }

    fn attach(&self) -> rusqlite::Result<()> {
        self.connection
            .execute("ATTACH ?1 AS store", [read_only_uri(&self.path)])?;
        self.connection
            .execute_batch("PRAGMA store.cache_size = -65536")?;
        // Attaching reads the header at most; this also opens the write-ahead log.
        self.connection
            .query_row("SELECT COUNT(*) FROM store.sqlite_schema", (), |_| Ok(()))
    }

    fn require_format(&self) -> Result<(), AuditError> {
        let pragma = |name: &str| {
            self.connection
                .query_row(&format!("PRAGMA store.{name}"), (), |row| {
                    row.get::<_, i32>(0)
                })
                .map_err(|error| self.explain(error))
        };
        let path = || self.path.clone();
        match pragma("application_id")? {
            APPLICATION_ID => {}
            found => {
                let expected = APPLICATION_ID;
                return Err(AuditError::OtherApplication {
                    path: path(),
                    found,
                    expected,
                });
            }
        }
        match pragma("user_version")? {
            SCHEMA_VERSION => Ok(()),
            found => Err(AuditError::OtherVersion {
                path: path(),
                found,
                expected: SCHEMA_VERSION,
            }),
        }
    }

    fn read_data_version(&self) -> Result<i64, AuditError> {
        self.connection
            .query_row("PRAGMA store.data_version", (), |row| row.get(0))
            .map_err(|error| self.explain(error))
    }

    /// Turns an error of opening the file into the one line that the user can act on.
    fn explain(&self, error: rusqlite::Error) -> AuditError {
        let path = self.path.clone();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => AuditError::NotADatabase { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                AuditError::Locked { path }
            }
            // The file itself was seen to be readable, so it is the log that cannot be opened.
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly) => {
                AuditError::LogIndexUnavailable { path }
            }
            _ => AuditError::StoreUnreadable {
                path,
                source: Box::new(error),
            },
        }
    }
}

fn require_file(path: &Path) -> Result<(), AuditError> {
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => AuditError::StoreMissing {
            path: path.to_owned(),
        },
        _ => AuditError::StoreUnreadable {
            path: path.to_owned(),
            source: Box::new(source),
        },
    };
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(AuditError::NotADatabase {
            path: path.to_owned(),
        });
    }
    std::fs::File::open(path).map(drop).map_err(unreadable)
}

/// The path as a URI of SQLite. Everything but unreserved characters and the slash is escaped, so
/// that no character of a file name can add a parameter. Source: <https://www.sqlite.org/uri.html>.
fn read_only_uri(path: &Path) -> String {
    let mut uri = "file:".to_owned();
    if path.is_relative() {
        // A name that begins with `//` would be read as a host.
        uri.push_str("./");
    }
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(*byte));
            }
            _ => write!(uri, "%{byte:02X}").expect("writing to a string cannot fail"),
        }
    }
    uri.push_str("?mode=ro");
    uri
}
