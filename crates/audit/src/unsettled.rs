//! How far a shop is from rest, for whoever waits for it before an audit.

use crate::audited::AuditedStore;
use crate::error::AuditError;
use crate::location::StoreLocation;
use crate::mysql_server::Server;

/// What is still in process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsettled {
    /// Payment attempts without an outcome.
    pub processing: u64,
    /// Refunds that the gateway has not confirmed.
    pub refunds_pending: u64,
}

/// Looks at a store, also of a running shop. Of a store on a server only these two are counted.
///
/// # Errors
/// [`AuditError`] when the store cannot be read or has another format.
pub fn unsettled(store: &StoreLocation) -> Result<Unsettled, AuditError> {
    match store {
        StoreLocation::Sqlite(_) => {
            let store = AuditedStore::open(store)?;
            let count = |table: &str, state: &str| -> Result<u64, AuditError> {
                let sql = format!("SELECT COUNT(*) FROM store.{table} WHERE state = ?1");
                let count: i64 = store
                    .connection()
                    .query_row(&sql, [state], |row| row.get(0))?;
                Ok(u64::try_from(count).unwrap_or(0))
            };
            Ok(Unsettled {
                processing: count("payments", "processing")?,
                refunds_pending: count("refunds", "pending")?,
            })
        }
        StoreLocation::Mysql { .. } => {
            let mut server = Server::connect(store)?;
            Ok(Unsettled {
                processing: server
                    .count("SELECT COUNT(*) FROM payments WHERE state = 'processing'")?,
                refunds_pending: server
                    .count("SELECT COUNT(*) FROM refunds WHERE state = 'pending'")?,
            })
        }
    }
}
