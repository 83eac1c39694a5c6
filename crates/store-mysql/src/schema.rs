//! The tables: made and upgraded by [`migrate`], only checked by everybody else.

use std::time::Duration;

use mysql::Conn;
use mysql::prelude::Queryable;

use crate::connect::{Family, Target};
use crate::failure::{code, server_code};
use crate::open::{OpenError, check_server, connect_error};

/// The version of `docs/SCHEMA.md`.
pub(crate) const VERSION: u32 = 1;
/// How the names of databases begin that a rehearsal makes for itself and drops again.
const REHEARSAL_PREFIX: &str = "double11_rehearsal_";
/// What every table is made with, whatever the defaults of server and database are.
const TABLE_OPTIONS: &str = "ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin";
/// Ids begin here; smaller ones are never given to anything.
const FIRST_ID: i64 = 65_536;

const TABLES: &str = include_str!("tables.sql");
const INDEXES: &str = include_str!("indexes.sql");

/// How long a statement about a whole table or database may take.
const PATIENCE: Duration = Duration::from_mins(10);

/// What a migration did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The version of the tables before; none when there were no tables.
    pub from: Option<u32>,
    /// Their version now.
    pub to: u32,
}

/// The version of the tables; none when there are none.
pub(crate) fn version(conn: &mut Conn) -> mysql::Result<Option<u32>> {
    match conn.query_first("SELECT version FROM schema_version WHERE id = 1") {
        Err(error) if server_code(&error) == Some(code::UNKNOWN_TABLE) => Ok(None),
        found => found,
    }
}

/// Creates the tables and indexes in an existing database, or upgrades them. May run twice at once,
/// and again after it was interrupted.
///
/// # Errors
/// [`OpenError`] when the server cannot be used, or the tables are newer than this program.
pub fn migrate(url: &str, password: Option<&str>) -> Result<Migrated, OpenError> {
    let target = Target::parse(url, password)?.with_patience(PATIENCE);
    let (mut conn, family) = check_server(&target)?;
    let fail = |source| OpenError::Mysql {
        server: target.name().to_owned(),
        source,
    };
    let from = version(&mut conn).map_err(fail)?;
    match from {
        Some(found) if found > VERSION => Err(OpenError::NewerSchema {
            server: target.name().to_owned(),
            found,
            wanted: VERSION,
        }),
        Some(VERSION) => Ok(Migrated { from, to: VERSION }),
        _ => {
            create(&mut conn, family).map_err(fail)?;
            Ok(Migrated { from, to: VERSION })
        }
    }
}

/// Makes what is not there yet, the version last.
fn create(conn: &mut Conn, family: Family) -> mysql::Result<()> {
    for statement in statements(TABLES) {
        let statement = statement.replacen("CREATE TABLE ", "CREATE TABLE IF NOT EXISTS ", 1);
        let options = match family {
            Family::Mysql | Family::Mariadb => TABLE_OPTIONS,
            // One engine, which it does not name.
            Family::OceanBase => TABLE_OPTIONS.trim_start_matches("ENGINE = InnoDB "),
        };
        conn.query_drop(format!("{statement} {options}"))?;
    }
    for statement in statements(INDEXES) {
        match conn.query_drop(statement) {
            Err(error) if server_code(&error) == Some(code::DUPLICATE_INDEX) => {}
            made => made?,
        }
    }
    conn.query_drop(format!(
        "INSERT IGNORE INTO id_blocks (name, next_id) VALUES ('ids', {FIRST_ID})"
    ))?;
    conn.query_drop(format!(
        "INSERT IGNORE INTO schema_version (id, version) VALUES (1, {VERSION})"
    ))
}

/// The statements of a file, each without its semicolon.
fn statements(file: &str) -> impl Iterator<Item = &str> {
    file.split(";\n")
        .map(str::trim)
        .filter(|statement| !statement.is_empty())
}

/// Creates the database that the URL names. The tables are [`migrate`]'s.
///
/// # Errors
/// [`OpenError`] when the server cannot be reached or refuses, also when the database exists.
pub fn create_database(url: &str, password: Option<&str>) -> Result<(), OpenError> {
    let target = Target::parse(url, password)?;
    let sql = format!(
        "CREATE DATABASE `{}` DEFAULT CHARACTER SET = utf8mb4",
        target.database()
    );
    on_server(&target, &sql)
}

/// Drops the database that the URL names, if it exists and is one that a rehearsal made.
///
/// # Errors
/// [`OpenError::NotOfARehearsal`] for any other name; else when the server cannot be reached or refuses.
pub fn drop_database(url: &str, password: Option<&str>) -> Result<(), OpenError> {
    let target = Target::parse(url, password)?;
    if !target.database().starts_with(REHEARSAL_PREFIX) {
        return Err(OpenError::NotOfARehearsal {
            database: target.database().to_owned(),
        });
    }
    let sql = format!("DROP DATABASE IF EXISTS `{}`", target.database());
    on_server(&target, &sql)
}

fn on_server(target: &Target, sql: &str) -> Result<(), OpenError> {
    let patient = target.clone().with_patience(PATIENCE);
    let mut conn = patient
        .connect(false)
        .map_err(|source| connect_error(target, source))?;
    conn.query_drop(sql).map_err(|source| OpenError::Mysql {
        server: target.name().to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{INDEXES, OpenError, TABLES, drop_database, statements};

    #[test]
    fn the_page_says_what_is_executed() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/SCHEMA.md");
        let page = std::fs::read_to_string(page).unwrap();
        for file in [TABLES, INDEXES] {
            assert!(page.contains(file), "docs/SCHEMA.md does not have:\n{file}");
        }
    }

    #[test]
    fn statements_are_told_apart() {
        assert_eq!(statements(TABLES).count(), 13);
        assert!(statements(TABLES).all(|statement| statement.starts_with("CREATE TABLE ")));
        assert_eq!(statements(INDEXES).count(), 4);
    }

    #[test]
    fn only_databases_of_rehearsals_are_dropped() {
        let refused = drop_database("mysql://root@127.0.0.1:1/double11", None);
        assert!(matches!(refused, Err(OpenError::NotOfARehearsal { .. })));
    }
}
