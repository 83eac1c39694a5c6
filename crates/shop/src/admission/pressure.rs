//! How hard the shop is pressed, and which share of each class it sheds for that.
//!
//! What runs out is the processor, watched by how late a task gets its turn. A level follows that wait
//! as an integral controller does: it rises while the wait is longer than its target and falls while it
//! is shorter. The whole part of the level is the number of classes that are shed altogether, the least
//! important first; the rest is the share of the next one. So goodput is not thrown away in steps of
//! whole classes, and a level that comes down lets work in again within a second. A slow store is no
//! matter of this: it fills the limit of requests in process, and shedding reads would not help it.
//!
//! A level leaves zero only after the wait was too long for a tenth of a second without a break: a
//! pause of the machine or one slow sync is no overload (the same thought as `CoDel`'s interval, RFC
//! 8289).

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::Class;

/// How often levels follow their waits.
pub(crate) const PERIOD: Duration = Duration::from_millis(10);
/// How late a task may get its turn: the requirements' P95.
const TARGET: Duration = Duration::from_millis(50);
/// Turns in a row after which a wait that is too long is taken for what it seems.
const PATIENCE: u32 = 10;

/// One class, in the units of a level.
const CLASS: u32 = 1_000;
/// Orders and payments end what was begun; only the limit of requests in process refuses them.
const LEVEL_MAX: u32 = Class::Order as u32 * CLASS;
/// By how much the level rises in a period when the wait is twice its target, and falls when there is
/// none: from nothing to four classes in 0.4 s, and back.
const GAIN: f64 = 100.0;
/// The error that counts at most, so that one long pause does not shed everything.
const ERROR_MAX: f64 = 1.0;

/// How hard the shop is pressed.
#[derive(Debug, Default)]
pub(super) struct Pressure {
    /// How many classes are shed, in thousandths.
    level: AtomicU32,
    /// Turns in a row in which the wait was too long.
    pressed: AtomicU32,
    /// Counts requests of the class that is shed in part, to spread what is shed evenly.
    turn: AtomicU32,
}

impl Pressure {
    /// Whether to shed a request of this class.
    pub(super) fn sheds(&self, class: Class) -> bool {
        let level = self.level.load(Ordering::Relaxed);
        match level.saturating_sub(class as u32 * CLASS) {
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

    /// Lets the level follow. `lag` is how late this call comes.
    pub(super) fn follow(&self, lag: Duration) {
        let error = (lag.as_secs_f64() / TARGET.as_secs_f64() - 1.0).min(ERROR_MAX);
        let level = self.level.load(Ordering::Relaxed);
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
        let level = level.clamp(0.0, f64::from(LEVEL_MAX)) as u32;
        self.level.store(level, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
