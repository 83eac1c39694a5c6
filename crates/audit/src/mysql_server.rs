//! A database on a server that speaks MySQL's protocol: MariaDB, MySQL or OceanBase.

use std::time::Duration;

use mysql::prelude::Queryable as _;
use mysql::{Conn, DriverError, Opts, OptsBuilder, Value};

use crate::error::AuditError;
use crate::location::StoreLocation;

/// How long to wait for a connection.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long the server may be silent: some servers sort or count a whole table before the first row.
const SILENCE_MAX: Duration = Duration::from_mins(10);
/// The one row of the table `schema_version`. Source: `docs/SCHEMA.md`, section 1.
const SCHEMA_VERSION: i64 = 1;

/// Numbers that change with nearly every write, one list a table; the first of each is its rows.
pub(crate) type Pulse = Vec<Vec<Value>>;

/// A connection to the server.
pub(crate) struct Server {
    pub(crate) connection: Conn,
    location: StoreLocation,
}

impl Server {
    /// Connects and checks that the database is a store of the one known version.
    pub(crate) fn connect(location: &StoreLocation) -> Result<Self, AuditError> {
        let options = options(location)?;
        let connection = Conn::new(options).map_err(|error| explain(location, true, error))?;
        let mut server = Self {
            connection,
            location: location.clone(),
        };
        server.require_version()?;
        Ok(server)
    }

    /// Begins a transaction that sees one instant and can write nothing.
    pub(crate) fn begin_snapshot(&mut self) -> Result<(), AuditError> {
        self.run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")?;
        let begun = self
            .connection
            .query_drop("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
        match begun {
            // A server that does not know both words at once takes the snapshot with the first read.
            Err(mysql::Error::MySqlError(error)) if error.code == 1064 => {
                self.run("START TRANSACTION READ ONLY")
            }
            other => other.map_err(|error| self.explain(error)),
        }
    }

    /// Lets go of the snapshot, so that the server can clean up behind it.
    pub(crate) fn end_snapshot(&mut self) -> Result<(), AuditError> {
        self.run("ROLLBACK")
    }

    /// The first row of an answer.
    pub(crate) fn first_row(&mut self, sql: &str) -> Result<Option<Vec<Value>>, AuditError> {
        let row: Option<mysql::Row> = self
            .connection
            .query_first(sql)
            .map_err(|error| self.explain(error))?;
        Ok(row.map(mysql::Row::unwrap))
    }

    /// An answer that is one count.
    pub(crate) fn count(&mut self, sql: &str) -> Result<u64, AuditError> {
        let count: Option<u64> = self
            .connection
            .query_first(sql)
            .map_err(|error| self.explain(error))?;
        Ok(count.unwrap_or(0))
    }

    /// What went wrong, in words that the user can act on.
    pub(crate) fn explain(&self, error: mysql::Error) -> AuditError {
        explain(&self.location, false, error)
    }

    fn run(&mut self, sql: &str) -> Result<(), AuditError> {
        self.connection
            .query_drop(sql)
            .map_err(|error| self.explain(error))
    }

    fn require_version(&mut self) -> Result<(), AuditError> {
        let versions: Vec<i64> = self
            .connection
            .query("SELECT version FROM schema_version")
            .map_err(|error| self.explain(error))?;
        let store = || self.location.clone();
        match versions.as_slice() {
            [SCHEMA_VERSION] => Ok(()),
            [found] => Err(AuditError::OtherServerVersion {
                store: store(),
                found: *found,
                expected: SCHEMA_VERSION,
            }),
            _ => Err(AuditError::NotAStore {
                store: store(),
                reason: format!("its table `schema_version` has {} rows", versions.len()),
            }),
        }
    }
}

fn options(location: &StoreLocation) -> Result<OptsBuilder, AuditError> {
    let malformed = |reason: &str| AuditError::LocationMalformed {
        store: location.clone(),
        reason: reason.to_owned(),
    };
    let StoreLocation::Mysql { url, password } = location else {
        return Err(malformed("it is not on a server"));
    };
    // The reason of the parser could quote a part of the URL, and so a password.
    let given =
        Opts::from_url(url).map_err(|_| malformed("expected mysql://USER@HOST:PORT/DATABASE"))?;
    if given.get_db_name().is_none_or(str::is_empty) {
        return Err(malformed("it names no database"));
    }
    let password = password
        .clone()
        .or_else(|| given.get_pass().map(str::to_owned));
    Ok(OptsBuilder::from_opts(given)
        .pass(password)
        .prefer_socket(false)
        .tcp_connect_timeout(Some(CONNECT_MAX))
        .read_timeout(Some(SILENCE_MAX))
        .write_timeout(Some(SILENCE_MAX)))
}

/// Codes of the server: <https://mariadb.com/kb/en/mariadb-error-code-reference/>.
fn explain(location: &StoreLocation, connecting: bool, error: mysql::Error) -> AuditError {
    let store = location.clone();
    match error {
        mysql::Error::MySqlError(answer) => match answer.code {
            1044 | 1045 | 1142 | 1143 | 1227 | 1698 => AuditError::AccessDenied {
                store,
                message: answer.message,
            },
            1049 => AuditError::DatabaseMissing { store },
            1054 | 1146 => AuditError::NotAStore {
                store,
                reason: answer.message,
            },
            _ => AuditError::ServerFailed {
                store,
                source: Box::new(mysql::Error::MySqlError(answer)),
            },
        },
        error => {
            let source = Box::new(error);
            let refused_early = matches!(
                *source,
                mysql::Error::IoError(_)
                    | mysql::Error::DriverError(
                        DriverError::CouldNotConnect(_) | DriverError::ConnectTimeout
                    )
            );
            if connecting && refused_early {
                AuditError::Unreachable { store, source }
            } else {
                AuditError::ServerFailed { store, source }
            }
        }
    }
}
