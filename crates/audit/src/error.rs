//! Why an audit could not be carried out.

use std::io;
use std::path::PathBuf;

use crate::location::StoreLocation;

/// Why there is no report. None of these says that the shop did something wrong.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// There is no such file.
    #[error("the store `{}` does not exist", .path.display())]
    StoreMissing {
        /// The file that was asked for.
        path: PathBuf,
    },
    /// The file or its folder may not be read.
    #[error("the store `{}` cannot be opened", .path.display())]
    StoreUnreadable {
        /// The file that was asked for.
        path: PathBuf,
        /// What the operating system or SQLite said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The index of the write-ahead log is missing and cannot be made, so that committed writes in
    /// the log would be missed.
    #[error(
        "the write-ahead log of `{}` cannot be read: its `-shm` file is missing or unusable and the \
         folder is not writable; copy the store together with its `-wal` file to a writable folder",
        .path.display()
    )]
    LogIndexUnavailable {
        /// The file that was asked for.
        path: PathBuf,
    },
    /// The file is not an SQLite database.
    #[error("`{}` is not an SQLite database", .path.display())]
    NotADatabase {
        /// The file that was asked for.
        path: PathBuf,
    },
    /// The database belongs to another program.
    #[error(
        "`{}` is not a store of Double11: its application id is {found:#010x}, expected {expected:#010x}",
        .path.display()
    )]
    OtherApplication {
        /// The file that was asked for.
        path: PathBuf,
        /// The `application_id` of the file.
        found: i32,
        /// The `application_id` of a store.
        expected: i32,
    },
    /// The store has another schema version.
    #[error("`{}` has schema version {found}, this audit knows version {expected}", .path.display())]
    OtherVersion {
        /// The file that was asked for.
        path: PathBuf,
        /// The `user_version` of the file.
        found: i32,
        /// The version that this audit knows.
        expected: i32,
    },
    /// Another process holds the database exclusively and kept it for longer than the audit waits.
    #[error("the store `{}` is locked by another process", .path.display())]
    Locked {
        /// The file that was asked for.
        path: PathBuf,
    },
    /// The store lacks its one `shop` row, or the row names a currency that is not known.
    #[error("the store `{store}` does not say which known currency its shop sells in")]
    UnknownCurrency {
        /// The store that was asked for.
        store: StoreLocation,
    },
    /// The URL of a store on a server cannot be used.
    #[error("the URL of the store cannot be used: {reason}")]
    LocationMalformed {
        /// The store that was asked for.
        store: StoreLocation,
        /// What is wrong with it; quotes nothing of it.
        reason: String,
    },
    /// There is no connection to the server.
    #[error("the server of `{store}` cannot be reached")]
    Unreachable {
        /// The store that was asked for.
        store: StoreLocation,
        /// What the driver said.
        #[source]
        source: Box<mysql::Error>,
    },
    /// The server does not know this user with this password, or lets them read too little.
    #[error("the server of `{store}` refuses: {message}")]
    AccessDenied {
        /// The store that was asked for.
        store: StoreLocation,
        /// What the server said.
        message: String,
    },
    /// The server has no such database.
    #[error("the server has no database for `{store}`")]
    DatabaseMissing {
        /// The store that was asked for.
        store: StoreLocation,
    },
    /// The database lacks tables or columns of a store.
    #[error("`{store}` is not a store of Double11: {reason}")]
    NotAStore {
        /// The store that was asked for.
        store: StoreLocation,
        /// What is missing.
        reason: String,
    },
    /// The database has another schema version.
    #[error("`{store}` has schema version {found}, this audit knows version {expected}")]
    OtherServerVersion {
        /// The store that was asked for.
        store: StoreLocation,
        /// The version in `schema_version`.
        found: i64,
        /// The version that this audit knows.
        expected: i64,
    },
    /// The server failed or the connection was lost while it was read.
    #[error("the server of `{store}` failed")]
    ServerFailed {
        /// The store that was asked for.
        store: StoreLocation,
        /// What the driver said.
        #[source]
        source: Box<mysql::Error>,
    },
    /// A ledger cannot be read.
    #[error("the ledger `{}` cannot be read", .path.display())]
    LedgerUnreadable {
        /// The ledger.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// A line of a ledger is not what `docs/SCHEMA.md` says.
    #[error("line {line} of the ledger `{}`: {reason}", .path.display())]
    LedgerMalformed {
        /// The ledger.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// SQLite failed while the audit was working, for instance because the disk that holds its
    /// temporary database is full.
    #[error("the audit's query failed")]
    Query(#[from] rusqlite::Error),
}
