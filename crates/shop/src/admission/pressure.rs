//! How hard the shop is pressed, and which share of each class it sheds for that.
//!
//! Two things can run out, and each is watched by how long it makes work wait: the processor by how
//! late a task gets its turn, the store by how long a write takes. For each a level follows its wait,
//! as an integral controller does: it rises while the wait is longer than its target and falls while it
//! is shorter. The whole part of a level is the number of classes that are shed altogether, the least
//! important first; the rest is the share of the next one. So goodput is not thrown away in steps of
//! whole classes, and a level that comes down lets work in again within a second.
//!
//! A level leaves zero only after the wait was too long for a tenth of a second without a break: a
//! pause of the machine or one slow sync is no overload (the same thought as `CoDel`'s interval, RFC
//! 8289).

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use super::Class;

/// How often levels follow their waits.
pub(crate) const PERIOD: Duration = Duration::from_millis(10);
/// How late a task may get its turn, and how long writes may take in the mean: the requirements' P95.
const TARGET: Duration = Duration::from_millis(50);
/// Turns in a row after which a wait that is too long, or a silence, is taken for what it seems.
const PATIENCE: u32 = 10;

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
    /// Turns since a write ended.
    silent: AtomicU32,
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
        self.processor.follow(lag, 5 * CLASS);
        match nanos.checked_div(writes) {
            Some(mean) => {
                self.silent.store(0, Ordering::Relaxed);
                self.store.follow(Duration::from_nanos(mean), 2 * CLASS);
            }
            // A slow commit ends many writes at once, and none before; or nothing is written.
            None if self.silent.fetch_add(1, Ordering::Relaxed) < PATIENCE => {}
            None => self.store.follow(Duration::ZERO, 2 * CLASS),
        }
    }
}

/// How many classes are shed, in thousandths.
#[derive(Debug, Default)]
struct Level {
    height: AtomicU32,
    /// Turns in a row in which the wait was too long.
    pressed: AtomicU32,
    /// Counts requests of the class that is shed in part, to spread what is shed evenly.
    turn: AtomicU32,
}

impl Level {
    fn sheds(&self, rank: u32) -> bool {
        let level = self.height.load(Ordering::Relaxed);
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

    fn follow(&self, wait: Duration, level_max: u32) {
        let error = (wait.as_secs_f64() / TARGET.as_secs_f64() - 1.0).min(ERROR_MAX);
        let level = self.height.load(Ordering::Relaxed);
        let pressed = if error > 0.0 {
            self.pressed.load(Ordering::Relaxed).saturating_add(1)
        } else {
            0
        };
        self.pressed.store(pressed, Ordering::Relaxed);
        if level == 0 && pressed < PATIENCE {
            return;
        }
        let level = f64::from(level) + GAIN * error;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within the bounds of a level"
        )]
        let level = level.clamp(0.0, f64::from(level_max)) as u32;
        self.height.store(level, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
