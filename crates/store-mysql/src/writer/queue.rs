//! The queue between the requests and the writer.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use double11_store::StoreError;
use double11_store::writer::Lanes;

use crate::work::{Command, Outcome};

/// A command that waits, and who waits for it.
pub(crate) type Job = double11_store::writer::Job<Command, Outcome>;

/// How long a free writer lets commands collect while the other one is at work, which may be held up.
const PATIENCE: Duration = Duration::from_millis(20);

/// What waits for the writers, up to a bound.
#[derive(Debug)]
pub(super) struct Queue {
    /// Held only to push, to take or to count, never while a transaction runs.
    state: Mutex<State>,
    wake: Condvar,
    group_max: usize,
}

#[derive(Debug)]
struct State {
    waiting: Lanes<Command, Outcome>,
    /// Commands that the writers are at work on.
    running: usize,
}

impl State {
    /// Whether a free writer is to begin. While another one is at work, only with half as many commands as
    /// that one has: a group costs much and a command in it little, so that what comes in drops is better
    /// collected until the other writer is ready, or for [`PATIENCE`].
    fn is_due(&self) -> bool {
        let count = self.waiting.count();
        count > 0 && (count >= self.running / 2 || self.waiting.is_closed())
    }
}

impl Queue {
    pub(super) fn new(max: usize, group_max: usize) -> Self {
        Self {
            state: Mutex::new(State {
                waiting: Lanes::new(max),
                running: 0,
            }),
            wake: Condvar::new(),
            group_max: group_max.max(1),
        }
    }

    pub(super) fn push(&self, job: Job) -> Result<(), StoreError> {
        let is_urgent = job.command.is_urgent();
        let mut state = self.lock();
        state.waiting.push(job, is_urgent)?;
        // With the first command, somebody begins to wait for more.
        let concerns_writers = state.is_due() || state.waiting.count() == 1;
        drop(state);
        if concerns_writers {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Waits for commands and takes a group. None when the queue is closed and empty.
    pub(super) fn take(&self) -> Option<Vec<Job>> {
        let mut state = self.lock();
        let mut is_over = false;
        while !state.is_due() && !is_over {
            if state.waiting.count() > 0 {
                let waited = self.wake.wait_timeout(state, PATIENCE);
                let (again, outcome) = waited.unwrap_or_else(PoisonError::into_inner);
                is_over = outcome.timed_out() && again.waiting.count() > 0;
                state = again;
            } else if state.waiting.is_closed() {
                return None;
            } else {
                let waited = self.wake.wait(state);
                state = waited.unwrap_or_else(PoisonError::into_inner);
            }
        }
        let group = state.waiting.take(self.group_max);
        state.running += group.len();
        Some(group)
    }

    /// Notes that a group of this many commands has been answered.
    pub(super) fn finish(&self, commands: usize) {
        let mut state = self.lock();
        state.running = state.running.saturating_sub(commands);
        let is_due = state.is_due();
        drop(state);
        if is_due {
            self.wake.notify_one();
        }
    }

    /// Closes the queue and hands out everything that waits.
    pub(super) fn abandon(&self) -> Vec<Job> {
        let waiting = self.lock().waiting.abandon();
        self.wake.notify_all();
        waiting
    }

    pub(super) fn close(&self) {
        self.lock().waiting.close();
        self.wake.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use double11_store::Stopwatch;
    use tokio::sync::oneshot;

    use super::{Job, PATIENCE, Queue};
    use crate::work::Command;

    fn push(queue: &Queue, jobs: usize) {
        for _ in 0..jobs {
            let (reply, _) = oneshot::channel();
            let job = Job {
                command: Command::Expire { limit: 1 },
                fresh_id: 1,
                reply,
            };
            queue.push(job).expect("room");
        }
    }

    #[test]
    fn a_second_writer_begins_with_half_of_what_the_first_one_has() {
        let queue = Arc::new(Queue::new(1_000, 64));
        push(&queue, 6);
        assert_eq!(queue.take().expect("a group").len(), 6);
        let second = Arc::clone(&queue);
        let second = std::thread::spawn(move || second.take().expect("a group").len());
        for _ in 0..3 {
            push(&queue, 1);
        }
        assert_eq!(second.join().expect("no panic"), 3);
        queue.finish(6);
        push(&queue, 1);
        queue.finish(3);
        assert_eq!(queue.take().expect("a group").len(), 1, "nobody is at work");
    }

    #[test]
    fn a_writer_that_is_held_up_holds_nobody_up() {
        let queue = Queue::new(1_000, 64);
        push(&queue, 50);
        let stuck = queue.take().expect("a group");
        let since = Stopwatch::start();
        push(&queue, 1);
        assert_eq!(queue.take().expect("a group").len(), 1);
        assert!(since.elapsed() >= PATIENCE);
        assert!(since.elapsed() < Duration::from_secs(10));
        drop(stuck);
        queue.close();
        assert!(queue.take().is_none());
    }
}
