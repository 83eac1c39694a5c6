//! A receiver of Alertmanager's webhooks on loopback, which keeps what it is told.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{eventually, pause};

/// One message: to which receiver, and what.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) receiver: String,
    pub(crate) body: Value,
}

impl Message {
    /// Its alerts of a name and a state, `firing` or `resolved`.
    pub(crate) fn alerts<'message>(
        &'message self,
        name: &'message str,
        state: &'message str,
    ) -> impl Iterator<Item = &'message Value> {
        let alerts = self.body["alerts"].as_array().unwrap();
        alerts
            .iter()
            .filter(move |alert| alert["labels"]["alertname"] == name && alert["status"] == state)
    }
}

/// The receiver; it stops when dropped.
pub(crate) struct Sink {
    pub(crate) url: String,
    messages: Arc<Mutex<Vec<Message>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Sink {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let messages = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let thread = {
            let (messages, stop) = (Arc::clone(&messages), Arc::clone(&stop));
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    match listener.accept() {
                        Ok((stream, _)) => messages
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(receive(stream)),
                        Err(_) => pause(Duration::from_millis(10)),
                    }
                }
            })
        };
        Self {
            url,
            messages,
            stop,
            thread: Some(thread),
        }
    }

    /// Everything that came so far, in its order.
    pub(crate) fn messages(&self) -> Vec<Message> {
        let messages = self.messages.lock();
        messages.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for a message to this receiver with an alert of this name and state; the alert.
    pub(crate) fn expect(&self, receiver: &str, name: &str, state: &str) -> Value {
        self.expect_of(receiver, name, (state, "", ""))
    }

    /// The same of an alert with a certain label, unless the label has no name.
    pub(crate) fn expect_of(
        &self,
        receiver: &str,
        name: &str,
        (state, label, value): (&str, &str, &str),
    ) -> Value {
        let mut found = None;
        let what = format!("{name} {state} at {receiver}");
        eventually(&what, Duration::from_mins(1), || {
            found = self
                .messages()
                .iter()
                .filter(|message| message.receiver == receiver)
                .find_map(|message| {
                    let mut alerts = message.alerts(name, state);
                    let wanted =
                        alerts.find(|alert| label.is_empty() || alert["labels"][label] == value);
                    wanted.cloned()
                });
            found.is_some()
        });
        found.unwrap()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Reads one request and answers it.
fn receive(mut stream: TcpStream) -> Message {
    stream.set_nonblocking(false).unwrap();
    let limit = Some(Duration::from_secs(10));
    stream.set_read_timeout(limit).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let path = line.split(' ').nth(1).unwrap().to_owned();
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .unwrap();
    Message {
        receiver: path.trim_start_matches('/').to_owned(),
        body: serde_json::from_slice(&body).unwrap(),
    }
}
