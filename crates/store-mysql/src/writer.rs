//! The writers of a shop with the lever `group-commit`.
//!
//! Commands wait in a bounded queue. A writer that is free takes what waits, runs it in one transaction,
//! commits once and answers everybody; meanwhile the next group collects. There are two, so that one works
//! while the other waits for its commit. An error before COMMIT rolls the
//! group back; what only bad luck explains is run again, everything else is retried in halves, so that
//! only the poisonous command fails.
//!
//! A connection lost *at* COMMIT leaves open whether the server heard it. Every group therefore notes its
//! number in the row of its writer, within its transaction. A new connection locks that row, which waits
//! for the old transaction to end one way or the other, and reads whether the number is there.

mod queue;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use double11_store::writer::answer_all;
use double11_store::{FailureSignal, Stopwatch, StoreError};
use mysql::{DriverError, Value};
use tokio::sync::oneshot;

use crate::connect::Connector;
use crate::engine::{AGAIN_MAX, Engine, Group, GroupError, Mark, TRIES_MAX, pause};
use crate::failure::{Down, code, server_code, store_error};
use crate::health::Health;
use crate::open::OpenError;
use crate::session::{Session, Style, int};
use crate::store::open_error;
use crate::work::{Command, Outcome, Task, WorkError, WorkResult};
use queue::{Job, Queue};

/// How long a group whose connection was lost before COMMIT is tried again.
const LOST_MAX: Duration = Duration::from_secs(1);
/// How long it is tried to find out what became of a COMMIT. Longer than one wait for a lock.
const UNKNOWN_MAX: Duration = Duration::from_secs(6);

/// Threads that write: one loads and decides while the other waits for its COMMIT. More were not
/// measured; they would share the same commands, so that groups become smaller.
pub(crate) const WRITERS: usize = 2;

/// What a writer thread works with.
#[derive(Clone)]
pub(crate) struct WriterParts {
    pub(crate) engine: Arc<Engine>,
    pub(crate) connector: Connector,
    pub(crate) health: Arc<Health>,
}

/// What each writer thread has of its own.
pub(crate) struct Desk {
    pub(crate) session: Session,
    /// The number under which this writer notes its groups.
    pub(crate) writer_id: i64,
}

/// Bounds of the queue and of a group, in commands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) queue_max: usize,
    pub(crate) group_max: usize,
}

/// The handle of the writer threads.
#[derive(Debug)]
pub(crate) struct Writers {
    queue: Arc<Queue>,
    health: Arc<Health>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Writers {
    /// Notes the writers in the database and starts their threads.
    pub(crate) fn start(
        parts: &WriterParts,
        desks: Vec<Desk>,
        bounds: Bounds,
        failure: &FailureSignal,
    ) -> Result<Self, OpenError> {
        let writers = Self {
            queue: Arc::new(Queue::new(bounds.queue_max, bounds.group_max)),
            health: Arc::clone(&parts.health),
            threads: Mutex::default(),
        };
        let started = desks
            .into_iter()
            .try_for_each(|desk| writers.start_one(parts, desk, failure));
        if let Err(error) = started {
            writers.close();
            return Err(error);
        }
        Ok(writers)
    }

    fn start_one(
        &self,
        parts: &WriterParts,
        desk: Desk,
        failure: &FailureSignal,
    ) -> Result<(), OpenError> {
        let Desk {
            mut session,
            writer_id,
        } = desk;
        let noted = session.change(
            "INSERT INTO writers (writer_id, last_group, started_at) VALUES (?, 0, ?)",
            vec![
                Value::Int(writer_id),
                Value::Int(parts.engine.clock.now().get()),
            ],
        );
        noted.map_err(|error| open_error(&parts.connector.target, error))?;
        let taking = Arc::clone(&self.queue);
        let mut loop_state = Loop {
            parts: parts.clone(),
            writer_id,
            session: Some(session),
            last_group: 0,
        };
        let failure = failure.clone();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                let mut ending = Ending {
                    failure,
                    queue: Arc::clone(&taking),
                    panicked: true,
                };
                while let Some(group) = taking.take() {
                    let commands = group.len();
                    loop_state.run_group(group, false);
                    taking.finish(commands);
                }
                loop_state.leave();
                ending.panicked = false;
            });
        let thread = thread.map_err(OpenError::Thread)?;
        self.lock_threads().push(thread);
        Ok(())
    }

    /// Queues a command; the answer comes when it is durable.
    pub(crate) fn submit(
        &self,
        command: Command,
        fresh_id: i64,
    ) -> Result<oneshot::Receiver<Result<Outcome, StoreError>>, StoreError> {
        self.health.check()?;
        let (reply, answer) = oneshot::channel();
        self.queue.push(Job {
            command,
            fresh_id,
            reply,
        })?;
        Ok(answer)
    }

    /// Lets the writers finish what is queued and waits for their end. Blocks.
    pub(crate) fn close(&self) {
        self.queue.close();
        let threads = std::mem::take(&mut *self.lock_threads());
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a writer thread panicked");
            }
        }
    }

    fn lock_threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Raises the failure signal and answers what waits when a writer thread ends by a panic.
struct Ending {
    failure: FailureSignal,
    queue: Arc<Queue>,
    panicked: bool,
}

impl Drop for Ending {
    fn drop(&mut self) {
        if self.panicked {
            self.failure.raise("a writer thread panicked".to_owned());
            // Nobody will take what waits; whoever waits must be told.
            answer_all(self.queue.abandon(), &StoreError::Closed);
        }
    }
}

/// A writer thread between two groups.
struct Loop {
    parts: WriterParts,
    writer_id: i64,
    /// None after the connection was lost.
    session: Option<Session>,
    /// The number of the last group that was tried.
    last_group: i64,
}

/// What a try of a group ended in.
enum Tried {
    Done(Vec<Outcome>),
    Again(WorkError),
    Lost(WorkError),
    Failed(WorkError),
    /// It could not be found out what became of its COMMIT.
    Unknown,
}

impl Loop {
    /// Runs a group until everybody in it has an answer.
    fn run_group(&mut self, mut jobs: Vec<Job>, mut is_again: bool) {
        let since = Stopwatch::start();
        let was_down = self.parts.health.is_down();
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_group(&jobs, is_again) {
                Tried::Done(outcomes) => {
                    for (job, outcome) in jobs.into_iter().zip(outcomes) {
                        job.answer(Ok(outcome));
                    }
                    return;
                }
                // However long the first try took: only another one reads and locks everything.
                Tried::Again(error)
                    if !is_again || (tries < TRIES_MAX && since.elapsed() < AGAIN_MAX) =>
                {
                    is_again = true;
                    tracing::debug!(%error, tries, "running a group again");
                    // A hope that failed does not fail again.
                    if tries > 1 || waits_for_locks(&error) {
                        pause(tries);
                    }
                }
                Tried::Lost(error) => {
                    if was_down || since.elapsed() >= LOST_MAX {
                        tracing::warn!(%error, commands = jobs.len(), "a group was given up");
                        return answer_all(jobs, &StoreError::Unavailable(Arc::new(Down)));
                    }
                    pause(tries);
                }
                // Smaller groups would only wait for the same locks, one after the other.
                Tried::Again(error) if waits_for_locks(&error) => {
                    tracing::warn!(%error, commands = jobs.len(), "locks were not free in time");
                    return answer_all(jobs, &StoreError::Busy);
                }
                Tried::Again(error) | Tried::Failed(error) if jobs.len() > 1 => {
                    tracing::warn!(%error, commands = jobs.len(), "retrying a group in halves");
                    let second = jobs.split_off(jobs.len() / 2);
                    self.run_group(jobs, true);
                    return self.run_group(second, true);
                }
                Tried::Again(error) | Tried::Failed(error) => {
                    tracing::error!(%error, "a command was rolled back");
                    return answer_all(jobs, &store_error(error));
                }
                Tried::Unknown => return answer_all(jobs, &StoreError::OutcomeUnknown),
            }
        }
    }

    fn try_group(&mut self, jobs: &[Job], is_again: bool) -> Tried {
        let mut session = match self.take_session() {
            Ok(session) => session,
            Err(error) => return Tried::Lost(error),
        };
        self.last_group += 1;
        let mark = Mark {
            writer_id: self.writer_id,
            group: self.last_group,
        };
        let tasks: Vec<Task<'_>> = jobs
            .iter()
            .map(|job| Task {
                command: &job.command,
                fresh_id: job.fresh_id,
            })
            .collect();
        let group = Group {
            tasks: &tasks,
            mark: Some(mark),
            is_again,
        };
        let ran = self.parts.engine.run(&mut session, group);
        let connection = session.id();
        if session.is_reusable() {
            self.session = Some(session);
        } else {
            drop(session);
        }
        match ran {
            Ok(outcomes) => Tried::Done(outcomes),
            Err(GroupError::Again(error)) => Tried::Again(error),
            Err(GroupError::Failed(error)) => Tried::Failed(error),
            Err(GroupError::Lost(error)) => {
                self.note(&error);
                Tried::Lost(error)
            }
            Err(GroupError::Unknown(error, outcomes)) => {
                tracing::warn!(%error, "COMMIT was not answered; asking what became of it");
                self.find_out(mark, connection, outcomes)
            }
        }
    }

    /// Asks on a new connection whether a group was committed.
    fn find_out(&mut self, mark: Mark, connection: u32, outcomes: Vec<Outcome>) -> Tried {
        let since = Stopwatch::start();
        let mut tries = 0;
        while since.elapsed() < UNKNOWN_MAX {
            tries += 1;
            match self.last_committed(mark.writer_id) {
                Ok(last) if last == mark.group => {
                    let engine = &self.parts.engine;
                    engine.observer.committed(outcomes.len(), since.elapsed());
                    return Tried::Done(outcomes);
                }
                Ok(_) => {
                    let rolled_back = WorkError::Damaged("a COMMIT was not heard");
                    return Tried::Again(rolled_back);
                }
                Err(error) => {
                    tracing::debug!(%error, "it is not known yet what became of a COMMIT");
                    if is_locked(&error) {
                        self.kill(connection);
                    }
                    pause(tries);
                }
            }
        }
        Tried::Unknown
    }

    /// The last group of this writer that is stored. Waits until no transaction holds the row.
    fn last_committed(&mut self, writer_id: i64) -> WorkResult<i64> {
        let mut session = self.take_session()?;
        session.begin()?;
        let last = session.find(
            "SELECT last_group FROM writers WHERE writer_id = ? FOR UPDATE",
            vec![Value::Int(writer_id)],
            |row| int(row, 0),
        );
        session.roll_back();
        if session.is_reusable() {
            self.session = Some(session);
        }
        last?.ok_or(WorkError::Damaged("the row of this writer is gone"))
    }

    /// Ends a connection of ours that the server still believes in, so that its transaction ends.
    fn kill(&mut self, connection: u32) {
        let Ok(mut session) = self.take_session() else {
            return;
        };
        match session.run(&format!("KILL CONNECTION {connection}")) {
            Err(error) if server_code(&error) != Some(code::UNKNOWN_THREAD) => {
                tracing::debug!(%error, "the old connection could not be ended");
            }
            _ => {}
        }
        if session.is_reusable() {
            self.session = Some(session);
        }
    }

    fn take_session(&mut self) -> WorkResult<Session> {
        // Also with a connection: another writer may have found out that nobody answers.
        if self.parts.health.check_pinged().is_err() {
            return Err(mysql::Error::DriverError(DriverError::ConnectTimeout).into());
        }
        if let Some(session) = self.session.take() {
            return Ok(session);
        }
        let made = self.parts.connector.connect(Style::Batched);
        made.map_err(|error| {
            self.parts.health.note(&error, true);
            error.into()
        })
    }

    fn note(&self, error: &WorkError) {
        if let WorkError::Mysql(error) = error {
            self.parts.health.note(error, false);
        }
    }

    /// Takes the writer's row away: it is of no use to anybody after an orderly end.
    fn leave(&mut self) {
        let left = self.take_session().and_then(|mut session| {
            session.change(
                "DELETE FROM writers WHERE writer_id = ?",
                vec![Value::Int(self.writer_id)],
            )
        });
        if let Err(error) = left {
            tracing::debug!(%error, "the row of this writer stays");
        }
    }
}

/// Whether a deadlock or a lock that was not free stood in the way.
fn waits_for_locks(error: &WorkError) -> bool {
    matches!(error, WorkError::Mysql(error) if server_code(error)
        .is_some_and(|number| number == code::LOCK_WAIT || code::TRY_AGAIN.contains(&number)))
}

fn is_locked(error: &WorkError) -> bool {
    matches!(error, WorkError::Mysql(error) if server_code(error) == Some(code::LOCK_WAIT))
}
