//! The queue between the requests and the writer.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use double11_store::StoreError;
use double11_store::writer::Lanes;

use crate::work::{Command, Outcome};

/// A command that waits, and who waits for it.
pub(crate) type Job = double11_store::writer::Job<Command, Outcome>;

/// What waits for the writer, up to a bound. More than one writer may take from it.
#[derive(Debug)]
pub(super) struct Queue {
    /// Held only to push, to take or to count, never while a transaction runs.
    waiting: Mutex<Lanes<Command, Outcome>>,
    wake: Condvar,
    group_max: usize,
}

impl Queue {
    pub(super) fn new(max: usize, group_max: usize) -> Self {
        Self {
            waiting: Mutex::new(Lanes::new(max)),
            wake: Condvar::new(),
            group_max: group_max.max(1),
        }
    }

    pub(super) fn push(&self, job: Job) -> Result<(), StoreError> {
        let is_urgent = job.command.is_urgent();
        self.lock().push(job, is_urgent)?;
        self.wake.notify_one();
        Ok(())
    }

    /// Waits for commands and takes a group. None when the queue is closed and empty.
    pub(super) fn take(&self) -> Option<Vec<Job>> {
        let mut waiting = self.lock();
        while waiting.count() == 0 {
            if waiting.is_closed() {
                return None;
            }
            waiting = self
                .wake
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
        Some(waiting.take(self.group_max))
    }

    /// Closes the queue and hands out everything that waits.
    pub(super) fn abandon(&self) -> Vec<Job> {
        self.lock().abandon()
    }

    pub(super) fn close(&self) {
        self.lock().close();
        self.wake.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Lanes<Command, Outcome>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
