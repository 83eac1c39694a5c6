//! The connections of one thread's tasks.

use std::cell::RefCell;
use std::io;
use std::time::Duration;

use mio::event::Event;
use mio::{Interest, Registry, Token};
use slab::Slab;

use super::event_loop::EventLoop;
use super::link::{Answer, Ask, Failure, FailureKind};
use crate::transport::{BodyAt, Buffers, Connection, Progress, ResponseHead, TransportError};

/// One connection, told from others that had its place before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LinkKey {
    pub(super) place: usize,
    generation: u64,
}

/// Connections and what is needed to read from them.
pub(super) struct Links {
    registry: Registry,
    state: RefCell<State>,
}

struct State {
    slots: Slab<Slot>,
    generations: u64,
    buffers: Buffers,
}

struct Slot {
    connection: Connection,
    generation: u64,
    task: usize,
    ask: Ask,
    usage: Use,
    /// When the exchange is given up.
    deadline: Option<Duration>,
    /// When the next timer looks at the deadline.
    watched: Option<Duration>,
}

/// What a connection is doing.
enum Use {
    Idle,
    /// Closed by the server, or of no further use.
    Closed,
    Busy,
    Over(Result<Answer, Failure>),
}

impl Links {
    pub(super) fn new(registry: &Registry) -> io::Result<Self> {
        let state = RefCell::new(State {
            slots: Slab::new(),
            generations: 0,
            buffers: Buffers::new(true),
        });
        let registry = registry.try_clone()?;
        Ok(Self { registry, state })
    }

    /// Adds a connection that is being opened.
    pub(super) fn add(&self, mut connection: Connection) -> io::Result<LinkKey> {
        let mut state = self.state.borrow_mut();
        let place = state.slots.vacant_key();
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.registry
            .register(connection.source(), Token(place), interest)?;
        state.generations += 1;
        let generation = state.generations;
        state.slots.insert(Slot {
            connection,
            generation,
            task: usize::MAX,
            ask: Ask::default(),
            usage: Use::Idle,
            deadline: None,
            watched: None,
        });
        Ok(LinkKey { place, generation })
    }

    /// Closes a connection.
    pub(super) fn remove(&self, key: LinkKey) {
        self.state.borrow_mut().slots.try_remove(key.place);
    }

    /// Hands over a connection; nothing when there is none of this key.
    pub(super) fn with<T>(
        &self,
        key: LinkKey,
        with: impl FnOnce(&mut Connection) -> T,
    ) -> Option<T> {
        let mut state = self.state.borrow_mut();
        let slot = state.slots.get_mut(key.place)?;
        Some(with(&mut slot.connection))
    }

    /// Whether a request can be sent.
    pub(super) fn is_idle(&self, key: LinkKey) -> bool {
        let state = self.state.borrow();
        let slot = state.slots.get(key.place);
        slot.is_some_and(|slot| matches!(slot.usage, Use::Idle))
    }

    /// Gives up what is on a connection.
    pub(super) fn give_up(&self, key: LinkKey) {
        if let Some(slot) = self.state.borrow_mut().slots.get_mut(key.place) {
            slot.usage = Use::Closed;
        }
    }

    /// Sends the request that is in the connection's buffer, for the task that is being polled.
    pub(super) fn send(&self, key: LinkKey, ask: Ask, event_loop: &EventLoop) {
        let mut state = self.state.borrow_mut();
        let Some(slot) = state.slots.get_mut(key.place) else {
            return;
        };
        slot.task = event_loop.current_task();
        slot.ask = ask;
        let was_closed = matches!(slot.usage, Use::Closed);
        slot.usage = Use::Busy;
        if was_closed && slot.connection.is_connecting() {
            // It was refused before anything was sent, and no event will tell so again.
            let refused = io::ErrorKind::ConnectionRefused.into();
            slot.fail(FailureKind::Transport(TransportError::Connect(refused)));
            return;
        }
        let is_open = slot.connection.is_open();
        if let Progress::Failed(error) = slot.connection.send_expecting(ask.expected) {
            slot.fail(FailureKind::Transport(error));
            return;
        }
        let timeout = if is_open {
            ask.response_timeout
        } else {
            ask.connect_timeout.or(ask.response_timeout)
        };
        slot.deadline = timeout.map(|timeout| event_loop.clock().now().saturating_add(timeout));
        slot.watch(key, event_loop);
    }

    /// What came of the exchange; nothing while it goes on.
    pub(super) fn take_outcome(&self, key: LinkKey) -> Option<Result<Answer, Failure>> {
        let mut state = self.state.borrow_mut();
        let slot = state.slots.get_mut(key.place)?;
        if !matches!(slot.usage, Use::Over(_)) {
            return None;
        }
        match std::mem::replace(&mut slot.usage, Use::Closed) {
            Use::Over(outcome) => {
                if outcome.as_ref().is_ok_and(|answer| answer.keep_alive) {
                    slot.usage = Use::Idle;
                }
                Some(outcome)
            }
            _ => None,
        }
    }

    /// Goes on with the connection of an event.
    pub(super) fn handle(&self, event: &Event, event_loop: &EventLoop) {
        let mut state = self.state.borrow_mut();
        let State { slots, buffers, .. } = &mut *state;
        let Some(slot) = slots.get_mut(event.token().0) else {
            return;
        };
        if !matches!(slot.usage, Use::Idle | Use::Busy) {
            // What is over is taken from the connection no more; what comes after it is unasked.
            if let Use::Over(Ok(answer)) = &mut slot.usage {
                answer.keep_alive = false;
            }
            return;
        }
        let clock = event_loop.clock();
        match slot.connection.ready(event, buffers, &clock) {
            Progress::Pending => {
                if slot.is_under_way() {
                    // The time-out of connecting is over with it.
                    let timeout = slot.ask.response_timeout;
                    slot.deadline = timeout.map(|timeout| clock.now().saturating_add(timeout));
                    let key = LinkKey {
                        place: event.token().0,
                        generation: slot.generation,
                    };
                    slot.watch(key, event_loop);
                }
            }
            Progress::Complete(head, body, at) => {
                let answer = slot.answer(head, &body, at, buffers);
                slot.deadline = None;
                slot.usage = Use::Over(Ok(answer));
                event_loop.make_ready(slot.task);
            }
            Progress::Failed(error) if matches!(slot.usage, Use::Busy) => {
                slot.fail(FailureKind::Transport(error));
                event_loop.make_ready(slot.task);
            }
            Progress::Failed(_) | Progress::Closed => slot.usage = Use::Closed,
        }
    }

    /// Looks at a deadline: the task to be told that it has passed, with nothing; or with the instant
    /// at which to look again.
    pub(super) fn time_out(
        &self,
        key: LinkKey,
        now: Duration,
    ) -> Option<(usize, Option<Duration>)> {
        let mut state = self.state.borrow_mut();
        let slot = state.slots.get_mut(key.place)?;
        if slot.generation != key.generation {
            return None;
        }
        if slot.watched.is_some_and(|at| at > now) {
            // Another timer looks.
            return None;
        }
        match slot.deadline {
            Some(deadline) if deadline > now => {
                slot.watched = Some(deadline);
                Some((slot.task, Some(deadline)))
            }
            Some(_) if matches!(slot.usage, Use::Busy) => {
                slot.watched = None;
                let kind = if slot.connection.is_open() {
                    FailureKind::ResponseTimeout
                } else {
                    FailureKind::ConnectTimeout
                };
                slot.fail(kind);
                Some((slot.task, None))
            }
            _ => {
                slot.watched = None;
                None
            }
        }
    }

    /// What is known of an exchange that is cut short.
    pub(super) fn cut(&self, key: LinkKey, kind: FailureKind) -> Failure {
        let state = self.state.borrow();
        match state.slots.get(key.place) {
            Some(slot) => slot.failure(kind),
            None => Failure {
                kind,
                connected_at: None,
                first_byte_at: None,
                was_sent: false,
            },
        }
    }
}

impl Slot {
    /// Whether the connection is open and a request is on it.
    fn is_under_way(&self) -> bool {
        matches!(self.usage, Use::Busy) && self.connection.is_open()
    }

    /// Sees to it that a timer looks at the deadline no later than when it passes.
    fn watch(&mut self, key: LinkKey, event_loop: &EventLoop) {
        if let Some(deadline) = self.deadline
            && self.watched.is_none_or(|at| deadline < at)
        {
            self.watched = Some(deadline);
            event_loop.look_at_link(deadline, key);
        }
    }

    fn fail(&mut self, kind: FailureKind) {
        self.deadline = None;
        self.usage = Use::Over(Err(self.failure(kind)));
    }

    fn failure(&self, kind: FailureKind) -> Failure {
        Failure {
            kind,
            connected_at: self.connection.connected_at(),
            first_byte_at: self.connection.first_byte_at(),
            was_sent: self.connection.has_sent(),
        }
    }

    fn answer(&self, head: ResponseHead, body: &BodyAt, at: Duration, buffers: &Buffers) -> Answer {
        let connection = &self.connection;
        let body = if self.ask.expected.keep_body {
            connection.body(body, buffers).to_vec()
        } else {
            Vec::new()
        };
        Answer {
            status: head.status,
            keep_alive: head.keep_alive,
            bytes: head.bytes,
            head_bytes: connection.head_bytes(),
            body_bytes: connection.body_bytes(),
            head: connection.head().cloned(),
            body,
            connected_at: connection.connected_at(),
            first_byte_at: connection.first_byte_at().unwrap_or(at),
            end: at,
        }
    }
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        Self {
            kind: FailureKind::Transport(error),
            connected_at: None,
            first_byte_at: None,
            was_sent: false,
        }
    }
}
