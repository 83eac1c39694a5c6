//! Work that must end even when nobody waits for it any more.
//!
//! A client that hangs up drops its request's future. What has begun to write and must still be
//! followed up (finalize a payment, tell the cart cache) runs as a task of its own, owned here.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// The tasks of a shop.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    /// The lock is held only to add a task, to reap finished ones, and to take all of them.
    running: Mutex<JoinSet<()>>,
}

/// The task panicked or was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lost;

impl Tasks {
    /// Starts a task.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut running = self.lock();
        while running.try_join_next().is_some() {}
        running.spawn(task);
    }

    /// Runs a task to its end and gives its result to whoever still waits.
    ///
    /// # Errors
    /// [`Lost`] when the task panicked or was cut off.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Lost> {
        let (sender, receiver) = oneshot::channel();
        self.spawn(async move {
            let result = task.await;
            if sender.send(result).is_err() {
                tracing::debug!("a client hung up before its write ended");
            }
        });
        receiver.await.map_err(|_| Lost)
    }

    /// Waits until no task is left, at most for `deadline`; answers how many were cut.
    pub(crate) async fn drain(&self, deadline: Duration) -> usize {
        let mut running = std::mem::take(&mut *self.lock());
        let all = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(deadline, all).await.is_ok() {
            return 0;
        }
        let cut = running.len();
        running.shutdown().await;
        cut
    }

    fn lock(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Lost, Tasks};

    #[tokio::test]
    async fn results_panics_and_cuts() {
        let tasks = Tasks::default();
        assert_eq!(tasks.run(async { 7 }).await, Ok(7));
        let panicking = async {
            assert!(
                std::hint::black_box(false),
                "this panic is part of the test"
            );
        };
        assert_eq!(tasks.run(panicking).await, Err(Lost));
        tasks.spawn(std::future::pending());
        assert_eq!(tasks.drain(Duration::from_millis(10)).await, 1);
        assert_eq!(tasks.drain(Duration::from_millis(10)).await, 0);
    }
}
