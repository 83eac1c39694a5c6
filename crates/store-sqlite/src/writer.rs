//! The one writer of a store with the lever `group-commit`.
//!
//! Commands wait in a bounded queue. The writer takes what waits, runs it in one transaction and
//! commits; then the log is synced once and everybody is answered. While that sync runs, the next
//! group collects, and once it is worth it the writer goes on with it (`queue`, `durability`); under
//! light load a group is one command, so nobody waits for company. An error before COMMIT rolls the
//! group back and retries it in halves, so that only the poisonous command fails.

mod durability;
mod queue;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use double11_store::writer::answer_all;
use double11_store::{Clock, FailureSignal, StoreError};
use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use crate::checkpoint::Checkpointer;
use crate::failure::{commit_surely_failed, store_error};
use crate::work::new_orders::NewOrders;
use crate::work::stock::{GroupedStock, changes};
use crate::work::{Command, Outcome, ShopFacts, Work, WorkResult};
use durability::Syncer;
pub(crate) use durability::{Committed, Horizon, Settler, log_path};
pub(crate) use queue::Job;
use queue::{Queue, WhoSyncs};

/// What the writer thread works with.
pub(crate) struct WriterParts {
    pub(crate) connection: Connection,
    pub(crate) checkpointer: Checkpointer,
    pub(crate) facts: ShopFacts,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) failure: FailureSignal,
    pub(crate) queue_max: usize,
    pub(crate) group_max: usize,
    pub(crate) stock: GroupedStock,
    pub(crate) settler: Settler,
    /// What is committed and not yet handed on to be synced.
    pub(crate) committed: Vec<Committed>,
}

/// The handle of the writer thread.
pub(crate) struct Writer {
    queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the writer thread.
    pub(crate) fn start(parts: WriterParts) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::new(parts.queue_max, parts.group_max));
        let taking = Arc::clone(&queue);
        let syncer = Syncer::start(parts.settler.clone(), Arc::clone(&queue))?;
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                let mut ending = Ending {
                    failure: parts.failure.clone(),
                    queue: Arc::clone(&taking),
                    panicked: true,
                };
                let mut parts = parts;
                while let Some(group) = taking.take() {
                    parts.run_group(group);
                    let committed = std::mem::take(&mut parts.committed);
                    match taking.who_syncs(committed.len()) {
                        WhoSyncs::Writer => parts.settler.settle(committed),
                        WhoSyncs::Beside => syncer.take(committed),
                    }
                    parts.checkpointer.finish_if_due(&parts.connection);
                }
                drop(syncer);
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

/// The outcomes of a group, and its commit if it changed anything.
type Done = (Vec<Outcome>, Option<durability::Commit>);

/// Why a group has no outcomes.
enum GroupError {
    /// Nothing of it is stored.
    NothingDone(rusqlite::Error),
    /// It is not known what is stored.
    Unknown(rusqlite::Error),
}

impl WriterParts {
    /// Folds what is left, and takes the hook off the connection, so that the checkpoint thread can end.
    fn close(&mut self) {
        if !self.failure.is_raised()
            && let Err(error) = changes::fold_everything(&self.connection)
        {
            tracing::warn!(%error, "changes of the stock are left to the next start");
        }
        let no_hook = None::<fn(&mut rusqlite::hooks::Wal, i32) -> rusqlite::Result<()>>;
        if let Err(error) = self.connection.wal_hook(no_hook) {
            tracing::warn!(%error, "the hook of the log stays");
        }
        self.checkpointer.stop();
    }

    /// Runs a group. What of it is committed waits in `committed`; what failed is answered.
    pub(crate) fn run_group(&mut self, mut jobs: Vec<Job>) {
        if self.failure.is_raised() {
            answer_all(jobs, &StoreError::Closed);
            return;
        }
        match self.try_group(&jobs) {
            Ok((outcomes, commit)) => self.committed.push(Committed {
                jobs,
                outcomes,
                commit,
            }),
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
    fn try_group(&mut self, jobs: &[Job]) -> Result<Done, GroupError> {
        let result = self.transact(jobs);
        // A group that changed nothing was rolled back; after an unknown end nothing is written any more.
        self.stock.end(matches!(&result, Ok((_, Some(_)))));
        result
    }

    fn transact(&mut self, jobs: &[Job]) -> Result<Done, GroupError> {
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
            return Ok((outcomes, None));
        }
        let commit = self.settler.begin();
        match self.connection.execute_batch("COMMIT") {
            Ok(()) => Ok((outcomes, Some(commit))),
            Err(error) if commit_surely_failed(&error) => {
                self.roll_back();
                self.committed.push(Settler::undone(commit));
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
