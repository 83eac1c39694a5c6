//! A tiny HTTP server on the loopback interface, for the tests.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};

use double11_units::UnixMicros;

use crate::clock::Clock;

/// What the server does with one connection.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Answers 200 with this body.
    Body(Vec<u8>),
    /// Writes these bytes and closes.
    Raw(Vec<u8>),
    /// Says nothing until the client goes away.
    Silence,
}

/// Answers one connection after the other as told, then closes its port.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    /// One message for each request that was read.
    requests: Receiver<String>,
    thread: JoinHandle<()>,
}

impl Server {
    pub(crate) fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, requests) = channel();
        let thread = thread::spawn(move || {
            for reply in replies {
                let (stream, _) = listener.accept().unwrap();
                let request = answer(stream, &reply);
                // The test may have ended already.
                drop(seen.send(request));
            }
        });
        Self {
            address,
            requests,
            thread,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/actuator/prometheus", self.address)
    }

    /// Waits until the next request has been answered and returns its head and body.
    pub(crate) fn next_request(&self) -> String {
        self.requests.recv().unwrap()
    }

    /// Waits until every reply has been given and the port is closed.
    pub(crate) fn join(self) {
        self.thread.join().unwrap();
    }
}

fn answer(mut stream: TcpStream, reply: &Reply) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        head.push(byte[0]);
    }
    // What was sent has to be read: closing before would take the answer back.
    let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    stream.read_exact(&mut body).unwrap();
    head.extend(body);
    // A client that gave up has closed the connection; that is what some tests want.
    match reply {
        Reply::Body(body) => {
            let length = body.len();
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            drop(stream.write_all(&[head.as_bytes(), body].concat()));
        }
        Reply::Raw(bytes) => drop(stream.write_all(bytes)),
        Reply::Silence => drop(stream.read_to_end(&mut Vec::new())),
    }
    String::from_utf8(head).unwrap()
}

/// A clock that goes on by a millisecond with each look at it.
#[derive(Debug)]
pub(crate) struct TickingClock(AtomicI64);

impl TickingClock {
    pub(crate) fn starting_at(micros: i64) -> Self {
        Self(AtomicI64::new(micros))
    }
}

impl Clock for TickingClock {
    fn now(&self) -> UnixMicros {
        UnixMicros::new(self.0.fetch_add(1_000, Ordering::SeqCst))
    }
}
