//! Waiting for what other tasks do, on this thread or another.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::event_loop::{self, Timer};
use super::stop::{StopLevel, Stopped};

/// Tells of changes. Whoever waits remembers how many there were when he last looked, so that none is
/// missed.
#[derive(Debug, Clone, Default)]
pub struct Signal(Arc<Mutex<Changes>>);

#[derive(Debug, Default)]
struct Changes {
    count: u64,
    waiting: Vec<Waker>,
}

/// Opens once, for everybody.
#[derive(Debug, Clone, Default)]
pub struct Gate(Signal);

/// Waits for a change; see [`Signal::past`].
#[derive(Debug)]
struct Past<'a> {
    signal: &'a Signal,
    count: u64,
    until: Option<Duration>,
    timer: Option<Timer>,
}

impl Signal {
    /// Changes so far.
    pub fn count(&self) -> u64 {
        self.lock().count
    }

    /// Tells everybody who waits that something has changed.
    pub fn notify(&self) {
        let mut changes = self.lock();
        changes.count += 1;
        let waiting = std::mem::take(&mut changes.waiting);
        drop(changes);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Waits until there were more than `count` changes, or until an instant of the run's clock;
    /// `false` when the instant came first. [`Stopped`] when the run is stopped at once meanwhile.
    pub fn past(
        &self,
        count: u64,
        until: Option<Duration>,
    ) -> impl Future<Output = Result<bool, Stopped>> {
        Past {
            signal: self,
            count,
            until,
            timer: None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Changes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gate {
    /// Lets everybody through, from now on.
    pub fn open(&self) {
        self.0.notify();
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.0.count() > 0
    }

    /// Waits until it is open.
    ///
    /// # Errors
    /// [`Stopped`] when the run is stopped at once meanwhile.
    pub async fn wait(&self) -> Result<(), Stopped> {
        self.0.past(0, None).await.map(|_| ())
    }
}

impl Future for Past<'_> {
    type Output = Result<bool, Stopped>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut changes = self.signal.lock();
        if changes.count > self.count {
            return Poll::Ready(Ok(true));
        }
        let is_new = |waker: &Waker| !waker.will_wake(context.waker());
        if changes.waiting.iter().all(is_new) {
            changes.waiting.push(context.waker().clone());
        }
        drop(changes);
        let over = event_loop::current(|event_loop| {
            if event_loop.stop_level() >= StopLevel::Now {
                return Poll::Ready(Err(Stopped));
            }
            match self.until {
                Some(until) if event_loop.has_fired(until) => Poll::Ready(Ok(false)),
                _ => Poll::Pending,
            }
        });
        if over.is_pending() && self.timer.is_none() {
            self.timer = self.until.map(event_loop::wake_at);
        }
        over
    }
}
