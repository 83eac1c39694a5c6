//! Where the database is, and a connection to it with the settings that the store relies on.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use mysql::consts::CapabilityFlags;
use mysql::prelude::Queryable;
use mysql::{Conn, Opts, OptsBuilder, UrlError};

use crate::open::OpenError;
use crate::session::{Session, Style};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the server may be silent. Longer than [`LOCK_WAIT_SECONDS`], so that a wait for a lock ends
/// with the server's own error.
const IO_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a statement of a connection for one request may run.
const STATEMENT_SECONDS: u32 = 10;
/// How long a statement waits for a row that another transaction holds.
const LOCK_WAIT_SECONDS: u32 = 2;
/// Largest packet, in bytes; every statement and answer of the store is far below.
const PACKET_MAX: usize = 16 << 20;
/// Statements that a kept connection keeps prepared.
const KEPT_STATEMENTS: usize = 256;
/// What the session's `sql_mode` is set to.
pub(crate) const SQL_MODE: &str = "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION";

/// Which family of servers speaks at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Mysql,
    Mariadb,
    /// OceanBase and its single-node engine seekdb.
    OceanBase,
}

impl Family {
    /// Reads `VERSION()` and `@@version_comment`.
    pub(crate) fn of(version: &str, comment: &str) -> Self {
        let says = |word: &str| {
            version.to_ascii_lowercase().contains(word)
                || comment.to_ascii_lowercase().contains(word)
        };
        if says("oceanbase") || says("seekdb") {
            Self::OceanBase
        } else if says("mariadb") {
            Self::Mariadb
        } else {
            Self::Mysql
        }
    }

    /// The settings of a connection for one request: a statement that nobody waits for any more ends
    /// by itself, or a shop whose requests give up would leave the server more and more of them.
    pub(crate) fn settings_of_one_request(self) -> String {
        let longest = match self {
            Self::Mariadb => format!("max_statement_time = {STATEMENT_SECONDS}"),
            Self::Mysql => format!("max_execution_time = {STATEMENT_SECONDS}000"),
            Self::OceanBase => format!("ob_query_timeout = {STATEMENT_SECONDS}000000"),
        };
        format!("{}, SESSION {longest}", self.settings())
    }

    /// The one statement that sets what the store relies on, whatever the server's defaults are.
    pub(crate) fn settings(self) -> String {
        let isolation = match self {
            Self::Mariadb => "tx_isolation",
            Self::Mysql | Self::OceanBase => "transaction_isolation",
        };
        let more = match self {
            Self::Mysql => format!("innodb_lock_wait_timeout = {LOCK_WAIT_SECONDS}"),
            // Only here can the rules of the tables be switched off, which guard the stock.
            Self::Mariadb => format!(
                "innodb_lock_wait_timeout = {LOCK_WAIT_SECONDS}, SESSION check_constraint_checks = 1"
            ),
            // In microseconds.
            Self::OceanBase => format!("ob_trx_lock_timeout = {LOCK_WAIT_SECONDS}000000"),
        };
        format!(
            "SET SESSION sql_mode = '{SQL_MODE}', SESSION {isolation} = 'READ-COMMITTED', \
             SESSION {more}, SESSION character_set_client = utf8mb4, SESSION autocommit = 1"
        )
    }
}

/// A database on a server, and how to log in.
#[derive(Clone)]
pub(crate) struct Target {
    opts: Opts,
    database: String,
    name: String,
}

/// Never shows the password.
impl fmt::Debug for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}

impl Target {
    /// Reads `mysql://user[:password]@host[:port]/database[?…]`.
    pub(crate) fn parse(url: &str, password: Option<&str>) -> Result<Self, OpenError> {
        let bad = |reason: String| OpenError::BadUrl { reason };
        let opts = Opts::from_url(url).map_err(|error| bad(reason(&error)))?;
        let database = opts.get_db_name().unwrap_or_default().to_owned();
        if database.is_empty() {
            return Err(bad("it names no database".to_owned()));
        }
        if !is_plain(&database) {
            return Err(bad(
                "the name of the database may hold letters, digits and `_` only".to_owned(),
            ));
        }
        let user = opts.get_user().unwrap_or_default().to_owned();
        let name = format!(
            "mysql://{user}@{}:{}/{database}",
            opts.get_ip_or_hostname(),
            opts.get_tcp_port()
        );
        let mut builder = OptsBuilder::from_opts(opts)
            .tcp_connect_timeout(Some(CONNECT_TIMEOUT))
            .read_timeout(Some(IO_TIMEOUT))
            .write_timeout(Some(IO_TIMEOUT))
            .tcp_nodelay(true)
            .prefer_socket(false)
            .max_allowed_packet(Some(PACKET_MAX))
            .stmt_cache_size(KEPT_STATEMENTS)
            .additional_capabilities(CapabilityFlags::CLIENT_FOUND_ROWS);
        if let Some(password) = password {
            builder = builder.pass(Some(password));
        }
        Ok(Self {
            opts: builder.into(),
            database,
            name,
        })
    }

    /// The same, where an answer is waited for as long as this.
    pub(crate) fn with_patience(self, patience: Duration) -> Self {
        let opts = OptsBuilder::from_opts(self.opts)
            .read_timeout(Some(patience))
            .write_timeout(Some(patience))
            .into();
        Self { opts, ..self }
    }

    /// The URL without password and parameters, for messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    /// A bare connection, to the database or only to its server.
    pub(crate) fn connect(&self, to_database: bool) -> mysql::Result<Conn> {
        let opts = if to_database {
            self.opts.clone()
        } else {
            OptsBuilder::from_opts(self.opts.clone())
                .db_name(None::<String>)
                .into()
        };
        Conn::new(opts)
    }
}

fn is_plain(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// What is wrong with a URL, without the values in it, one of which may be a password.
fn reason(error: &UrlError) -> String {
    match error {
        UrlError::InvalidValue(parameter, _) => {
            format!("the value of the parameter `{parameter}` cannot be read")
        }
        UrlError::UnknownParameter(parameter) => format!("unknown parameter `{parameter}`"),
        UrlError::UnsupportedScheme(scheme) => format!("the scheme `{scheme}` is not `mysql`"),
        UrlError::FeatureRequired(_, parameter) => {
            format!("the parameter `{parameter}` is not supported")
        }
        UrlError::InvalidPoolConstraints { .. } => "pool_min is larger than pool_max".to_owned(),
        UrlError::ParseError(_) | UrlError::BadUrl => {
            "it is not of the form mysql://user@host:port/database".to_owned()
        }
    }
}

/// Makes connections with the settings that the store relies on.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    pub(crate) target: Target,
    pub(crate) family: Family,
    /// Counts what all connections send, each a round trip.
    pub(crate) sent: Arc<AtomicU64>,
}

impl Connector {
    pub(crate) fn new(target: Target, family: Family) -> Self {
        Self {
            target,
            family,
            sent: Arc::default(),
        }
    }

    /// A connection for one request ([`Style::Text`]), or one that is kept (the others).
    pub(crate) fn connect(&self, style: Style) -> mysql::Result<Session> {
        let mut conn = self.target.connect(true)?;
        self.sent.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        conn.query_drop(match style {
            Style::Text => self.family.settings_of_one_request(),
            Style::Prepared | Style::Batched => self.family.settings(),
        })?;
        Ok(Session::new(conn, style, Arc::clone(&self.sent)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Family, Target};

    #[test]
    fn a_target_never_shows_its_password() {
        let url = "mysql://shop:s3cret@db.example:3307/double11";
        let target = Target::parse(url, Some("other-s3cret")).unwrap();
        assert_eq!(target.name(), "mysql://shop@db.example:3307/double11");
        assert!(!format!("{target:?}").contains("s3cret"));
        for bad in [
            "mysql://shop:s3cret@db.example:3307/",
            "mysql://shop:s3cret@db.example/a-b",
            "mysql://shop:s3cret@db.example:s3cret/double11",
            "mysql://shop@db.example/double11?pool_max=s3cret",
            "mysql://shop@db.example/double11?passwort=s3cret",
            "postgres://shop:s3cret@db.example/double11",
        ] {
            let error = Target::parse(bad, None).unwrap_err();
            assert!(!format!("{error:?} {error}").contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn families_are_told_apart() {
        assert_eq!(
            Family::of("10.11.6-MariaDB-0+deb12u1", "Debian 12"),
            Family::Mariadb
        );
        assert_eq!(
            Family::of("8.0.36", "MySQL Community Server - GPL"),
            Family::Mysql
        );
        let oceanbase = Family::of("5.7.25-OceanBase-v4.3.5.0", "OceanBase_CE 4.3.5.0");
        assert_eq!(oceanbase, Family::OceanBase);
    }
}
