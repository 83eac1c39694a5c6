//! A plain HTTP/1.1 client that sends what it is told, right or wrong.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(super) struct Client {
    stream: TcpStream,
    unread: Vec<u8>,
}

#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {}", String::from_utf8_lossy(&self.body)))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The code of a problem, whose other members must fit.
    pub(super) fn code(&self) -> String {
        let json = self.json();
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(json["status"], self.status);
        assert!(json["title"].is_string() && json["type"].is_string());
        json["code"].as_str().unwrap().to_owned()
    }

    /// The text of a member.
    pub(super) fn text(&self, name: &str) -> String {
        self.json()[name]
            .as_str()
            .unwrap_or_else(|| panic!("no `{name}`: {self:?}"))
            .to_owned()
    }
}

impl Client {
    pub(super) async fn connect(addr: SocketAddr) -> Self {
        Self {
            stream: TcpStream::connect(addr).await.unwrap(),
            unread: Vec::new(),
        }
    }

    pub(super) async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    pub(super) async fn post(&mut self, path: &str, body: &str) -> Answer {
        self.send("POST", path, &[("content-type", "application/json")], body)
            .await
    }

    pub(super) async fn post_with_key(&mut self, path: &str, key: &str, body: &str) -> Answer {
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", key),
        ];
        self.send("POST", path, &headers, body).await
    }

    pub(super) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: shop\r\n");
        for (name, value) in headers {
            request.extend([*name, ": ", *value, "\r\n"]);
        }
        if !body.is_empty() {
            request.extend(["content-length: ", &body.len().to_string(), "\r\n"]);
        }
        request.push_str("\r\n");
        request.push_str(body);
        self.write(request.as_bytes()).await;
        self.read(method == "HEAD").await.expect("an answer")
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next answer; none when the shop closed the connection.
    pub(super) async fn read(&mut self, without_body: bool) -> Option<Answer> {
        let head_end = loop {
            if let Some(end) = self
                .unread
                .windows(4)
                .position(|window| window == b"\r\n\r\n")
            {
                break end;
            }
            if !self.fill().await {
                return None;
            }
        };
        let head = String::from_utf8(self.unread[..head_end].to_vec()).unwrap();
        self.unread.drain(..head_end + 4);
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let headers: Vec<(String, String)> = lines
            .map(|line| {
                let (name, value) = line.split_once(':').unwrap();
                (name.to_ascii_lowercase(), value.trim().to_owned())
            })
            .collect();
        let mut answer = Answer {
            status,
            headers,
            body: Vec::new(),
        };
        // An answer to HEAD and a 304 have no body, whatever they say of its length.
        let length = if without_body || status == 304 {
            0
        } else {
            answer.header("content-length").unwrap().parse().unwrap()
        };
        while self.unread.len() < length {
            assert!(self.fill().await, "the body is cut off");
        }
        answer.body = self.unread.drain(..length).collect();
        Some(answer)
    }

    /// Whether the shop closes the connection without another byte.
    pub(super) async fn is_closed(&mut self) -> bool {
        self.unread.is_empty() && !self.fill().await
    }

    async fn fill(&mut self) -> bool {
        let mut buffer = vec![0; 64 * 1024];
        let read = tokio::time::timeout(Duration::from_secs(20), self.stream.read(&mut buffer));
        match read.await.expect("the shop neither answers nor closes") {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.unread.extend_from_slice(&buffer[..count]);
                true
            }
        }
    }
}
