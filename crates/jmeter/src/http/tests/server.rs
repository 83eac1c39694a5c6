//! A server that answers as the paths of requests ask, and keeps the requests.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A server and the requests that it got.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let all = Arc::clone(&all);
                std::thread::spawn(move || serve(stream.unwrap(), &all));
            }
        });
        Self { address, requests }
    }

    /// The requests so far, their port as `PORT`.
    pub(super) fn requests(&self) -> Vec<String> {
        let port = self.address.port().to_string();
        let requests = self.requests.lock().unwrap();
        requests
            .iter()
            .map(|request| request.replace(&port, "PORT"))
            .collect()
    }
}

/// Answers the requests of a connection as their paths ask.
#[expect(clippy::too_many_lines, reason = "one table of answers")]
fn serve(mut stream: TcpStream, all: &Mutex<Vec<String>>) {
    let mut pending = Vec::new();
    loop {
        let Some(request) = receive(&mut stream, &mut pending) else {
            return;
        };
        let text: String = request.iter().copied().map(char::from).collect();
        all.lock().unwrap().push(text.clone());
        let path = text.split(' ').nth(1).unwrap().to_owned();
        let text_plain = "Content-Type: text/plain; charset=utf-8\r\n";
        let (status, headers, body): (&str, String, &[u8]) = match path.split('?').next().unwrap() {
            "/redirect" => (
                "302 Found",
                format!("{text_plain}Location: /final?x=1\r\n"),
                b"moved",
            ),
            "/307" => (
                "307 Temporary Redirect",
                "Location: /final\r\n".to_owned(),
                b"",
            ),
            "/loop" => ("301 Moved", "Location: /loop\r\n".to_owned(), b"loop"),
            "/nowhere" => ("302 Found", String::new(), b""),
            "/404" => ("404 Not Found", text_plain.to_owned(), b"none"),
            "/cookie" => (
                "200 OK",
                "Set-Cookie: a=b; Path=/\r\nSet-Cookie: c=\"d e\"\r\n".to_owned(),
                b"",
            ),
            "/tag" if text.contains("If-None-Match: \"x\"") => {
                ("304 Not Modified", String::new(), b"")
            }
            "/tag" => (
                "200 OK",
                "ETag: \"x\"\r\nCache-Control: no-cache\r\n".to_owned(),
                b"tagged",
            ),
            "/age" => (
                "200 OK",
                "Cache-Control: max-age=100\r\n".to_owned(),
                b"aged",
            ),
            "/gzip" => (
                "200 OK",
                format!("{text_plain}Content-Encoding: gzip\r\n"),
                &GZIPPED,
            ),
            "/page" => (
                "200 OK",
                "Content-Type: text/html\r\n".to_owned(),
                b"<link rel=stylesheet href=a.css><img src=i.png><img src=404><iframe src=frame>",
            ),
            "/frame" => (
                "200 OK",
                "Content-Type: text/html\r\n".to_owned(),
                b"<img src=f.png>",
            ),
            "/to-page" => ("302 Found", "Location: /page\r\n".to_owned(), b""),
            "/digest" if !text.contains("Authorization: Digest ") => (
                "401 Unauthorized",
                "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n".to_owned(),
                b"who?",
            ),
            _ if path.starts_with("http://") && !text.contains("Proxy-Authorization: ") => (
                "407 Proxy Authentication Required",
                "Proxy-Authenticate: Basic realm=\"p\"\r\n".to_owned(),
                b"who?",
            ),
            "/slow" => {
                // Until the client gives up.
                let _given_up = stream.read(&mut [0]);
                return;
            }
            "/close" => return,
            "/short" => {
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
                    .unwrap();
                return;
            }
            _ => ("200 OK", text_plain.to_owned(), b"hello"),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        if !text.starts_with("HEAD") {
            stream.write_all(body).unwrap();
        }
    }
}

/// `hello`, compressed.
const GZIPPED: [u8; 25] = [
    0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0, 0x86, 0xa6,
    0x10, 0x36, 5, 0, 0, 0,
];

fn receive(stream: &mut TcpStream, pending: &mut Vec<u8>) -> Option<Vec<u8>> {
    let mut bytes = [0; 4_096];
    loop {
        let end = pending.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end.map(|end| end + 4) {
            let head = String::from_utf8_lossy(&pending[..end]).to_ascii_lowercase();
            let length = head.split("content-length: ").nth(1);
            let length = length.map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
            if pending.len() >= end + length {
                return Some(pending.drain(..end + length).collect());
            }
        }
        let read = stream.read(&mut bytes).unwrap_or(0);
        if read == 0 {
            return None;
        }
        pending.extend_from_slice(&bytes[..read]);
    }
}
