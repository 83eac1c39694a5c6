//! What the tasks of one thread share: who is ready, timers, and connections.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use mio::{Events, Poll, Registry, Token};

use super::BoxedFuture;
use super::links::{LinkKey, Links};
use super::remote::Remote;
use super::stop::{Stop, StopLevel};
use super::timers::{Due, TimerKey, Timers};
use crate::clock::RunClock;
use crate::engine::alarm::Alarm;

const ALARM: Token = Token(usize::MAX - 1);
pub(super) const REMOTE: Token = Token(usize::MAX - 2);

/// The part of a loop that futures reach.
pub(super) struct EventLoop {
    clock: RunClock,
    stop: Stop,
    alarm: RefCell<Alarm>,
    remote: Arc<Remote>,
    /// The task that is being polled.
    current: Cell<usize>,
    /// Rounds of the loop; whoever sees the same one again has waited for nothing.
    round: Cell<u64>,
    ready: RefCell<VecDeque<usize>>,
    spawned: RefCell<VecDeque<BoxedFuture>>,
    timers: RefCell<Timers>,
    /// Every timer up to this instant has fired.
    fired: Cell<Duration>,
    pub(super) links: Links,
}

thread_local! {
    static RUNNING: RefCell<Option<Rc<EventLoop>>> = const { RefCell::new(None) };
}

/// Makes a loop the thread's running one, as long as the answer lives.
pub(super) fn enter(event_loop: &Rc<EventLoop>) -> Entered {
    Entered(RUNNING.replace(Some(Rc::clone(event_loop))))
}

/// The thread runs a loop until this is dropped; then again the one before.
pub(super) struct Entered(Option<Rc<EventLoop>>);

impl Drop for Entered {
    fn drop(&mut self) {
        drop(RUNNING.replace(self.0.take()));
    }
}

/// Hands over the loop that the thread runs.
pub(super) fn current<T>(with: impl FnOnce(&EventLoop) -> T) -> T {
    RUNNING.with_borrow(|running| {
        let running = running.as_deref();
        with(running.expect("what tasks await is awaited within a running loop of tasks"))
    })
}

/// The loop that the thread runs.
pub(super) fn running() -> Rc<EventLoop> {
    let running = RUNNING.with_borrow(Clone::clone);
    running.expect("what tasks await is awaited within a running loop of tasks")
}

/// Polls the task that is being polled again at an instant, unless the answer is dropped before.
///
/// # Panics
/// Outside of a task.
pub(super) fn wake_at(at: Duration) -> Timer {
    let event_loop = running();
    let due = Due::Task(event_loop.current.get());
    let key = event_loop.timers.borrow_mut().add(at, due);
    Timer { event_loop, key }
}

/// A timer for which somebody waits; taken back when dropped.
pub(super) struct Timer {
    event_loop: Rc<EventLoop>,
    key: TimerKey,
}

impl fmt::Debug for Timer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key.fmt(formatter)
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.event_loop.timers.borrow_mut().take_back(self.key);
    }
}

/// Hands over the loop that the thread runs, if it runs any.
pub(super) fn if_running(with: impl FnOnce(&EventLoop) -> bool) -> bool {
    RUNNING.with_borrow(|running| running.as_deref().is_some_and(with))
}

impl EventLoop {
    pub(super) fn new(registry: &Registry, clock: RunClock, stop: &Stop) -> io::Result<Self> {
        let remote = Arc::new(Remote::new(registry)?);
        stop.heeded_by(&remote);
        Ok(Self {
            clock,
            stop: stop.clone(),
            alarm: RefCell::new(Alarm::new(registry, ALARM)?),
            remote,
            current: Cell::new(usize::MAX),
            round: Cell::new(0),
            ready: RefCell::default(),
            spawned: RefCell::default(),
            timers: RefCell::default(),
            fired: Cell::new(Duration::ZERO),
            links: Links::new(registry)?,
        })
    }

    pub(super) fn clock(&self) -> RunClock {
        self.clock
    }

    pub(super) fn stop_level(&self) -> StopLevel {
        self.stop.level()
    }

    pub(super) fn remote(&self) -> &Arc<Remote> {
        &self.remote
    }

    pub(super) fn set_current(&self, task: usize) {
        self.current.set(task);
    }

    pub(super) fn spawn(&self, future: BoxedFuture) {
        self.spawned.borrow_mut().push_back(future);
    }

    pub(super) fn take_spawned(&self) -> Option<BoxedFuture> {
        self.spawned.borrow_mut().pop_front()
    }

    pub(super) fn make_ready(&self, task: usize) {
        self.ready.borrow_mut().push_back(task);
    }

    /// Lets the task that is being polled be polled again.
    pub(super) fn make_current_ready(&self) {
        self.make_ready(self.current.get());
    }

    pub(super) fn ready_count(&self) -> usize {
        self.ready.borrow().len()
    }

    pub(super) fn take_ready(&self) -> Option<usize> {
        self.ready.borrow_mut().pop_front()
    }

    /// Whether the timers of an instant have fired.
    pub(super) fn has_fired(&self, at: Duration) -> bool {
        at <= self.fired.get()
    }

    /// How many timers wait.
    #[cfg(test)]
    pub(super) fn timers_waiting(&self) -> usize {
        self.timers.borrow().len()
    }

    pub(super) fn begin_round(&self) {
        self.round.set(self.round.get().wrapping_add(1));
    }

    pub(super) fn round(&self) -> u64 {
        self.round.get()
    }

    /// The task that is being polled.
    pub(super) fn current_task(&self) -> usize {
        self.current.get()
    }

    /// Looks at a connection's deadline at an instant.
    pub(super) fn look_at_link(&self, at: Duration, link: LinkKey) {
        self.timers.borrow_mut().add(at, Due::Link(link));
    }

    /// Sleeps until something happens; not at all while a task is ready.
    pub(super) fn wait(&self, poll: &mut Poll, events: &mut Events) -> io::Result<()> {
        let mut timeout = (self.ready_count() > 0).then_some(Duration::ZERO);
        if timeout.is_none()
            && let Some(next) = self.timers.borrow().next()
        {
            let now = self.clock.now();
            if next <= now {
                timeout = Some(Duration::ZERO);
            } else {
                self.alarm.borrow_mut().wake_by(next, now, &self.clock)?;
            }
        }
        match poll.poll(events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            other => other,
        }
    }

    /// Takes note of what has happened to sockets and timers.
    pub(super) fn handle(&self, events: &Events) {
        for event in events {
            let token = event.token();
            if token != ALARM && token != REMOTE {
                self.links.handle(event, self);
            }
        }
        self.fire();
    }

    fn fire(&self) {
        let mut timers = self.timers.borrow_mut();
        if timers.next().is_none() {
            return;
        }
        let now = self.clock.now();
        self.fired.set(now);
        while let Some(due) = timers.take_due(now) {
            match due {
                Due::Task(task) => self.make_ready(task),
                Due::Link(link) => {
                    if let Some((task, next)) = self.links.time_out(link, now) {
                        match next {
                            Some(next) => {
                                timers.add(next, due);
                            }
                            None => self.make_ready(task),
                        }
                    }
                }
            }
        }
    }

    /// Makes ready what other threads have woken; whether that is everybody.
    pub(super) fn take_remote(&self) -> bool {
        let mut ready = self.ready.borrow_mut();
        self.remote.take(&mut ready)
    }
}
