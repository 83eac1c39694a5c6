//! Where a request gets its connection: a new one each time, or one of a pool.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use double11_store::{Stopwatch, StoreError};
use tokio::sync::Semaphore;

use crate::connect::Connector;
use crate::engine::{AGAIN_MAX, GroupError, TRIES_MAX, pause};
use crate::failure::store_error;
use crate::health::Health;
use crate::session::{Session, Style};
use crate::work::WorkError;

/// Requests that have a connection of their own at the same time, without the lever `pool`. A server
/// lets 151 in by default.
const PER_REQUEST_MAX: usize = 100;
/// How long a request waits until it may have a connection.
const WAIT_MAX: Duration = Duration::from_secs(2);
/// How long a request that lost its connection tries again.
const LOST_MAX: Duration = Duration::from_secs(1);

/// The connections that requests use.
#[derive(Debug)]
pub(crate) struct Connections {
    connector: Connector,
    health: Arc<Health>,
    permits: Arc<Semaphore>,
    /// Connections that nobody uses now; none where each request has its own.
    free: Option<Mutex<Vec<Session>>>,
}

/// What a piece of work with a connection ended in, when it did not succeed.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Try again with the same connection.
    Again(WorkError),
    /// Try again with another connection.
    Lost(WorkError),
    /// Give up.
    Final(StoreError),
}

impl From<GroupError> for Trouble {
    fn from(error: GroupError) -> Self {
        match error {
            GroupError::Again(error) => Self::Again(error),
            GroupError::Lost(error) => Self::Lost(error),
            GroupError::Failed(error) => Self::Final(store_error(error)),
            GroupError::Unknown(error, _) => {
                tracing::warn!(%error, "COMMIT was not answered");
                Self::Final(StoreError::OutcomeUnknown)
            }
        }
    }
}

impl Connections {
    pub(crate) fn per_request(connector: Connector, health: Arc<Health>) -> Self {
        Self {
            connector,
            health,
            permits: Arc::new(Semaphore::new(PER_REQUEST_MAX)),
            free: None,
        }
    }

    pub(crate) fn pooled(connector: Connector, health: Arc<Health>, size: usize) -> Self {
        Self {
            connector,
            health,
            permits: Arc::new(Semaphore::new(size.max(1))),
            free: Some(Mutex::default()),
        }
    }

    /// Runs `work` with a connection on a thread that may block, again while that makes sense.
    pub(crate) async fn run<T, F>(self: Arc<Self>, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Session) -> Result<T, Trouble> + Send + 'static,
    {
        self.health.check()?;
        let waiting = Arc::clone(&self.permits).acquire_owned();
        let permit = tokio::time::timeout(WAIT_MAX, waiting)
            .await
            .map_err(|_| StoreError::Busy)?
            .map_err(|_| StoreError::Closed)?;
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            self.run_here(work)
        })
        .await
        .map_err(|_| StoreError::OutcomeUnknown)?
    }

    fn run_here<T>(
        &self,
        mut work: impl FnMut(&mut Session) -> Result<T, Trouble>,
    ) -> Result<T, StoreError> {
        let since = Stopwatch::start();
        let mut session = self.take()?;
        let mut tries = 0;
        loop {
            match work(&mut session) {
                Ok(done) => {
                    self.give_back(session);
                    return Ok(done);
                }
                Err(Trouble::Final(error)) => {
                    self.give_back(session);
                    return Err(error);
                }
                Err(Trouble::Again(error)) => {
                    tries += 1;
                    if tries >= TRIES_MAX || since.elapsed() >= AGAIN_MAX {
                        self.give_back(session);
                        return Err(store_error(error));
                    }
                    tracing::debug!(%error, tries, "trying again");
                    pause(tries);
                }
                Err(Trouble::Lost(error)) => {
                    tries += 1;
                    if let WorkError::Mysql(cause) = &error {
                        self.health.note(cause, false);
                    }
                    if tries >= TRIES_MAX || since.elapsed() >= LOST_MAX || self.health.is_down() {
                        return Err(store_error(error));
                    }
                    // The others were made at the same server and are probably lost too.
                    self.forget_free();
                    session = self.connect()?;
                }
            }
        }
    }

    fn take(&self) -> Result<Session, StoreError> {
        let kept = self
            .free
            .as_ref()
            .and_then(|free| free.lock().unwrap_or_else(PoisonError::into_inner).pop());
        match kept {
            Some(session) => Ok(session),
            None => self.connect(),
        }
    }

    fn connect(&self) -> Result<Session, StoreError> {
        let style = if self.free.is_some() {
            Style::Prepared
        } else {
            Style::Text
        };
        self.connector.connect(style).map_err(|error| {
            self.health.note(&error, true);
            store_error(error.into())
        })
    }

    fn give_back(&self, session: Session) {
        if let Some(free) = &self.free
            && session.is_reusable()
            && !self.permits.is_closed()
        {
            free.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(session);
        }
    }

    fn forget_free(&self) {
        if let Some(free) = &self.free {
            let lost = std::mem::take(&mut *free.lock().unwrap_or_else(PoisonError::into_inner));
            drop(lost);
        }
    }

    /// Closes every connection; requests that come later get [`StoreError::Closed`].
    pub(crate) fn close(&self) {
        self.permits.close();
        self.forget_free();
    }
}
