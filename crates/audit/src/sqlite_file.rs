//! The shop's SQLite file, opened read-only beside the private scratch database.
//!
//! The audited file is attached as `store` with `mode=ro`. Of a shop that was killed the committed part
//! of the write-ahead log is read too: SQLite rebuilds the `-shm` index for that, which is why the
//! folder must be writable when the index is missing. `immutable=1` would avoid that and is not used:
//! it ignores the log, and with it orders that were acknowledged.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode};

use crate::error::AuditError;

/// `PRAGMA application_id` of a store: "D111". Source: `docs/SCHEMA.md`, section 1.
const APPLICATION_ID: i32 = 0x4431_3131;
/// `PRAGMA user_version` of a store, and the oldest that is read: one without `stock_changes`. Source:
/// `docs/SCHEMA.md`, section 1.
const SCHEMA_VERSION: i32 = 2;
const OLDEST_VERSION: i32 = 1;

/// An attached store file.
pub(crate) struct SqliteFile {
    path: PathBuf,
    data_version: i64,
}

impl SqliteFile {
    /// Attaches the file as `store` and checks that it is one.
    pub(crate) fn attach(connection: &Connection, path: &Path) -> Result<Self, AuditError> {
        require_file(path)?;
        let mut file = Self {
            path: path.to_owned(),
            data_version: 0,
        };
        attach(connection, path).map_err(|error| file.explain(error))?;
        file.require_format(connection)?;
        file.data_version = file.read_data_version(connection)?;
        Ok(file)
    }

    /// Whether another process committed to the file since it was attached. Must be asked outside a
    /// transaction.
    pub(crate) fn has_changed(&self, connection: &Connection) -> Result<bool, AuditError> {
        Ok(self.read_data_version(connection)? != self.data_version)
    }

    fn require_format(&self, connection: &Connection) -> Result<(), AuditError> {
        let pragma = |name: &str| {
            connection
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
            OLDEST_VERSION..=SCHEMA_VERSION => Ok(()),
            found => Err(AuditError::OtherVersion {
                path: path(),
                found,
                expected: SCHEMA_VERSION,
            }),
        }
    }

    fn read_data_version(&self, connection: &Connection) -> Result<i64, AuditError> {
        connection
            .query_row("PRAGMA store.data_version", (), |row| row.get(0))
            .map_err(|error| self.explain(error))
    }

    /// Turns an error of reading the file into the one line that the user can act on.
    pub(crate) fn explain(&self, error: rusqlite::Error) -> AuditError {
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

fn attach(connection: &Connection, path: &Path) -> rusqlite::Result<()> {
    connection.execute("ATTACH ?1 AS store", [read_only_uri(path)])?;
    connection.execute_batch("PRAGMA store.cache_size = -65536")?;
    // Attaching reads the header at most; this also opens the write-ahead log.
    connection.query_row("SELECT COUNT(*) FROM store.sqlite_schema", (), |_| Ok(()))
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
