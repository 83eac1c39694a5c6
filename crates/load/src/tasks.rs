//! One event loop per thread, on which every virtual user is a task: a future that sleeps, exchanges
//! requests and waits for other tasks.
//!
//! Tasks stay on the thread that they were spawned on and need not be `Send`. What a task may await
//! are the futures of this module alone, or futures made of them that poll all their parts: a task is
//! polled as a whole when something that it waits for has happened. The free functions work within a
//! task of the running loop; elsewhere they panic.
//!
//! [`Stop`] ends a run, [`Gate`], [`Signal`] and [`Lock`] join tasks of several threads, [`Link`] is a
//! connection. There is deliberately no work stealing: a user's memory stays with its processor.

mod event_loop;
mod link;
mod links;
mod lock;
mod off_thread;
mod remote;
mod signal;
mod sleep;
mod stop;
mod timers;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll as Polled, Waker};

use mio::{Events, Poll};
use slab::Slab;

use crate::clock::RunClock;
use event_loop::EventLoop;
pub use link::{Answer, Ask, Failure, FailureKind, Link};
pub use lock::{Lock, LockGuard};
pub use off_thread::off_thread;
use remote::TaskWaker;
pub use signal::{Gate, Signal};
pub use sleep::{YieldNow, sleep_unless_stopping, sleep_until, yield_now};
pub use stop::{Stop, StopLevel, Stopped};

const EVENTS_MAX: usize = 1_024;

type BoxedFuture = Pin<Box<dyn Future<Output = ()>>>;

/// The tasks of one thread, and the loop that drives them.
pub struct Tasks {
    poll: Poll,
    event_loop: Rc<EventLoop>,
    spawned: Slab<Task>,
}

struct Task {
    future: BoxedFuture,
    waker: Waker,
}

impl Tasks {
    /// A loop without tasks, which heeds `stop`.
    ///
    /// # Errors
    /// The operating system's, when it has no descriptor left.
    pub fn new(clock: RunClock, stop: &Stop) -> io::Result<Self> {
        let poll = Poll::new()?;
        let event_loop = EventLoop::new(poll.registry(), clock, stop)?;
        Ok(Self {
            poll,
            event_loop: Rc::new(event_loop),
            spawned: Slab::new(),
        })
    }

    /// Adds a task, which begins when the loop runs.
    pub fn spawn(&mut self, future: impl Future<Output = ()> + 'static) {
        self.add(Box::pin(future));
    }

    /// Runs until every task is done, those that tasks have spawned included.
    ///
    /// # Errors
    /// The operating system's, when it cannot wait for events.
    pub fn run(&mut self) -> io::Result<()> {
        let event_loop = Rc::clone(&self.event_loop);
        let _entered = event_loop::enter(&event_loop);
        let mut events = Events::with_capacity(EVENTS_MAX);
        loop {
            self.poll_ready();
            if self.spawned.is_empty() {
                return Ok(());
            }
            event_loop.wait(&mut self.poll, &mut events)?;
            event_loop.handle(&events);
            if event_loop.take_remote() {
                let tasks = self.spawned.iter().map(|(index, _)| index);
                tasks.for_each(|task| event_loop.make_ready(task));
            }
        }
    }

    /// Polls each task that was ready when the round began, so that sockets and timers get their turn
    /// whatever tasks do.
    fn poll_ready(&mut self) {
        self.event_loop.begin_round();
        self.add_spawned();
        for _ in 0..self.event_loop.ready_count() {
            if let Some(task) = self.event_loop.take_ready() {
                self.poll_task(task);
                self.add_spawned();
            }
        }
    }

    fn poll_task(&mut self, index: usize) {
        // A task may have been made ready by something that it no longer waits for.
        let Some(task) = self.spawned.get_mut(index) else {
            return;
        };
        self.event_loop.set_current(index);
        let mut context = Context::from_waker(&task.waker);
        let polled = task.future.as_mut().poll(&mut context);
        if let Polled::Ready(()) = polled {
            drop(self.spawned.remove(index));
        }
    }

    fn add_spawned(&mut self) {
        while let Some(future) = self.event_loop.take_spawned() {
            self.add(future);
        }
    }

    fn add(&mut self, future: BoxedFuture) {
        let entry = self.spawned.vacant_entry();
        let task = entry.key();
        let waker = TaskWaker::new(task, self.event_loop.remote());
        entry.insert(Task {
            future,
            waker: Arc::new(waker).into(),
        });
        self.event_loop.make_ready(task);
    }
}

impl std::fmt::Debug for Tasks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Tasks");
        shown
            .field("count", &self.spawned.len())
            .finish_non_exhaustive()
    }
}

/// Adds a task to the loop of the task that calls.
///
/// # Panics
/// Outside of a task.
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    event_loop::current(|event_loop| event_loop.spawn(Box::pin(future)));
}

/// The clock of the loop of the task that calls.
///
/// # Panics
/// Outside of a task.
pub fn clock() -> RunClock {
    event_loop::current(EventLoop::clock)
}

/// How far the run is being stopped.
///
/// # Panics
/// Outside of a task.
pub fn stop_level() -> StopLevel {
    event_loop::current(EventLoop::stop_level)
}

/// The round of the loop that this is in: the same as before when a task has waited for nothing since.
///
/// # Panics
/// Outside of a task.
pub fn round() -> u64 {
    event_loop::current(EventLoop::round)
}

#[cfg(test)]
mod tests;
