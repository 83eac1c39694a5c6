//! The file as SQLite sees it, or what was noticed while a server's tables were copied.

use rusqlite::Connection;

use crate::check::{Check, Needs, Rule};

/// Keeps what SQLite complains of. The table-valued form of the pragma cannot name both a schema and
/// a limit, so the rows go through a scratch table. Of a store that was copied from a server the
/// table is there already.
fn collect_complaints(connection: &Connection) -> rusqlite::Result<()> {
    if connection.table_exists(Some("main"), "complaints")? {
        return Ok(());
    }
    connection.execute_batch(
        "CREATE TABLE complaints (complaint TEXT NOT NULL);
         CREATE TABLE intact_examined AS
         SELECT page_count AS rows FROM pragma_page_count('store')",
    )?;
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
    title: "The stored data is intact",
    proves: "No value is missing where the schema demands one. Of a file, SQLite finds every page \
             sound; of a server, as many rows were read as it counts, and every value has its type. \
             Neither looks at CHECK constraints; the other checks do.",
    needs: Needs::Nothing,
    prepare: collect_complaints,
    examined: "SELECT rows FROM intact_examined",
    rules: &[Rule {
        says: "the data is damaged",
        sql: "SELECT complaint FROM complaints",
    }],
    remarks: &[],
}];
