//! Locks of critical sections.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use double11_load::tasks;

/// A lock that one user holds at a time; the same user may take it again within.
#[derive(Debug, Default)]
pub struct Lock(Mutex<Held>);

/// Who holds a lock, and who waits for it.
#[derive(Debug, Default)]
struct Held {
    by: Option<Arc<str>>,
    depth: u32,
    waiting: Vec<Waker>,
}

/// Waits until a lock may be free.
#[derive(Debug)]
pub struct Locked(Arc<Lock>);

impl Lock {
    /// Takes the lock for the user of this thread name, if nobody else holds it.
    pub fn take(&self, user: &Arc<str>) -> bool {
        let mut held = self.held();
        match &held.by {
            Some(by) if by != user => false,
            _ => {
                held.by = Some(Arc::clone(user));
                held.depth += 1;
                true
            }
        }
    }

    /// Lets the lock go once, and tells those who wait.
    pub fn release(&self, user: &Arc<str>) {
        let mut held = self.held();
        if held.by.as_ref() != Some(user) {
            return;
        }
        held.depth -= 1;
        if held.depth == 0 {
            held.by = None;
            for waker in held.waiting.drain(..) {
                waker.wake();
            }
        }
    }

    /// Whether the user of this thread name holds it.
    pub fn is_held_by(&self, user: &Arc<str>) -> bool {
        self.held().by.as_ref() == Some(user)
    }

    /// Waits until nobody holds it; whoever is told may find that another was faster.
    pub fn free(self: &Arc<Self>) -> Locked {
        Locked(Arc::clone(self))
    }

    // What it guards are three fields that are set together; nothing waits with it held.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Future for Locked {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut held = self.0.held();
        // Who holds it may wait for what this user holds; a stop ends that.
        let is_stopping = tasks::stop_level() != tasks::StopLevel::Running;
        if held.by.is_none() || is_stopping {
            return Poll::Ready(());
        }
        held.waiting.push(context.waker().clone());
        Poll::Pending
    }
}
