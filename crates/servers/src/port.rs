//! Ports that nobody else takes, not even while the server that listens on one is dead.
//!
//! They lie below the range from which the operating system takes the ports of outgoing connections. From
//! within that range a client that keeps connecting to a dead server could be given the server's own port,
//! connect to itself, and keep the server from coming back.

use std::fs::{File, OpenOptions};
use std::io;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::ServerError;

const LOWEST: u32 = 20_000;
/// Ports from [`LOWEST`] on; Linux' outgoing connections begin at 32,768.
const COUNT: u32 = 12_000;

static TAKEN: AtomicU32 = AtomicU32::new(0);
/// Ports that were given away by number, which nobody drops.
static KEPT: Mutex<Vec<Port>> = Mutex::new(Vec::new());

/// A port of 127.0.0.1 that is reserved until this process ends, for programs that tests start, kill and
/// start again on it.
///
/// # Errors
///
/// [`ServerError::Machine`] if no port is free or none can be locked.
pub fn free_port() -> Result<u16, ServerError> {
    let port = Port::reserve()?;
    let number = port.number();
    KEPT.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(port);
    Ok(number)
}

/// A port that is reserved, between all processes of this user, until this is dropped.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    /// Locked while the port is reserved.
    _lock: File,
}

impl Port {
    pub(crate) fn reserve() -> Result<Self, ServerError> {
        Self::find().map_err(|source| ServerError::Machine {
            what: "free port",
            source,
        })
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }

    fn find() -> io::Result<Self> {
        let user = rustix::process::getuid().as_raw();
        let folder = std::env::temp_dir().join(format!("double11-ports-{user}"));
        std::fs::create_dir_all(&folder)?;
        // Processes begin at different places, so that they seldom meet.
        let begin = std::process::id().wrapping_mul(97);
        for _ in 0..COUNT {
            let next = begin.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed));
            let Ok(number) = u16::try_from(LOWEST + next % COUNT) else {
                continue;
            };
            let lock = OpenOptions::new()
                .create(true)
                .append(true)
                .open(folder.join(number.to_string()))?;
            if lock.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", number)).is_ok() {
                return Ok(Self {
                    number,
                    _lock: lock,
                });
            }
        }
        Err(io::Error::from(io::ErrorKind::AddrInUse))
    }
}
