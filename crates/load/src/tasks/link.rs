//! A task's connection, and exchanging a request on it.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::event_loop::{self, EventLoop};
use super::links::LinkKey;
use super::stop::StopLevel;
use crate::transport::{Connection, Expected, Limits, TlsSettings, TransportError};

/// A connection that belongs to a task; it is closed when this is dropped.
pub struct Link {
    event_loop: Rc<EventLoop>,
    key: LinkKey,
}

/// How a request is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ask {
    /// What is to be kept of the response.
    pub expected: Expected,
    /// How long connecting may take.
    pub connect_timeout: Option<Duration>,
    /// How long the server may be silent.
    pub response_timeout: Option<Duration>,
}

/// A complete response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Whether the connection can be used again.
    pub keep_alive: bool,
    /// Bytes of the response, head and coding included.
    pub bytes: u64,
    /// Bytes of status line and headers.
    pub head_bytes: u64,
    /// Bytes of the body, without what a transfer coding adds.
    pub body_bytes: u64,
    /// Status line and headers up to and with the empty line, if they were to be kept.
    pub head: Option<Arc<[u8]>>,
    /// The body, if it was to be kept.
    pub body: Vec<u8>,
    /// When connecting, TLS included, was done, if that was part of this exchange.
    pub connected_at: Option<Duration>,
    /// When the first byte arrived.
    pub first_byte_at: Duration,
    /// When the last byte arrived.
    pub end: Duration,
}

/// An exchange that failed.
#[derive(Debug)]
pub struct Failure {
    /// Why.
    pub kind: FailureKind,
    /// When connecting, TLS included, was done, if that was part of this exchange.
    pub connected_at: Option<Duration>,
    /// When the first byte arrived, if one did.
    pub first_byte_at: Option<Duration>,
    /// Whether a byte of the request was handed to the operating system.
    pub was_sent: bool,
}

/// Why an exchange failed.
#[derive(Debug)]
pub enum FailureKind {
    /// The transport's reason.
    Transport(TransportError),
    /// No connection was made in time.
    ConnectTimeout,
    /// The server was silent for too long.
    ResponseTimeout,
    /// The run was stopped.
    Stopped,
}

impl Link {
    /// Starts to connect.
    ///
    /// # Errors
    /// The operating system's, for instance when it has no descriptor or port left.
    ///
    /// # Panics
    /// Outside of a task.
    pub fn open(
        address: SocketAddr,
        tls: Option<&TlsSettings>,
        limits: Limits,
    ) -> Result<Self, TransportError> {
        let event_loop = event_loop::running();
        let connection = Connection::open(address, tls, limits)?;
        let added = event_loop.links.add(connection);
        let key = added.map_err(TransportError::Connect)?;
        Ok(Self { event_loop, key })
    }

    /// Whether a request can be sent: none is on the way, and the server has not closed it.
    pub fn is_usable(&self) -> bool {
        self.event_loop.links.is_idle(self.key)
    }

    /// Writes the next request into the connection's own buffer, which is empty.
    pub fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let links = &self.event_loop.links;
        links.with(self.key, |connection| write(connection.request_buffer()));
    }

    /// Sends what was written last and waits for the response. When the future is dropped, the
    /// connection is of no further use.
    pub fn exchange(&mut self, ask: Ask) -> impl Future<Output = Result<Answer, Failure>> {
        Exchange {
            link: self,
            ask,
            stage: Stage::New,
        }
    }

    /// Goes over to TLS after a proxy has opened the way to the server.
    ///
    /// # Errors
    /// The library's, when it refuses its own settings.
    pub fn start_tls(&mut self, tls: &TlsSettings) -> Result<(), TransportError> {
        let links = &self.event_loop.links;
        let started = links.with(self.key, |connection| connection.start_tls(tls));
        started.unwrap_or(Ok(()))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.event_loop.links.remove(self.key);
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Link").field(&self.key).finish()
    }
}

struct Exchange<'a> {
    link: &'a mut Link,
    ask: Ask,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    New,
    Sent,
    Over,
}

impl Future for Exchange<'_> {
    type Output = Result<Answer, Failure>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let (event_loop, key) = (&this.link.event_loop, this.link.key);
        if this.stage == Stage::New {
            event_loop.links.send(key, this.ask, event_loop);
            this.stage = Stage::Sent;
        }
        if let Some(outcome) = event_loop.links.take_outcome(key) {
            this.stage = Stage::Over;
            return Poll::Ready(outcome);
        }
        if event_loop.stop_level() >= StopLevel::Now {
            // Dropping this gives the exchange up.
            return Poll::Ready(Err(event_loop.links.cut(key, FailureKind::Stopped)));
        }
        Poll::Pending
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        if self.stage == Stage::Sent {
            self.link.event_loop.links.give_up(self.link.key);
        }
    }
}
