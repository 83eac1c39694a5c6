//! Opening: what is refused and how, and that the store is not changed.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use double11_audit::{AuditError, AuditReport, CheckStatus, check_ids, render_text};
use rusqlite::Connection;

use crate::assert_failed;
use crate::world::{Call, Ending, Site, World, schema_index_sql};

#[test]
fn a_right_store_passes_every_check() {
    let report = World::scene().write().audit();
    assert_failed(&report, &[], "scene");
    for check in &report.checks {
        assert_eq!(check.status, CheckStatus::Passed, "{}", check.id);
        assert!(check.examined > 0, "{} examined nothing", check.id);
    }
    let figures = report.figures.unwrap();
    assert_eq!(figures.orders, 9);
    assert_eq!(figures.captured, 4_500 + 400 + 500 + 1_000 + 50);
    assert_eq!(figures.gateway_captured, Some(figures.captured));
    assert_eq!(figures.gateway_refunded, Some(figures.refunded));
}

#[test]
fn secondary_indexes_change_nothing() {
    let site = World::scene().write();
    site.corrupt(schema_index_sql());
    assert_failed(&site.audit(), &[], "indexes");
}

#[test]
fn columns_and_tables_of_a_newer_version_change_nothing() {
    let site = World::scene().write();
    for table in [
        "shop",
        "products",
        "stock",
        "carts",
        "cart_lines",
        "orders",
        "order_lines",
        "payments",
        "refunds",
        "idempotency_keys",
    ] {
        site.corrupt(&format!("ALTER TABLE {table} ADD COLUMN newer TEXT"));
    }
    site.corrupt("CREATE TABLE newer (a INTEGER); CREATE INDEX newer_a ON newer (a)");
    assert_failed(&site.audit(), &[], "newer");
}

#[test]
fn the_report_survives_json_and_reads_as_text() {
    let site = World::scene().write();
    site.corrupt(
        "UPDATE stock SET reserved = reserved - 1, available = available + 1
                  WHERE product_id = 1",
    );
    let report = site.audit();
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<AuditReport>(&json).unwrap(), report);
    let text = render_text(&report);
    let line = "product_id 1, reserved 0, in_open_orders 1: reserved is not the sum of the lines of \
                open orders";
    assert!(text.contains(line), "{text}");
    assert!(text.contains("FAILED  reserved-matches-orders"), "{text}");
    assert!(text.ends_with("1 failed, 0 not applicable\n"), "{text}");
}

#[test]
fn every_check_is_described_in_the_documentation() {
    let page = include_str!("../../../../docs/AUDIT.md");
    for id in check_ids() {
        assert!(
            page.contains(&format!("`{id}`")),
            "docs/AUDIT.md does not describe `{id}`"
        );
    }
}

#[test]
fn checks_without_their_input_do_not_apply() {
    let mut site = World::scene().write();
    site.options.client_ledgers.clear();
    site.options.gateway_ledger = None;
    site.options.settled_required = false;
    let report = site.audit();
    assert_failed(&report, &[], "store alone");
    let skipped = report
        .checks
        .iter()
        .filter(|check| check.status != CheckStatus::Passed)
        .count();
    assert_eq!(skipped, 14);
}

#[test]
fn processing_is_a_fault_only_when_settling_was_required() {
    let mut world = World::scene();
    world.pay(1_002, 100, Ending::Processing, &Call::keyed("pay-10"));
    let mut site = world.write();
    assert_failed(&site.audit(), &["settled"], "settled required");
    site.options.settled_required = false;
    assert_failed(&site.audit(), &[], "settled not required");
}

#[test]
fn the_log_of_a_killed_shop_is_read_and_left_alone() {
    let site = World::scene().write();
    let connection = Connection::open(site.store()).unwrap();
    connection
        .execute_batch("PRAGMA wal_autocheckpoint = 0")
        .unwrap();
    connection
        .execute(
            "UPDATE orders SET user_id = 'mallory' WHERE order_id = 1006",
            (),
        )
        .unwrap();
    // A copy taken while the shop runs is what a kill leaves behind.
    let killed = Site::clone_files(&site);
    drop(connection);
    let before = killed.contents();
    assert!(before[1].1 > 0, "the log must hold the change");
    assert_failed(
        &killed.audit(),
        &["acknowledged-orders-stored"],
        "change in the log",
    );
    assert_eq!(killed.contents(), before, "the audit must not write");
}

#[test]
fn a_torn_last_line_is_said_and_not_read() {
    let site = World::scene().write();
    append(
        &site.gateway_ledger(),
        r#"{"event":"charge","attempt_id":"77"#,
    );
    let report = site.audit();
    assert_failed(&report, &[], "torn gateway ledger");
    assert!(report.gateway_ledger.as_ref().unwrap().torn_last_line);
    assert!(
        report.notes.iter().any(|note| note.contains("torn")),
        "{:?}",
        report.notes
    );

    append(&site.client_ledger(), r#"{"kind":"or"#);
    let report = site.audit();
    let explained = report
        .checks
        .iter()
        .find(|check| check.id == "stored-orders-explained");
    assert!(matches!(
        explained.unwrap().status,
        CheckStatus::NotApplicable(_)
    ));
}

#[test]
fn ledgers_of_another_form_are_refused_with_their_line() {
    let check = |text: &str, expected: &str| {
        let site = World::scene().write();
        fs::write(site.client_ledger(), text).unwrap();
        let error = double11_audit::run(&site.options).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check("{\"double11_client_ledger\":2}\n", "line 1 of the ledger");
    check("{\"double11_client_ledger\":2}\n", "version 2 is not known");
    check("{}\n", "expected `{\"double11_client_ledger\":1}`");
    check("not json\n", "line 1 of the ledger");
    check(
        "{\"double11_client_ledger\":1}\n{\"kind\":\"gift\"}\n",
        "line 2 of the ledger",
    );
    let site = World::scene().write();
    append(
        &site.gateway_ledger(),
        "{\"event\":\"void\",\"attempt_id\":\"x\",\"at\":1}\n",
    );
    let error = double11_audit::run(&site.options).unwrap_err().to_string();
    assert!(
        error.contains("attempt_id `x` is not an integer"),
        "{error}"
    );
    fs::remove_file(site.gateway_ledger()).unwrap();
    let error = double11_audit::run(&site.options).unwrap_err();
    assert!(
        matches!(error, AuditError::LedgerUnreadable { .. }),
        "{error}"
    );
}

#[test]
fn stores_of_another_form_are_refused() {
    let check = |prepare: &dyn Fn(&Path), expected: &str| {
        let site = World::scene().write();
        prepare(site.store());
        let error = double11_audit::run(&site.options).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let sql = |sql: &'static str| {
        move |path: &Path| Connection::open(path).unwrap().execute_batch(sql).unwrap()
    };
    check(&|path| fs::remove_file(path).unwrap(), "does not exist");
    check(
        &|path| fs::write(path, "x".repeat(5_000)).unwrap(),
        "is not an SQLite database",
    );
    check(
        &|path| fs::write(path, "").unwrap(),
        "is not a store of Double11",
    );
    check(
        &sql("PRAGMA application_id = 7"),
        "application id is 0x00000007",
    );
    check(
        &sql("PRAGMA user_version = 3"),
        "has schema version 3, this audit knows version 2",
    );
    check(
        &sql("DELETE FROM shop"),
        "does not say which known currency",
    );
    check(
        &sql("UPDATE shop SET currency = 'XYZ'"),
        "does not say which known currency",
    );
    let mut site = World::scene().write();
    site.options.store = site.folder().to_owned().into();
    let error = double11_audit::run(&site.options).unwrap_err();
    assert!(matches!(error, AuditError::NotADatabase { .. }), "{error}");
}

#[test]
fn a_store_in_exclusive_use_is_named_as_locked() {
    let site = World::scene().write();
    let holder = Connection::open(site.store()).unwrap();
    holder
        .execute_batch(
            "PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; DELETE FROM carts; COMMIT",
        )
        .unwrap();
    let error = double11_audit::run(&site.options).unwrap_err();
    assert!(matches!(error, AuditError::Locked { .. }), "{error}");
}

#[test]
fn a_log_that_cannot_be_read_is_an_error_and_not_a_lost_order() {
    let site = World::scene().write();
    let connection = Connection::open(site.store()).unwrap();
    connection
        .execute(
            "UPDATE orders SET user_id = 'mallory' WHERE order_id = 1006",
            (),
        )
        .unwrap();
    let killed = Site::clone_files(&site);
    // A dangling link stands for an index that can be neither opened nor made; SQLite does not
    // follow it.
    let mut index = killed.store().to_owned().into_os_string();
    index.push("-shm");
    if Path::new(&index).exists() {
        fs::remove_file(&index).unwrap();
    }
    std::os::unix::fs::symlink("nowhere", &index).unwrap();
    let error = double11_audit::run(&killed.options).unwrap_err();
    assert!(
        matches!(error, AuditError::LogIndexUnavailable { .. }),
        "{error}"
    );
}

#[test]
fn a_damaged_page_is_a_failed_check() {
    let site = World::scene().write();
    let mut bytes = fs::read(site.store()).unwrap();
    let root: u32 = Connection::open(site.store())
        .unwrap()
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'refunds'",
            (),
            |row| row.get(0),
        )
        .unwrap();
    let start = (usize::try_from(root).unwrap() - 1) * 4_096;
    bytes[start..start + 64].fill(0xAB);
    fs::write(site.store(), bytes).unwrap();
    let report = site.audit();
    let failed = crate::failed(&report);
    assert!(
        failed.contains("file-intact") && failed.contains("refunds-justified"),
        "{failed:?}"
    );
    assert!(!failed.contains("order-totals"), "{failed:?}");
}

fn append(path: &Path, text: &str) {
    fs::OpenOptions::new()
        .append(true)
        .open(path)
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
}

impl Site {
    /// A copy of the store with its log but without its index, as after a crash of the machine.
    fn clone_files(site: &Self) -> Self {
        let copy = World::scene().write();
        for suffix in ["", "-wal"] {
            let name = |site: &Self| {
                let mut name = site.store().to_owned().into_os_string();
                name.push(suffix);
                name
            };
            fs::copy(name(site), name(&copy)).unwrap();
        }
        copy
    }

    /// Hash and size of the store and its log.
    fn contents(&self) -> [(Vec<u8>, usize); 2] {
        ["", "-wal"].map(|suffix| {
            let mut name = self.store().to_owned().into_os_string();
            name.push(suffix);
            let bytes = fs::read(name).unwrap_or_default();
            let size = bytes.len();
            (bytes, size)
        })
    }
}
