//! Instants as they are stored and exchanged: microseconds since the Unix epoch, UTC.
//!
//! Reading the clock is not this module's work; whoever owns a clock makes the value.

use std::time::Duration;

/// Microseconds since 1970-01-01T00:00:00Z. The unit of every time column of the store, of the
/// client ledger and of the gateway ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMicros(i64);

impl UnixMicros {
    /// Wraps a count of microseconds since the Unix epoch.
    pub const fn new(micros: i64) -> Self {
        Self(micros)
    }

    /// The count of microseconds since the Unix epoch.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since the Unix epoch, rounded towards the past.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// This instant moved into the future; saturates at the end of the range.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }

    /// This instant moved into the past; saturates at the beginning of the range.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros))
    }

    /// Time from `earlier` to this instant; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}
