//! The timers of one loop, by their instants.

use std::collections::BTreeMap;
use std::time::Duration;

use super::links::LinkKey;

/// What is due at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// A task is to be polled.
    Task(usize),
    /// The deadline of an exchange is to be looked at.
    Link(LinkKey),
}

/// A timer among those of its loop: its instant, and how many were added before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TimerKey(Duration, u64);

/// Timers; of those for the same instant the first added is due first.
#[derive(Debug, Default)]
pub(super) struct Timers {
    waiting: BTreeMap<TimerKey, Due>,
    added: u64,
}

impl Timers {
    pub(super) fn add(&mut self, at: Duration, due: Due) -> TimerKey {
        self.added += 1;
        let key = TimerKey(at, self.added);
        self.waiting.insert(key, due);
        key
    }

    /// Takes one back for which nobody waits any more; one that was due is gone already.
    pub(super) fn take_back(&mut self, key: TimerKey) {
        self.waiting.remove(&key);
    }

    /// The instant of the next one.
    pub(super) fn next(&self) -> Option<Duration> {
        self.waiting.first_key_value().map(|(key, _)| key.0)
    }

    /// Takes the next one out if it is due by `now`.
    pub(super) fn take_due(&mut self, now: Duration) -> Option<Due> {
        let first = self.waiting.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    /// How many are waiting.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}
