//! From SQLite's errors to the store's, and the signal that the store had to stop.

use std::sync::Arc;

use double11_store::{StoreError, StoreFailure};
use rusqlite::ErrorCode;
use tokio::sync::watch;

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

/// The signal that the store had to stop for good; given once.
#[derive(Clone, Debug)]
pub(crate) struct FailureSignal {
    sender: Arc<watch::Sender<Option<StoreFailure>>>,
}

impl FailureSignal {
    pub(crate) fn new() -> Self {
        Self {
            sender: Arc::new(watch::Sender::new(None)),
        }
    }

    /// Tells everybody who waits that the store stopped.
    pub(crate) fn raise(&self, reason: String) {
        tracing::error!(reason, "the store had to stop");
        self.sender.send_if_modified(|failure| {
            let first = failure.is_none();
            failure.get_or_insert(StoreFailure { reason });
            first
        });
    }

    /// Whether the store has stopped.
    pub(crate) fn is_raised(&self) -> bool {
        self.sender.borrow().is_some()
    }

    /// Waits until the store stops; for ever if it never does.
    pub(crate) async fn wait(self) -> StoreFailure {
        let mut receiver = self.sender.subscribe();
        loop {
            if let Some(failure) = receiver.borrow_and_update().clone() {
                return failure;
            }
            if receiver.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}
