//! How hard the shop is pressed, and which share of each class it sheds for that.
//!
//! Two things can run out, and each is watched by how long it makes work wait: the processor by how
//! late a task gets its turn, the store by how long a write takes. For each a level follows its wait,
//! as an integral controller does: it rises while the wait is longer than its target and falls while it
//! is shorter. The whole part of a level is the number of classes that are shed altogether, the least
//! important first; the rest is the share of the next one. So goodput is not thrown away in steps of
//! whole classes, and a level that comes down lets work in again within a second.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use super::Class;

/// How often levels follow their waits.
pub(crate) const PERIOD: Duration = Duration::from_millis(10);
/// How late a task may get its turn: less than half of the requirements' 50 ms.
const LAG_TARGET: Duration = Duration::from_millis(20);
/// How long writes may take in the mean: the requirements' P95.
const WRITE_TARGET: Duration = Duration::from_millis(50);

/// One class, in the units of a level.
const CLASS: u32 = 1_000;
/// By how much a level rises in a period when the wait is twice its target, and falls when there is
/// none: from nothing to five classes in half a second, and back.
const GAIN: f64 = 100.0;
/// The error that counts at most, so that one long pause does not shed everything.
const ERROR_MAX: f64 = 1.0;

/// Levels and what they follow.
#[derive(Debug, Default)]
pub(super) struct Pressure {
    processor: Level,
    store: Level,
    /// Time that writes took since the last turn, in nanoseconds, and their number.
    write_nanos: AtomicU64,
    writes: AtomicU64,
}

impl Pressure {
    /// Whether to shed a request of this class.
    pub(super) fn sheds(&self, class: Class) -> bool {
        // Payments end what was begun; only the limit of requests in process refuses them.
        let by_processor = class < Class::Payment && self.processor.sheds(class as u32);
        let by_store = match class {
            Class::Cart => self.store.sheds(0),
            Class::Order => self.store.sheds(1),
            _ => false,
        };
        by_processor || by_store
    }

    /// A write of the store ended.
    pub(super) fn wrote(&self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.write_nanos.fetch_add(nanos, Ordering::Relaxed);
        self.writes.fetch_add(1, Ordering::Relaxed);
    }

    /// Lets the levels follow. `lag` is how late this call comes.
    pub(super) fn follow(&self, lag: Duration) {
        let writes = self.writes.swap(0, Ordering::Relaxed);
        let nanos = self.write_nanos.swap(0, Ordering::Relaxed);
        let mean = Duration::from_nanos(nanos / writes.max(1));
        self.processor.follow(lag, LAG_TARGET, 5 * CLASS);
        self.store.follow(mean, WRITE_TARGET, 2 * CLASS);
    }
}

/// How many classes are shed, in thousandths.
#[derive(Debug, Default)]
struct Level {
    level: AtomicU32,
    /// Counts requests of the class that is shed in part, to spread what is shed evenly.
    turn: AtomicU32,
}

impl Level {
    fn sheds(&self, rank: u32) -> bool {
        let level = self.level.load(Ordering::Relaxed);
        match level.saturating_sub(rank * CLASS) {
            0 => false,
            CLASS.. => true,
            share => {
                // Multiples of the golden ratio fall evenly, whatever the share is.
                let turn = self.turn.fetch_add(1, Ordering::Relaxed);
                let place = u64::from(turn.wrapping_mul(0x9E37_79B9));
                (place * u64::from(CLASS)) >> 32 < u64::from(share)
            }
        }
    }

    fn follow(&self, wait: Duration, target: Duration, level_max: u32) {
        let error = (wait.as_secs_f64() / target.as_secs_f64() - 1.0).min(ERROR_MAX);
        let level = f64::from(self.level.load(Ordering::Relaxed)) + GAIN * error;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within the bounds of a level"
        )]
        let level = level.clamp(0.0, f64::from(level_max)) as u32;
        self.level.store(level, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
