//! What each path is answered with.
//!
//! `/echo…` says what was asked; the other paths are named after what they do, numbers in them are
//! statuses, milliseconds or counts.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use super::Request;

/// How a request is answered.
pub(crate) enum Answer {
    /// With these bytes; the connection stays.
    Whole(Vec<u8>),
    /// With these bytes, and the connection is closed behind them.
    Last(Vec<u8>),
    /// With less than was promised.
    Cut(Vec<u8>),
    /// Not at all.
    Close,
}

/// How often each counted path was asked.
pub(crate) type Counters = Mutex<HashMap<String, u32>>;

const JSON: &str = r#"{"id":42,"name":"Jacke","price":199.50,"sold":false,"none":null,"tags":["a","b","c"],"items":[{"sku":"x1","amount":2,"price":10},{"sku":"x2","amount":5,"price":25.5},{"sku":"x3","amount":0,"price":7}],"deep":{"a":{"id":1},"b":{"id":2}},"text":"say \"hi\" \u4f60\u597d"}"#;

const XML: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<shop name="double"><item id="1"><name>one</name><price>1.50</price></item><item id="2"><name>two</name><price>2.50</price></item><empty/></shop>"#;

const HTML: &str = r#"<!DOCTYPE html>
<html><head><title>Shop &amp; more</title><meta name="csrf" content="token-123"></head>
<body><h1 class="head">Welcome</h1><ul id="list"><li class="item" data-id="1">One</li><li class="item" data-id="2">Two</li><li class="item last" data-id="3">Three</li></ul>
<form action="/echo/form" method="post"><input type="hidden" name="session" value="abc-987"><input name="q" value=""></form>
<a href="/echo/a?session=abc-987">a</a> <a href="/echo/b?x=1">b</a></body></html>"#;

const PAGE: &str = r#"<html><head><link rel="stylesheet" href="/resource/style.css"><script src="/resource/script.js"></script><link rel="shortcut icon" href="/resource/icon.ico"></head>
<body background="/resource/back.gif"><img src="/resource/one.png"><img src="resource/two.png"><img src="/resource/one.png"><iframe src="/resource/frame.html"></iframe><input type="image" src="/resource/button.png"><a href="/not/this">x</a></body></html>"#;

const STYLE: &str =
    "body { background: url(/resource/css-back.png) } @import \"/resource/more.css\";";

/// `{"answer":"packed",…}` in gzip's form.
const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a\xcc\x2b\x2e\x4f\x2d\x52\xb2\x52\x2a\x48\x4c\xce\x4e\x4d\x51\xd2\x51\x2a\xcf\x2f\x4a\x29\x86\x0b\x28\x0c\x0a\x4a\xa9\x16\x00\x77\x3e\x62\x0f\xaa\x00\x00\x00";
/// The same in zlib's form.
const DEFLATE: &[u8] = b"\x78\xda\xab\x56\x4a\xcc\x2b\x2e\x4f\x2d\x52\xb2\x52\x2a\x48\x4c\xce\x4e\x4d\x51\xd2\x51\x2a\xcf\x2f\x4a\x29\x86\x0b\x28\x0c\x0a\x4a\xa9\x16\x00\x0f\xa5\x3c\x70";

/// Parts of an answer.
struct Reply {
    status: u16,
    reason: &'static str,
    headers: String,
    body: Vec<u8>,
}

impl Reply {
    fn new(kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            reason: "OK",
            headers: format!("Content-Type: {kind}\r\n"),
            body: body.into(),
        }
    }

    fn status(mut self, status: u16) -> Self {
        self.status = status;
        self.reason = reason(status);
        self
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        write!(self.headers, "{name}: {value}\r\n").expect("a String takes everything");
        self
    }

    fn bytes(&self, request: &Request) -> Vec<u8> {
        let bodiless = matches!(self.status, 204 | 304);
        let mut head = format!(
            "HTTP/1.1 {} {}\r\n{}",
            self.status, self.reason, self.headers
        );
        if !bodiless {
            write!(head, "Content-Length: {}\r\n", self.body.len())
                .expect("a String takes everything");
        }
        let mut bytes = format!("{head}\r\n").into_bytes();
        if !bodiless && request.method != "HEAD" {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }
}

/// The answer to a request.
pub(crate) fn answer(request: &Request, counters: &Counters) -> Answer {
    let path = path_of(&request.target);
    let words: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let number = |index: usize| words.get(index).and_then(|word| word.parse::<u16>().ok());
    let reply = match words.first().copied().unwrap_or_default() {
        "close" => return Answer::Close,
        "cut" => {
            return Answer::Cut(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nhalf"
                    .to_vec(),
            );
        }
        "last" => {
            let reply = Reply::new("text/plain", "the last").with("Connection", "close");
            return Answer::Last(reply.bytes(request));
        }
        "chunked" => {
            return Answer::Whole(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nfirst \r\n6\r\nsecond\r\n0\r\n\r\n"
                    .to_vec(),
            );
        }
        "slow" => {
            pause(number(1).unwrap_or(0));
            Reply::new("text/plain", "slow")
        }
        "status" => Reply::new("text/plain", "by status").status(number(1).unwrap_or(200)),
        "redirect" => redirect(&words, number(1).unwrap_or(302)),
        "count" | "flaky" => counted(request, &words, counters),
        "cookie" => cookie(request),
        "etag" | "fresh" | "modified" | "private" => cached(request, words[0]),
        "basic" | "digest" => authorised(request, words[0]),
        "big" => Reply::new(
            "text/plain",
            vec![b'x'; usize::from(number(1).unwrap_or(1))],
        ),
        other => document(request, other),
    };
    Answer::Whole(reply.bytes(request))
}

/// Answers that do not depend on the request, and the echo.
fn document(request: &Request, name: &str) -> Reply {
    match name {
        "json" => Reply::new("application/json", JSON),
        "xml" => Reply::new("text/xml;charset=UTF-8", XML),
        "html" => Reply::new("text/html; charset=utf-8", HTML),
        "page" => Reply::new("text/html", PAGE),
        "latin" => Reply::new("text/plain; charset=ISO-8859-1", *b"caf\xe9"),
        "binary" => Reply::new("application/octet-stream", vec![0, 1, 2, 255]),
        "untyped" => {
            let mut reply = Reply::new("", "no type");
            reply.headers.clear();
            reply
        }
        "headers" => Reply::new("text/plain", "headers")
            .with("X-One", "first")
            .with("X-Token", "abc.def")
            .with("X-One", "second"),
        "gzip" => Reply::new("application/json", GZIP).with("Content-Encoding", "gzip"),
        "deflate" => Reply::new("application/json", DEFLATE).with("Content-Encoding", "deflate"),
        "resource" => resource(&request.target),
        _ => Reply::new("text/plain;charset=UTF-8", echo(request)),
    }
}

fn echo(request: &Request) -> Vec<u8> {
    let mut text = format!("{} {}\n", request.method, request.target).into_bytes();
    text.extend_from_slice(&request.body);
    text
}

fn resource(target: &str) -> Reply {
    let kind = match path_of(target).rsplit('.').next() {
        Some("css") => "text/css",
        Some("js") => "text/javascript",
        Some("html") => "text/html",
        _ => "image/png",
    };
    let body = if target.contains("style.css") {
        STYLE
    } else {
        "resource"
    };
    let reply = Reply::new(kind, body);
    if target.contains("missing") {
        reply.status(404)
    } else {
        reply
    }
}

/// `/redirect/302/2` leads to `/redirect/302/1`, `/redirect/302/echo`, and then `/echo/end`; with `loop`
/// to itself.
fn redirect(words: &[&str], status: u16) -> Reply {
    let next = match words.get(2).copied() {
        Some("loop") => format!("/redirect/{status}/loop"),
        Some("relative") => "../../echo/relative?a=b".to_owned(),
        Some("nowhere") => return Reply::new("text/plain", "nowhere").status(status),
        Some("cookie") => "/echo/with-cookie".to_owned(),
        Some("1") | None => "/echo/end".to_owned(),
        Some(count) => {
            let count: u16 = count.parse().unwrap_or(1);
            format!("/redirect/{status}/{}", count.saturating_sub(1))
        }
    };
    let reply = Reply::new("text/plain", "moved")
        .status(status)
        .with("Location", &next);
    if words.get(2) == Some(&"cookie") {
        reply.with("Set-Cookie", "moved=yes; Path=/")
    } else {
        reply
    }
}

/// `/count/NAME` says the how manieth request to it this is; `/flaky/N/NAME` fails each N-th.
fn counted(request: &Request, words: &[&str], counters: &Counters) -> Reply {
    let mut counters = counters.lock().unwrap();
    let count = counters
        .entry(path_of(&request.target).to_owned())
        .or_default();
    *count += 1;
    let reply = Reply::new("text/plain", count.to_string());
    let every: u32 = words.get(1).and_then(|word| word.parse().ok()).unwrap_or(2);
    if words[0] == "flaky" && count.is_multiple_of(every) {
        return reply.status(500);
    }
    reply
}

/// Each parameter of the query becomes a cookie; `~` in a value stands for `;`.
fn cookie(request: &Request) -> Reply {
    let query = request
        .target
        .split_once('?')
        .map_or("", |(_, query)| query);
    let set = query.split('&').filter(|pair| !pair.is_empty());
    set.fold(Reply::new("text/plain", echo(request)), |reply, pair| {
        reply.with("Set-Cookie", &pair.replace('~', "; ").replace('+', " "))
    })
}

fn cached(request: &Request, kind: &str) -> Reply {
    let reply = Reply::new("text/plain", format!("cached by {kind}"));
    match kind {
        "etag" if request.header("If-None-Match") == Some("\"v1\"") => {
            reply.status(304).with("ETag", "\"v1\"")
        }
        "etag" => reply.with("ETag", "\"v1\""),
        "fresh" => reply.with("Cache-Control", "max-age=3600"),
        "private" => reply.with("Cache-Control", "no-store"),
        _ if request.header("If-Modified-Since").is_some() => reply.status(304),
        _ => reply.with("Last-Modified", "Sat, 11 Nov 2023 00:00:00 GMT"),
    }
}

/// Both ask for the user `buyer` with the word `1111`.
fn authorised(request: &Request, kind: &str) -> Reply {
    let given = request.header("Authorization").unwrap_or_default();
    let right = match kind {
        "basic" => given == "Basic YnV5ZXI6MTExMQ==",
        _ => given.contains("response=\"e23b748ff213971cf601e411fa13f3f7\""),
    };
    let reply = Reply::new("text/plain", if right { "welcome" } else { "who are you" });
    match (right, kind) {
        (true, _) => reply,
        (false, "basic") => reply
            .status(401)
            .with("WWW-Authenticate", "Basic realm=\"shop\""),
        (false, _) => reply.status(401).with(
            "WWW-Authenticate",
            "Digest realm=\"shop\", nonce=\"0123456789abcdef\", algorithm=MD5",
        ),
    }
}

fn path_of(target: &str) -> &str {
    let path = target.split('?').next().unwrap_or_default();
    // A proxy is asked with whole addresses.
    match path.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| rest.split_at(at).1),
        None => path,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a server that is slow on purpose"
)]
fn pause(milliseconds: u16) {
    std::thread::sleep(Duration::from_millis(milliseconds.into()));
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "",
    }
}
