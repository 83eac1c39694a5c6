//! Redis.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::ops::Deref;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::process::ServerProcess;
use crate::{ServerError, tools};

const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// A private Redis server that keeps nothing on disk and evicts nothing.
#[derive(Debug)]
pub struct Redis {
    process: ServerProcess,
    /// Options beside the fixed ones, for every start from now on.
    extra: Mutex<Vec<OsString>>,
}

/// What every server can do.
impl Deref for Redis {
    type Target = ServerProcess;

    fn deref(&self) -> &ServerProcess {
        &self.process
    }
}

impl Redis {
    /// Starts a server.
    ///
    /// # Errors
    /// [`ServerError`] when it is not installed or does not start.
    pub fn start() -> Result<Self, ServerError> {
        Self::start_with(&[])
    }

    /// The same with options of `redis-server` beside the usual ones; of options given twice the last counts.
    ///
    /// # Errors
    /// [`ServerError`] when it is not installed or does not start.
    pub fn start_with(options: &[&str]) -> Result<Self, ServerError> {
        let process = ServerProcess::prepare("redis-server", tools::find("redis-server")?)?;
        let server = Self {
            process,
            extra: Mutex::new(options.iter().map(OsString::from).collect()),
        };
        server.launch()?;
        Ok(server)
    }

    /// Its address: database 0, no password.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port())
    }

    /// Runs one command by `redis-cli` and gives what it prints.
    ///
    /// # Errors
    /// [`ServerError::Failed`] with what the server said.
    pub fn command(&self, command: &[&str]) -> Result<String, ServerError> {
        let program = "redis-cli";
        let output = Command::new(tools::find(program)?)
            .args(["-e", "-h", "127.0.0.1", "-p", &self.port().to_string()])
            .args(command)
            .stdin(Stdio::null())
            .output()
            .map_err(|source| ServerError::NotRun { program, source })?;
        let said = String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned();
        if output.status.success() {
            return Ok(said);
        }
        let complaint = String::from_utf8_lossy(&output.stderr);
        Err(ServerError::Failed {
            program,
            said: format!("{said}{complaint}"),
        })
    }

    /// Starts the server again, empty, on the same port; one that still runs is shut down before.
    ///
    /// # Errors
    /// [`ServerError::NotReady`] when it does not start.
    pub fn restart(&self) -> Result<(), ServerError> {
        self.stop();
        self.launch()
    }

    /// [`Redis::restart`] with other options than before.
    ///
    /// # Errors
    /// [`ServerError::NotReady`] when it does not start.
    pub fn restart_with(&self, options: &[&str]) -> Result<(), ServerError> {
        self.stop();
        *self.extra.lock().unwrap_or_else(PoisonError::into_inner) =
            options.iter().map(OsString::from).collect();
        self.launch()
    }

    fn launch(&self) -> Result<(), ServerError> {
        let port = self.port();
        let mut arguments: Vec<OsString> = vec!["--port".into(), port.to_string().into()];
        let fixed = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
        arguments.extend(fixed.map(OsString::from));
        arguments.extend(["--maxmemory-policy", "noeviction"].map(OsString::from));
        let extra = self.extra.lock().unwrap_or_else(PoisonError::into_inner);
        arguments.extend(extra.iter().cloned());
        drop(extra);
        self.process.start(&arguments, || answers(port))
    }
}

/// Whether a server answers, if only that it wants a password.
fn answers(port: u16) -> bool {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let Ok(mut stream) = TcpStream::connect_timeout(&address, PROBE_TIMEOUT) else {
        return false;
    };
    let mut answer = [0; 64];
    let asked = stream.set_read_timeout(Some(PROBE_TIMEOUT)).is_ok()
        && stream.write_all(b"PING\r\n").is_ok();
    let count = if asked {
        stream.read(&mut answer).unwrap_or(0)
    } else {
        0
    };
    let said = answer.get(..count).unwrap_or_default();
    said.starts_with(b"+PONG") || said.starts_with(b"-NOAUTH")
}
