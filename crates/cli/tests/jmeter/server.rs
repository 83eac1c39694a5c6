//! A server on loopback that answers by the path it is asked for, and writes down what it was asked.
//!
//! A thread a connection; nothing is shared between two servers, so that two runs of one plan see the
//! same answers.

mod answers;

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use answers::{Answer, Counters, answer};

/// A running server; it ends when dropped.
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// Which connection of the server it came on, from 1.
    pub(crate) connection: usize,
    /// `GET`.
    pub(crate) method: String,
    /// The path with the query, or the whole address where a proxy is asked.
    pub(crate) target: String,
    /// Names and values in their order.
    pub(crate) headers: Vec<(String, String)>,
    /// What came behind the headers, without the framing of chunks.
    pub(crate) body: Vec<u8>,
}

#[derive(Default)]
struct Shared {
    log: Mutex<Vec<Request>>,
    counters: Counters,
    connections: AtomicUsize,
    stopped: AtomicBool,
}

impl Server {
    /// Starts one on a free port of loopback.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let accepting = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Self {
            address,
            shared,
            accepting: Some(accepting),
        }
    }

    /// What it was asked so far, in the order in which the requests were read.
    pub(crate) fn log(&self) -> Vec<Request> {
        self.shared.log.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _woken = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ended = accepting.join();
        }
    }
}

impl Request {
    /// The value of a header, whatever the case of its name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stopped.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let connection = shared.connections.fetch_add(1, Ordering::SeqCst) + 1;
        let shared = Arc::clone(shared);
        std::thread::spawn(move || {
            // A connection that the client cuts is nothing to complain about.
            let _cut = serve(&stream, connection, &shared);
            let _closed = stream.shutdown(Shutdown::Both);
        });
    }
}

fn serve(stream: &TcpStream, connection: usize, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader, connection)? {
        shared.log.lock().unwrap().push(request.clone());
        let mut writer = stream;
        match answer(&request, &shared.counters) {
            Answer::Close => return Ok(()),
            Answer::Cut(bytes) | Answer::Last(bytes) => return writer.write_all(&bytes),
            Answer::Whole(bytes) => writer.write_all(&bytes)?,
        }
    }
    Ok(())
}

/// The next request of a connection; none when the client has closed it.
fn read(reader: &mut BufReader<&TcpStream>, connection: usize) -> io::Result<Option<Request>> {
    let Some(first) = line(reader)? else {
        return Ok(None);
    };
    let mut words = first.split(' ');
    let mut word = || words.next().unwrap_or_default().to_owned();
    let (method, target) = (word(), word());
    let mut headers = Vec::new();
    while let Some(header) = line(reader)?.filter(|header| !header.is_empty()) {
        let (name, value) = header.split_once(':').unwrap_or((&header, ""));
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut request = Request {
        connection,
        method,
        target,
        headers,
        body: Vec::new(),
    };
    if request.header("Expect").is_some() {
        let mut writer = *reader.get_ref();
        writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    request.body = body(reader, &request)?;
    Ok(Some(request))
}

fn body(reader: &mut BufReader<&TcpStream>, request: &Request) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if request.header("Transfer-Encoding") == Some("chunked") {
        loop {
            let size = line(reader)?.unwrap_or_default();
            let size = u64::from_str_radix(size.trim(), 16).unwrap_or(0);
            reader.take(size).read_to_end(&mut body)?;
            line(reader)?;
            if size == 0 {
                return Ok(body);
            }
        }
    }
    let length = request.header("Content-Length");
    let length = length.and_then(|length| length.parse().ok()).unwrap_or(0);
    reader.take(length).read_to_end(&mut body)?;
    Ok(body)
}

/// A line without its end; none at the end of the stream.
fn line(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    if reader.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    let line = String::from_utf8_lossy(&line);
    Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
}
