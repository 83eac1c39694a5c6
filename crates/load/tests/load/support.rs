//! A server on threads that answers as a test says and keeps a log, and options to start from.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use double11_load::plan::Plan;
use double11_load::run_directory::RunDirectory;
use double11_load::schedule::{Phase, Ramp, Rate, Spread};
use double11_load::shard::Shard;
use double11_load::transport::{Limits, Target};
use double11_load::{LoadModel, RunAbout, RunOptions, RunOutcome, SamplePolicy, StopHandle};
use double11_measure::jtl::Reader;

/// A request as the server received it.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) key: Option<String>,
    pub(crate) body: String,
    /// Number of the connection, from 0.
    pub(crate) connection: usize,
    /// Number of the request on its connection, from 0.
    pub(crate) on_connection: usize,
    /// Number of the request on this server, from 0.
    pub(crate) number: usize,
}

/// What the server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Answers with a status and a body.
    Status(u16, String),
    /// The same after a delay; the delay that was really applied is logged.
    After(Duration, u16, String),
    /// Writes these bytes and closes the connection.
    RawThenClose(Vec<u8>),
    /// Writes these bytes and keeps the connection.
    Raw(Vec<u8>),
    /// Closes the connection without a word.
    Close,
    /// Never answers.
    Hang,
}

/// What the server has seen.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) requests: Vec<Received>,
    pub(crate) delays: Vec<Duration>,
}

pub(crate) struct Server {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    log: Mutex<Log>,
    stopping: AtomicBool,
    connections: AtomicUsize,
    requests: AtomicUsize,
    busy: AtomicUsize,
    busy_max: AtomicUsize,
}

type Handler = dyn Fn(&Received) -> Reply + Send + Sync;

impl Server {
    pub(crate) fn start(handler: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let handler: Arc<Handler> = Arc::new(handler);
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stopping.load(Ordering::SeqCst) {
                    return;
                }
                let (state, handler) = (Arc::clone(&shared), Arc::clone(&handler));
                let connection = state.connections.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || serve(stream.unwrap(), connection, &state, &*handler));
            }
        });
        Self { port, state }
    }

    pub(crate) fn target(&self) -> Target {
        Target::parse(&format!("http://127.0.0.1:{}", self.port)).unwrap()
    }

    pub(crate) fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.state.log.lock().unwrap()
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// Most requests that were with the server at once.
    pub(crate) fn busy_max(&self) -> usize {
        self.state.busy_max.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state.stopping.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

/// Serves one connection until either side closes it.
fn serve(stream: TcpStream, connection: usize, state: &State, handler: &Handler) {
    stream.set_nodelay(true).unwrap();
    let mut writer = stream.try_clone().unwrap();
    let mut reader = BufReader::new(stream);
    let mut on_connection = 0;
    while let Some(mut request) = read_request(&mut reader) {
        request.connection = connection;
        request.on_connection = on_connection;
        request.number = state.requests.fetch_add(1, Ordering::SeqCst);
        on_connection += 1;
        let busy = state.busy.fetch_add(1, Ordering::SeqCst) + 1;
        state.busy_max.fetch_max(busy, Ordering::SeqCst);
        let since = now();
        let reply = handler(&request);
        state.log.lock().unwrap().requests.push(request);
        let (bytes, close) = match reply {
            Reply::Status(status, body) => (answer(status, &body), false),
            Reply::After(delay, status, body) => {
                wait_until(since + delay);
                state.log.lock().unwrap().delays.push(now() - since);
                (answer(status, &body), false)
            }
            Reply::RawThenClose(bytes) => (bytes, true),
            Reply::Raw(bytes) => (bytes, false),
            Reply::Close => (Vec::new(), true),
            Reply::Hang => {
                // Until the client gives up.
                drop(reader.read(&mut [0]));
                (Vec::new(), true)
            }
        };
        state.busy.fetch_sub(1, Ordering::SeqCst);
        if writer.write_all(&bytes).is_err() || close {
            return;
        }
    }
}

pub(crate) fn answer(status: u16, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn read_request(reader: &mut impl std::io::BufRead) -> Option<Received> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut parts = line.split(' ').map(str::to_owned);
    let (method, path) = (parts.next()?, parts.next()?);
    let (mut length, mut key) = (0, None);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "idempotency-key" => key = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).ok()?;
    Some(Received {
        method,
        path,
        key,
        body,
        connection: 0,
        on_connection: 0,
        number: 0,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the server's clock is not the one under test"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a server that is slow has to wait"
)]
fn wait_until(instant: Instant) {
    std::thread::sleep(instant.saturating_duration_since(now()));
}

/// One `GET /` a visit.
pub(crate) const GET: &str = r#"
format = 1
name = "get"
[[step]]
name = "get"
weight = 1
[step.request]
method = "GET"
path = "/"
success = [200]
"#;

/// One order a visit, which is a write.
pub(crate) const POST: &str = r#"
format = 1
name = "post"
[[step]]
name = "order"
weight = 1
[step.request]
method = "POST"
path = "/api/orders"
body = '{"shopper": ${shopper}}'
success = [201]
expected_refusals = [{ status = 409, code = "sold_out" }]
write = "order"
idempotency_key = true
[step.request.extract]
order_id = "/order_id"
total = "/total"
"#;

pub(crate) fn plan(text: &str) -> Plan {
    Plan::parse("test", text, &[]).unwrap()
}

pub(crate) fn phase(name: &str, seconds: f64, visits_per_second: f64) -> Phase {
    Phase {
        name: name.to_owned(),
        duration: Duration::from_secs_f64(seconds),
        rate: Some(Rate::Visits(Ramp::constant(visits_per_second))),
        peak: false,
        measured: true,
        samples_file: None,
    }
}

/// One thread, even arrivals, generous bounds, no files.
pub(crate) fn options(plan: Plan, target: Target, phases: Vec<Phase>) -> RunOptions {
    RunOptions {
        plan,
        target,
        extra_roots: Vec::new(),
        model: LoadModel::Open {
            spread: Spread::Even,
        },
        phases,
        seed: 20_261_111,
        shard: Shard::WHOLE,
        start_at: None,
        threads: Some(1),
        pin_to: Vec::new(),
        connections: 64,
        max_in_flight: 10_000,
        request_timeout: Duration::from_secs(5),
        connect_timeout: Duration::from_secs(2),
        limits: Limits {
            head_bytes_max: 16_384,
            body_bytes_max: 1_048_576,
        },
        require_reachable: false,
        samples: SamplePolicy::All,
        output: None,
        about: RunAbout::default(),
    }
}

pub(crate) fn run(options: &RunOptions) -> RunOutcome {
    double11_load::run(options, &StopHandle::new(), &mut |_| {}).unwrap()
}

/// Runs into a fresh directory.
pub(crate) fn run_kept(mut options: RunOptions) -> (RunOutcome, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    options.output = Some(RunDirectory::create(directory.path(), false).unwrap());
    (run(&options), directory)
}

/// Label, elapsed milliseconds, success, response code and URL of every row of a sample file.
pub(crate) fn rows(path: &std::path::Path) -> Vec<(String, u64, bool, String, String)> {
    let file = BufReader::new(std::fs::File::open(path).unwrap());
    let mut reader = Reader::new(file).unwrap();
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row().unwrap() {
        let texts = (
            row.label.to_owned(),
            row.response_code.to_owned(),
            row.url.to_owned(),
        );
        rows.push((texts.0, row.elapsed_ms, row.success, texts.1, texts.2));
    }
    rows
}

/// The lines of a run's client ledger, without its first.
pub(crate) fn ledger(directory: &std::path::Path) -> Vec<serde_json::Value> {
    let file = std::fs::File::open(directory.join("client-ledger.jsonl")).unwrap();
    let mut lines = BufReader::new(file).lines().map(|line| line.unwrap());
    assert_eq!(lines.next().unwrap(), r#"{"double11_client_ledger":1}"#);
    lines
        .map(|line| serde_json::from_str(&line).unwrap())
        .collect()
}

/// How often each kind of failure was seen.
pub(crate) fn failures(outcome: &RunOutcome) -> Vec<(String, u64)> {
    let failures = &outcome.summary.whole.total.failures;
    failures
        .iter()
        .map(|(kind, count)| (kind.clone(), *count))
        .collect()
}

/// Nearest-rank percentile of exact values.
pub(crate) fn percentile(values: &mut [f64], percentile: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (percentile / 100.0 * values.len() as f64).ceil();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small rank"
    )]
    let index = (rank as usize).clamp(1, values.len()) - 1;
    values[index]
}
