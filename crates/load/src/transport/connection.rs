//! One connection on a non-blocking socket: at most one request at a time.
//!
//! The owner registers the socket for reading and writing (edge-triggered), calls
//! [`Connection::ready`] at each event, and gets told when a response is complete, when the exchange
//! failed, or when the server closed a connection that had nothing to do.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mio::event::{Event, Source};
use mio::net::TcpStream;
use rustls::ClientConnection;

use super::{
    BodyAt, Expected, Fed, KnownHeads, Limits, ResponseError, ResponseHead, ResponseReader,
    TlsSettings,
};
use crate::clock::RunClock;

/// Bytes read at once.
const READ_BYTES: usize = 65_536;

/// What is needed to read a response, shared by every connection of a thread.
#[derive(Debug)]
pub struct Buffers {
    network: Vec<u8>,
    /// Decrypted bytes.
    plain: Vec<u8>,
    heads: KnownHeads,
}

/// A connection and the request that is on it.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
    state: State,
    request: Vec<u8>,
    written: usize,
    reader: ResponseReader,
    exchanges: u64,
    /// Whether a request waits for its answer.
    is_busy: bool,
    connected: Option<Duration>,
    first_byte: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Connecting,
    Handshaking,
    Open,
}

/// What an event has led to.
#[derive(Debug)]
pub enum Progress {
    /// Nothing to report.
    Pending,
    /// The response is complete, at this instant.
    Complete(ResponseHead, BodyAt, Duration),
    /// The exchange failed; the connection is of no further use.
    Failed(TransportError),
    /// The server closed a connection that had no request on it, or sent something unasked.
    Closed,
}

/// Why an exchange failed.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// No connection was made.
    #[error("cannot connect")]
    Connect(#[source] io::Error),
    /// TLS was not agreed on, or broke.
    #[error("TLS failed")]
    Tls(#[source] rustls::Error),
    /// The connection broke.
    #[error("connection broke")]
    Io(#[source] io::Error),
    /// The response is not acceptable.
    #[error("unacceptable response")]
    Response(#[source] ResponseError),
}

impl Buffers {
    /// Buffers for one thread; the second one is only needed for TLS.
    pub fn new(with_tls: bool) -> Self {
        Self {
            network: vec![0; READ_BYTES],
            plain: vec![0; if with_tls { READ_BYTES } else { 0 }],
            heads: KnownHeads::default(),
        }
    }
}

impl Connection {
    /// Starts to connect.
    ///
    /// # Errors
    /// The operating system's, for instance when it has no descriptor or port left.
    pub fn open(
        address: SocketAddr,
        tls: Option<&TlsSettings>,
        limits: Limits,
    ) -> Result<Self, TransportError> {
        let stream = TcpStream::connect(address).map_err(TransportError::Connect)?;
        stream.set_nodelay(true).map_err(TransportError::Connect)?;
        let tls = tls
            .map(TlsSettings::client)
            .transpose()
            .map_err(TransportError::Tls)?;
        Ok(Self {
            stream,
            tls,
            state: State::Connecting,
            request: Vec::new(),
            written: 0,
            reader: ResponseReader::new(limits),
            exchanges: 0,
            is_busy: false,
            connected: None,
            first_byte: None,
        })
    }

    /// What to register with the event loop.
    pub fn source(&mut self) -> &mut (impl Source + use<>) {
        &mut self.stream
    }

    /// The buffer to write the next request into; it is empty.
    pub fn request_buffer(&mut self) -> &mut Vec<u8> {
        self.request.clear();
        &mut self.request
    }

    /// The request that was sent last.
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// Hands the request over to another connection, to be sent again.
    pub fn take_request(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.request)
    }

    /// Puts a whole request in place.
    pub fn set_request(&mut self, request: Vec<u8>) {
        self.request = request;
    }

    /// Sends the request in the buffer, as soon as the connection is open.
    pub fn send(&mut self, keep_body: bool) -> Progress {
        self.send_expecting(Expected {
            keep_body,
            ..Expected::default()
        })
    }

    /// Sends the request in the buffer, as soon as the connection is open.
    pub fn send_expecting(&mut self, expected: Expected) -> Progress {
        self.written = 0;
        self.is_busy = true;
        (self.connected, self.first_byte) = (None, None);
        self.reader.begin_expecting(expected);
        if self.state == State::Connecting {
            return Progress::Pending;
        }
        match self.flush() {
            Ok(()) => Progress::Pending,
            Err(error) => Progress::Failed(TransportError::Io(error)),
        }
    }

    /// Goes on after an event.
    pub fn ready(&mut self, event: &Event, buffers: &mut Buffers, clock: &RunClock) -> Progress {
        if self.state == State::Connecting {
            match self.finish_connecting() {
                Ok(true) => self.connected(clock),
                Ok(false) => return Progress::Pending,
                Err(error) => return Progress::Failed(TransportError::Connect(error)),
            }
        }
        let flushed = self.flush();
        let is_over = event.is_read_closed() || event.is_error();
        let mut progress = Progress::Pending;
        if event.is_readable() || is_over || flushed.is_err() {
            progress = self.receive(buffers, clock, is_over);
        }
        match (&mut progress, flushed) {
            (Progress::Complete(head, ..), flushed) => {
                // The event will not come again, so the next request must not go on this connection.
                head.keep_alive &= flushed.is_ok() && !is_over && !self.is_unsent();
                self.exchanges += 1;
                self.is_busy = false;
            }
            (Progress::Pending, Err(error)) => {
                return Progress::Failed(TransportError::Io(error));
            }
            _ => {}
        }
        progress
    }

    /// The body of a complete response.
    pub fn body<'a>(&'a self, at: &BodyAt, buffers: &'a Buffers) -> &'a [u8] {
        let input = if self.tls.is_some() {
            &buffers.plain
        } else {
            &buffers.network
        };
        match at {
            BodyAt::Input(range) => input.get(range.clone()).unwrap_or_default(),
            BodyAt::Kept => self.reader.kept_body(),
        }
    }

    /// Whether a byte of the request has been handed to the operating system.
    pub fn has_sent(&self) -> bool {
        self.written > 0
    }

    /// Whether the connection has carried an exchange before this one.
    pub fn is_reused(&self) -> bool {
        self.exchanges > 0
    }

    /// When connecting, TLS included, was done, if that was part of this exchange.
    pub fn connected_at(&self) -> Option<Duration> {
        self.connected
    }

    /// Whether the operating system is still at connecting, or has failed to.
    pub fn is_connecting(&self) -> bool {
        self.state == State::Connecting
    }

    /// Whether the connection is open, TLS included.
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// When the first byte of the response arrived.
    pub fn first_byte_at(&self) -> Option<Duration> {
        self.first_byte
    }

    /// Bytes of the response so far.
    pub fn bytes_received(&self) -> u64 {
        self.reader.bytes()
    }

    /// Status line and headers of the response, when they were to be kept and are complete.
    pub fn head(&self) -> Option<&Arc<[u8]>> {
        self.reader.head()
    }

    /// Bytes of status line and headers, once they are complete.
    pub fn head_bytes(&self) -> u64 {
        self.reader.head_bytes()
    }

    /// Bytes of the body so far, without what a transfer coding adds.
    pub fn body_bytes(&self) -> u64 {
        self.reader.body_bytes()
    }

    /// Goes over to TLS on a connection that a proxy has opened to the server.
    ///
    /// # Errors
    /// The library's, when it refuses its own settings.
    pub fn start_tls(&mut self, tls: &TlsSettings) -> Result<(), TransportError> {
        self.tls = Some(tls.client().map_err(TransportError::Tls)?);
        self.state = State::Handshaking;
        Ok(())
    }

    /// The status, once it is known.
    pub fn status(&self) -> Option<u16> {
        self.reader.status()
    }

    fn is_unsent(&self) -> bool {
        self.written < self.request.len()
    }

    /// `false` while the operating system is still at it.
    fn finish_connecting(&self) -> io::Result<bool> {
        if let Some(error) = self.stream.take_error()? {
            return Err(error);
        }
        match self.stream.peer_addr() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn connected(&mut self, clock: &RunClock) {
        if self.tls.is_some() {
            self.state = State::Handshaking;
        } else {
            self.state = State::Open;
            self.connected = Some(clock.now());
        }
    }

    /// Writes as much as the socket takes.
    fn flush(&mut self) -> io::Result<()> {
        let Some(tls) = &mut self.tls else {
            if !self.is_busy {
                // What is in the buffer has not been asked to be sent yet.
                return Ok(());
            }
            while let Some(rest) = self
                .request
                .get(self.written..)
                .filter(|rest| !rest.is_empty())
            {
                match self.stream.write(rest) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Ok(written) => self.written += written,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            return Ok(());
        };
        if self.state == State::Open && self.is_busy && self.written == 0 {
            tls.set_buffer_limit(None);
            tls.writer().write_all(&self.request)?;
            self.written = self.request.len();
        }
        while tls.wants_write() {
            match tls.write_tls(&mut self.stream) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads until there is nothing more or something to report. `is_over` says that the other side has
    /// closed the connection, of which no further event will tell.
    fn receive(&mut self, buffers: &mut Buffers, clock: &RunClock, is_over: bool) -> Progress {
        loop {
            let read = match self.stream.read(&mut buffers.network) {
                Ok(0) => return self.closed(clock),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Progress::Pending;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return self.broken(error),
            };
            let now = clock.now();
            let progress = if self.tls.is_some() {
                self.take_encrypted(read, buffers, now)
            } else {
                let fresh = buffers.network.get(..read).unwrap_or_default();
                self.take(fresh, now, &mut buffers.heads)
            };
            // A short read has emptied the socket; new bytes will be a new event.
            let is_empty = read < buffers.network.len() && !is_over;
            if !matches!(progress, Progress::Pending) || is_empty {
                return progress;
            }
        }
    }

    /// Takes bytes of the response.
    fn take(&mut self, input: &[u8], now: Duration, heads: &mut KnownHeads) -> Progress {
        if !self.is_busy {
            return Progress::Closed;
        }
        self.first_byte.get_or_insert(now);
        match self.reader.feed(input, heads) {
            Ok(Fed::More) => Progress::Pending,
            Ok(Fed::Complete(head, body)) => Progress::Complete(head, body, now),
            Err(error) => Progress::Failed(TransportError::Response(error)),
        }
    }

    fn take_encrypted(&mut self, read: usize, buffers: &mut Buffers, now: Duration) -> Progress {
        let Buffers {
            network,
            plain,
            heads,
        } = buffers;
        let mut encrypted = network.get(..read).unwrap_or_default();
        let mut progress = Progress::Pending;
        while !encrypted.is_empty() {
            let Some(tls) = &mut self.tls else { break };
            match tls.read_tls(&mut encrypted) {
                // The server has said goodbye; whatever follows does not count.
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => return Progress::Failed(TransportError::Io(error)),
            }
            let waiting = match tls.process_new_packets() {
                Ok(state) => state.plaintext_bytes_to_read(),
                Err(error) => {
                    // The alert that tells the server why.
                    drop(self.flush());
                    return Progress::Failed(TransportError::Tls(error));
                }
            };
            match &mut progress {
                Progress::Pending if waiting > 0 => {
                    progress = self.take_decrypted(plain, now, heads);
                }
                Progress::Complete(head, ..) if waiting > 0 => head.keep_alive = false,
                Progress::Pending | Progress::Complete(..) => {}
                Progress::Failed(_) | Progress::Closed => return progress,
            }
        }
        self.continue_handshake(now).unwrap_or(progress)
    }

    fn take_decrypted(
        &mut self,
        plain: &mut [u8],
        now: Duration,
        heads: &mut KnownHeads,
    ) -> Progress {
        loop {
            let Some(tls) = &mut self.tls else {
                return Progress::Pending;
            };
            let read = match tls.reader().read(plain) {
                Ok(read) if read > 0 => read,
                // Nothing more, or the end, which the socket will report.
                _ => return Progress::Pending,
            };
            let progress = self.take(plain.get(..read).unwrap_or_default(), now, heads);
            if !matches!(progress, Progress::Pending) {
                return progress;
            }
        }
    }

    /// Sends the request once the handshake is done; something only when that failed.
    fn continue_handshake(&mut self, now: Duration) -> Option<Progress> {
        let is_handshaking = self.tls.as_ref().is_some_and(|tls| tls.is_handshaking());
        if self.state == State::Handshaking && !is_handshaking {
            self.state = State::Open;
            self.connected = Some(now);
        }
        let wants_write = self.tls.as_ref().is_some_and(|tls| tls.wants_write());
        if wants_write || (self.state == State::Open && self.is_unsent()) {
            return self
                .flush()
                .err()
                .map(|error| Progress::Failed(TransportError::Io(error)));
        }
        None
    }

    fn closed(&mut self, clock: &RunClock) -> Progress {
        match self.state {
            State::Handshaking => {
                let error = rustls::Error::General("closed within the handshake".to_owned());
                Progress::Failed(TransportError::Tls(error))
            }
            _ if !self.is_busy => Progress::Closed,
            _ => match self.reader.end_of_stream() {
                Ok(Fed::Complete(head, body)) => Progress::Complete(head, body, clock.now()),
                Ok(Fed::More) => Progress::Pending,
                Err(error) => Progress::Failed(TransportError::Response(error)),
            },
        }
    }

    fn broken(&self, error: io::Error) -> Progress {
        match self.state {
            State::Open if !self.is_busy => Progress::Closed,
            _ => Progress::Failed(TransportError::Io(error)),
        }
    }
}
