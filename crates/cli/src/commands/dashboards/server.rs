//! The small web server of the page: its files, its settings, and the questions that it passes on.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use double11_viewer::{CONTENT_SECURITY_POLICY, Settings, assets, index};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::relay::{Answer, Question, Relay};
use crate::commands::serve::Asked;

/// Connections at a time: a browser opens six.
const CONNECTIONS_MAX: usize = 64;
/// Longest time for a request's head, and for its body.
const READ_LIMIT: Duration = Duration::from_secs(10);
/// Largest body of a question: an expression and four numbers.
const BODY_BYTES_MAX: usize = 64 << 10;
/// How long the end waits for answers that are under way.
const DRAIN_LIMIT: Duration = Duration::from_secs(2);
/// Where questions are asked.
const API: &str = "/api/v1/";
const JSON: &str = "application/json";

/// What is served.
#[derive(Debug)]
pub(super) struct Site {
    files: HashMap<String, (&'static str, Bytes)>,
    relay: Arc<Relay>,
    /// The page may be asked for under any name; on loopback only under those of loopback.
    any_host: bool,
}

impl Site {
    pub(super) fn new(settings: &Settings, relay: Relay, any_host: bool) -> Self {
        let told = serde_json::to_vec(settings).expect("settings have only texts as keys");
        let own = [
            (String::new(), ("text/html; charset=utf-8", index().into())),
            ("settings.json".to_owned(), (JSON, told.into())),
        ];
        let files = assets().map(|asset| {
            let body = Bytes::from_static(asset.body.as_bytes());
            (asset.path.to_owned(), (asset.content_type, body))
        });
        Self {
            files: files.chain(own).collect(),
            relay: Arc::new(relay),
            any_host,
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if !self.is_asked_by_its_name(request.headers()) {
            let why = "this page answers to its address only, not to other names\n";
            return plain(StatusCode::MISDIRECTED_REQUEST, why);
        }
        let path = request.uri().path().to_owned();
        if let Some(asked) = path.strip_prefix(API) {
            return self.ask(asked, request).await;
        }
        let file = path.strip_prefix('/').and_then(|name| self.files.get(name));
        match (file, request.method()) {
            (None, _) => plain(StatusCode::NOT_FOUND, "there is nothing here\n"),
            (Some((kind, body)), &Method::GET | &Method::HEAD) => {
                respond(StatusCode::OK, kind, body.clone())
            }
            (Some(_), _) => refuse_method("GET, HEAD"),
        }
    }

    async fn ask(&self, asked: &str, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let Some(question) = Question::of(asked) else {
            let refusal = Answer::refusal(404, "not_found", "the page asks no such question");
            return pass(refusal);
        };
        if is_from_elsewhere(request.headers()) {
            let refusal = Answer::refusal(403, "forbidden", "another page asked");
            return pass(refusal);
        }
        let given = match *request.method() {
            Method::GET => Ok(request.uri().query().unwrap_or_default().to_owned().into()),
            Method::POST => read(request.into_body()).await,
            _ => return refuse_method("GET, POST"),
        };
        let parameters: Vec<(String, String)> = match given {
            Ok(bytes) => form_urlencoded::parse(&bytes).into_owned().collect(),
            Err(refusal) => return pass(refusal),
        };
        if let Some(name) = question.unknown(&parameters) {
            let problem = format!("the parameter `{name}` does not belong here");
            return pass(Answer::refusal(400, "bad_data", &problem));
        }
        pass(Arc::clone(&self.relay).pass_on(question, parameters).await)
    }

    /// A page elsewhere may have its own name point here; what the browser asks for then bears that
    /// name. Addresses in figures cannot be pointed elsewhere.
    fn is_asked_by_its_name(&self, headers: &HeaderMap) -> bool {
        let host = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        self.any_host || host.is_some_and(is_local_name)
    }
}

fn is_local_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()
}

/// Browsers say where a request comes from; a page elsewhere has nothing to ask here.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-site")
        .is_some_and(|site| site != "same-origin" && site != "none")
}

async fn read(body: Incoming) -> Result<Bytes, Answer> {
    let whole = Limited::new(body, BODY_BYTES_MAX).collect();
    match tokio::time::timeout(READ_LIMIT, whole).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(Answer::refusal(
            413,
            "too_large",
            "a question has at most 64 KiB",
        )),
        Ok(Err(_)) => Err(Answer::refusal(400, "bad_data", "the question broke off")),
        Err(_) => Err(Answer::refusal(
            408,
            "timeout",
            "the question came too slowly",
        )),
    }
}

fn pass(answer: Answer) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
    respond(status, JSON, answer.json.into())
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    respond(status, "text/plain; charset=utf-8", text.into())
}

fn refuse_method(allowed: &'static str) -> Response<Full<Bytes>> {
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "only reading is possible\n");
    let allowed = HeaderValue::from_static(allowed);
    response.headers_mut().insert(header::ALLOW, allowed);
    response
}

fn respond(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Serves until it is asked to end, then waits a moment for answers that are under way.
pub(super) async fn run(listener: TcpListener, site: Arc<Site>, mut asked: Asked) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = asked.heard() => break,
            accepted = accept(&listener, &places) => {
                let Some((stream, place)) = accepted else { continue };
                let site = Arc::clone(&site);
                let service = service_fn(move |request| {
                    let site = Arc::clone(&site);
                    async move { Ok::<_, Infallible>(site.answer(request).await) }
                });
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(READ_LIMIT)
                    .serve_connection(TokioIo::new(stream), service);
                let watched = graceful.watch(connection);
                connections.spawn(async move {
                    // A browser that closes its end early is no failure of the server.
                    drop(watched.await);
                    drop(place);
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    // What is not done by then is cut off with the program.
    drop(tokio::time::timeout(DRAIN_LIMIT, graceful.shutdown()).await);
    connections.shutdown().await;
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    if let Ok((stream, _)) = listener.accept().await {
        return Some((stream, place));
    }
    // Out of descriptors, most likely; asking again at once would only burn time.
    tokio::time::sleep(Duration::from_millis(50)).await;
    None
}

#[cfg(test)]
mod tests {
    use super::is_local_name;

    #[test]
    fn loopback_answers_to_addresses_and_localhost() {
        for host in [
            "127.0.0.1:8080",
            "localhost:9",
            "localhost",
            "LOCALHOST",
            "[::1]:80",
            "192.168.0.9:1",
        ] {
            assert!(is_local_name(host), "{host}");
        }
        for host in [
            "",
            "shop.example:80",
            "localhost.example",
            "127.0.0.1.example:80",
        ] {
            assert!(!is_local_name(host), "{host}");
        }
    }
}
