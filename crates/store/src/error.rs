//! Why a store gave no answer. Refusals of the business are not errors; they are outcomes.

use std::sync::Arc;

/// Why the store could not answer. All of them are 503 to a client, none is 500.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The bounded queue of writes is full: nothing was done.
    #[error("the queue of writes is full")]
    QueueFull,
    /// The lock was not free within its time-out: nothing was done.
    #[error("the store is busy")]
    Busy,
    /// The store failed before anything was made durable: nothing was done.
    #[error("the store is not available")]
    Unavailable(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// It is not known whether the write became durable; ask again with the same key.
    #[error("the outcome of the write is not known")]
    OutcomeUnknown,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

/// Why the store stopped for good.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the store had to stop: {reason}")]
pub struct StoreFailure {
    /// What went wrong, for the log and the last line of the program.
    pub reason: String,
}
