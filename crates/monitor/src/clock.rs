//! The one place of this crate that reads a clock.

use std::fmt;
use std::time::{Duration, Instant, SystemTime};

use double11_units::UnixMicros;

/// Tells the time of day. A scrape is stamped with it, so that it can be compared with the client's
/// own stamps of the same machine.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time of day, UTC.
    fn now(&self) -> UnixMicros;
}

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this module owns the clock of the crate"
    )]
    fn now(&self) -> UnixMicros {
        let since_epoch = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        UnixMicros::default().plus(since_epoch)
    }
}

/// A steady instant, for schedules only; never written down.
#[expect(
    clippy::disallowed_methods,
    reason = "this module owns the clock of the crate"
)]
pub(crate) fn steady_now() -> Instant {
    Instant::now()
}
