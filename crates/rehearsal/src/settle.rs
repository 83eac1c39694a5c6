//! Waiting for the shop to come to rest.

use std::time::Duration;

use double11_audit::{AuditError, StoreLocation, unsettled};

use crate::clock;

/// Waits until no payment is processing and no refund is pending, at most `limit`; tells how long it
/// took, or nothing when the limit was reached first. A server that cannot be asked now, because the
/// traffic has left it too much to do, is asked again until then.
pub(crate) fn wait(store: &StoreLocation, limit: Duration) -> Result<Option<Duration>, AuditError> {
    let started = clock::steady();
    loop {
        let asked = unsettled(store);
        let is_late = started.elapsed() >= limit;
        match asked {
            Ok(open) if open.processing == 0 && open.refunds_pending == 0 => {
                return Ok(Some(started.elapsed()));
            }
            Ok(_) if is_late => return Ok(None),
            Err(error) if is_late || matches!(store, StoreLocation::Sqlite(_)) => {
                return Err(error);
            }
            Ok(_) | Err(_) => clock::pause(Duration::from_millis(100)),
        }
    }
}
