//! A world that was written to files.

use std::path::{Path, PathBuf};

use double11_audit::{AuditOptions, AuditReport, Retention, StoreLocation};
use double11_units::UnixMicros;
use rusqlite::Connection;
use tempfile::TempDir;

/// A written world.
pub(crate) struct Site {
    folder: TempDir,
    pub(crate) options: AuditOptions,
}

impl Site {
    pub(super) fn new(folder: TempDir, now: i64) -> Self {
        let options = AuditOptions {
            store: StoreLocation::Sqlite(folder.path().join("double11 #1.db")),
            client_ledgers: vec![folder.path().join("client-ledger.jsonl")],
            gateway_ledger: Some(folder.path().join("double11.db.gateway")),
            ledger_is_complete: true,
            settled_required: true,
            kept: Retention::default(),
            now: UnixMicros::new(now),
        };
        Self { folder, options }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file of the store.
    pub(crate) fn store(&self) -> &Path {
        match &self.options.store {
            StoreLocation::Sqlite(path) => path,
            StoreLocation::Mysql { .. } => unreachable!("worlds are written to files"),
        }
    }

    pub(crate) fn client_ledger(&self) -> PathBuf {
        self.options.client_ledgers[0].clone()
    }

    pub(crate) fn gateway_ledger(&self) -> PathBuf {
        self.options.gateway_ledger.clone().unwrap()
    }

    /// Changes the store without regard to its constraints.
    pub(crate) fn corrupt(&self, sql: &str) -> usize {
        let connection = Connection::open(self.store()).unwrap();
        connection
            .execute_batch("PRAGMA ignore_check_constraints = ON")
            .unwrap();
        connection.execute_batch(sql).unwrap();
        usize::try_from(connection.total_changes()).unwrap()
    }

    pub(crate) fn audit(&self) -> AuditReport {
        double11_audit::run(&self.options).unwrap()
    }
}
