//! Moving the write-ahead log into the file without making the writer wait.
//!
//! SQLite's own automatic checkpoint runs inside whichever COMMIT makes the log long enough, and syncs
//! the whole file there: every write behind it waits. Here a thread of its own does the bulk with a
//! `PASSIVE` checkpoint, which never blocks a writer, and does it twice, so that little is left; then
//! the writer moves that rest between two groups, and the log starts again from its beginning.
//! Durability is not touched: a commit is in the synced log before it is answered, as ever.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::file;

/// Pages in the log from which on it is moved: 64 MiB.
const LOG_PAGES: i32 = 16_384;

/// Moves everything that no reader holds back. The answer's columns are busy, log pages, moved pages.
const PASSIVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// What the writer and the thread tell each other.
#[derive(Debug, Default)]
struct Signals {
    /// The thread is at work or was asked to be.
    working: AtomicBool,
    /// The thread has moved the bulk; the writer should move the rest.
    rest_due: AtomicBool,
}

/// The thread that moves the log, as the writer knows it. Ends when dropped.
#[derive(Debug)]
pub(crate) struct Checkpointer {
    signals: Arc<Signals>,
    thread: Option<JoinHandle<()>>,
    requests: Option<SyncSender<()>>,
}

impl Checkpointer {
    /// Takes over from SQLite's automatic checkpoint on the writer's connection.
    pub(crate) fn start(writer: &mut Connection, path: &Path) -> rusqlite::Result<Self> {
        let signals = Arc::new(Signals::default());
        let (requests, asked) = sync_channel(1);
        let connection = file::connect_kept(path)?;
        let seen = Arc::clone(&signals);
        let thread = std::thread::Builder::new()
            .name("store-checkpoint".to_owned())
            .spawn(move || move_on_request(&connection, &asked, &seen))
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        let hooked = Arc::clone(&signals);
        let ask = requests.clone();
        writer.wal_hook(Some(move |_log: &mut rusqlite::hooks::Wal, pages| {
            if pages >= LOG_PAGES
                && !hooked.working.swap(true, Ordering::Relaxed)
                && let Err(TrySendError::Disconnected(())) = ask.try_send(())
            {
                tracing::error!("the checkpoint thread is gone; the log grows");
            }
            Ok(())
        }))?;
        Ok(Self {
            signals,
            thread: Some(thread),
            requests: Some(requests),
        })
    }

    /// Called by the writer between two groups: moves the rest after the thread moved the bulk.
    pub(crate) fn finish_if_due(&self, writer: &Connection) {
        if !self.signals.rest_due.swap(false, Ordering::Acquire) {
            return;
        }
        move_log(writer);
        self.signals.working.store(false, Ordering::Relaxed);
    }

    /// Ends the thread. The writer's hook must be gone by then.
    pub(crate) fn stop(&mut self) {
        self.requests = None;
        if self
            .thread
            .take()
            .is_some_and(|thread| thread.join().is_err())
        {
            tracing::error!("the checkpoint thread panicked");
        }
    }
}

fn move_on_request(connection: &Connection, asked: &Receiver<()>, signals: &Signals) {
    while asked.recv().is_ok() {
        move_log(connection);
        move_log(connection);
        signals.rest_due.store(true, Ordering::Release);
    }
}

/// A checkpoint that fails leaves the log as it is; the next one tries again.
fn move_log(connection: &Connection) {
    if let Err(error) = connection.query_row(PASSIVE, [], |_| Ok(())) {
        tracing::warn!(%error, "a checkpoint failed; the log keeps what it held");
    }
}
