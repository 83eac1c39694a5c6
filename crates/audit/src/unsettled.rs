//! How far a shop is from rest, for whoever waits for it before an audit.

use std::path::Path;

use crate::error::AuditError;
use crate::store_file::StoreFile;

/// What is still in process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsettled {
    /// Payment attempts without an outcome.
    pub processing: u64,
    /// Refunds that the gateway has not confirmed.
    pub refunds_pending: u64,
}

/// Looks at a store, also of a running shop.
///
/// # Errors
/// [`AuditError`] when the store cannot be read or has another format.
pub fn unsettled(store: &Path) -> Result<Unsettled, AuditError> {
    let store = StoreFile::open(store)?;
    let count = |sql: &str| -> Result<u64, AuditError> {
        let count: i64 = store.connection().query_row(sql, (), |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    };
    Ok(Unsettled {
        processing: count("SELECT COUNT(*) FROM store.payments WHERE state = 'processing'")?,
        refunds_pending: count("SELECT COUNT(*) FROM store.refunds WHERE state = 'pending'")?,
    })
}
