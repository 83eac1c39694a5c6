//! The one writer of a store with the lever `group-commit`.
//!
//! Commands wait in a bounded queue. The writer takes what waits, runs it in one transaction, syncs
//! once and answers everybody. While it syncs, the next group collects; under light load a group is
//! one command, so nobody waits for company. An error before COMMIT rolls the group back and retries
//! it in halves, so that only the poisonous command fails.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use double11_store::{Clock, Stopwatch, StoreError, StoreObserver};
use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use crate::checkpoint::Checkpointer;
use crate::failure::{FailureSignal, commit_surely_failed, store_error};
use crate::work::new_orders::NewOrders;
use crate::work::stock::GroupedStock;
use crate::work::{Command, Outcome, ShopFacts, Work, WorkResult};

/// A command that waits, and who waits for it.
pub(crate) struct Job {
    pub(crate) command: Command,
    pub(crate) fresh_id: i64,
    pub(crate) reply: oneshot::Sender<Result<Outcome, StoreError>>,
}

impl Job {
    /// Commands that free what others wait for go before new orders.
    const fn is_urgent(&self) -> bool {
        matches!(
            self.command,
            Command::Finalize(_) | Command::FinishRefund { .. } | Command::Expire { .. }
        )
    }
}

#[derive(Default)]
struct Waiting {
    urgent: VecDeque<Job>,
    normal: VecDeque<Job>,
    writer_sleeps: bool,
    closed: bool,
}

/// The queue between the requests and the writer.
struct Queue {
    /// What waits. Held only to push or to take, never while a transaction runs.
    waiting: Mutex<Waiting>,
    wake: Condvar,
    max: usize,
}

impl Queue {
    fn push(&self, job: Job) -> Result<(), StoreError> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.closed {
            return Err(StoreError::Closed);
        }
        // Urgent commands end what was begun; attempts and the upkeep tasks bound their number.
        if !job.is_urgent() && waiting.urgent.len() + waiting.normal.len() >= self.max {
            return Err(StoreError::QueueFull);
        }
        if job.is_urgent() {
            waiting.urgent.push_back(job);
        } else {
            waiting.normal.push_back(job);
        }
        if waiting.writer_sleeps {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Waits for commands and takes at most `max` of them, urgent ones first but never more than
    /// half of the group while others wait. None when the queue is closed and empty.
    fn take(&self, max: usize) -> Option<Vec<Job>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        while waiting.urgent.is_empty() && waiting.normal.is_empty() {
            if waiting.closed {
                return None;
            }
            waiting.writer_sleeps = true;
            waiting = self
                .wake
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
            waiting.writer_sleeps = false;
        }
        let normal_share = waiting.normal.len().min(max / 2);
        let urgent = waiting.urgent.len().min(max - normal_share);
        let normal = waiting.normal.len().min(max - urgent);
        let mut group: Vec<Job> = waiting.urgent.drain(..urgent).collect();
        group.extend(waiting.normal.drain(..normal));
        Some(group)
    }

    /// Closes the queue and hands out everything that waits.
    fn abandon(&self) -> Vec<Job> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Waiting { urgent, normal, .. } = std::mem::take(&mut *waiting);
        waiting.closed = true;
        urgent.into_iter().chain(normal).collect()
    }

    fn close(&self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.closed = true;
        self.wake.notify_all();
    }
}

/// What the writer thread works with.
pub(crate) struct WriterParts {
    pub(crate) connection: Connection,
    pub(crate) checkpointer: Checkpointer,
    pub(crate) facts: ShopFacts,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Arc<dyn StoreObserver>,
    pub(crate) failure: FailureSignal,
    pub(crate) queue_max: usize,
    pub(crate) group_max: usize,
    pub(crate) stock: GroupedStock,
    pub(crate) herald: Herald,
}

/// Answers those who wait for a group.
///
/// Each of them is a task that has to be woken. Woken from the writer's thread, each would go through
/// the one queue that all threads of the runtime share; so a group is handed to the runtime in one
/// piece, and a thread of the runtime wakes the tasks of its own queue.
#[derive(Debug)]
pub(crate) struct Herald(Option<tokio::runtime::Handle>);

impl Herald {
    /// A herald in the runtime that this is called from; without one it wakes from the writer's thread.
    pub(crate) fn here() -> Self {
        Self(tokio::runtime::Handle::try_current().ok())
    }

    fn announce(&self, jobs: Vec<Job>, outcomes: Vec<Outcome>) {
        let answers = move || {
            for (job, outcome) in jobs.into_iter().zip(outcomes) {
                answer(job, Ok(outcome));
            }
        };
        match &self.0 {
            Some(runtime) => drop(runtime.spawn(async move { answers() })),
            None => answers(),
        }
    }
}

/// The handle of the writer thread.
pub(crate) struct Writer {
    queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the writer thread.
    pub(crate) fn start(parts: WriterParts) -> std::io::Result<Self> {
        let queue = Arc::new(Queue {
            waiting: Mutex::default(),
            wake: Condvar::new(),
            max: parts.queue_max.max(1),
        });
        let taking = Arc::clone(&queue);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                let mut ending = Ending {
                    failure: parts.failure.clone(),
                    queue: Arc::clone(&taking),
                    panicked: true,
                };
                let group_max = parts.group_max.max(1);
                let mut parts = parts;
                while let Some(group) = taking.take(group_max) {
                    parts.run_group(group);
                    parts.checkpointer.finish_if_due(&parts.connection);
                }
                parts.close();
                ending.panicked = false;
            })?;
        Ok(Self {
            queue,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Queues a command; the answer comes when it is durable.
    pub(crate) fn submit(
        &self,
        command: Command,
        fresh_id: i64,
    ) -> Result<oneshot::Receiver<Result<Outcome, StoreError>>, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.queue.push(Job {
            command,
            fresh_id,
            reply,
        })?;
        Ok(answer)
    }

    /// Lets the writer finish what is queued and waits for its end. Blocks.
    pub(crate) fn close(&self) {
        self.queue.close();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the writer thread panicked");
        }
    }
}

/// Raises the failure signal and answers what waits when the writer thread ends by a panic.
struct Ending {
    failure: FailureSignal,
    queue: Arc<Queue>,
    panicked: bool,
}

impl Drop for Ending {
    fn drop(&mut self) {
        if self.panicked {
            self.failure.raise("the writer thread panicked".to_owned());
            // Nobody will take what waits; whoever waits must be told.
            answer_all(self.queue.abandon(), &StoreError::Closed);
        }
    }
}

/// Why a group has no outcomes.
enum GroupError {
    /// Nothing of it is stored.
    NothingDone(rusqlite::Error),
    /// It is not known what is stored.
    Unknown(rusqlite::Error),
}

impl WriterParts {
    /// Takes the hook off the connection, so that the checkpoint thread can end.
    fn close(&mut self) {
        let no_hook = None::<fn(&mut rusqlite::hooks::Wal, i32) -> rusqlite::Result<()>>;
        if let Err(error) = self.connection.wal_hook(no_hook) {
            tracing::warn!(%error, "the hook of the log stays");
        }
        self.checkpointer.stop();
    }

    pub(crate) fn run_group(&mut self, mut jobs: Vec<Job>) {
        if self.failure.is_raised() {
            answer_all(jobs, &StoreError::Closed);
            return;
        }
        match self.try_group(&jobs) {
            Ok(outcomes) => self.herald.announce(jobs, outcomes),
            Err(GroupError::NothingDone(error)) if jobs.len() > 1 && may_be_poison(&error) => {
                tracing::warn!(%error, commands = jobs.len(), "retrying a group in halves");
                let second = jobs.split_off(jobs.len() / 2);
                self.run_group(jobs);
                self.run_group(second);
            }
            Err(GroupError::NothingDone(error)) => {
                tracing::error!(%error, commands = jobs.len(), "a group was rolled back");
                answer_all(jobs, &store_error(error));
            }
            Err(GroupError::Unknown(error)) => {
                self.failure.raise(format!("COMMIT failed: {error}"));
                answer_all(jobs, &StoreError::OutcomeUnknown);
            }
        }
    }

    /// Runs a group; what is known of the stock follows what became of it.
    fn try_group(&mut self, jobs: &[Job]) -> Result<Vec<Outcome>, GroupError> {
        let result = self.transact(jobs);
        // After an unknown end nothing is written any more.
        self.stock.end(result.is_ok());
        result
    }

    fn transact(&mut self, jobs: &[Job]) -> Result<Vec<Outcome>, GroupError> {
        self.connection
            .execute_batch("BEGIN IMMEDIATE")
            .map_err(GroupError::NothingDone)?;
        let outcomes = match self.work(jobs) {
            Ok(outcomes) => outcomes,
            Err(error) => {
                self.roll_back();
                return Err(GroupError::NothingDone(error.into_sqlite()));
            }
        };
        if outcomes.iter().all(Outcome::changed_nothing) {
            self.roll_back();
            return Ok(outcomes);
        }
        let stopwatch = Stopwatch::start();
        match self.connection.execute_batch("COMMIT") {
            Ok(()) => {
                self.observer.committed(jobs.len(), stopwatch.elapsed());
                Ok(outcomes)
            }
            Err(error) if commit_surely_failed(&error) => {
                self.roll_back();
                Err(GroupError::NothingDone(error))
            }
            Err(error) => Err(GroupError::Unknown(error)),
        }
    }

    fn work(&mut self, jobs: &[Job]) -> WorkResult<Vec<Outcome>> {
        let mut work = Work {
            connection: &self.connection,
            facts: self.facts,
            now: self.clock.now(),
            stock: &mut self.stock,
            new_orders: NewOrders::default(),
        };
        let outcomes = jobs
            .iter()
            .map(|job| work.execute(&job.command, job.fresh_id))
            .collect::<WorkResult<Vec<Outcome>>>()?;
        work.finish()?;
        Ok(outcomes)
    }

    fn roll_back(&self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            self.failure.raise(format!("ROLLBACK failed: {error}"));
        }
    }
}

/// Whether one command of the group may be the cause, so that the others deserve another try.
fn may_be_poison(error: &rusqlite::Error) -> bool {
    !matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::ReadOnly
                | ErrorCode::DatabaseBusy
                | ErrorCode::CannotOpen
                | ErrorCode::DatabaseCorrupt
        )
    )
}

fn answer(job: Job, answer: Result<Outcome, StoreError>) {
    // The client may have gone; the write stays, and a retry with the same key finds it.
    if job.reply.send(answer).is_err() {
        tracing::debug!("nobody waited for the answer of a write");
    }
}

fn answer_all(jobs: Vec<Job>, error: &StoreError) {
    for job in jobs {
        answer(job, Err(error.clone()));
    }
}
