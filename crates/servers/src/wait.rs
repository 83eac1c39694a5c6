//! Waiting for what another process does, which sends no event.

use std::time::{Duration, Instant};

/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// Looks until `look` finds something or `limit` is over.
#[expect(
    clippy::disallowed_methods,
    reason = "another process gives no event to wait for, and lives by the real clock"
)]
pub(crate) fn until<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::sleep(PAUSE);
    }
}
