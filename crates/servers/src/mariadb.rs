//! `MariaDB`.

use std::ffi::OsString;
use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};
use std::ops::Deref;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::process::ServerProcess;
use crate::{ServerError, sql, tools};

/// The user of [`MariaDb::url`] and its password.
const USER: &str = "shop";
const PASSWORD: &str = "only-for-tests";
/// The version of the protocol, with which a server greets a client.
const GREETING: u8 = 10;
/// The server's folder for its data, and the one for temporary tables.
const DATA: &str = "data";
const SCRATCH: &str = "tmp";
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// A private `MariaDB` server: every commit synced (`innodb_flush_log_at_trx_commit=1`, `sync_binlog=1`),
/// double-write on, no binary log unless asked for, isolation and SQL mode as they come.
#[derive(Debug)]
pub struct MariaDb {
    process: ServerProcess,
    /// Options beside the fixed ones, for every start from now on.
    extra: Mutex<Vec<OsString>>,
}

/// What every server can do.
impl Deref for MariaDb {
    type Target = ServerProcess;

    fn deref(&self) -> &ServerProcess {
        &self.process
    }
}

impl MariaDb {
    /// Starts a server with no databases but its own.
    ///
    /// # Errors
    /// [`ServerError`] when it is not installed or does not start.
    pub fn start() -> Result<Self, ServerError> {
        Self::start_with(&[])
    }

    /// The same, quick: it claims to sync and does not, for tests in which nothing loses power.
    ///
    /// # Errors
    /// [`ServerError`] when it is not installed or does not start.
    pub fn start_unsynced(options: &[&str]) -> Result<Self, ServerError> {
        let unsynced = ["--innodb-flush-method=nosync", "--debug-no-sync"];
        Self::start_with(&[&unsynced, options].concat())
    }

    /// The same with options of `mariadbd` beside the usual ones; of options given twice the last counts.
    ///
    /// # Errors
    /// [`ServerError`] when it is not installed or does not start.
    pub fn start_with(options: &[&str]) -> Result<Self, ServerError> {
        Self::start_in(options, |_| Vec::new())
    }

    /// The same with variables in its environment, which may name the folder of its data.
    ///
    /// # Errors
    /// [`ServerError`] when it is not installed or does not start.
    pub fn start_in(
        options: &[&str],
        environment: impl FnOnce(&Path) -> Vec<(OsString, OsString)>,
    ) -> Result<Self, ServerError> {
        let mut process = ServerProcess::prepare("mariadbd", tools::find("mariadbd")?)?;
        let variables = environment(&process.folder().join(DATA));
        process.add_environment(variables);
        let server = Self {
            process,
            extra: Mutex::new(options.iter().map(OsString::from).collect()),
        };
        server.install()?;
        server.launch()?;
        server.sql(&format!(
            "CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}'"
        ))?;
        Ok(server)
    }

    /// The address of a database for a user who owns it and nothing else, as in production; see
    /// [`MariaDb::create_database`].
    pub fn url(&self, database: &str) -> String {
        format!(
            "mysql://{USER}:{PASSWORD}@127.0.0.1:{}/{database}",
            self.port()
        )
    }

    /// The same for the server's administrator.
    pub fn root_url(&self, database: &str) -> String {
        format!("mysql://root@127.0.0.1:{}/{database}", self.port())
    }

    /// Creates a database and gives its address ([`MariaDb::url`]). A name consists of letters, digits and
    /// underscores.
    ///
    /// # Errors
    /// [`ServerError::Failed`] with what the server said.
    pub fn create_database(&self, name: &str) -> Result<String, ServerError> {
        self.sql(&format!(
            "CREATE DATABASE `{name}` CHARACTER SET utf8mb4; GRANT ALL ON `{name}`.* TO '{USER}'@'%'"
        ))?;
        Ok(self.url(name))
    }

    /// Runs statements as administrator; gives a line a row, with tabs between the columns.
    ///
    /// # Errors
    /// [`ServerError::Failed`] with what the server said.
    pub fn sql(&self, statements: &str) -> Result<String, ServerError> {
        sql::run(self.port(), statements)
    }

    /// Starts the server again on the same data and port; one that still runs is shut down before.
    ///
    /// # Errors
    /// [`ServerError::NotReady`] when it does not start.
    pub fn restart(&self) -> Result<(), ServerError> {
        self.stop();
        self.launch()
    }

    /// [`MariaDb::restart`] with other options than before.
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
        self.process.start(&self.arguments(), || greets(port))
    }

    /// Creates the server's own tables, with an administrator who needs no password.
    fn install(&self) -> Result<(), ServerError> {
        let program = "mariadb-install-db";
        let mut command = Command::new(tools::find(program)?);
        command
            .arg("--no-defaults")
            .arg(self.data())
            .arg(self.scratch()?)
            .args(["--auth-root-authentication-method=normal", "--skip-test-db"])
            .args(as_root())
            .stdin(Stdio::null());
        let output = command
            .output()
            .map_err(|source| ServerError::NotRun { program, source })?;
        if output.status.success() {
            return Ok(());
        }
        Err(ServerError::Failed {
            program,
            said: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    fn data(&self) -> OsString {
        self.option("--datadir=", DATA)
    }

    /// The folder for temporary tables, made if need be. In one that servers share, each that starts
    /// removes what it takes for its own leftovers, and with it what another is using.
    fn scratch(&self) -> Result<OsString, ServerError> {
        let made = std::fs::create_dir_all(self.process.folder().join(SCRATCH));
        made.map_err(|source| ServerError::Machine {
            what: "temporary folder",
            source,
        })?;
        Ok(self.option("--tmpdir=", SCRATCH))
    }

    /// An option that names a folder of this server.
    fn option(&self, name: &str, folder: &str) -> OsString {
        let mut option = OsString::from(name);
        option.push(self.process.folder().join(folder));
        option
    }

    fn arguments(&self) -> Vec<OsString> {
        let mut arguments = vec![OsString::from("--no-defaults"), self.data()];
        arguments.push(self.option("--tmpdir=", SCRATCH));
        let fixed = [
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--innodb-flush-log-at-trx-commit=1",
            "--sync-binlog=1",
            "--innodb-buffer-pool-size=256M",
            "--max-connections=500",
        ];
        arguments.extend(fixed.iter().map(OsString::from));
        arguments.push(format!("--port={}", self.port()).into());
        // A relative name: the length of a socket's path is limited.
        arguments.push("--socket=mariadb.sock".into());
        arguments.push("--pid-file=mariadb.pid".into());
        arguments.extend(as_root().map(OsString::from));
        let extra = self.extra.lock().unwrap_or_else(PoisonError::into_inner);
        arguments.extend(extra.iter().cloned());
        arguments
    }
}

/// `mariadbd` refuses to run as root unless told to.
fn as_root() -> Option<&'static str> {
    rustix::process::getuid().is_root().then_some("--user=root")
}

/// Whether a server of this protocol greets whoever connects.
pub(crate) fn greets(port: u16) -> bool {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let Ok(mut stream) = TcpStream::connect_timeout(&address, PROBE_TIMEOUT) else {
        return false;
    };
    let mut packet = [0; 5];
    stream.set_read_timeout(Some(PROBE_TIMEOUT)).is_ok()
        && stream.read_exact(&mut packet).is_ok()
        && packet[4] == GREETING
}
