//! Whether the database answers, and the thread that finds out again.
//!
//! After a failure requests are refused at once, instead of each waiting for its own time-out, until a
//! ping in the background succeeds. The same thread fetches blocks of ids before they run out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use double11_store::StoreError;

use crate::connect::Connector;
use crate::failure::{Down, is_lost, is_timeout};
use crate::ids::{IdSource, reserve};
use crate::session::Style;
use crate::work::{WorkError, WorkResult};

/// How long a ping waits for an answer. A database that only is slow answers it within that time.
const PING_MAX: Duration = Duration::from_secs(2);
/// Between two pings of a database that does not answer.
const PING_EVERY: Duration = Duration::from_millis(100);

#[derive(Debug, Default)]
struct Wants {
    ping: bool,
    ids: bool,
    closed: bool,
}

/// What is known of the database's health; shared by everybody who uses it.
#[derive(Debug, Default)]
pub(crate) struct Health {
    is_down: AtomicBool,
    /// Held only to note what is wanted.
    wants: Mutex<Wants>,
    wake: Condvar,
}

impl Health {
    /// Refuses at once while the database is known not to answer.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.is_down() {
            Err(StoreError::Unavailable(Arc::new(Down)))
        } else {
            Ok(())
        }
    }

    pub(crate) fn is_down(&self) -> bool {
        self.is_down.load(Ordering::SeqCst)
    }

    /// Looks at an error of a connection that could not be made, or that was met on one. Whoever is
    /// refused is down; whoever is silent for too long may only have much to do, and a ping tells.
    pub(crate) fn note(&self, error: &mysql::Error, while_connecting: bool) {
        let is_silent = is_timeout(error);
        if !(is_silent || while_connecting && is_lost(error)) {
            return;
        }
        if !is_silent {
            self.note_down(error);
        }
        self.lock().ping = true;
        self.wake.notify_all();
    }

    /// The database does not answer, not even a ping.
    fn note_down(&self, error: &mysql::Error) {
        if !self.is_down.swap(true, Ordering::SeqCst) {
            tracing::warn!(%error, "the database does not answer");
        }
        self.wake.notify_all();
    }

    /// Waits for what a ping that is under way finds out, if there is one, and refuses while the
    /// database does not answer: a writer would find it out only by waiting as long as another has waited already.
    pub(crate) fn check_pinged(&self) -> Result<(), StoreError> {
        let wants = self.lock();
        let is_open = |wants: &mut Wants| wants.ping && !wants.closed && !self.is_down();
        drop(self.wake.wait_timeout_while(wants, 2 * PING_MAX, is_open));
        self.check()
    }

    /// Asks for another block of ids.
    pub(crate) fn want_ids(&self) {
        self.lock().ids = true;
        self.wake.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Wants> {
        self.wants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something is to be done; false when the store was closed.
    fn wait(&self) -> bool {
        let mut wants = self.lock();
        while !wants.closed && !wants.ping && !wants.ids {
            wants = self
                .wake
                .wait(wants)
                .unwrap_or_else(PoisonError::into_inner);
        }
        !wants.closed
    }

    /// Waits before the next try, unless the store is closed meanwhile.
    fn wait_for_next_try(&self) {
        let wants = self.lock();
        let waited = self
            .wake
            .wait_timeout_while(wants, PING_EVERY, |wants| !wants.closed);
        drop(waited);
    }
}

/// The thread that pings and fetches ids.
#[derive(Debug)]
pub(crate) struct Upkeep {
    health: Arc<Health>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Upkeep {
    pub(crate) fn start(
        connector: Connector,
        health: Arc<Health>,
        ids: Arc<IdSource>,
    ) -> std::io::Result<Self> {
        let shared = Arc::clone(&health);
        let connector = Connector {
            target: connector.target.with_patience(PING_MAX),
            ..connector
        };
        let thread = std::thread::Builder::new()
            .name("store-upkeep".to_owned())
            .spawn(move || {
                while shared.wait() {
                    if let Err(error) = look_after(&connector, &shared, &ids) {
                        tracing::debug!(%error, "the database still does not answer");
                        shared.wait_for_next_try();
                    }
                }
            })?;
        Ok(Self {
            health,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Ends the thread. Blocks until what it has begun is over.
    pub(crate) fn close(&self) {
        self.health.lock().closed = true;
        self.health.wake.notify_all();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the upkeep thread panicked");
        }
    }
}

/// Does what is wanted. A success proves that the database answers.
fn look_after(connector: &Connector, health: &Health, ids: &IdSource) -> WorkResult<()> {
    let asked = connector.connect(Style::Text).and_then(|mut session| {
        session.run("SELECT 1")?;
        Ok(session)
    });
    let mut session = asked.inspect_err(|error| health.note_down(error))?;
    if health.is_down.swap(false, Ordering::SeqCst) {
        tracing::info!("the database answers again");
    }
    let (wants_ids, _pinged) = {
        let mut wants = health.lock();
        (wants.ids, std::mem::take(&mut wants.ping))
    };
    health.wake.notify_all();
    if wants_ids {
        match reserve(&mut session) {
            Ok(block) => {
                ids.add(block);
                health.lock().ids = false;
            }
            Err(error) => {
                if let WorkError::Mysql(cause) = &error {
                    health.note(cause, false);
                }
                return Err(error);
            }
        }
    }
    Ok(())
}
