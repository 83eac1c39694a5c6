//! The file as SQLite sees it.

use rusqlite::Connection;

use crate::check::{Check, Needs, Rule};

/// Keeps what SQLite complains of. The table-valued form of the pragma cannot name both a schema and
/// a limit, so the rows go through a scratch table.
fn collect_complaints(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("CREATE TABLE complaints (complaint TEXT NOT NULL)")?;
    let mut insert = connection.prepare("INSERT INTO complaints VALUES (?1)")?;
    let mut pragma = connection.prepare("PRAGMA store.quick_check(100)")?;
    let mut rows = pragma.query(())?;
    while let Some(row) = rows.next()? {
        let complaint: String = row.get(0)?;
        if complaint != "ok" {
            insert.execute([complaint])?;
        }
    }
    Ok(())
}

pub(super) const CHECKS: &[Check] = &[Check {
    id: "file-intact",
    title: "The database file is intact",
    proves: "SQLite finds every page sound and no value missing where the schema demands one. It does \
             not look at CHECK constraints of a file opened read-only; the other checks do.",
    needs: Needs::Nothing,
    prepare: collect_complaints,
    examined: "SELECT page_count FROM pragma_page_count('store')",
    rules: &[Rule {
        says: "SQLite's own check of the file complains",
        sql: "SELECT complaint FROM complaints",
    }],
    remarks: &[],
}];
