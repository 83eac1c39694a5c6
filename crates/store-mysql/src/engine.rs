//! One transaction for a group of commands, and what its end means.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use double11_store::{Clock, StockPolicy, Stopwatch, StoreObserver};
use mysql::Value;

use crate::failure::{code, is_lost, is_transient, server_code};
use crate::session::Session;
use crate::work::decide::{Decision, doubtful_keys};
use crate::work::load::{Loader, Prices, StockLocks, order_keys_of};
use crate::work::write::{StockWrite, write};
use crate::work::{Command, Outcome, ShopFacts, Task, WorkError, WorkResult};

/// Tries of a group that meets deadlocks, waits for locks or rows that others wrote first.
pub(crate) const TRIES_MAX: u32 = 8;
/// How long such a group is tried again, beside the wait under way.
pub(crate) const AGAIN_MAX: Duration = Duration::from_secs(5);
/// The shortest wait before another try; doubles with every try.
const PAUSE: Duration = Duration::from_millis(2);
const PAUSE_MAX: Duration = Duration::from_millis(100);

/// Waits before another try, for a time that differs from shop to shop.
pub(crate) fn pause(tries: u32) {
    let longest = PAUSE.saturating_mul(1 << tries.min(8)).min(PAUSE_MAX);
    let chance = RandomState::new().build_hasher().finish() % 1024;
    let share = u32::try_from(chance).unwrap_or(0);
    std::thread::park_timeout(longest / 2 + longest.saturating_mul(share) / 2048);
}

/// What runs groups; the same for all connections.
pub(crate) struct Engine {
    pub(crate) facts: ShopFacts,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Arc<dyn StoreObserver>,
    pub(crate) stock_policy: StockPolicy,
    /// Prices that were read, where the shop keeps them.
    pub(crate) prices: Option<Prices>,
}

/// By which a group is found again when the connection is lost at its commit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) writer_id: i64,
    pub(crate) group: i64,
}

/// Why a group has no outcomes, or none that is known to be stored.
#[derive(Debug)]
pub(crate) enum GroupError {
    /// Nothing is stored; the same group may succeed when it is run again.
    Again(WorkError),
    /// Nothing is stored; the connection is gone.
    Lost(WorkError),
    /// Nothing is stored, and the cause is in the group or the server.
    Failed(WorkError),
    /// The connection was lost at COMMIT: these are the outcomes if it was heard.
    Unknown(mysql::Error, Vec<Outcome>),
}

impl GroupError {
    /// The meaning of an error before COMMIT.
    pub(crate) fn before_commit(error: WorkError) -> Self {
        match &error {
            WorkError::Mysql(cause) if is_lost(cause) => Self::Lost(error),
            WorkError::Mysql(cause) if is_transient(cause) => Self::Again(error),
            WorkError::Overtaken => Self::Again(error),
            WorkError::Mysql(_) | WorkError::Damaged(_) => Self::Failed(error),
        }
    }
}

impl Engine {
    /// Runs a group in one transaction; answers only once it is durable.
    pub(crate) fn run(
        &self,
        session: &mut Session,
        tasks: &[Task<'_>],
        mark: Option<Mark>,
    ) -> Result<Vec<Outcome>, GroupError> {
        let worked = self.work(session, tasks, mark);
        let (outcomes, is_changed) = match worked {
            Ok(worked) => worked,
            Err(error) => {
                session.roll_back();
                return Err(GroupError::before_commit(error));
            }
        };
        if !is_changed {
            session.roll_back();
            return Ok(outcomes);
        }
        let stopwatch = Stopwatch::start();
        match session.commit() {
            Ok(()) => {
                self.observer.committed(tasks.len(), stopwatch.elapsed());
                Ok(outcomes)
            }
            Err(error) if surely_rolled_back(&error) => {
                session.roll_back();
                Err(GroupError::before_commit(error.into()))
            }
            Err(error) => Err(GroupError::Unknown(error, outcomes)),
        }
    }

    /// Load, decide, write. Tells the outcomes, and whether anything is to be committed.
    fn work(
        &self,
        session: &mut Session,
        tasks: &[Task<'_>],
        mark: Option<Mark>,
    ) -> WorkResult<(Vec<Outcome>, bool)> {
        let now = self.clock.now();
        let is_unlocked = self.stock_policy == StockPolicy::ReadThenWrite
            && tasks
                .iter()
                .any(|task| matches!(task.command, Command::Place(_)));
        let locks = if is_unlocked {
            StockLocks::Unlocked
        } else {
            StockLocks::Locked
        };
        let load = |session: &mut Session| {
            let prices = self.prices.as_ref();
            let facts = self.facts;
            let mut loader = Loader {
                session,
                facts,
                now,
                prices,
                locks,
            };
            loader.load(tasks)
        };
        let stock_before = if is_unlocked {
            Some(load(session)?.stock)
        } else {
            None
        };
        session.begin()?;
        let mut set = load(session)?;
        if let Some(stock) = stock_before {
            set.stock = stock;
        }
        let mut decision = Decision {
            set: &mut set,
            facts: self.facts,
            now,
        };
        let outcomes = decision.decide_all(tasks)?;
        let doubtful = doubtful_keys(tasks, &outcomes, &set);
        if !doubtful.is_empty() && !order_keys_of(session, &self.facts, doubtful)?.is_empty() {
            return Err(WorkError::Overtaken);
        }
        if !set.is_changed() {
            return Ok((outcomes, false));
        }
        let stock = if is_unlocked {
            StockWrite::Overwrite
        } else {
            StockWrite::Guarded
        };
        write(session, &set, now, stock)?;
        if let Some(mark) = mark {
            session.change_exactly(
                1,
                "UPDATE writers SET last_group = ? WHERE writer_id = ?",
                vec![Value::Int(mark.group), Value::Int(mark.writer_id)],
            )?;
        }
        Ok((outcomes, true))
    }
}

/// Whether the server's answer to COMMIT says that nothing was stored.
fn surely_rolled_back(error: &mysql::Error) -> bool {
    server_code(error)
        .is_some_and(|number| is_transient(error) || code::READ_ONLY.contains(&number))
}

#[cfg(test)]
mod tests {
    use super::GroupError;
    use crate::work::WorkError;

    fn server(code: u16) -> WorkError {
        WorkError::Mysql(mysql::Error::MySqlError(mysql::MySqlError {
            state: "HY000".to_owned(),
            message: String::new(),
            code,
        }))
    }

    #[test]
    fn errors_before_commit_are_told_apart() {
        for code in [1205, 1213, 1062] {
            let meaning = GroupError::before_commit(server(code));
            assert!(matches!(meaning, GroupError::Again(_)), "{code}");
        }
        for code in [1053, 1927, 4031] {
            let meaning = GroupError::before_commit(server(code));
            assert!(matches!(meaning, GroupError::Lost(_)), "{code}");
        }
        for code in [1406, 3819, 4025, 1290] {
            let meaning = GroupError::before_commit(server(code));
            assert!(matches!(meaning, GroupError::Failed(_)), "{code}");
        }
        let reset = mysql::Error::IoError(std::io::ErrorKind::ConnectionReset.into());
        let meaning = GroupError::before_commit(reset.into());
        assert!(matches!(meaning, GroupError::Lost(_)));
    }
}
