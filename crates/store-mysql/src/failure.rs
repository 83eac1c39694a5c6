//! From the errors of driver and server to the store's, and the signal that the store had to stop.

use std::io::ErrorKind;
use std::sync::Arc;

use double11_store::StoreError;
use mysql::DriverError;

use crate::work::WorkError;

/// The server's error numbers that the store acts on.
pub(crate) mod code {
    /// Too many connections: of the server, of the user, and a resource limit.
    pub(crate) const TOO_MANY: [u16; 3] = [1040, 1203, 1226];
    /// No right to the database, wrong user or password (two forms).
    pub(crate) const ACCESS_DENIED: [u16; 3] = [1044, 1045, 1698];
    pub(crate) const UNKNOWN_DATABASE: u16 = 1049;
    pub(crate) const DUPLICATE_INDEX: u16 = 1061;
    pub(crate) const DUPLICATE_ROW: u16 = 1062;
    /// A row against a rule of its table, in MySQL and in MariaDB.
    pub(crate) const BROKEN_RULE: [u16; 2] = [3819, 4025];
    pub(crate) const UNKNOWN_THREAD: u16 = 1094;
    pub(crate) const UNKNOWN_TABLE: u16 = 1146;
    pub(crate) const LOCK_WAIT: u16 = 1205;
    /// Chosen as the victim of a deadlock; statement interrupted; OceanBase's conflict at commit.
    pub(crate) const TRY_AGAIN: [u16; 5] = [1213, 1317, 6002, 6003, 6005];
    /// The server is going down, has killed the connection, or has closed an idle one.
    pub(crate) const GONE: [u16; 5] = [1053, 1927, 2006, 2013, 4031];
    /// Read-only: by an option (two forms), or this transaction.
    pub(crate) const READ_ONLY: [u16; 3] = [1290, 1836, 1792];
}

/// The server's error number, if the server answered.
pub(crate) fn server_code(error: &mysql::Error) -> Option<u16> {
    match error {
        mysql::Error::MySqlError(error) => Some(error.code),
        _ => None,
    }
}

/// Whether the connection is of no further use.
pub(crate) fn is_lost(error: &mysql::Error) -> bool {
    match error {
        mysql::Error::MySqlError(error) => code::GONE.contains(&error.code),
        mysql::Error::IoError(_) | mysql::Error::CodecError(_) | mysql::Error::TlsError(_) => true,
        mysql::Error::DriverError(error) => !matches!(
            error,
            DriverError::MismatchedStmtParams(..)
                | DriverError::MixedParams
                | DriverError::Params(_)
        ),
        _ => false,
    }
}

/// Whether the server was silent for too long, so that others need not try it now.
pub(crate) fn is_timeout(error: &mysql::Error) -> bool {
    let is_silence = |error: &std::io::Error| {
        matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock)
    };
    match error {
        mysql::Error::IoError(error) => is_silence(error),
        // What is met while a packet is read comes in a wrapping.
        mysql::Error::CodecError(error) => std::error::Error::source(error)
            .and_then(|source| source.downcast_ref())
            .is_some_and(is_silence),
        mysql::Error::DriverError(error) => {
            matches!(error, DriverError::Timeout | DriverError::ConnectTimeout)
        }
        _ => false,
    }
}

/// Whether the same group may succeed when it is run again: a deadlock, a lock that was not free in
/// time, or a row that somebody else wrote meanwhile.
pub(crate) fn is_transient(error: &mysql::Error) -> bool {
    server_code(error).is_some_and(|number| {
        number == code::LOCK_WAIT
            || number == code::DUPLICATE_ROW
            || code::TRY_AGAIN.contains(&number)
    })
}

/// An error that was met before anything of the request was durable, as the shop sees it.
pub(crate) fn store_error(error: WorkError) -> StoreError {
    let is_busy = match &error {
        WorkError::Mysql(error) => server_code(error).is_some_and(|number| {
            number == code::LOCK_WAIT
                || code::TRY_AGAIN.contains(&number)
                || code::TOO_MANY.contains(&number)
        }),
        WorkError::Overtaken | WorkError::Outsold => true,
        WorkError::Damaged(_) => false,
    };
    if is_busy {
        StoreError::Busy
    } else {
        StoreError::Unavailable(Arc::new(error))
    }
}

/// The database did not answer a moment ago, and is asked again in the background.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the database does not answer")]
pub(crate) struct Down;
