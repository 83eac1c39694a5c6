//! The store's file: its lock, its format, its tables, its settings.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use double11_store::Lever;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::options::SqliteOptions;
#[cfg(test)]
use crate::power_loss::synchronous;
use crate::work::stock::changes;

/// `PRAGMA application_id` of a store: the bytes "D111".
const APPLICATION_ID: i32 = 0x4431_3131;
/// `PRAGMA user_version`: the version of `docs/SCHEMA.md`.
const SCHEMA_VERSION: i32 = 2;
/// The version before, without the table of changes of the stock.
const WITHOUT_CHANGES: i32 = 1;
/// How long a write waits for SQLite's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Page cache of a connection that is kept, in KiB; negative is SQLite's sign for KiB.
const KEPT_CACHE_KIB: i32 = -65_536;

const TABLES: &str = include_str!("tables.sql");
const INDEXES: &str = include_str!("indexes.sql");

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another shop has the file open.
    #[error("the store `{}` is in use by another shop", path.display())]
    InUse {
        /// The store.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("`{}` is not a store of Double11", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// The file is a store of another version.
    #[error("the store `{}` has schema version {found}, this program needs {wanted}", path.display())]
    OtherVersion {
        /// The store.
        path: PathBuf,
        /// Its version.
        found: i32,
        /// The version of this program.
        wanted: i32,
    },
    /// SQLite did not take the settings without which a commit is not durable.
    #[error("the store `{}` cannot be made durable: {setting} is `{found}`", path.display())]
    NotDurable {
        /// The store.
        path: PathBuf,
        /// The setting.
        setting: &'static str,
        /// Its value.
        found: String,
    },
    /// The lock file could not be made.
    #[error("the lock file `{}` cannot be opened", path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The write-ahead log that the shop before left could not be made durable.
    #[error("the log of the store `{}` cannot be written again", path.display())]
    Log {
        /// The log.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// SQLite refused.
    #[error("the store `{}` cannot be opened", path.display())]
    Sqlite {
        /// The store.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
}

/// The sidecar lock that keeps a second shop away from the file; released when dropped.
#[derive(Debug)]
pub(crate) struct StoreLock {
    _file: File,
}

impl StoreLock {
    pub(crate) fn take(store: &Path) -> Result<Self, OpenError> {
        let path = sidecar(store, ".lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|source| OpenError::Lock {
                path: path.clone(),
                source,
            })?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
                path: store.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(OpenError::Lock { path, source }),
        }
    }
}

/// The one name of the store, with every symbolic link followed as SQLite follows them.
///
/// SQLite names its log after the file behind the link. The lock and the log of this shop must be
/// those of that file too, by whatever name it was opened, or two shops would share it.
pub(crate) fn resolve(store: &Path) -> Result<PathBuf, OpenError> {
    let failed = |source| OpenError::Lock {
        path: sidecar(store, ".lock"),
        source,
    };
    let mut path = store.to_owned();
    loop {
        match path.canonicalize() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            found => return found.map_err(failed),
        }
        // There is no store yet: the folder exists, or a link says where the store shall be. Links
        // that lead round in a circle were another error.
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let Ok(target) = path.read_link() else {
            let folder = folder.canonicalize().map_err(failed)?;
            return Ok(folder.join(path.file_name().unwrap_or_default()));
        };
        path = folder.join(target);
    }
}

/// The path of a file beside the store.
fn sidecar(store: &Path, suffix: &str) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Opens the file for the first time: creates or checks its format, and sets its indexes. The path is
/// one that [`resolve`] gave.
pub(crate) fn prepare(options: &SqliteOptions) -> Result<Connection, OpenError> {
    let path = &options.path;
    let fail = |source: rusqlite::Error| match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::NotAStore { path: path.clone() },
        _ => OpenError::Sqlite {
            path: path.clone(),
            source,
        },
    };
    let connection = Connection::open(path).map_err(fail)?;
    // The last connection that closes moves the log into the file and deletes it. Until the log was
    // written again nobody knows that it is on the disk, so that an error must leave it alone.
    keep_log(&connection, true).map_err(fail)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(fail)?;
    let fresh: i64 = connection
        .query_row("SELECT COUNT(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(fail)?;
    if fresh == 0 {
        create(&connection).map_err(fail)?;
    }
    let application_id: i32 = read_pragma(&connection, "application_id").map_err(fail)?;
    if application_id != APPLICATION_ID {
        return Err(OpenError::NotAStore { path: path.clone() });
    }
    let found: i32 = read_pragma(&connection, "user_version").map_err(fail)?;
    if found != SCHEMA_VERSION && found != WITHOUT_CHANGES {
        let wanted = SCHEMA_VERSION;
        return Err(OpenError::OtherVersion {
            path: path.clone(),
            found,
            wanted,
        });
    }
    connection
        .pragma_update(None, "synchronous", "FULL")
        .map_err(fail)?;
    // Nobody may append to the log while it is written again.
    connection.execute_batch("BEGIN IMMEDIATE").map_err(fail)?;
    let log = sidecar(path, "-wal");
    renew_log(&log).map_err(|source| OpenError::Log { path: log, source })?;
    keep_log(&connection, false).map_err(fail)?;
    connection.execute_batch("ROLLBACK").map_err(fail)?;
    configure_kept(&connection).map_err(fail)?;
    check_durable(&connection, path)?;
    if found == WITHOUT_CHANGES {
        add_changes(&connection).map_err(fail)?;
    }
    changes::fold_everything(&connection).map_err(|error| fail(error.into_sqlite()))?;
    set_indexes(&connection, options.levers.has(Lever::Indexes)).map_err(fail)?;
    Ok(connection)
}

/// Whether the log stays as it is when this connection is closed.
fn keep_log(connection: &Connection, keep: bool) -> rusqlite::Result<()> {
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep)
        .map(drop)
}

/// Writes the log that the shop before left into itself, and syncs it.
///
/// After a sync that failed the kernel calls the pages clean: they can be read, and SQLite takes them
/// for committed, but no later sync writes them. What is appended behind them would be lost with them
/// when the power fails, however well it was synced.
fn renew_log(log: &Path) -> std::io::Result<()> {
    let file = match OpenOptions::new().read(true).write(true).open(log) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut chunk = vec![0; 1 << 20];
    let mut offset = 0;
    loop {
        let length = file.read_at(&mut chunk, offset)?;
        if length == 0 {
            return file.sync_all();
        }
        file.write_all_at(&chunk[..length], offset)?;
        offset += length as u64;
    }
}

/// `PRAGMA synchronous` of every connection that writes. There is no way to ask for less: only this
/// crate's own tests are compiled with another function of this name, to see orders being lost.
#[cfg(not(test))]
const fn synchronous() -> &'static str {
    "FULL"
}

/// Opens a connection for one request, with the settings that durability needs and no more.
pub(crate) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "synchronous", synchronous())?;
    Ok(connection)
}

/// Opens a connection that is kept: a larger page cache and prepared statements.
pub(crate) fn connect_kept(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path)?;
    configure_kept(&connection)?;
    Ok(connection)
}

/// Opens the writer's connection. Its commits are synced by the writer itself, before they are answered
/// (`writer/durability`), so that SQLite need not; its checkpoints sync as ever.
pub(crate) fn connect_writer(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect_kept(path)?;
    if synchronous() == "FULL" {
        connection.pragma_update(None, "synchronous", "NORMAL")?;
    }
    // The log exists from the first look into the file on.
    connection.query_row("SELECT COUNT(*) FROM shop", [], |_| Ok(()))?;
    Ok(connection)
}

/// The log for whoever syncs it; none where a test has switched syncs off.
pub(crate) fn open_log(path: &Path) -> Result<Option<Arc<File>>, OpenError> {
    if synchronous() != "FULL" {
        return Ok(None);
    }
    File::open(path)
        .map(|log| Some(Arc::new(log)))
        .map_err(|source| OpenError::Lock {
            path: path.to_owned(),
            source,
        })
}

fn configure_kept(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "cache_size", KEPT_CACHE_KIB)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn create(connection: &Connection) -> rusqlite::Result<()> {
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    tracing::debug!(mode, "creating the store");
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; {TABLES} PRAGMA application_id = {APPLICATION_ID}; \
         PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
    ))
}

/// Gives a store of the version before its table of changes.
fn add_changes(connection: &Connection) -> rusqlite::Result<()> {
    let table = TABLES
        .split_inclusive("\n);")
        .find(|table| table.contains("CREATE TABLE stock_changes"))
        .unwrap_or_default();
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; {table} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
    ))
}

fn check_durable(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let sqlite = |source| OpenError::Sqlite {
        path: path.to_owned(),
        source,
    };
    let journal_mode: String = read_pragma(connection, "journal_mode").map_err(sqlite)?;
    if journal_mode != "wal" {
        let setting = "journal_mode";
        return Err(OpenError::NotDurable {
            path: path.to_owned(),
            setting,
            found: journal_mode,
        });
    }
    let synchronous: i64 = read_pragma(connection, "synchronous").map_err(sqlite)?;
    if synchronous < 2 {
        let setting = "synchronous";
        let found = synchronous.to_string();
        return Err(OpenError::NotDurable {
            path: path.to_owned(),
            setting,
            found,
        });
    }
    Ok(())
}

/// Creates the secondary indexes, or drops them for a shop without the lever.
fn set_indexes(connection: &Connection, wanted: bool) -> rusqlite::Result<()> {
    let statements: String = INDEXES
        .split(';')
        .filter_map(|statement| statement.trim().strip_prefix("CREATE INDEX "))
        .map(|definition| {
            let name = definition.split_whitespace().next().unwrap_or_default();
            if wanted {
                format!("CREATE INDEX IF NOT EXISTS {definition};")
            } else {
                format!("DROP INDEX IF EXISTS {name};")
            }
        })
        .collect();
    connection.execute_batch(&format!("BEGIN IMMEDIATE; {statements} COMMIT;"))
}

fn read_pragma<T: rusqlite::types::FromSql>(
    connection: &Connection,
    name: &str,
) -> rusqlite::Result<T> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::{INDEXES, TABLES};

    /// The page that the audit is written against and the tables that are made are one text.
    #[test]
    fn the_schema_page_holds_these_statements() {
        let page = include_str!("../../../docs/SCHEMA.md");
        assert!(
            page.contains(TABLES.trim_end()),
            "tables differ from docs/SCHEMA.md"
        );
        assert!(
            page.contains(INDEXES.trim_end()),
            "indexes differ from docs/SCHEMA.md"
        );
    }
}
