//! The one place where the shop reads a steady clock.

use std::time::Duration;

use tokio::time::Instant;

/// A started stopwatch. It follows the runtime's clock, so that tests may own time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
