//! Where a request gets its connection: a new one each time, or one of a pool.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use double11_store::StoreError;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::failure::store_error;
use crate::file;

/// The two ways to get a connection.
#[derive(Debug)]
pub(crate) enum Connections {
    /// A connection per request; one idle one is kept so that SQLite keeps its log.
    PerRequest {
        /// The store's file.
        path: PathBuf,
        /// Never used, only kept open.
        idle: Mutex<Option<Connection>>,
    },
    /// A fixed number of connections that are handed out in turn.
    Pooled {
        /// One permit a connection.
        permits: Arc<Semaphore>,
        /// Connections that nobody uses now.
        free: Arc<Mutex<Vec<Connection>>>,
    },
}

impl Connections {
    pub(crate) fn per_request(path: PathBuf, idle: Connection) -> Self {
        Self::PerRequest {
            path,
            idle: Mutex::new(Some(idle)),
        }
    }

    pub(crate) fn pooled(connections: Vec<Connection>) -> Self {
        Self::Pooled {
            permits: Arc::new(Semaphore::new(connections.len())),
            free: Arc::new(Mutex::new(connections)),
        }
    }

    /// Runs `work` with a connection on a thread that may block.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        match self {
            Self::PerRequest { path, .. } => {
                let path = path.clone();
                blocking(move || work(&file::connect(&path).map_err(store_error)?)).await
            }
            Self::Pooled { permits, free } => {
                let permit = Arc::clone(permits)
                    .acquire_owned()
                    .await
                    .map_err(|_| StoreError::Closed)?;
                let free = Arc::clone(free);
                blocking(move || {
                    let _permit = permit;
                    let lease = Lease::take(&free)?;
                    work(lease.connection()?)
                })
                .await
            }
        }
    }

    /// Closes every connection; requests that come later get [`StoreError::Closed`].
    pub(crate) fn close(&self) {
        match self {
            Self::PerRequest { idle, .. } => {
                drop(idle.lock().map(|mut idle| idle.take()));
            }
            Self::Pooled { permits, free } => {
                permits.close();
                drop(free.lock().map(|mut free| std::mem::take(&mut *free)));
            }
        }
    }
}

async fn blocking<T, F>(work: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, StoreError> + Send + 'static,
{
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| StoreError::OutcomeUnknown)?
}

/// A pooled connection that goes back when dropped, also when the work panics.
struct Lease<'pool> {
    free: &'pool Mutex<Vec<Connection>>,
    connection: Option<Connection>,
}

impl<'pool> Lease<'pool> {
    fn take(free: &'pool Mutex<Vec<Connection>>) -> Result<Self, StoreError> {
        let connection = free.lock().map_err(|_| StoreError::Closed)?.pop();
        Ok(Self { free, connection })
    }

    fn connection(&self) -> Result<&Connection, StoreError> {
        self.connection.as_ref().ok_or(StoreError::Closed)
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        if !connection.is_autocommit() && connection.execute_batch("ROLLBACK").is_err() {
            tracing::warn!("a pooled connection was left in a transaction");
        }
        if let Ok(mut free) = self.free.lock() {
            free.push(connection);
        }
    }
}
