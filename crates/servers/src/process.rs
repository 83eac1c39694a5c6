//! One server process: started, killed, paused and started again on the same data and port.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::port::Port;
use crate::{ServerError, wait};

/// How long a server may take to start, crash recovery included, or to end when asked.
const PATIENCE: Duration = Duration::from_mins(1);
/// What is shown of a log.
const LOG_BYTES: usize = 2_000;

/// A server with its folder and port. Dropping it kills the server and removes the folder.
#[derive(Debug)]
pub struct ServerProcess {
    name: &'static str,
    program: PathBuf,
    running: Mutex<Option<Running>>,
    /// Variables beside those of this process.
    environment: Vec<(OsString, OsString)>,
    port: Port,
    folder: TempDir,
}

impl ServerProcess {
    /// A folder and a port for the program; nothing runs yet.
    pub(crate) fn prepare(name: &'static str, program: PathBuf) -> Result<Self, ServerError> {
        let folder = tempfile::Builder::new()
            .prefix(&format!("double11-{name}-"))
            .tempdir()
            .map_err(|source| ServerError::Machine {
                what: "temporary folder",
                source,
            })?;
        Ok(Self {
            name,
            program,
            running: Mutex::new(None),
            environment: Vec::new(),
            port: Port::reserve()?,
            folder,
        })
    }

    /// From the next start on the program has these variables too.
    pub(crate) fn add_environment(&mut self, variables: Vec<(OsString, OsString)>) {
        self.environment.extend(variables);
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The process id while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.lock().as_ref().map(|running| running.child.id())
    }

    /// Whether it was started and has not ended, not even by itself.
    pub fn is_running(&self) -> bool {
        let mut slot = self.lock();
        slot.as_mut()
            .is_some_and(|running| matches!(running.child.try_wait(), Ok(None)))
    }

    /// Starts it and waits until `is_ready` holds; a server that runs is left alone.
    pub(crate) fn start(
        &self,
        arguments: &[OsString],
        mut is_ready: impl FnMut() -> bool,
    ) -> Result<(), ServerError> {
        let mut slot = self.lock();
        if slot.is_some() {
            return Ok(());
        }
        let mut running = self
            .spawn(arguments)
            .map_err(|source| ServerError::NotRun {
                program: self.name,
                source,
            })?;
        let ready = wait::until(PATIENCE, || {
            if matches!(running.child.try_wait(), Ok(None)) {
                is_ready().then_some(true)
            } else {
                Some(false)
            }
        });
        if ready != Some(true) {
            return Err(ServerError::NotReady {
                program: self.name,
                waited: PATIENCE,
                log: self.log(),
            });
        }
        *slot = Some(running);
        Ok(())
    }

    /// `kill -9`; returns when the process is gone.
    pub fn kill(&self) {
        drop(self.lock().take());
    }

    /// Asks the server to end, and kills it if it does not.
    pub fn stop(&self) {
        let mut slot = self.lock();
        if let Some(running) = slot.as_mut() {
            running.signal(Signal::TERM);
            running.signal(Signal::CONT);
            wait::until(PATIENCE, || {
                (!matches!(running.child.try_wait(), Ok(None))).then_some(())
            });
        }
        drop(slot.take());
    }

    /// Stops it in its tracks (`SIGSTOP`): connections stay open, nothing is answered. Returns when every
    /// thread has stopped; on a busy machine one may still have answered a moment after the signal.
    pub fn pause(&self) {
        if let Some(running) = self.lock().as_ref() {
            running.signal(Signal::STOP);
            wait::until(PATIENCE, || running.is_stopped().then_some(()));
        }
    }

    /// Lets it go on (`SIGCONT`).
    pub fn resume(&self) {
        if let Some(running) = self.lock().as_ref() {
            running.signal(Signal::CONT);
        }
    }

    /// The end of what the server said, over all its starts.
    pub fn log(&self) -> String {
        let log = std::fs::read(self.log_path()).unwrap_or_default();
        let end = log.len().saturating_sub(LOG_BYTES);
        String::from_utf8_lossy(log.get(end..).unwrap_or_default()).into_owned()
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }

    fn spawn(&self, arguments: &[OsString]) -> io::Result<Running> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_path())?;
        let child = Command::new(&self.program)
            .args(arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C at a terminal is for the tests, which then end their servers.
            .process_group(0)
            .spawn()?;
        let mut running = Running { child, guard: None };
        running.guard = Some(Guard::over(running.child.id(), self.folder.path())?);
        Ok(running)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A process that is killed when dropped.
#[derive(Debug)]
struct Running {
    child: Child,
    guard: Option<Guard>,
}

impl Running {
    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // It may have ended by itself, which whoever asks it next will see.
            kill_process(pid, signal).ok();
        }
    }

    /// Whether no thread of it runs any more.
    fn is_stopped(&self) -> bool {
        let Ok(threads) = std::fs::read_dir(format!("/proc/{}/task", self.child.id())) else {
            // It is gone.
            return true;
        };
        threads.filter_map(Result::ok).all(|thread| {
            // The state stands after the name, which is in parentheses and may hold any sign: proc(5).
            let line = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
            let state = line.rsplit(") ").next().unwrap_or_default();
            !state.starts_with(['R', 'S', 'D'])
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The guard goes first: once the server was waited for, its id may belong to another process.
        drop(self.guard.take());
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A shell that waits for this process to die, then kills the server and removes its folder: this
/// process holds the writing end of its standard input.
#[derive(Debug)]
struct Guard(Child);

impl Guard {
    fn over(server: u32, folder: &Path) -> io::Result<Self> {
        Command::new("sh")
            .arg("-c")
            .arg(r#"read -r line; kill -9 "$1"; rm -rf -- "$2""#)
            .arg("guard")
            .arg(server.to_string())
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map(Self)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
