//! `double11-servers run [--mariadb] [--redis] [--redis-cluster] [--seekdb] [--cpus LIST] -- COMMAND [ARGUMENT…]` starts
//! private servers, runs a command with `{mysql}` and `{redis}` in its arguments replaced by their addresses,
//! stops the servers, and ends with the command's exit code.
//!
//! Servers live in temporary folders and are gone afterwards. `SIGTERM` and `SIGHUP` are handed on to the
//! command; Ctrl-C reaches it by the terminal. Either way the servers end after the command.

use std::any::Any;
use std::error::Error;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitCode, ExitStatus};

use double11_servers::{MariaDb, Redis, RedisCluster, SeekDb, ServerError};
use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

const USAGE: &str = "\
usage: double11-servers run [--mariadb | --seekdb] [--redis | --redis-cluster] [--cpus LIST] -- COMMAND [ARGUMENT...]
`{mysql}` and `{redis}` in the arguments become the addresses of the servers";
/// Wrong arguments, as the program itself has it.
const USAGE_EXIT_CODE: u8 = 2;
/// The database that `{mysql}` leads to.
const DATABASE: &str = "double11";
/// What a rehearsal needs beyond that: to make and drop databases of its own.
const REHEARSALS: &str = r"GRANT ALL ON `double11\_rehearsal\_%`.* TO 'shop'@'%'";

#[expect(clippy::print_stderr, reason = "a program for the terminal")]
fn main() -> ExitCode {
    let Some(wanted) = Wanted::parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(USAGE_EXIT_CODE);
    };
    match run(wanted) {
        Ok(status) => exit_code(status),
        Err(error) => {
            let mut message = format!("error: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                message = format!("{message}: {cause}");
                source = cause.source();
            }
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// What the command line asks for.
struct Wanted {
    sql: Option<Sql>,
    redis: Option<Cache>,
    /// Cores of the servers; empty for all.
    cpus: Vec<usize>,
    command: Vec<String>,
}

#[derive(Clone, Copy)]
enum Sql {
    MariaDb,
    SeekDb,
}

#[derive(Clone, Copy)]
enum Cache {
    Single,
    Cluster,
}

impl Wanted {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        if arguments.next()? != "run" {
            return None;
        }
        let (mut sql, mut redis, mut cpus) = (None, None, Vec::new());
        loop {
            let previous = match arguments.next()?.as_str() {
                "--mariadb" => sql.replace(Sql::MariaDb).is_some(),
                "--seekdb" => sql.replace(Sql::SeekDb).is_some(),
                "--redis" => redis.replace(Cache::Single).is_some(),
                "--redis-cluster" => redis.replace(Cache::Cluster).is_some(),
                "--cpus" => {
                    let named = arguments.next()?;
                    let cores = named.split(',').map(|core| core.parse().ok());
                    let before = std::mem::replace(&mut cpus, cores.collect::<Option<_>>()?);
                    !before.is_empty()
                }
                "--" => break,
                _ => return None,
            };
            if previous {
                return None;
            }
        }
        let command: Vec<String> = arguments.collect();
        (!command.is_empty()).then_some(Self {
            sql,
            redis,
            cpus,
            command,
        })
    }
}

/// A server, kept while the command runs, and its address.
type Started = Result<(Box<dyn Any>, String), ServerError>;

fn start_sql(wanted: Sql) -> Started {
    match wanted {
        Sql::MariaDb => {
            let server = MariaDb::start()?;
            let url = server.create_database(DATABASE)?;
            server.sql(REHEARSALS)?;
            Ok((Box::new(server), url))
        }
        Sql::SeekDb => {
            let server = SeekDb::start()?;
            let url = server.create_database(DATABASE)?;
            Ok((Box::new(server), url))
        }
    }
}

fn start_cache(wanted: Cache) -> Started {
    match wanted {
        Cache::Single => {
            let server = Redis::start()?;
            let url = server.url();
            Ok((Box::new(server), url))
        }
        Cache::Cluster => {
            let cluster = RedisCluster::start()?;
            let url = cluster.url();
            Ok((Box::new(cluster), url))
        }
    }
}

fn run(wanted: Wanted) -> Result<ExitStatus, Box<dyn Error>> {
    // From here on a signal ends the command, then this program by its usual way.
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    // Servers inherit the cores of this program, the command those that it had at first.
    let cores = sched_getaffinity(None)?;
    if !wanted.cpus.is_empty() {
        let mut set = CpuSet::new();
        for core in wanted.cpus.iter().filter(|core| **core < CpuSet::MAX_CPU) {
            set.set(*core);
        }
        sched_setaffinity(None, &set)?;
    }
    let mut servers = Vec::new();
    let mut addresses = Vec::new();
    if let Some(sql) = wanted.sql {
        let (server, url) = start_sql(sql)?;
        servers.push(server);
        addresses.push(("{mysql}", url));
    }
    if let Some(redis) = wanted.redis {
        let (server, url) = start_cache(redis)?;
        servers.push(server);
        addresses.push(("{redis}", url));
    }
    let mut command = wanted.command.into_iter().map(|argument| {
        addresses.iter().fold(argument, |argument, (name, url)| {
            argument.replace(name, url)
        })
    });
    let program = command.next().unwrap_or_default();
    sched_setaffinity(None, &cores)?;
    let child = Command::new(&program).args(command).spawn();
    let mut child = child.map_err(|error| format!("`{program}` could not be run: {error}"))?;
    let handle = signals.handle();
    let status = hand_on(&mut signals, &mut child, || handle.close());
    drop(servers);
    status
}

/// Waits for the command and hands signals on to it meanwhile.
fn hand_on(
    signals: &mut Signals,
    child: &mut Child,
    ended: impl FnOnce() + Send,
) -> Result<ExitStatus, Box<dyn Error>> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(move || {
            let status = child.wait();
            ended();
            status
        });
        for signal in signals.forever() {
            let signal = match signal {
                SIGTERM => Signal::TERM,
                SIGHUP => Signal::HUP,
                // The terminal has told the command as well.
                _ => continue,
            };
            if let Some(pid) = pid {
                // A command that has just ended cannot be told.
                kill_process(pid, signal).ok();
            }
        }
        let status = waiting
            .join()
            .map_err(|_| "the command was not waited for")?;
        Ok(status?)
    })
}

/// The command's own code, or as a shell has it for one that a signal ended.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
