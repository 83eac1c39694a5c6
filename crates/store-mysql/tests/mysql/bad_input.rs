//! Everything that can be wrong with a database is named when a shop starts.

use std::sync::Arc;

use double11_servers::{MariaDb, Tool};
use double11_store::conformance::Conditions;
use double11_store::{Clock, Variant};
use double11_store_mysql::{
    Migrated, MysqlStore, OpenError, create_database, drop_database, migrate,
};
use mysql::prelude::Queryable;

use crate::common::{connect, database, fresh_name, needs, options, server};

fn open(url: &str, password: Option<&str>) -> Result<MysqlStore, OpenError> {
    let conditions = Conditions::with_stock(&[]);
    let clock = conditions.clock as Arc<dyn Clock>;
    let mut options = options(url, Variant::Optimized.levers(), clock);
    options.password = password.map(str::to_owned);
    MysqlStore::open(options)
}

/// The error, after a look at what it tells.
fn refused(url: &str, password: Option<&str>) -> OpenError {
    let error = open(url, password).unwrap_err();
    let told = format!("{error} {error:?} {}", error.hint());
    assert!(!told.contains("only-for-tests"), "{told}");
    assert!(!told.contains("s3cret"), "{told}");
    error
}

#[test]
fn a_wrong_password_and_a_wrong_user() {
    let url = database(server());
    let wrong = refused(&url, Some("s3cret"));
    assert!(matches!(wrong, OpenError::AccessDenied { .. }), "{wrong:?}");
    let nobody = url.replace("shop:", "nobody:");
    let wrong = refused(&nobody, None);
    assert!(matches!(wrong, OpenError::AccessDenied { .. }), "{wrong:?}");
    let without = url.replace("shop:only-for-tests@", "shop:s3cret@");
    open(&without, Some("only-for-tests")).unwrap();
}

#[test]
fn no_server_there() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let url = format!("mysql://shop:s3cret@127.0.0.1:{port}/double11");
    let nobody = refused(&url, None);
    assert!(
        matches!(nobody, OpenError::Unreachable { .. }),
        "{nobody:?}"
    );
}

#[test]
fn no_database_and_no_tables() {
    let server = server();
    let name = fresh_name();
    let missing = refused(&server.root_url(&name), None);
    assert!(
        matches!(missing, OpenError::MissingDatabase { .. }),
        "{missing:?}"
    );
    create_database(&server.root_url(&name), None).unwrap();
    let empty = refused(&server.root_url(&name), None);
    assert!(matches!(empty, OpenError::NoSchema { .. }), "{empty:?}");
    drop_database(&server.root_url(&name), None).unwrap();
    let missing = refused(&server.root_url(&name), None);
    assert!(matches!(missing, OpenError::MissingDatabase { .. }));
}

#[test]
fn tables_of_another_version() {
    let url = database(server());
    let again = migrate(&url, None).unwrap();
    assert_eq!(
        again,
        Migrated {
            from: Some(1),
            to: 1
        }
    );
    let conn = &mut connect(&url);
    conn.query_drop("UPDATE schema_version SET version = 2")
        .unwrap();
    let newer = refused(&url, None);
    assert!(
        matches!(newer, OpenError::NewerSchema { found: 2, .. }),
        "{newer:?}"
    );
    assert!(matches!(
        migrate(&url, None),
        Err(OpenError::NewerSchema { found: 2, .. })
    ));
    conn.query_drop("UPDATE schema_version SET version = 0")
        .unwrap();
    let older = refused(&url, None);
    assert!(
        matches!(older, OpenError::OlderSchema { found: 0, .. }),
        "{older:?}"
    );
}

#[test]
fn a_migration_that_was_interrupted_is_finished() {
    let url = database(server());
    let conn = &mut connect(&url);
    conn.query_drop("DROP TABLE schema_version").unwrap();
    conn.query_drop("DROP TABLE refunds").unwrap();
    conn.query_drop("DROP INDEX products_by_category ON products")
        .unwrap();
    assert_eq!(migrate(&url, None).unwrap().from, None);
    open(&url, None).unwrap();
}

/// They are what guards the stock that a shop takes without reading it.
#[test]
fn rules_of_the_tables_that_are_not_enforced() {
    let url = database(server());
    let conn = &mut connect(&url);
    conn.query_drop("ALTER TABLE stock MODIFY available BIGINT NOT NULL")
        .unwrap();
    let refused = refused(&url, None);
    assert!(
        matches!(refused, OpenError::WrongSetting { setting, .. } if setting.contains("CHECK")),
        "{refused:?}"
    );
    let count: Option<i64> = conn.query_first("SELECT COUNT(*) FROM stock").unwrap();
    assert_eq!(count, Some(0), "nothing of the test stays");
}

#[test]
fn settings_of_the_server_that_break_promises() {
    needs(Tool::MariaDb);
    let server = MariaDb::start_with(&["--log-bin=bin", "--binlog-format=ROW"]).unwrap();
    let url = database(&server);
    open(&url, None).unwrap();
    for (change, back, expected) in [
        (
            "SET GLOBAL read_only = 1",
            "SET GLOBAL read_only = 0",
            "read_only",
        ),
        (
            "SET GLOBAL innodb_flush_log_at_trx_commit = 2",
            "SET GLOBAL innodb_flush_log_at_trx_commit = 1",
            "innodb_flush_log_at_trx_commit",
        ),
        (
            "SET GLOBAL sync_binlog = 0",
            "SET GLOBAL sync_binlog = 1",
            "sync_binlog",
        ),
        (
            "SET GLOBAL binlog_format = 'STATEMENT'",
            "SET GLOBAL binlog_format = 'ROW'",
            "binlog_format",
        ),
    ] {
        server.sql(change).unwrap();
        let found = match refused(&url, None) {
            OpenError::ReadOnly { setting, .. }
            | OpenError::NotDurable { setting, .. }
            | OpenError::WrongSetting { setting, .. } => setting,
            other => unreachable!("{change}: {other:?}"),
        };
        assert_eq!(found, expected);
        server.sql(back).unwrap();
    }
    // What the session sets for itself does not depend on the server's defaults.
    server
        .sql("SET GLOBAL sql_mode = ''; SET GLOBAL tx_isolation = 'REPEATABLE-READ'")
        .unwrap();
    open(&url, None).unwrap();
}
