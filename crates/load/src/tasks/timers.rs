//! The timers of one loop, by their instants. None is taken back: who no longer waits for his instant
//! is woken once for nothing.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
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

/// Timers; of those for the same instant the first added is due first.
#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Duration, u64, Due)>>,
    added: u64,
}

impl Timers {
    pub(super) fn add(&mut self, at: Duration, due: Due) {
        self.added += 1;
        self.heap.push(Reverse((at, self.added, due)));
    }

    /// The instant of the next one.
    pub(super) fn next(&self) -> Option<Duration> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// Takes the next one out if it is due by `now`.
    pub(super) fn take_due(&mut self, now: Duration) -> Option<Due> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((.., due))| due)
    }
}
