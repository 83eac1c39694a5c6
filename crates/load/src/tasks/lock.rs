//! One task at a time, among the tasks of all threads.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::event_loop;
use super::stop::{StopLevel, Stopped};

/// A lock that tasks wait for, first come, first served.
#[derive(Debug, Clone, Default)]
pub struct Lock(Arc<Mutex<Queue>>);

#[derive(Debug, Default)]
struct Queue {
    is_held: bool,
    tickets: u64,
    waiting: VecDeque<(u64, Waker)>,
}

/// Holds a [`Lock`] until it is dropped.
#[derive(Debug)]
pub struct LockGuard(Lock);

#[derive(Debug)]
struct Acquire<'a> {
    lock: &'a Lock,
    ticket: Option<u64>,
}

impl Lock {
    /// Waits until nobody else holds it. [`Stopped`] when the run is stopped at once meanwhile.
    pub fn acquire(&self) -> impl Future<Output = Result<LockGuard, Stopped>> {
        Acquire {
            lock: self,
            ticket: None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_first(&self) {
        let first = self.lock().waiting.front().map(|(_, waker)| waker.clone());
        if let Some(waker) = first {
            waker.wake();
        }
    }
}

impl Drop for LockGuard {
    fn drop(&mut self) {
        self.0.lock().is_held = false;
        self.0.wake_first();
    }
}

impl Future for Acquire<'_> {
    type Output = Result<LockGuard, Stopped>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut queue = self.lock.lock();
        let is_first = match (self.ticket, queue.waiting.front()) {
            (_, None) => true,
            (Some(own), Some((first, _))) => own == *first,
            (None, Some(_)) => false,
        };
        if is_first && !queue.is_held {
            queue.is_held = true;
            if self.ticket.take().is_some() {
                queue.waiting.pop_front();
            }
            return Poll::Ready(Ok(LockGuard(self.lock.clone())));
        }
        if event_loop::current(event_loop::EventLoop::stop_level) >= StopLevel::Now {
            return Poll::Ready(Err(Stopped));
        }
        if self.ticket.is_none() {
            queue.tickets += 1;
            let ticket = queue.tickets;
            queue.waiting.push_back((ticket, context.waker().clone()));
            self.ticket = Some(ticket);
        }
        Poll::Pending
    }
}

impl Drop for Acquire<'_> {
    fn drop(&mut self) {
        let Some(own) = self.ticket.take() else {
            return;
        };
        let mut queue = self.lock.lock();
        queue.waiting.retain(|(ticket, _)| *ticket != own);
        drop(queue);
        self.lock.wake_first();
    }
}
