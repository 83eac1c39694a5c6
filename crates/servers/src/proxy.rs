//! A TCP proxy that stands between a client and a server and breaks what goes through it.
//!
//! Connections can be cut, refused, held up and slowed down, and one can be cut at the very moment when the
//! client says something, for instance `COMMIT`.

mod connection;

use std::collections::HashMap;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::ServerError;
use crate::port::Port;

/// When [`Proxy::cut_when`] cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutPoint {
    /// The server never gets what was awaited.
    Before,
    /// The server gets it and answers; the client never gets the answer.
    After,
}

/// A proxy on a loopback port. All connections end when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    port: Port,
    listening: Mutex<Option<Listening>>,
}

impl Proxy {
    /// Starts passing connections on to a server on this port of 127.0.0.1, which need not run yet.
    ///
    /// # Errors
    /// [`ServerError::Machine`] when there is no port or no thread.
    pub fn start(server: u16) -> Result<Self, ServerError> {
        let proxy = Self {
            shared: Arc::new(Shared::new(SocketAddr::from(([127, 0, 0, 1], server)))),
            port: Port::reserve()?,
            listening: Mutex::new(None),
        };
        proxy.pass()?;
        Ok(proxy)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// A server's address with the proxy's port in place of the server's.
    pub fn through(&self, url: &str) -> String {
        let server = format!("127.0.0.1:{}", self.shared.server.port());
        url.replace(&server, &format!("127.0.0.1:{}", self.port()))
    }

    /// Connections that are open.
    pub fn connections(&self) -> usize {
        self.shared.lock().open.len()
    }

    /// Connections that were cut, by [`Proxy::cut`] or at a point of [`Proxy::cut_when`].
    pub fn cuts(&self) -> u64 {
        self.shared.lock().cuts
    }

    /// Passes everything on at once again, and listens again: the end of whatever was wrong.
    ///
    /// # Errors
    /// [`ServerError::Machine`] when the port cannot be listened on.
    pub fn pass(&self) -> Result<(), ServerError> {
        let mut state = self.shared.lock();
        state.stalled = false;
        state.delay = Duration::ZERO;
        state.trap = None;
        drop(state);
        self.shared.changed.notify_all();
        let mut listening = self.listening();
        if listening.is_none() {
            let begun = Listening::begin(self.port(), Arc::clone(&self.shared));
            *listening = Some(begun.map_err(|source| ServerError::Machine {
                what: "port to listen on",
                source,
            })?);
        }
        Ok(())
    }

    /// Cuts all connections; new ones are taken.
    pub fn cut(&self) {
        let mut state = self.shared.lock();
        let cut: Vec<Open> = state.open.drain().map(|(_, open)| open).collect();
        state.cuts += cut.len() as u64;
        drop(state);
        cut.iter().for_each(Open::shut);
        self.shared.changed.notify_all();
    }

    /// Refuses new connections until [`Proxy::pass`]; those that are open stay.
    pub fn refuse(&self) {
        if let Some(listening) = self.listening().take() {
            listening.end(self.port());
        }
    }

    /// Takes connections and bytes and passes nothing on, until [`Proxy::pass`].
    pub fn stall(&self) {
        self.shared.lock().stalled = true;
    }

    /// Passes each piece on this much later, in either direction: what was sent at once, up to 64 KiB.
    pub fn delay(&self, delay: Duration) {
        self.shared.lock().delay = delay;
    }

    /// Cuts the first connection on which a client sends these bytes from now on. Once; [`Proxy::pass`]
    /// forgets it.
    pub fn cut_when(&self, bytes: &[u8], point: CutPoint) {
        self.shared.lock().trap = Some(Trap {
            bytes: bytes.to_vec(),
            point,
        });
    }

    fn listening(&self) -> MutexGuard<'_, Option<Listening>> {
        self.listening
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.refuse();
        self.shared.lock().ended = true;
        self.cut();
    }
}

/// What the threads of a proxy share.
#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    state: Mutex<State>,
    /// Something in the state changed for which a connection may be waiting.
    changed: Condvar,
}

impl Shared {
    fn new(server: SocketAddr) -> Self {
        Self {
            server,
            state: Mutex::new(State::default()),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct State {
    stalled: bool,
    delay: Duration,
    trap: Option<Trap>,
    open: HashMap<u64, Open>,
    opened: u64,
    cuts: u64,
    ended: bool,
}

/// What is awaited of a client.
#[derive(Debug)]
struct Trap {
    bytes: Vec<u8>,
    point: CutPoint,
}

/// Both ends of a connection.
#[derive(Debug)]
struct Open {
    client: TcpStream,
    server: TcpStream,
    /// The server's next answer is the last thing that happens here.
    ends_with_answer: bool,
}

impl Open {
    fn shut(&self) {
        // An end that is shut already is what is wanted.
        drop(self.client.shutdown(Shutdown::Both));
        drop(self.server.shutdown(Shutdown::Both));
    }
}

/// A thread that takes connections.
#[derive(Debug)]
struct Listening {
    ending: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Listening {
    fn begin(port: u16, shared: Arc<Shared>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        let ending = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&ending);
        let thread = std::thread::Builder::new()
            .name("proxy".to_owned())
            .spawn(move || {
                for client in listener.incoming().flatten() {
                    if told.load(Ordering::Acquire) {
                        return;
                    }
                    connection::begin(client, &shared);
                }
            })?;
        Ok(Self { ending, thread })
    }

    fn end(self, port: u16) {
        self.ending.store(true, Ordering::Release);
        // Wakes the thread; where that fails the port is not listened on any more.
        drop(TcpStream::connect(("127.0.0.1", port)));
        drop(self.thread.join());
    }
}
