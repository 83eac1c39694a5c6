//! What is checked before the store is used, and the names of what can be wrong.

use mysql::Conn;
use mysql::prelude::Queryable;

use crate::connect::{Family, SQL_MODE, Target};
use crate::failure::{code, server_code};
use crate::schema;

/// The oldest servers that check constraints and can do all that the store asks for.
const MYSQL_MIN: (u16, u16, u16) = (8, 0, 16);
const MARIADB_MIN: (u16, u16, u16) = (10, 6, 0);

/// Why a store could not be opened. Never holds a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL cannot be used.
    #[error("the URL of the store cannot be used: {reason}")]
    BadUrl {
        /// What is wrong with it.
        reason: String,
    },
    /// No server answers there.
    #[error("no database server answers at {server}")]
    Unreachable {
        /// The URL without its password.
        server: String,
        /// The driver's error.
        #[source]
        source: mysql::Error,
    },
    /// The server does not let this user in.
    #[error("the database server refuses the user or the password of {server}")]
    AccessDenied {
        /// The URL without its password.
        server: String,
        /// The server's error.
        #[source]
        source: mysql::Error,
    },
    /// There is no such database.
    #[error("the database of {server} does not exist")]
    MissingDatabase {
        /// The URL without its password.
        server: String,
    },
    /// The server is older than the oldest that will do.
    #[error("the server at {server} has version {found}; the store needs {wanted}")]
    TooOld {
        /// The URL without its password.
        server: String,
        /// Its version.
        found: String,
        /// The oldest version that will do.
        wanted: &'static str,
    },
    /// The server takes no writes.
    #[error("the server at {server} takes no writes: {setting} is on")]
    ReadOnly {
        /// The URL without its password.
        server: String,
        /// The setting that says so.
        setting: &'static str,
    },
    /// A commit would not be on the disk when it is answered.
    #[error("commits at {server} are not durable: {setting} is {found}, the store needs {wanted}")]
    NotDurable {
        /// The URL without its password.
        server: String,
        /// The setting.
        setting: &'static str,
        /// Its value.
        found: String,
        /// The value that it must have.
        wanted: &'static str,
    },
    /// The session did not take a setting that the store relies on, or the server forbids it.
    #[error("at {server} {setting} is `{found}`, the store needs {wanted}")]
    WrongSetting {
        /// The URL without its password.
        server: String,
        /// The setting: `sql_mode`, isolation, or the format of the binary log.
        setting: &'static str,
        /// Its value.
        found: String,
        /// The value that it must have.
        wanted: &'static str,
    },
    /// The database has no tables of Double11.
    #[error("the database of {server} has no tables of Double11")]
    NoSchema {
        /// The URL without its password.
        server: String,
    },
    /// The tables are those of an older version.
    #[error("the tables of {server} have version {found}, this program needs {wanted}")]
    OlderSchema {
        /// The URL without its password.
        server: String,
        /// Their version.
        found: u32,
        /// The version of this program.
        wanted: u32,
    },
    /// The tables are those of a newer version.
    #[error("the tables of {server} have version {found}, this program knows {wanted}")]
    NewerSchema {
        /// The URL without its password.
        server: String,
        /// Their version.
        found: u32,
        /// The version of this program.
        wanted: u32,
    },
    /// Only databases that a rehearsal made for itself are dropped.
    #[error("the database `{database}` is none that a rehearsal made, so it is not dropped")]
    NotOfARehearsal {
        /// Its name.
        database: String,
    },
    /// The server refused something else.
    #[error("the store at {server} cannot be used")]
    Mysql {
        /// The URL without its password.
        server: String,
        /// The driver's or server's error.
        #[source]
        source: mysql::Error,
    },
    /// A thread of the store could not be started.
    #[error("a thread of the store cannot be started")]
    Thread(#[source] std::io::Error),
}

impl OpenError {
    /// What the operator can do about it, in one sentence.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::BadUrl { .. } => {
                "give mysql://user@host:port/database, and the password by file or environment"
            }
            Self::Unreachable { .. } => "check host and port, and that the server is running",
            Self::AccessDenied { .. } => {
                "check user and password, and that the user may use this database"
            }
            Self::MissingDatabase { .. } => "create the database, then run `double11 migrate`",
            Self::TooOld { .. } => "upgrade the server",
            Self::ReadOnly { .. } => "connect to the primary server, or switch the setting off",
            Self::NotDurable { .. } => {
                "set it in the server's configuration; an answered order must survive a power cut"
            }
            Self::WrongSetting { .. } => {
                "check what stands between shop and server, and the server's configuration"
            }
            Self::NoSchema { .. } | Self::OlderSchema { .. } => "run `double11 migrate`",
            Self::NewerSchema { .. } => "use the version of double11 that migrated the tables",
            Self::NotOfARehearsal { .. } => "drop it by hand if that is what you want",
            Self::Mysql { .. } => "see the server's own error above",
            Self::Thread(_) => "raise the limit of processes and threads",
        }
    }
}

/// The error of a connection that could not be made, by its cause.
pub(crate) fn connect_error(target: &Target, source: mysql::Error) -> OpenError {
    let server = target.name().to_owned();
    match server_code(&source) {
        None => OpenError::Unreachable { server, source },
        Some(code::UNKNOWN_DATABASE) => OpenError::MissingDatabase { server },
        Some(number) if code::ACCESS_DENIED.contains(&number) => {
            OpenError::AccessDenied { server, source }
        }
        Some(_) => OpenError::Mysql { server, source },
    }
}

/// Connects and looks at everything that the store relies on but the tables. Tells the family.
pub(crate) fn check_server(target: &Target) -> Result<(Conn, Family), OpenError> {
    let mut conn = target
        .connect(true)
        .map_err(|source| connect_error(target, source))?;
    let fail = |source| OpenError::Mysql {
        server: target.name().to_owned(),
        source,
    };
    let version: Option<(String, String)> = conn
        .query_first("SELECT VERSION(), @@version_comment")
        .map_err(fail)?;
    let (version, comment) = version.unwrap_or_default();
    let family = Family::of(&version, &comment);
    check_version(target, family, &version)?;
    check_writable(target, &mut conn, family)?;
    check_durable(target, &mut conn, family)?;
    conn.query_drop(family.settings()).map_err(fail)?;
    let isolation = match family {
        Family::Mariadb => "@@SESSION.tx_isolation",
        Family::Mysql | Family::OceanBase => "@@SESSION.transaction_isolation",
    };
    let taken: Option<(String, String)> = conn
        .query_first(format!("SELECT @@SESSION.sql_mode, {isolation}"))
        .map_err(fail)?;
    let (mode, isolation) = taken.unwrap_or_default();
    check_session(target, &mode, &isolation)?;
    Ok((conn, family))
}

/// Connects, checks the server, and that the tables are those of this program.
pub(crate) fn check(target: &Target) -> Result<(Conn, Family), OpenError> {
    let (mut conn, family) = check_server(target)?;
    let server = || target.name().to_owned();
    let wanted = schema::VERSION;
    match schema::version(&mut conn) {
        Ok(Some(found)) if found == wanted => {
            check_rules(target, &mut conn)?;
            Ok((conn, family))
        }
        Ok(Some(found)) if found < wanted => Err(OpenError::OlderSchema {
            server: server(),
            found,
            wanted,
        }),
        Ok(Some(found)) => Err(OpenError::NewerSchema {
            server: server(),
            found,
            wanted,
        }),
        Ok(None) => Err(OpenError::NoSchema { server: server() }),
        Err(source) => Err(OpenError::Mysql {
            server: server(),
            source,
        }),
    }
}

/// Whether the rules of the tables are enforced, by breaking one: they are what guards the stock.
fn check_rules(target: &Target, conn: &mut Conn) -> Result<(), OpenError> {
    const BROKEN: &str = "INSERT INTO stock (product_id, received, available, reserved, sold) \
                          VALUES (-1, 0, -1, 1, 0)";
    let fail = |source| OpenError::Mysql {
        server: target.name().to_owned(),
        source,
    };
    conn.query_drop("START TRANSACTION").map_err(fail)?;
    let broken = conn.query_drop(BROKEN);
    conn.query_drop("ROLLBACK").map_err(fail)?;
    match broken {
        Ok(()) => Err(OpenError::WrongSetting {
            server: target.name().to_owned(),
            setting: "what becomes of a row against the table's `CHECK`",
            found: "stored".to_owned(),
            wanted: "an error: rules that are enforced",
        }),
        Err(error)
            if server_code(&error).is_some_and(|number| code::BROKEN_RULE.contains(&number)) =>
        {
            Ok(())
        }
        Err(error) => Err(fail(error)),
    }
}

fn check_version(target: &Target, family: Family, version: &str) -> Result<(), OpenError> {
    let (min, wanted) = match family {
        Family::Mysql => (MYSQL_MIN, "MySQL 8.0.16 or later"),
        Family::Mariadb => (MARIADB_MIN, "MariaDB 10.6 or later"),
        Family::OceanBase => return Ok(()),
    };
    if numbers(version) >= min {
        return Ok(());
    }
    Err(OpenError::TooOld {
        server: target.name().to_owned(),
        found: version.to_owned(),
        wanted,
    })
}

/// The first three numbers of a version.
fn numbers(version: &str) -> (u16, u16, u16) {
    let mut parts = version
        .split(|sign: char| !sign.is_ascii_digit())
        .map(|digits| digits.parse().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next())
}

/// The value of a variable of the server as text; empty when it has none of that name.
fn variable(target: &Target, conn: &mut Conn, name: &str) -> Result<String, OpenError> {
    let row: Option<(String, String)> = conn
        .query_first(format!("SHOW GLOBAL VARIABLES LIKE '{name}'"))
        .map_err(|source| OpenError::Mysql {
            server: target.name().to_owned(),
            source,
        })?;
    Ok(row.map(|(_, value)| value).unwrap_or_default())
}

fn is_on(value: &str) -> bool {
    value.eq_ignore_ascii_case("on") || value == "1"
}

fn check_writable(target: &Target, conn: &mut Conn, family: Family) -> Result<(), OpenError> {
    let settings: &[&'static str] = match family {
        Family::Mysql => &["read_only", "super_read_only", "innodb_read_only"],
        Family::Mariadb => &["read_only", "innodb_read_only"],
        Family::OceanBase => &["read_only"],
    };
    for setting in settings {
        if is_on(&variable(target, conn, setting)?) {
            return Err(OpenError::ReadOnly {
                server: target.name().to_owned(),
                setting,
            });
        }
    }
    Ok(())
}

fn check_durable(target: &Target, conn: &mut Conn, family: Family) -> Result<(), OpenError> {
    if family == Family::OceanBase {
        // Its log is always on the disk of a majority before a commit is answered.
        return Ok(());
    }
    let not_durable = |setting, found| OpenError::NotDurable {
        server: target.name().to_owned(),
        setting,
        found,
        wanted: "1",
    };
    let setting = "innodb_flush_log_at_trx_commit";
    let found = variable(target, conn, setting)?;
    // MariaDB's 3 syncs at each commit as 1 does.
    if found != "1" && !(family == Family::Mariadb && found == "3") {
        return Err(not_durable(setting, found));
    }
    if !is_on(&variable(target, conn, "log_bin")?) {
        return Ok(());
    }
    let found = variable(target, conn, "sync_binlog")?;
    if found != "1" {
        return Err(not_durable("sync_binlog", found));
    }
    let format = variable(target, conn, "binlog_format")?;
    if format.eq_ignore_ascii_case("statement") {
        return Err(OpenError::WrongSetting {
            server: target.name().to_owned(),
            setting: "binlog_format",
            found: format,
            wanted: "`ROW`, the one that goes with READ COMMITTED",
        });
    }
    Ok(())
}

/// Whether the session took what it was told.
fn check_session(target: &Target, mode: &str, isolation: &str) -> Result<(), OpenError> {
    let wrong = |setting, found: &str, wanted| OpenError::WrongSetting {
        server: target.name().to_owned(),
        setting,
        found: found.to_owned(),
        wanted,
    };
    if !SQL_MODE
        .split(',')
        .all(|wanted| mode.split(',').any(|mode| mode == wanted))
    {
        return Err(wrong("sql_mode", mode, "a strict mode"));
    }
    if !isolation
        .replace('-', " ")
        .eq_ignore_ascii_case("read committed")
    {
        return Err(wrong("the isolation", isolation, "READ COMMITTED"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{OpenError, check_session, check_version};
    use crate::connect::{Family, Target};

    fn target() -> Target {
        Target::parse("mysql://shop:s3cret@127.0.0.1:1/double11", None).unwrap()
    }

    #[test]
    fn old_servers_are_named() {
        for (family, version, is_fine) in [
            (Family::Mysql, "8.0.15", false),
            (Family::Mysql, "8.0.16", true),
            (Family::Mysql, "5.7.44-log", false),
            (Family::Mysql, "9.1.0", true),
            (Family::Mariadb, "10.5.27-MariaDB", false),
            (Family::Mariadb, "10.11.6-MariaDB-0+deb12u1", true),
            (Family::OceanBase, "5.7.25-OceanBase-v4.3.5.0", true),
        ] {
            let checked = check_version(&target(), family, version);
            assert_eq!(checked.is_ok(), is_fine, "{version}: {checked:?}");
        }
    }

    #[test]
    fn sessions_that_did_not_take_their_settings_are_named() {
        let strict = "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION";
        assert!(check_session(&target(), strict, "READ-COMMITTED").is_ok());
        let lax = check_session(&target(), "NO_ENGINE_SUBSTITUTION", "READ-COMMITTED");
        assert!(matches!(
            lax,
            Err(OpenError::WrongSetting {
                setting: "sql_mode",
                ..
            })
        ));
        let other = check_session(&target(), strict, "REPEATABLE-READ");
        assert!(
            matches!(&other, Err(OpenError::WrongSetting { found, .. }) if found == "REPEATABLE-READ")
        );
    }
}
