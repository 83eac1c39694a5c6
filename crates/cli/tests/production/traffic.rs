//! What a shop sends to its database and its cache, counted at the other end: by the server's own log of
//! statements, and by Redis' own list of commands.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use double11_servers::{MariaDb, Redis, Tool, present};

/// What a shop sends by itself, by how its statements begin.
const BACKGROUND: [(&str, &str); 9] = [
    ("expiry", "SELECT order_id FROM orders"),
    (
        "open payments",
        "SELECT order_id, attempt_id, amount, created_at FROM payments",
    ),
    (
        "open refunds",
        "SELECT order_id, attempt_id, refunds.amount FROM refunds",
    ),
    (
        "sold out",
        "SELECT product_id FROM stock WHERE available = 0",
    ),
    ("a confirmed refund", "UPDATE refunds SET state = 'done'"),
    ("figures", "SELECT CAST(COALESCE(SUM(received"),
    (
        "old keys",
        "SELECT k.`key`, k.operation, k.user_id FROM idempotency_keys",
    ),
    ("old carts", "SELECT cart_id FROM carts WHERE updated_at"),
    ("a block of ids", "SELECT next_id FROM id_blocks"),
];
/// What belongs to whatever stands between or before.
const ENVELOPE: [&str; 5] = [
    "START TRANSACTION",
    "COMMIT",
    "ROLLBACK",
    "SET SESSION",
    "UPDATE writers",
];
/// How the monitor shows the end of a window.
const MARK: &str = "\"PING\" \"mark\"";
/// Keys that only background work uses, behind the prefix.
const BACKGROUND_KEYS: [&str; 2] = ["sold-out", "{activity}"];

/// What a statement of the background is for.
fn purpose(text: &str) -> Option<&'static str> {
    let found = BACKGROUND
        .iter()
        .find(|(_, beginning)| text.starts_with(beginning));
    found.map(|(purpose, _)| *purpose)
}

fn is_envelope(text: &str) -> bool {
    ENVELOPE.iter().any(|beginning| text.starts_with(beginning))
}

/// A database and a cache that write down everything they are asked.
pub(crate) struct Traffic {
    pub(crate) database: MariaDb,
    pub(crate) cache: Redis,
    folder: tempfile::TempDir,
    marker: TcpStream,
    monitor: Receiver<String>,
    /// The commands up to the last mark.
    commands: Vec<String>,
}

/// An instant of both logs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instant {
    bytes: usize,
    commands: usize,
}

/// From one instant to another.
pub(crate) type Window = (Instant, Instant);

/// What was sent on behalf of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) connections: usize,
    pub(crate) statements: usize,
    /// Round trips to the database, each with one statement or more.
    pub(crate) trips: usize,
    /// Statements that were prepared first, each a round trip more.
    pub(crate) prepared: usize,
    pub(crate) cache: usize,
}

impl Traffic {
    /// Starts both; none, said aloud, where a server is missing.
    pub(crate) fn start() -> Option<Self> {
        if !(present(Tool::MariaDb) && present(Tool::Redis)) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let log = format!("--general-log-file={}", log_of(&folder).display());
        let logged = ["--general-log", "--log-output=FILE", &log];
        let database = MariaDb::start_unsynced(&logged).unwrap();
        let cache = Redis::start().unwrap();
        let connect = || TcpStream::connect(("127.0.0.1", cache.port())).unwrap();
        let mut monitored = connect();
        monitored.write_all(b"MONITOR\r\n").unwrap();
        let (seen, monitor) = mpsc::channel();
        let mut lines = BufReader::new(monitored).lines().map_while(Result::ok);
        assert_eq!(lines.next().as_deref(), Some("+OK"));
        // It ends with the server.
        std::thread::spawn(move || {
            for line in lines {
                if seen.send(line).is_err() {
                    break;
                }
            }
        });
        Some(Self {
            marker: connect(),
            database,
            cache,
            folder,
            monitor,
            commands: Vec::new(),
        })
    }

    /// Now. Both servers write down a request before they answer it.
    pub(crate) fn now(&mut self) -> Instant {
        self.marker.write_all(b"PING mark\r\n").unwrap();
        loop {
            let line = self.monitor.recv_timeout(Duration::from_secs(5)).unwrap();
            if line.contains(MARK) {
                break;
            }
            self.commands.push(line);
        }
        let bytes = std::fs::metadata(log_of(&self.folder)).unwrap().len();
        Instant {
            bytes: usize::try_from(bytes).unwrap(),
            commands: self.commands.len(),
        }
    }

    /// What was sent in each window on behalf of requests. `by_connection`: each request has connections
    /// of its own.
    pub(crate) fn within(&self, windows: &[Window], by_connection: bool) -> Vec<Sent> {
        let units = self.units(by_connection).into_iter();
        let units: Vec<_> = units.filter_map(Unit::of_a_request).collect();
        let count = |(from, to): &Window| {
            let mut sent = Sent::default();
            let within = |unit: &&Unit| (from.bytes..to.bytes).contains(&unit.at);
            for unit in units.iter().filter(within) {
                sent.connections += unit.connections;
                sent.statements += unit.statements.len();
                sent.trips += unit.statements.iter().filter(|it| it.opens).count();
                sent.prepared += unit.prepared.len();
            }
            let asked = self.commands[from.commands..to.commands].iter();
            sent.cache = asked.filter(|line| is_for_a_request(line)).count();
            sent
        };
        windows.iter().map(count).collect()
    }

    /// What each round of the background sent within a window, by its purpose: connections and statements.
    pub(crate) fn rounds(
        &self,
        (from, to): Window,
        by_connection: bool,
    ) -> BTreeMap<&'static str, BTreeSet<[usize; 2]>> {
        let mut rounds: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        let within = |unit: &Unit| (from.bytes..to.bytes).contains(&unit.at);
        for unit in self.units(by_connection).into_iter().filter(within) {
            let purposes: Vec<_> = unit.purposes().into_iter().collect();
            if let [purpose] = purposes[..] {
                let sent = [unit.connections, unit.statements.len()];
                rounds.entry(purpose).or_default().insert(sent);
            }
        }
        rounds
    }

    fn units(&self, by_connection: bool) -> Vec<Unit> {
        let log = std::fs::read(log_of(&self.folder)).unwrap();
        units(&lines(&log), by_connection)
    }

    /// Everything that was sent in a window, for messages.
    pub(crate) fn text(&self, (from, to): Window) -> String {
        let log = std::fs::read(log_of(&self.folder)).unwrap();
        let mut text = String::from_utf8_lossy(&log[from.bytes..to.bytes]).into_owned();
        for line in &self.commands[from.commands..to.commands] {
            writeln!(text, "{line}").unwrap();
        }
        text
    }
}

fn log_of(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("statements.log")
}

/// Not sent by a script or in the background.
fn is_for_a_request(line: &str) -> bool {
    let of_background = |key: &&str| line.contains(&format!(":{key}"));
    !line.contains(" lua] ") && !BACKGROUND_KEYS.iter().any(of_background)
}

/// A line of the server's log.
struct Line {
    at: usize,
    thread: String,
    command: String,
    text: String,
}

/// The lines of shops: `[time]\t[\t]thread command\ttext`.
fn lines(log: &[u8]) -> Vec<Line> {
    let mut at = 0;
    let mut found = Vec::new();
    for line in log.split_inclusive(|byte| *byte == b'\n') {
        let text = String::from_utf8_lossy(line);
        let behind_time = text.split_once('\t').map(|(_, rest)| rest.trim_start());
        let parts = behind_time.and_then(|rest| {
            let (thread, rest) = rest.split_once(' ')?;
            let (command, text) = rest.split_once('\t')?;
            thread.parse::<u64>().ok()?;
            Some((thread, command, text.trim_end()))
        });
        if let Some((thread, command, text)) = parts {
            found.push(Line {
                at,
                thread: thread.to_owned(),
                command: command.to_owned(),
                text: text.to_owned(),
            });
        }
        at += line.len();
    }
    found
}

/// What belongs together: a connection of one request, a transaction, or a statement by itself.
#[derive(Default)]
struct Unit {
    at: usize,
    connections: usize,
    statements: Vec<Statement>,
    prepared: Vec<String>,
}

struct Statement {
    text: String,
    /// Whether it is the first, and mostly the only one, of what was sent at once.
    opens: bool,
}

impl Statement {
    /// The statements that a line holds. No value of these tests has a semicolon in it.
    fn of(line: &Line) -> impl Iterator<Item = Self> {
        let texts = line.text.split(';').enumerate();
        texts.map(|(place, text)| Self {
            text: text.to_owned(),
            opens: place == 0,
        })
    }
}

/// What is in the log, by what belongs together.
fn units(lines: &[Line], by_connection: bool) -> Vec<Unit> {
    let mut open: HashMap<&str, Unit> = HashMap::new();
    let mut done = Vec::new();
    for line in lines {
        let starts = match &*line.command {
            "Connect" => true,
            "Query" => !by_connection && line.text.starts_with(ENVELOPE[0]),
            _ => false,
        };
        let fresh = || Unit {
            at: line.at,
            ..Unit::default()
        };
        if starts {
            done.extend(open.remove(&*line.thread));
        }
        let unit = open.entry(&line.thread).or_insert_with(fresh);
        let first = unit.statements.first();
        let in_transaction = first.is_some_and(|first| first.text == ENVELOPE[0]);
        match &*line.command {
            "Connect" => unit.connections += 1,
            "Query" | "Execute" => unit.statements.extend(Statement::of(line)),
            "Prepare" => unit.prepared.push(line.text.clone()),
            _ => {}
        }
        let ends = match &*line.command {
            "Quit" => true,
            _ if by_connection => false,
            "Query" if starts => false,
            "Query" | "Execute" => !in_transaction || ["COMMIT", "ROLLBACK"].contains(&&*line.text),
            _ => false,
        };
        if ends {
            done.extend(open.remove(&*line.thread));
        }
    }
    done.extend(open.into_values());
    done
}

impl Unit {
    /// What its statements are for when they are the background's alone. A group of writes may serve a
    /// request too, or several purposes.
    fn purposes(&self) -> BTreeSet<&'static str> {
        let is_meant = |it: &Statement| purpose(&it.text).is_some() || is_envelope(&it.text);
        if !self.statements.iter().all(is_meant) {
            return BTreeSet::new();
        }
        let statements = self.statements.iter();
        statements.filter_map(|it| purpose(&it.text)).collect()
    }

    /// The same without what the background sent, if anything else is left.
    fn of_a_request(mut self) -> Option<Self> {
        if !self.purposes().is_empty() {
            return None;
        }
        self.statements.retain(|it| purpose(&it.text).is_none());
        self.prepared.retain(|text| purpose(text).is_none());
        Some(self)
    }
}
