//! From a commit to its answer: the log is synced, then everybody who waits is told.
//!
//! The writer's connection commits without a sync (`synchronous=NORMAL`), and the sync is made here,
//! on the log itself, before anything of the commit is told to anybody: neither an answer nor what a
//! reader saw of it. So that the disk and the writer work at the same time, a thread beside the writer
//! syncs while the writer goes on with the next group; under light load the writer syncs by itself.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use double11_store::{FailureSignal, Stopwatch, StoreError, StoreObserver};
use tokio::sync::watch;

use super::queue::{Job, Queue};
use crate::work::Outcome;

/// The write-ahead log beside a store's file.
pub(crate) fn log_path(store: &Path) -> PathBuf {
    let mut path = store.as_os_str().to_owned();
    path.push("-wal");
    path.into()
}

/// Up to which commit the log is on the disk.
#[derive(Debug)]
pub(crate) struct Horizon {
    /// The last commit that was begun; what it changed may be visible to readers.
    begun: AtomicU64,
    durable: watch::Sender<u64>,
    failure: FailureSignal,
}

impl Horizon {
    pub(crate) fn new(failure: FailureSignal) -> Self {
        Self {
            begun: AtomicU64::new(0),
            durable: watch::Sender::new(0),
            failure,
        }
    }

    /// A commit begins; its number.
    fn begin(&self) -> u64 {
        self.begun.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn reach(&self, number: u64) {
        self.durable.send_if_modified(|durable| {
            let is_further = number > *durable;
            *durable = number.max(*durable);
            is_further
        });
    }

    /// Waits until everything that a reader can have seen by now is durable.
    ///
    /// # Errors
    /// [`StoreError::Closed`] when it never will be.
    pub(crate) async fn passed(&self) -> Result<(), StoreError> {
        let begun = self.begun.load(Ordering::SeqCst);
        if *self.durable.borrow() >= begun {
            return Ok(());
        }
        let mut durable = self.durable.subscribe();
        tokio::select! {
            reached = durable.wait_for(|durable| *durable >= begun) => {
                reached.map(drop).map_err(|_| StoreError::Closed)
            }
            _ = self.failure.clone().wait() => Err(StoreError::Closed),
        }
    }
}

/// A group that is committed and not yet synced.
pub(crate) struct Committed {
    pub(super) jobs: Vec<Job>,
    pub(super) outcomes: Vec<Outcome>,
    /// Its commit; none when it changed nothing.
    pub(super) commit: Option<Commit>,
}

/// A commit under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Commit {
    number: u64,
    stopwatch: Stopwatch,
    /// It was rolled back: nothing to sync, but its number is over.
    is_undone: bool,
}

/// Syncs the log and answers.
#[derive(Clone)]
pub(crate) struct Settler {
    /// The log; none where a test has switched syncs off.
    pub(crate) log: Option<Arc<File>>,
    pub(crate) horizon: Arc<Horizon>,
    pub(crate) failure: FailureSignal,
    pub(crate) observer: Arc<dyn StoreObserver>,
}

impl Settler {
    /// A commit begins.
    pub(super) fn begin(&self) -> Commit {
        Commit {
            number: self.horizon.begin(),
            stopwatch: Stopwatch::start(),
            is_undone: false,
        }
    }

    /// A commit that came to nothing.
    pub(super) fn undone(commit: Commit) -> Committed {
        Committed {
            jobs: Vec::new(),
            outcomes: Vec::new(),
            commit: Some(Commit {
                is_undone: true,
                ..commit
            }),
        }
    }

    /// Makes groups durable, all with one sync, and answers them in their order.
    pub(crate) fn settle(&self, groups: Vec<Committed>) {
        let commits = || groups.iter().filter_map(|group| group.commit);
        if commits().any(|commit| !commit.is_undone)
            && let Some(log) = &self.log
            && let Err(error) = log.sync_data()
        {
            // After a failed sync nobody knows what is on the disk: the kernel may take pages for
            // clean that never got there.
            self.failure
                .raise(format!("the log could not be synced: {error}"));
        }
        if self.failure.is_raised() {
            for job in groups.into_iter().flat_map(|group| group.jobs) {
                job.answer(Err(StoreError::OutcomeUnknown));
            }
            return;
        }
        for group in &groups {
            if let Some(commit) = group.commit
                && !commit.is_undone
            {
                let took = commit.stopwatch.elapsed();
                self.observer.committed(group.jobs.len(), took);
            }
        }
        if let Some(last) = commits().map(|commit| commit.number).max() {
            self.horizon.reach(last);
        }
        // Told here and not by a task of the runtime: under an overload that would wait for its turn
        // behind the rejections of others.
        for Committed { jobs, outcomes, .. } in groups {
            for (job, outcome) in jobs.into_iter().zip(outcomes) {
                job.answer(Ok(outcome));
            }
        }
    }
}

/// The thread beside the writer. Ends when dropped, after everything that was handed to it.
pub(super) struct Syncer {
    groups: Option<Sender<Committed>>,
    thread: Option<JoinHandle<()>>,
    queue: Arc<Queue>,
}

impl Syncer {
    pub(super) fn start(settler: Settler, queue: Arc<Queue>) -> std::io::Result<Self> {
        let (groups, handed) = channel();
        let counted = Arc::clone(&queue);
        let thread = std::thread::Builder::new()
            .name("store-sync".to_owned())
            .spawn(move || work(&settler, &queue, &handed))?;
        Ok(Self {
            groups: Some(groups),
            thread: Some(thread),
            queue: counted,
        })
    }

    /// Takes groups over that are counted in the queue.
    pub(super) fn take(&self, committed: Vec<Committed>) {
        for group in committed {
            // Without the thread the jobs are dropped, and so their outcome is unknown.
            if let Some(groups) = &self.groups
                && groups.send(group).is_err()
            {
                tracing::error!("the thread that syncs is gone");
                // Nobody else will count it off, and the writer could never end.
                self.queue.synced(1);
            }
        }
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.groups = None;
        if self
            .thread
            .take()
            .is_some_and(|thread| thread.join().is_err())
        {
            tracing::error!("the thread that syncs panicked");
        }
    }
}

/// Whoever waits must be told when this thread panics.
struct Ending<'a> {
    settler: &'a Settler,
    queue: &'a Queue,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let reason = "the thread that syncs panicked".to_owned();
            self.settler.failure.raise(reason);
            self.queue.close();
            self.queue.synced(usize::MAX);
        }
    }
}

fn work(settler: &Settler, queue: &Queue, handed: &Receiver<Committed>) {
    let _ending = Ending { settler, queue };
    while let Ok(first) = handed.recv() {
        let mut groups = vec![first];
        groups.extend(handed.try_iter());
        let count = groups.len();
        settler.settle(groups);
        queue.synced(count);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use double11_store::StoreError;
    use tokio::time::timeout;

    use super::Horizon;
    use double11_store::FailureSignal;

    const MOMENT: Duration = Duration::from_millis(20);

    /// A reader is told what it saw when the disk has it, and not before.
    #[tokio::test]
    async fn readers_wait_for_the_disk() {
        let failure = FailureSignal::new();
        let horizon = Arc::new(Horizon::new(failure.clone()));
        assert!(horizon.passed().await.is_ok(), "nothing was begun");
        let (first, second) = (horizon.begin(), horizon.begin());
        assert!(timeout(MOMENT, horizon.passed()).await.is_err());
        horizon.reach(first);
        assert!(timeout(MOMENT, horizon.passed()).await.is_err());
        let waiting = Arc::clone(&horizon);
        let reader = tokio::spawn(async move { waiting.passed().await });
        horizon.reach(second);
        assert!(reader.await.unwrap().is_ok());
        horizon.begin();
        let waiting = Arc::clone(&horizon);
        let reader = tokio::spawn(async move { waiting.passed().await });
        failure.raise("a test".to_owned());
        assert!(matches!(reader.await.unwrap(), Err(StoreError::Closed)));
    }
}
