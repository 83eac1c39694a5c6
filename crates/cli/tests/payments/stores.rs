//! The stores that every situation is met on: a file, a database on MariaDB beside Redis, and one on
//! seekdb, OceanBase's engine on one machine.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use double11_servers::{MariaDb, Redis, SeekDb, Tool, present};
use rusqlite::types::ValueRef;

use crate::harness::{both, run, store_path, store_url};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    MariaDb,
    SeekDb,
}

/// The store of one test.
pub(crate) enum Store {
    File(PathBuf),
    MariaDb(&'static (MariaDb, Redis), String),
    SeekDb(&'static SeekDb, String),
}

/// The servers of this test program, which end with it. `MariaDB` claims to sync and does not: no test
/// here loses power, and most of their time would go to the making of tables.
fn mariadb() -> Option<&'static (MariaDb, Redis)> {
    static SERVERS: OnceLock<Option<(MariaDb, Redis)>> = OnceLock::new();
    let start = || {
        (present(Tool::MariaDb) && present(Tool::Redis)).then(|| {
            (
                MariaDb::start_unsynced(&[]).unwrap(),
                Redis::start().unwrap(),
            )
        })
    };
    SERVERS.get_or_init(start).as_ref()
}

fn seekdb() -> Option<&'static SeekDb> {
    static SERVER: OnceLock<Option<SeekDb>> = OnceLock::new();
    let start = || present(Tool::SeekDb).then(|| SeekDb::start().unwrap());
    SERVER.get_or_init(start).as_ref()
}

impl Store {
    /// A fresh one with its tables; none, said aloud, where its server is missing.
    pub(crate) fn make(kind: Kind, folder: &Path) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("payments_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let store = match kind {
            Kind::Sqlite => return Some(Self::File(folder.to_owned())),
            Kind::MariaDb => {
                let servers = mariadb()?;
                servers.0.create_database(&name).unwrap();
                Self::MariaDb(servers, name)
            }
            Kind::SeekDb => {
                let server = seekdb()?;
                server.create_database(&name).unwrap();
                Self::SeekDb(server, name)
            }
        };
        let migrated = run(["migrate", "--store", &store.url()]);
        assert!(migrated.status.success(), "{}", both(&migrated));
        Some(store)
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::File(folder) => store_url(folder),
            Self::MariaDb(servers, name) => servers.0.url(name),
            Self::SeekDb(server, name) => server.url(name),
        }
    }

    /// What its shops share besides, if anything.
    pub(crate) fn cache(&self) -> Option<String> {
        match self {
            Self::MariaDb(servers, name) => Some(format!("{}?prefix={name}:", servers.1.url())),
            Self::File(_) | Self::SeekDb(..) => None,
        }
    }

    /// The rows of a query, their values as text.
    pub(crate) fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let printed = match self {
            Self::File(folder) => return rows_of_file(folder, sql),
            Self::MariaDb(servers, name) => servers.0.sql(&format!("USE {name}; {sql}")),
            Self::SeekDb(server, name) => server.sql(&format!("USE {name}; {sql}")),
        };
        let printed = printed.unwrap();
        let split = |line: &str| line.split('\t').map(str::to_owned).collect();
        printed.lines().map(split).collect()
    }
}

fn rows_of_file(folder: &Path, sql: &str) -> Vec<Vec<String>> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let store = rusqlite::Connection::open_with_flags(store_path(folder), flags).unwrap();
    let mut statement = store.prepare(sql).unwrap();
    let columns = statement.column_count();
    let mut found = statement.query([]).unwrap();
    let mut rows = Vec::new();
    while let Some(row) = found.next().unwrap() {
        let value = |column| match row.get_ref(column).unwrap() {
            ValueRef::Null => "NULL".to_owned(),
            ValueRef::Integer(number) => number.to_string(),
            other => other.as_str().unwrap().to_owned(),
        };
        rows.push((0..columns).map(value).collect());
    }
    rows
}
