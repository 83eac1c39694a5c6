//! Stores on a server: they are judged as files are, and what cannot be read is named.

use std::sync::{Mutex, OnceLock, PoisonError};

use double11_audit::{
    AuditError, AuditOptions, AuditReport, CheckReport, CheckStatus, StoreLocation,
};
use double11_servers::{MariaDb, SeekDb, Tool, present};
use mysql::prelude::Queryable as _;
use mysql::{Conn, Opts, Value};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::assert_failed;
use crate::world::{Call, Ending, Site, World};

const TABLES: &str = include_str!("mysql/tables.sql");
const NAMES: [&str; 10] = [
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
];

/// The server that all tests share, none when it is not installed. It ends with this process.
fn server() -> Option<&'static MariaDb> {
    static SERVER: OnceLock<Option<MariaDb>> = OnceLock::new();
    SERVER
        .get_or_init(|| present(Tool::MariaDb).then(|| MariaDb::start().unwrap()))
        .as_ref()
}

/// A database with empty tables.
struct Database {
    url: String,
    connection: Conn,
}

impl Database {
    fn new(server: &MariaDb, name: &str) -> Self {
        Self::at(server.create_database(name).unwrap())
    }

    fn at(url: String) -> Self {
        let mut connection = Conn::new(Opts::from_url(&url).unwrap()).unwrap();
        let tables: Vec<&str> = TABLES
            .lines()
            .filter(|line| !line.starts_with("--"))
            .collect();
        for statement in tables.join("\n").split(';') {
            if !statement.trim().is_empty() {
                connection.query_drop(statement).unwrap();
            }
        }
        connection
            .query_drop("INSERT INTO schema_version VALUES (1, 1)")
            .unwrap();
        Self { url, connection }
    }

    /// Replaces what the tables hold by the rows of a file.
    fn fill(&mut self, site: &Site) {
        let file = Connection::open(site.store()).unwrap();
        self.connection.query_drop("START TRANSACTION").unwrap();
        for table in NAMES {
            self.run(&format!("DELETE FROM {table}"));
            let mut statement = file.prepare(&format!("SELECT * FROM {table}")).unwrap();
            let columns = statement.column_count();
            let places = vec!["?"; columns].join(", ");
            let insert = format!("INSERT INTO {table} VALUES ({places})");
            let mut rows = statement.query(()).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let values: Vec<Value> = (0..columns)
                    .map(|index| value_of(row.get_ref(index).unwrap()))
                    .collect();
                self.connection.exec_drop(&insert, values).unwrap();
            }
        }
        self.connection.query_drop("COMMIT").unwrap();
    }

    fn run(&mut self, sql: &str) {
        self.connection
            .query_drop(sql)
            .unwrap_or_else(|error| unreachable!("{sql}: {error}"));
    }

    fn location(&self) -> StoreLocation {
        StoreLocation::Mysql {
            url: self.url.clone(),
            password: None,
        }
    }

    fn options(&self, site: &Site) -> AuditOptions {
        AuditOptions {
            store: self.location(),
            ..site.options.clone()
        }
    }

    fn audit(&self, site: &Site) -> AuditReport {
        double11_audit::run(&self.options(site)).unwrap()
    }
}

fn value_of(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::NULL,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Real(number) => Value::Double(number),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    }
}

fn check<'report>(report: &'report AuditReport, id: &str) -> &'report CheckReport {
    report.checks.iter().find(|check| check.id == id).unwrap()
}

/// Audits the rows of a site on a server: every check must find what it found in the file.
pub(crate) fn judges_alike(site: &Site, expected: &AuditReport, case: &str) {
    static DATABASE: OnceLock<Mutex<Option<Database>>> = OnceLock::new();
    let database =
        DATABASE.get_or_init(|| Mutex::new(server().map(|server| Database::new(server, "alike"))));
    let mut database = database.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(database) = &mut *database else {
        return;
    };
    database.fill(site);
    let report = database.audit(site);
    assert_eq!(report.figures, expected.figures, "{case}");
    for (found, expected) in report.checks.iter().zip(&expected.checks) {
        if found.id == "file-intact" {
            assert_eq!(found.status, CheckStatus::Passed, "{case}: {found:?}");
        } else {
            assert_eq!(found, expected, "{case}");
        }
    }
}

#[test]
fn a_right_store_passes_every_check() {
    let Some(server) = server() else { return };
    let site = World::scene().write();
    let mut database = Database::new(server, "scene");
    database.fill(&site);
    let report = database.audit(&site);
    assert_failed(&report, &[], "scene");
    for check in &report.checks {
        assert_eq!(check.status, CheckStatus::Passed, "{}", check.id);
        assert!(check.examined > 0, "{} examined nothing", check.id);
    }
    assert_eq!(report.notes, Vec::<String>::new());
    assert!(!report.store.contains("only-for-tests"), "{}", report.store);
    assert!(report.store.ends_with("/scene"), "{}", report.store);
}

#[test]
fn a_right_store_on_oceanbase_passes_every_check() {
    if !present(Tool::SeekDb) {
        return;
    }
    let server = SeekDb::start().unwrap();
    let site = World::scene().write();
    let mut database = Database::at(server.create_database("scene").unwrap());
    database.fill(&site);
    assert_failed(&database.audit(&site), &[], "scene");
    database.run("UPDATE stock SET available = available + 1 WHERE product_id = 1");
    assert_failed(
        &database.audit(&site),
        &["stock-equation"],
        "one piece more",
    );
    let missing = StoreLocation::Mysql {
        url: server.url("nowhere"),
        password: None,
    };
    let error = double11_audit::unsettled(&missing).unwrap_err();
    assert!(
        matches!(error, AuditError::DatabaseMissing { .. }),
        "{error}"
    );
}

#[test]
fn columns_and_tables_of_a_newer_version_change_nothing() {
    let Some(server) = server() else { return };
    let site = World::scene().write();
    let mut database = Database::new(server, "newer");
    database.fill(&site);
    database.run("ALTER TABLE orders ADD COLUMN coupon VARCHAR(9) FIRST, ADD COLUMN note TEXT");
    database.run("CREATE TABLE coupons (coupon VARCHAR(9) PRIMARY KEY)");
    assert_failed(&database.audit(&site), &[], "newer");
}

#[test]
fn values_that_do_not_fit_are_named_and_never_changed() {
    let Some(server) = server() else { return };
    let site = World::scene().write();
    let mut database = Database::new(server, "values");
    let mut case = |sql: &[&str], complaint: &str| {
        database.fill(&site);
        for sql in sql {
            database.run(sql);
        }
        let report = database.audit(&site);
        let intact = check(&report, "file-intact");
        assert_eq!(intact.status, CheckStatus::Failed, "{complaint}");
        let text = double11_audit::render_text(&report);
        assert!(text.contains(complaint), "{complaint}\n{text}");
    };
    case(
        &["UPDATE orders SET user_id = X'FF41' WHERE order_id = 1003"],
        "table `orders`: order_id 1003: `user_id` is not UTF-8",
    );
    case(
        &[
            "ALTER TABLE stock MODIFY sold BIGINT UNSIGNED NOT NULL",
            "UPDATE stock SET sold = 9223372036854775808 WHERE product_id = 3",
        ],
        "table `stock`: product_id 3: `sold` exceeds 63 bits",
    );
    case(
        &[
            "UPDATE stock SET sold = 0",
            "ALTER TABLE stock MODIFY sold DECIMAL(20,2) NOT NULL",
        ],
        "table `stock`: product_id 1: `sold` is not an integer",
    );
    case(
        &[
            "ALTER TABLE stock MODIFY sold BIGINT NOT NULL",
            "ALTER TABLE refunds MODIFY amount BIGINT NULL",
            "UPDATE refunds SET amount = NULL WHERE order_id = 1004",
        ],
        "`amount` has no value",
    );
    case(
        &[
            "ALTER TABLE cart_lines DROP PRIMARY KEY",
            "INSERT INTO cart_lines SELECT * FROM cart_lines WHERE cart_id = 9002",
        ],
        "table `cart_lines`: cart_id 9002, product_id 1: the row is there twice",
    );
}

#[test]
fn a_store_that_changes_meanwhile_is_noted() {
    let Some(server) = server() else { return };
    let mut site = World::scene().write();
    let mut database = Database::new(server, "meanwhile");
    database.fill(&site);
    // The ledger is read behind the snapshot, and comes through a pipe after the change.
    let ledger = std::fs::read(site.client_ledger()).unwrap();
    let pipe = site.folder().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    site.options.client_ledgers = vec![pipe.clone()];
    let options = database.options(&site);
    let auditing = std::thread::spawn(move || double11_audit::run(&options).unwrap());
    // Opening waits for the reader, which comes when the snapshot is taken.
    let mut writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    database.run("UPDATE carts SET version = version + 1 WHERE cart_id = 9002");
    std::io::Write::write_all(&mut writer, &ledger).unwrap();
    drop(writer);
    let report = auditing.join().unwrap();
    assert_failed(&report, &[], "the change came behind the snapshot");
    assert!(
        report
            .notes
            .iter()
            .any(|note| note.contains("wrote to the store")),
        "{:?}",
        report.notes
    );
}

#[test]
fn what_is_not_settled_is_counted() {
    let Some(server) = server() else { return };
    let mut world = World::scene();
    world.pay(1_002, 100, Ending::Processing, &Call::keyed("pay-10"));
    let site = world.write();
    let mut database = Database::new(server, "unsettled");
    database.fill(&site);
    let found = double11_audit::unsettled(&database.location()).unwrap();
    assert_eq!((found.processing, found.refunds_pending), (1, 0));
    assert_eq!(
        found,
        double11_audit::unsettled(&site.options.store).unwrap()
    );
    assert_failed(&database.audit(&site), &["settled"], "settled required");
}

#[test]
fn what_cannot_be_read_is_named_without_the_password() {
    let Some(server) = server() else { return };
    let mut database = Database::new(server, "named");
    database.fill(&World::scene().write());
    let error_of = |url: &str, password: Option<&str>| {
        let location = StoreLocation::Mysql {
            url: url.to_owned(),
            password: password.map(str::to_owned),
        };
        let error = double11_audit::unsettled(&location).unwrap_err();
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        assert!(!text.contains("only-for-tests"), "{text}");
        assert!(!text.contains("wr0ng"), "{text}");
        (error, text)
    };
    let url = server.url("named");
    let closed = url.replace(&server.port().to_string(), "1");
    let (error, text) = error_of(&closed, None);
    assert!(matches!(error, AuditError::Unreachable { .. }), "{text}");
    let (error, text) = error_of(&url, Some("wr0ng"));
    assert!(matches!(error, AuditError::AccessDenied { .. }), "{text}");
    let (error, text) = error_of(&server.root_url("nowhere"), None);
    assert!(
        matches!(error, AuditError::DatabaseMissing { .. }),
        "{text}"
    );
    let (error, text) = error_of("mysql://shop:only-for-tests@127.0.0.1", None);
    assert!(text.contains("names no database"), "{error:?}");
    let (error, text) = error_of("mysql://shop:only-for-tests@host:port/d", None);
    assert!(
        matches!(error, AuditError::LocationMalformed { .. }),
        "{text}"
    );
    server.create_database("hollow").unwrap();
    let (error, text) = error_of(&server.url("hollow"), None);
    assert!(matches!(error, AuditError::NotAStore { .. }), "{text}");
    database.run("UPDATE schema_version SET version = 2");
    let (_, text) = error_of(&url, None);
    assert!(
        text.contains("schema version 2, this audit knows version 1"),
        "{text}"
    );
    database.run("UPDATE schema_version SET version = 1");
    database.run("ALTER TABLE stock DROP COLUMN sold");
    let site = World::scene().write();
    let error = double11_audit::run(&database.options(&site)).unwrap_err();
    assert!(error.to_string().contains("sold"), "{error}");
    // The password may come apart from the URL.
    database.run("ALTER TABLE stock ADD COLUMN sold BIGINT NOT NULL");
    let location = StoreLocation::Mysql {
        url: url.replace(":only-for-tests", ""),
        password: Some("only-for-tests".to_owned()),
    };
    double11_audit::unsettled(&location).unwrap();
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test that tells how long it took"
)]
fn a_large_store_is_copied_row_by_row() {
    let Some(server) = server() else { return };
    let soak = std::env::var("DOUBLE11_SOAK").is_ok_and(|value| value == "1");
    let orders = if soak { 500_000 } else { 5_000 };
    let site = World::new(&[(10_000_000, 100), (10_000_000, 200)]).write();
    let mut database = Database::new(server, "large");
    database.fill(&site);
    for sql in [
        "INSERT INTO orders SELECT seq + 1000, CONCAT('user-', seq), NULL, 'card', 'pending_payment', 500, 0, 0,
                1760000000000000 + seq, 1760000900000000 + seq, NULL FROM seq_1_to_ORDERS",
        "INSERT INTO order_lines SELECT seq + 1000, 1, 1, 100 FROM seq_1_to_ORDERS",
        "INSERT INTO order_lines SELECT seq + 1000, 2, 2, 200 FROM seq_1_to_ORDERS",
        "INSERT INTO idempotency_keys SELECT MD5(seq), 'order', CONCAT('user-', seq), REPEAT('x', 16),
                seq + 1000, NULL, 1760000000000000 + seq FROM seq_1_to_ORDERS",
        "UPDATE stock SET reserved = product_id * ORDERS, available = received - product_id * ORDERS",
    ] {
        database.run(&sql.replace("ORDERS", &orders.to_string()));
    }
    let mut options = database.options(&site);
    options.client_ledgers.clear();
    options.gateway_ledger = None;
    options.now = double11_units::UnixMicros::new(1_770_000_000_000_000);
    let started = std::time::Instant::now();
    let report = double11_audit::run(&options).unwrap();
    let took = started.elapsed();
    assert_failed(&report, &[], "large");
    let rows = check(&report, "file-intact").examined;
    assert_eq!(rows, 4 * orders + 5);
    if soak {
        println!(
            "soak: audit_of_a_large_store: {rows} rows in {took:?}, {:.0} a second with every check",
            rows as f64 / took.as_secs_f64()
        );
    }
}
