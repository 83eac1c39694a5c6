//! A name server for one test, on an address of the loopback.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Queries are short; anything longer is none.
const MESSAGE_MAX: usize = 512;
const HEADER: usize = 12;
const TYPE_A: [u8; 2] = [0, 1];

/// Answers one name with 127.0.0.1, every other with "no such name".
pub(crate) struct NameServer {
    asked: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl NameServer {
    /// Starts to answer on port 53, which needs root.
    pub(crate) fn start(address: Ipv4Addr, name: &str) -> std::io::Result<Self> {
        let socket = UdpSocket::bind(SocketAddr::from((address, 53)))?;
        socket.set_read_timeout(Some(Duration::from_millis(50)))?;
        let (asked, stop) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let (log, stopped) = (Arc::clone(&asked), Arc::clone(&stop));
        let name = name.to_owned();
        let thread = std::thread::spawn(move || {
            let mut message = [0; MESSAGE_MAX];
            while !stopped.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut message) else {
                    continue;
                };
                let Some((asked, end)) = question(&message[..length]) else {
                    continue;
                };
                let reply = answer(&message[..end], asked == name);
                lock(&log).push(asked);
                socket.send_to(&reply, from).unwrap();
            }
        });
        Ok(Self {
            asked,
            stop,
            thread: Some(thread),
        })
    }

    /// The names that were asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        lock(&self.asked).clone()
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(self.thread.take().map(JoinHandle::join));
    }
}

fn lock(asked: &Mutex<Vec<String>>) -> std::sync::MutexGuard<'_, Vec<String>> {
    asked.lock().unwrap()
}

/// The name that is asked for, and where the question ends.
///
/// Source: RFC 1035, section 4.1.2: labels with their lengths in front, then type and class.
fn question(message: &[u8]) -> Option<(String, usize)> {
    let (mut labels, mut at) = (Vec::new(), HEADER);
    loop {
        let length = usize::from(*message.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(message.get(at..at + length)?).into_owned());
        at += length;
    }
    let end = at + 4;
    (end <= message.len()).then(|| (labels.join("."), end))
}

/// An answer to a query that ends with its question.
///
/// Source: RFC 1035, sections 4.1.1 and 4.1.3.
fn answer(query: &[u8], known: bool) -> Vec<u8> {
    let is_address = query[query.len() - 4..query.len() - 2] == TYPE_A;
    let answers = u8::from(known && is_address);
    let mut reply = query[..2].to_vec();
    // An answer, recursion wanted and had; code 3 is "no such name".
    reply.extend([0x81, if known { 0x80 } else { 0x83 }]);
    reply.extend([0, 1, 0, answers, 0, 0, 0, 0]);
    reply.extend(&query[HEADER..]);
    if answers == 1 {
        // The name of the question, type A, class IN, five seconds, four bytes.
        reply.extend([0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 127, 0, 0, 1]);
    }
    reply
}
