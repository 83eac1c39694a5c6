//! The clocks of a rehearsal: the only place of this crate that reads them.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use double11_units::UnixMicros;

/// The steady clock.
#[expect(clippy::disallowed_methods, reason = "this is the clock of the crate")]
pub(crate) fn steady() -> Instant {
    Instant::now()
}

/// The time of day.
#[expect(clippy::disallowed_methods, reason = "this is the clock of the crate")]
pub(crate) fn now() -> UnixMicros {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    UnixMicros::new(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Waits without doing anything, between two looks at something that is not ours to be told of.
#[expect(
    clippy::disallowed_methods,
    reason = "polling a child process has no event to wait for"
)]
pub(crate) fn pause(span: Duration) {
    std::thread::sleep(span);
}
