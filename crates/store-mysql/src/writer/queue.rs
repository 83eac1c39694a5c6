//! The queue between the requests and the writer.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use double11_store::StoreError;
use tokio::sync::oneshot;

use crate::work::{Command, Outcome};

/// A command that waits, and who waits for it.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) command: Command,
    pub(crate) fresh_id: i64,
    pub(crate) reply: oneshot::Sender<Result<Outcome, StoreError>>,
}

impl Job {
    pub(super) fn answer(self, answer: Result<Outcome, StoreError>) {
        // The client may have gone; the write stays, and a retry with the same key finds it.
        if self.reply.send(answer).is_err() {
            tracing::debug!("nobody waited for the answer of a write");
        }
    }
}

#[derive(Debug, Default)]
struct Waiting {
    urgent: VecDeque<Job>,
    normal: VecDeque<Job>,
    closed: bool,
}

impl Waiting {
    fn count(&self) -> usize {
        self.urgent.len() + self.normal.len()
    }
}

/// What waits for the writer, up to a bound. More than one writer may take from it.
#[derive(Debug)]
pub(super) struct Queue {
    /// Held only to push, to take or to count, never while a transaction runs.
    waiting: Mutex<Waiting>,
    wake: Condvar,
    max: usize,
    group_max: usize,
}

impl Queue {
    pub(super) fn new(max: usize, group_max: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            wake: Condvar::new(),
            max: max.max(1),
            group_max: group_max.max(1),
        }
    }

    pub(super) fn push(&self, job: Job) -> Result<(), StoreError> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(StoreError::Closed);
        }
        // Urgent commands end what was begun; attempts and the upkeep tasks bound their number.
        let is_urgent = job.command.is_urgent();
        if !is_urgent && waiting.count() >= self.max {
            return Err(StoreError::QueueFull);
        }
        if is_urgent {
            waiting.urgent.push_back(job);
        } else {
            waiting.normal.push_back(job);
        }
        drop(waiting);
        self.wake.notify_one();
        Ok(())
    }

    /// Waits for commands and takes a group, urgent ones first but never more than half of the group
    /// while others wait. None when the queue is closed and empty.
    pub(super) fn take(&self) -> Option<Vec<Job>> {
        let mut waiting = self.lock();
        while waiting.count() == 0 {
            if waiting.closed {
                return None;
            }
            waiting = self
                .wake
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let max = self.group_max;
        let normal_share = waiting.normal.len().min(max / 2);
        let urgent = waiting.urgent.len().min(max - normal_share);
        let normal = waiting.normal.len().min(max - urgent);
        let mut group: Vec<Job> = waiting.urgent.drain(..urgent).collect();
        group.extend(waiting.normal.drain(..normal));
        Some(group)
    }

    /// Closes the queue and hands out everything that waits.
    pub(super) fn abandon(&self) -> Vec<Job> {
        let mut waiting = self.lock();
        waiting.closed = true;
        let urgent = std::mem::take(&mut waiting.urgent);
        let normal = std::mem::take(&mut waiting.normal);
        urgent.into_iter().chain(normal).collect()
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use double11_store::StoreError;
    use double11_units::OrderId;
    use tokio::sync::oneshot;

    use super::{Job, Queue};
    use crate::work::Command;

    fn push(queue: &Queue, command: Command) -> Result<(), StoreError> {
        let (reply, _) = oneshot::channel();
        queue.push(Job {
            command,
            fresh_id: 1,
            reply,
        })
    }

    fn cancel() -> Command {
        Command::Cancel(OrderId::new(1).unwrap())
    }

    #[test]
    fn urgent_commands_go_first_and_leave_half_to_others() {
        let queue = Queue::new(100, 4);
        for _ in 0..5 {
            push(&queue, cancel()).unwrap();
            push(&queue, Command::Expire { limit: 1 }).unwrap();
        }
        let group = queue.take().unwrap();
        let urgent: Vec<bool> = group.iter().map(|job| job.command.is_urgent()).collect();
        assert_eq!(urgent, [true, true, false, false]);
    }

    #[test]
    fn the_queue_is_bounded_for_all_but_urgent_commands() {
        let queue = Queue::new(2, 4);
        push(&queue, cancel()).unwrap();
        push(&queue, cancel()).unwrap();
        assert!(matches!(push(&queue, cancel()), Err(StoreError::QueueFull)));
        push(&queue, Command::Expire { limit: 1 }).unwrap();
    }

    #[test]
    fn what_waits_is_taken_before_the_end() {
        let queue = Queue::new(10, 100);
        push(&queue, cancel()).unwrap();
        queue.close();
        assert!(matches!(push(&queue, cancel()), Err(StoreError::Closed)));
        assert_eq!(queue.take().unwrap().len(), 1);
        assert!(queue.take().is_none());
    }
}
