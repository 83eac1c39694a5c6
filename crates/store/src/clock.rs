//! The clock that is handed to whoever needs the time of day.

use double11_units::UnixMicros;

/// Tells the time of day. Handed in, so that tests can own time.
pub trait Clock: Send + Sync + 'static {
    /// Now, in UTC.
    fn now(&self) -> UnixMicros;
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that others are handed")]
    fn now(&self) -> UnixMicros {
        let since_epoch = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        UnixMicros::new(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }
}
