//! A server between two others that passes answers on, some of them spoilt.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// What is done to the body of an answer; it is given the request's body as well.
type Change = dyn Fn(&str, String) -> String + Send + Sync;

/// Passes every request on to a server, and its answer back, changed.
pub(crate) struct Proxy {
    pub(crate) url: String,
    /// How many of the next requests are answered with 503 instead.
    pub(crate) failures_left: Arc<AtomicU32>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    pub(crate) fn start(
        behind: &str,
        change: impl Fn(&str, String) -> String + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (over, failures_left) = (Arc::default(), Arc::default());
        let told: (Arc<AtomicBool>, Arc<AtomicU32>) =
            (Arc::clone(&over), Arc::clone(&failures_left));
        let behind = behind.to_owned();
        let thread = std::thread::spawn(move || {
            let change: &Change = &change;
            for stream in listener.incoming() {
                if told.0.load(Ordering::SeqCst) {
                    return;
                }
                // Whoever asked may have gone away; the next one counts.
                drop(stream.and_then(|stream| pass(stream, &behind, &told.1, change)));
            }
        });
        Self {
            url,
            failures_left,
            over,
            thread: Some(thread),
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        drop(TcpStream::connect(
            self.url.strip_prefix("http://").unwrap(),
        ));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn pass(
    stream: TcpStream,
    behind: &str,
    failures_left: &AtomicU32,
    change: &Change,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8(body).unwrap();
    let failing = failures_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
        left.checked_sub(1)
    });
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let url = format!("{behind}{path}");
    let answer = match (failing, method) {
        (Ok(_), _) => None,
        (Err(_), "POST") => ureq::post(url)
            .content_type("application/x-www-form-urlencoded")
            .send(body.as_str())
            .ok(),
        (Err(_), _) => ureq::get(url).call().ok(),
    };
    let text = answer.and_then(|mut answer| {
        answer
            .body_mut()
            .with_config()
            .limit(1 << 28)
            .read_to_string()
            .ok()
    });
    let (status, text) = match text {
        Some(text) => ("200 OK", change(&body, text)),
        None => ("503 Service Unavailable", String::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        text.len()
    );
    let mut stream = stream;
    stream.write_all(head.as_bytes())?;
    stream.write_all(text.as_bytes())
}
