//! The queue between the requests and the writer.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use double11_store::StoreError;
use double11_store::writer::Lanes;

use crate::work::{Command, Outcome};

/// Commands that are worth a group of their own while another group is being synced. Fewer wait for
/// the end of the sync, since a group costs pages of its own.
const WORTH_A_GROUP: usize = 64;
/// Groups that may be in front of the disk.
const UNSYNCED_MAX: usize = 8;

/// A command that waits, and who waits for it.
pub(crate) type Job = double11_store::writer::Job<Command, Outcome>;

struct Waiting {
    lanes: Lanes<Command, Outcome>,
    writer_sleeps: bool,
    /// Groups that the thread beside the writer has still to sync.
    unsynced: usize,
}

impl Waiting {
    /// Whether the writer should begin a group now.
    fn is_due(&self, group_max: usize) -> bool {
        match self.unsynced {
            0 => self.lanes.count() > 0,
            UNSYNCED_MAX.. => false,
            _ => self.lanes.count() >= WORTH_A_GROUP.min(group_max),
        }
    }
}

/// Who syncs a group that has just been committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WhoSyncs {
    /// The writer itself: nothing else is to be done, and nobody has to be woken.
    Writer,
    /// The thread beside it, while the writer goes on with the next group.
    Beside,
}

/// What waits for the writer, up to a bound.
pub(super) struct Queue {
    /// Held only to push, to take or to count, never while a transaction or a sync runs.
    waiting: Mutex<Waiting>,
    wake: Condvar,
    group_max: usize,
}

impl Queue {
    pub(super) fn new(max: usize, group_max: usize) -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                lanes: Lanes::new(max),
                writer_sleeps: false,
                unsynced: 0,
            }),
            wake: Condvar::new(),
            group_max: group_max.max(1),
        }
    }

    pub(super) fn push(&self, job: Job) -> Result<(), StoreError> {
        let is_urgent = job.command.is_urgent();
        let mut waiting = self.lock();
        waiting.lanes.push(job, is_urgent)?;
        if waiting.writer_sleeps && waiting.is_due(self.group_max) {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Waits until a group is due and takes it, urgent commands first but never more than half of the
    /// group while others wait. None when the queue is closed and empty.
    pub(super) fn take(&self) -> Option<Vec<Job>> {
        let mut waiting = self.lock();
        while !waiting.is_due(self.group_max) {
            if waiting.lanes.is_closed() && waiting.unsynced == 0 {
                return None;
            }
            waiting.writer_sleeps = true;
            waiting = self
                .wake
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
            waiting.writer_sleeps = false;
        }
        Some(waiting.lanes.take(self.group_max))
    }

    /// Says who syncs `groups` that were committed right now, and counts them when it is not the
    /// writer. Groups are synced in their order, so never by the writer while others are in front.
    pub(super) fn who_syncs(&self, groups: usize) -> WhoSyncs {
        let mut waiting = self.lock();
        if waiting.unsynced == 0 && waiting.lanes.count() < WORTH_A_GROUP.min(self.group_max) {
            return WhoSyncs::Writer;
        }
        waiting.unsynced += groups;
        WhoSyncs::Beside
    }

    /// Groups have been synced beside the writer.
    pub(super) fn synced(&self, groups: usize) {
        let mut waiting = self.lock();
        waiting.unsynced = waiting.unsynced.saturating_sub(groups);
        if waiting.writer_sleeps {
            self.wake.notify_one();
        }
    }

    /// Closes the queue and hands out everything that waits.
    pub(super) fn abandon(&self) -> Vec<Job> {
        self.lock().lanes.abandon()
    }

    pub(super) fn close(&self) {
        self.lock().lanes.close();
        self.wake.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::{Job, Queue, UNSYNCED_MAX, WORTH_A_GROUP, WhoSyncs};
    use crate::work::Command;

    fn push(queue: &Queue, count: usize) {
        for _ in 0..count {
            let (reply, _) = oneshot::channel();
            let job = Job {
                command: Command::Cancel(double11_units::OrderId::new(1).unwrap()),
                fresh_id: 1,
                reply,
            };
            queue.push(job).unwrap();
        }
    }

    fn is_due(queue: &Queue) -> bool {
        queue.lock().is_due(queue.group_max)
    }

    #[test]
    fn a_group_begins_at_once_unless_another_is_being_synced() {
        let queue = Queue::new(10_000, 1_000);
        assert!(!is_due(&queue));
        push(&queue, 1);
        assert!(is_due(&queue));
        assert_eq!(queue.take().unwrap().len(), 1);
        assert_eq!(queue.who_syncs(1), WhoSyncs::Writer);
        push(&queue, WORTH_A_GROUP);
        assert_eq!(queue.who_syncs(1), WhoSyncs::Beside);
        assert_eq!(queue.take().unwrap().len(), WORTH_A_GROUP);
        assert_eq!(
            queue.who_syncs(1),
            WhoSyncs::Beside,
            "never before the one in front"
        );
        push(&queue, WORTH_A_GROUP - 1);
        assert!(!is_due(&queue), "not worth a group yet");
        queue.synced(2);
        assert_eq!(queue.take().unwrap().len(), WORTH_A_GROUP - 1);
    }

    #[test]
    fn groups_in_front_of_the_disk_are_bounded() {
        let queue = Queue::new(10_000, 100);
        push(&queue, 100 * (UNSYNCED_MAX + 2));
        for _ in 0..UNSYNCED_MAX {
            assert_eq!(queue.take().unwrap().len(), 100);
            assert_eq!(queue.who_syncs(1), WhoSyncs::Beside);
        }
        assert!(!is_due(&queue));
        queue.synced(1);
        assert!(is_due(&queue));
    }

    #[test]
    fn what_waits_is_taken_before_the_end() {
        let queue = Queue::new(10, 100);
        push(&queue, 3);
        queue.close();
        assert_eq!(queue.take().unwrap().len(), 3);
        assert!(queue.take().is_none());
    }
}
