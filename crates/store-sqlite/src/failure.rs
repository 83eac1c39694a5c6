//! From SQLite's errors to the store's, and the signal that the store had to stop.

use std::sync::Arc;

use double11_store::StoreError;
use rusqlite::ErrorCode;

/// Turns an error of SQLite, met before anything of the write was durable, into the store's.
pub(crate) fn store_error(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy,
        _ => StoreError::Unavailable(Arc::new(error)),
    }
}

/// Whether an error of COMMIT means that SQLite still holds the old state for sure.
///
/// A full disk is met while the log is written, before its sync. After any other input or output
/// error the kernel may hold pages as clean that never reached the disk, so that not even reopening
/// the file tells the truth.
pub(crate) fn commit_surely_failed(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::ConstraintViolation)
    )
}
