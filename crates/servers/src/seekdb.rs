//! `OceanBase`'s single-node engine.

use std::ffi::OsString;
use std::ops::Deref;
use std::time::Duration;

use crate::process::ServerProcess;
use crate::{ServerError, mariadb, sql, tools, wait};

/// The server greets before it takes statements.
const PATIENCE: Duration = Duration::from_mins(1);

/// A private `seekdb`: `OceanBase` in one process, `MySQL`'s protocol. An empty one takes 2.2 GiB of disk, which
/// it reserves, and some 330 MiB of memory, of which it is allowed 6 GiB.
#[derive(Debug)]
pub struct SeekDb {
    process: ServerProcess,
}

/// What every server can do.
impl Deref for SeekDb {
    type Target = ServerProcess;

    fn deref(&self) -> &ServerProcess {
        &self.process
    }
}

impl SeekDb {
    /// Starts a server.
    ///
    /// # Errors
    /// [`ServerError`] when it is not installed or does not start.
    pub fn start() -> Result<Self, ServerError> {
        let process = ServerProcess::prepare("seekdb", tools::find("seekdb")?)?;
        let server = Self { process };
        server.launch()?;
        Ok(server)
    }

    /// The address of a database, for the administrator, who has no password.
    pub fn url(&self, database: &str) -> String {
        format!("mysql://root@127.0.0.1:{}/{database}", self.port())
    }

    /// Creates a database and gives its address. A name consists of letters, digits and underscores.
    ///
    /// # Errors
    /// [`ServerError::Failed`] with what the server said.
    pub fn create_database(&self, name: &str) -> Result<String, ServerError> {
        self.sql(&format!("CREATE DATABASE `{name}`"))?;
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

    fn launch(&self) -> Result<(), ServerError> {
        let port = self.port();
        let data = self.process.folder().join("data");
        let made = std::fs::create_dir_all(&data);
        made.map_err(|source| ServerError::Machine {
            what: "folder for the data",
            source,
        })?;
        let mut arguments: Vec<OsString> = vec!["--nodaemon".into(), "-P".into()];
        arguments.push(port.to_string().into());
        arguments.extend(["--base-dir".into(), data.into_os_string()]);
        for parameter in ["datafile_size=2G", "log_disk_size=2G", "memory_limit=6G"] {
            arguments.extend(["--parameter".into(), parameter.into()]);
        }
        self.process.start(&arguments, || mariadb::greets(port))?;
        let takes_statements = || self.sql("SELECT 1").is_ok().then_some(());
        wait::until(PATIENCE, takes_statements).ok_or_else(|| ServerError::NotReady {
            program: "seekdb",
            waited: PATIENCE,
            log: self.process.log(),
        })
    }
}
