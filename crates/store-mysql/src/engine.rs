//! One transaction for a group of commands, and what its end means.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use double11_store::{Clock, StockPolicy, Stopwatch, StoreObserver};
use mysql::Value;

use crate::failure::{code, is_lost, is_transient, server_code};
use crate::memory::Memory;
use crate::session::Session;
use crate::work::decide::{Decision, doubtful_keys, is_refused_in_hope};
use crate::work::load::{Loader, Trust, order_keys_of};
use crate::work::set::WorkingSet;
use crate::work::write::write;
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
    /// What was read before, where the shop keeps it.
    pub(crate) memory: Option<Memory>,
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
            WorkError::Overtaken | WorkError::Outsold => Self::Again(error),
            WorkError::Mysql(_) | WorkError::Damaged(_) => Self::Failed(error),
        }
    }
}

/// A group in a try.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group<'tasks> {
    pub(crate) tasks: &'tasks [Task<'tasks>],
    pub(crate) mark: Option<Mark>,
    /// Whether this is another try of a group.
    pub(crate) is_again: bool,
}

/// What a group came to before it is committed.
struct Worked {
    outcomes: Vec<Outcome>,
    set: WorkingSet,
}

impl Engine {
    /// Runs a group in one transaction; answers only once it is durable.
    pub(crate) fn run(
        &self,
        session: &mut Session,
        group: Group<'_>,
    ) -> Result<Vec<Outcome>, GroupError> {
        let trust = self.trust(&group);
        let worked = self.work(session, group, trust);
        let Worked { outcomes, set } = match worked {
            Ok(worked) => worked,
            Err(error) => {
                session.roll_back();
                let error = GroupError::before_commit(error);
                self.learn_of(&error, trust);
                return Err(error);
            }
        };
        if !set.is_changed() {
            session.roll_back();
            self.learn_levels(&set);
            return Ok(outcomes);
        }
        let stopwatch = Stopwatch::start();
        match session.commit() {
            Ok(()) => {
                self.observer
                    .committed(group.tasks.len(), stopwatch.elapsed());
                self.learn_levels(&set);
                Ok(outcomes)
            }
            Err(error) if surely_rolled_back(&error) => {
                session.roll_back();
                Err(GroupError::before_commit(error.into()))
            }
            Err(error) => Err(GroupError::Unknown(error, outcomes)),
        }
    }

    /// What is taken as remembered: nothing in another try, nor where stock is not guarded.
    fn trust(&self, group: &Group<'_>) -> Trust {
        match &self.memory {
            Some(memory) if !group.is_again && self.stock_policy == StockPolicy::Guarded => Trust {
                keys: memory.trusts_keys(),
                stock: true,
            },
            _ => Trust::default(),
        }
    }

    fn learn_levels(&self, set: &WorkingSet) {
        if let Some(memory) = &self.memory {
            memory.learn_levels(&set.stock);
        }
    }

    /// Notes a key that was taken for new and is not.
    fn learn_of(&self, error: &GroupError, trust: Trust) {
        let is_claimed = match error {
            GroupError::Again(WorkError::Mysql(error)) => {
                server_code(error) == Some(code::DUPLICATE_ROW)
            }
            GroupError::Again(WorkError::Overtaken) => true,
            _ => false,
        };
        if let Some(memory) = self.memory.as_ref().filter(|_| trust.keys && is_claimed) {
            memory.doubt_keys();
        }
    }

    /// Load, decide, write.
    fn work(&self, session: &mut Session, group: Group<'_>, trust: Trust) -> WorkResult<Worked> {
        let Group { tasks, mark, .. } = group;
        let begun = self.clock.now();
        let places = |task: &Task<'_>| matches!(task.command, Command::Place(_));
        let policy = if tasks.iter().any(places) {
            self.stock_policy
        } else {
            StockPolicy::Guarded
        };
        let load = |session: &mut Session| {
            let mut loader = Loader {
                session,
                facts: self.facts,
                now: begun,
                memory: self.memory.as_ref(),
                trust,
                policy,
            };
            loader.load(tasks)
        };
        let stock_before = match policy {
            StockPolicy::Guarded => None,
            StockPolicy::ReadThenWrite => Some(load(session)?.stock),
        };
        session.begin()?;
        let mut set = load(session)?;
        if let Some(stock) = stock_before {
            set.stock = stock;
        }
        // Read under the locks: another shop may have held them until a moment ago, and what was written
        // then must not seem to be of later.
        let now = self.clock.now();
        let mut decision = Decision {
            set: &mut set,
            facts: self.facts,
            now,
        };
        let outcomes = decision.decide_all(tasks)?;
        if is_refused_in_hope(&outcomes, &set) {
            return Err(WorkError::Outsold);
        }
        let doubtful = doubtful_keys(tasks, &outcomes, &set);
        if !doubtful.is_empty() && !order_keys_of(session, &self.facts, doubtful)?.is_empty() {
            return Err(WorkError::Overtaken);
        }
        if set.is_changed() {
            let written = write(session, &set, now, policy)
                .and_then(|()| note(session, mark))
                .and_then(|()| session.flush());
            written.map_err(|error| disappointment(error, trust))?;
        }
        Ok(Worked { outcomes, set })
    }
}

/// Puts the group's number into the row of its writer.
fn note(session: &mut Session, mark: Option<Mark>) -> WorkResult<()> {
    let Some(mark) = mark else {
        return Ok(());
    };
    session.put(
        "UPDATE writers SET last_group = ? WHERE writer_id = ?",
        vec![Value::Int(mark.group), Value::Int(mark.writer_id)],
        Some(1),
    )
}

/// What an error says of a group that hoped for enough stock: others may have taken it meanwhile.
fn disappointment(error: WorkError, trust: Trust) -> WorkError {
    match error {
        WorkError::Mysql(cause)
            if trust.stock
                && server_code(&cause).is_some_and(|code| code::BROKEN_RULE.contains(&code)) =>
        {
            WorkError::Outsold
        }
        other => other,
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
