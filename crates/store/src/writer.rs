//! What the writers of stores have in common: commands that wait in two lanes, and the signal that a
//! store had to stop.
//!
//! How a writer waits, what a group is and when it is answered is each store's own affair.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::{oneshot, watch};

use crate::error::{StoreError, StoreFailure};

/// A command that waits for the writer, and who waits for its outcome.
#[derive(Debug)]
pub struct Job<C, O> {
    /// What is to be done.
    pub command: C,
    /// The id for whatever it makes, fixed before its transaction begins.
    pub fresh_id: i64,
    /// Who is told of the outcome.
    pub reply: oneshot::Sender<Result<O, StoreError>>,
}

impl<C, O> Job<C, O> {
    /// Tells whoever waits. The client may have gone; the write stays, and a retry with the same key
    /// finds it.
    pub fn answer(self, answer: Result<O, StoreError>) {
        drop(self.reply.send(answer));
    }
}

/// Gives everybody the same refusal.
pub fn answer_all<C, O>(jobs: impl IntoIterator<Item = Job<C, O>>, error: &StoreError) {
    for job in jobs {
        job.answer(Err(error.clone()));
    }
}

/// Jobs that wait, up to a bound. Urgent ones, which free what others wait for, go before the others.
#[derive(Debug)]
pub struct Lanes<C, O> {
    urgent: VecDeque<Job<C, O>>,
    normal: VecDeque<Job<C, O>>,
    closed: bool,
    max: usize,
}

impl<C, O> Lanes<C, O> {
    /// Lanes for this many jobs (1 or more).
    pub fn new(max: usize) -> Self {
        Self {
            urgent: VecDeque::new(),
            normal: VecDeque::new(),
            closed: false,
            max: max.max(1),
        }
    }

    /// How many jobs wait.
    pub fn count(&self) -> usize {
        self.urgent.len() + self.normal.len()
    }

    /// Whether no more jobs are taken.
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Takes no more jobs; what waits still waits.
    pub const fn close(&mut self) {
        self.closed = true;
    }

    /// Puts a job into its lane.
    ///
    /// # Errors
    /// [`StoreError::Closed`], and [`StoreError::QueueFull`] for a job that is not urgent. Urgent ones end
    /// what was begun; attempts and the upkeep tasks bound their number.
    pub fn push(&mut self, job: Job<C, O>, is_urgent: bool) -> Result<(), StoreError> {
        if self.closed {
            return Err(StoreError::Closed);
        }
        if is_urgent {
            self.urgent.push_back(job);
        } else if self.count() >= self.max {
            return Err(StoreError::QueueFull);
        } else {
            self.normal.push_back(job);
        }
        Ok(())
    }

    /// Takes a group of at most `max` jobs, urgent ones first but never more than half of the group while
    /// others wait.
    pub fn take(&mut self, max: usize) -> Vec<Job<C, O>> {
        let normal_share = self.normal.len().min(max / 2);
        let urgent = self.urgent.len().min(max - normal_share);
        let normal = self.normal.len().min(max - urgent);
        let mut group: Vec<Job<C, O>> = self.urgent.drain(..urgent).collect();
        group.extend(self.normal.drain(..normal));
        group
    }

    /// Takes no more jobs and hands out everything that waits.
    pub fn abandon(&mut self) -> Vec<Job<C, O>> {
        self.closed = true;
        let urgent = std::mem::take(&mut self.urgent);
        let normal = std::mem::take(&mut self.normal);
        urgent.into_iter().chain(normal).collect()
    }
}

/// The signal that the store had to stop for good; given once.
#[derive(Clone, Debug)]
pub struct FailureSignal {
    sender: Arc<watch::Sender<Option<StoreFailure>>>,
}

impl Default for FailureSignal {
    fn default() -> Self {
        Self::new()
    }
}

impl FailureSignal {
    /// A signal that has not been given.
    pub fn new() -> Self {
        Self {
            sender: Arc::new(watch::Sender::new(None)),
        }
    }

    /// Tells everybody who waits that the store stopped. The first reason stays.
    pub fn raise(&self, reason: String) {
        tracing::error!(reason, "the store had to stop");
        self.sender.send_if_modified(|failure| {
            let is_first = failure.is_none();
            failure.get_or_insert(StoreFailure { reason });
            is_first
        });
    }

    /// Whether the store has stopped.
    pub fn is_raised(&self) -> bool {
        self.sender.borrow().is_some()
    }

    /// Waits until the store stops; for ever if it never does.
    pub async fn wait(self) -> StoreFailure {
        let mut receiver = self.sender.subscribe();
        loop {
            if let Some(failure) = receiver.borrow_and_update().clone() {
                return failure;
            }
            if receiver.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::{Job, Lanes};
    use crate::error::StoreError;

    const URGENT: bool = true;

    fn push(lanes: &mut Lanes<bool, ()>, is_urgent: bool) -> Result<(), StoreError> {
        let (reply, _) = oneshot::channel();
        let job = Job {
            command: is_urgent,
            fresh_id: 1,
            reply,
        };
        lanes.push(job, is_urgent)
    }

    #[test]
    fn urgent_jobs_go_first_and_leave_half_to_others() {
        let mut lanes = Lanes::new(100);
        for _ in 0..5 {
            push(&mut lanes, !URGENT).expect("room");
            push(&mut lanes, URGENT).expect("room");
        }
        let group = lanes.take(4);
        let urgent: Vec<bool> = group.iter().map(|job| job.command).collect();
        assert_eq!(urgent, [true, true, false, false]);
        assert_eq!(lanes.count(), 6);
    }

    #[test]
    fn only_urgent_jobs_pass_the_bound_and_none_the_end() {
        let mut lanes = Lanes::new(2);
        push(&mut lanes, !URGENT).expect("room");
        push(&mut lanes, !URGENT).expect("room");
        let refused = push(&mut lanes, !URGENT);
        assert!(matches!(refused, Err(StoreError::QueueFull)));
        push(&mut lanes, URGENT).expect("always");
        lanes.close();
        let refused = push(&mut lanes, URGENT);
        assert!(matches!(refused, Err(StoreError::Closed)));
        assert_eq!(
            lanes.take(10).len(),
            3,
            "what waits is taken before the end"
        );
    }
}
