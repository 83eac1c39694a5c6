//! Ending a run from any thread.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::remote::Remote;

/// Stops the tasks of all loops that were made with it.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    level: AtomicU8,
    /// The loops to be woken.
    loops: Mutex<Vec<Weak<Remote>>>,
}

/// How far a run is being stopped. It only ever rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopLevel {
    /// Not at all.
    Running,
    /// Nothing new is begun; what is under way may end.
    Gracefully,
    /// What is under way is cut: pauses, exchanges and waits end at once.
    Now,
}

/// A pause or a wait was cut short because the run is being stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the run is being stopped")]
pub struct Stopped;

impl Stop {
    /// Stops, or stops more firmly than before, and wakes everybody.
    pub fn request(&self, level: StopLevel) {
        let number = match level {
            StopLevel::Running => 0,
            StopLevel::Gracefully => 1,
            StopLevel::Now => 2,
        };
        let before = self.0.level.fetch_max(number, Ordering::AcqRel);
        if before < number {
            let loops = self.0.loops.lock().unwrap_or_else(PoisonError::into_inner);
            let living = loops.iter().filter_map(Weak::upgrade);
            living.for_each(|remote| remote.wake_everybody());
        }
    }

    /// How far the run is being stopped.
    pub fn level(&self) -> StopLevel {
        match self.0.level.load(Ordering::Acquire) {
            0 => StopLevel::Running,
            1 => StopLevel::Gracefully,
            _ => StopLevel::Now,
        }
    }

    pub(super) fn heeded_by(&self, remote: &Arc<Remote>) {
        let mut loops = self.0.loops.lock().unwrap_or_else(PoisonError::into_inner);
        loops.push(Arc::downgrade(remote));
    }
}
