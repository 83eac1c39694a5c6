//! Waiting for the shop to come to rest.

use std::time::Duration;

use double11_audit::{AuditError, StoreLocation, unsettled};

use crate::clock;

/// Waits until no payment is processing and no refund is pending, at most `limit`; tells how long it
/// took, or nothing when the limit was reached first.
pub(crate) fn wait(store: &StoreLocation, limit: Duration) -> Result<Option<Duration>, AuditError> {
    let started = clock::steady();
    loop {
        let open = unsettled(store)?;
        if open.processing == 0 && open.refunds_pending == 0 {
            return Ok(Some(started.elapsed()));
        }
        if started.elapsed() >= limit {
            return Ok(None);
        }
        clock::pause(Duration::from_millis(100));
    }
}
