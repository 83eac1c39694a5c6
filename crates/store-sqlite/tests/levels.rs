//! Levels of stock that rows do not hold yet: after a kill, after an orderly end, of an older store.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up its store has failed"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use double11_store::conformance::{CURRENCY, Conditions, PAYMENT_WINDOW};
use double11_store::{
    Clock, OrderLines, PaymentMethod, PlaceOrder, PlaceOutcome, StockPolicy, Store, StoreObserver,
    Variant,
};
use double11_store_sqlite::{OpenError, SqliteOptions, SqliteStore};
use double11_units::{ProductId, Quantity, UserId};
use rusqlite::Connection;

struct Unobserved;

impl StoreObserver for Unobserved {
    fn committed(&self, _writes: usize, _commit: Duration) {}
}

const PRODUCTS: i64 = 40;
const ORDERS: i64 = 400;
const LINES: i64 = 6;

fn conditions() -> Conditions {
    Conditions::with_stock(&[1_000; 40])
}

fn open(path: &Path, conditions: &Conditions, variant: Variant) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(SqliteOptions {
        path: path.to_owned(),
        levers: variant.levers(),
        stock_policy: StockPolicy::Guarded,
        payment_window: PAYMENT_WINDOW,
        currency: CURRENCY,
        pool_size: 4,
        queue_max: 10_000,
        group_max: 64,
        clock: Arc::clone(&conditions.clock) as Arc<dyn Clock>,
        observer: Arc::new(Unobserved),
    })
}

fn order(number: i64) -> PlaceOrder {
    let line = |step: i64| {
        let product = 1 + (number + step) % PRODUCTS;
        (ProductId::new(product).unwrap(), Quantity::new(1).unwrap())
    };
    let mut items: Vec<_> = (0..LINES).map(|step| line(7 * step)).collect();
    items.sort_unstable_by_key(|(product, _)| *product);
    PlaceOrder {
        user_id: UserId::new("a").unwrap(),
        lines: OrderLines::Items(items),
        payment_method: PaymentMethod::Unspecified,
        expected_total: None,
        key: None,
    }
}

/// Places orders in groups as large as the writer takes.
async fn sell(store: &SqliteStore) {
    let orders: Vec<_> = (0..ORDERS)
        .map(|number| tokio::spawn(store.place_order(order(number))))
        .collect();
    for order in orders {
        let answer = order.await.unwrap();
        assert!(matches!(answer, Ok(PlaceOutcome::Placed(_))), "{answer:?}");
    }
}

fn number(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

const RESERVED: &str = "SELECT SUM(reserved) FROM stock";
const CHANGES: &str = "SELECT COUNT(*) FROM stock_changes";
/// Rows that are not what the lines of the orders say.
const WRONG: &str = "
SELECT COUNT(*) FROM stock s WHERE received <> available + reserved + sold OR reserved <>
(SELECT COALESCE(SUM(quantity), 0) FROM order_lines l WHERE l.product_id = s.product_id)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_shop_left_is_folded_by_the_next() {
    for next in [Variant::Baseline, Variant::Optimized] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        let conditions = conditions();
        let store = open(&path, &conditions, Variant::Optimized).unwrap();
        store.seed(1, &conditions.catalogue()).unwrap();
        sell(&store).await;
        // What a kill leaves behind: the file and its log as they are while the shop runs.
        let left = tempfile::tempdir().unwrap();
        let image = left.path().join("shop.db");
        std::fs::copy(&path, &image).unwrap();
        std::fs::copy(
            folder.path().join("shop.db-wal"),
            left.path().join("shop.db-wal"),
        )
        .unwrap();
        let connection = Connection::open(&image).unwrap();
        assert!(number(&connection, CHANGES) > 0, "nothing was deferred");
        assert!(number(&connection, RESERVED) < ORDERS * LINES);
        drop(connection);
        let opened = open(&image, &conditions, next).unwrap();
        let connection = Connection::open(&image).unwrap();
        assert_eq!(number(&connection, CHANGES), 0, "{next}");
        assert_eq!(number(&connection, RESERVED), ORDERS * LINES, "{next}");
        assert_eq!(number(&connection, WRONG), 0, "{next}");
        sell(&opened).await;
        let figures = opened.figures().await.unwrap();
        let pieces = u64::try_from(2 * ORDERS * LINES).unwrap();
        assert_eq!(
            (figures.oversold_products, figures.reserved_units),
            (0, pieces)
        );
        opened.close().await.unwrap();
        store.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_orderly_end_folds_everything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let conditions = conditions();
    let store = open(&path, &conditions, Variant::Optimized).unwrap();
    store.seed(1, &conditions.catalogue()).unwrap();
    sell(&store).await;
    let figures = store.figures().await.unwrap();
    let pieces = u64::try_from(ORDERS * LINES).unwrap();
    assert_eq!(
        (figures.oversold_products, figures.reserved_units),
        (0, pieces)
    );
    store.close().await.unwrap();
    let connection = Connection::open(&path).unwrap();
    assert_eq!(number(&connection, CHANGES), 0);
    assert_eq!(number(&connection, WRONG), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_of_version_1_gets_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let conditions = conditions();
    let store = open(&path, &conditions, Variant::Baseline).unwrap();
    store.seed(1, &conditions.catalogue()).unwrap();
    store.close().await.unwrap();
    let sql = "SELECT sql FROM sqlite_schema WHERE name = 'stock_changes'";
    let table = |path: &Path| -> String {
        let connection = Connection::open(path).unwrap();
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let fresh = table(&path);
    for variant in [Variant::Baseline, Variant::Optimized] {
        Connection::open(&path)
            .unwrap()
            .execute_batch("DROP TABLE stock_changes; PRAGMA user_version = 1")
            .unwrap();
        let store = open(&path, &conditions, variant).unwrap();
        sell(&store).await;
        store.close().await.unwrap();
        assert_eq!(table(&path), fresh, "{variant}");
        let connection = Connection::open(&path).unwrap();
        assert_eq!(number(&connection, "PRAGMA user_version"), 2);
        assert_eq!(number(&connection, WRONG), 0, "{variant}");
    }
    for unknown in [0, 3] {
        Connection::open(&path)
            .unwrap()
            .pragma_update(None, "user_version", unknown)
            .unwrap();
        let refused = open(&path, &conditions, Variant::Optimized);
        assert!(
            matches!(refused, Err(OpenError::OtherVersion { found, wanted: 2, .. }) if found == unknown),
            "{refused:?}"
        );
    }
}

#[test]
fn changes_that_cannot_be_read_are_no_store_to_sell_from() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let conditions = conditions();
    let store = open(&path, &conditions, Variant::Optimized).unwrap();
    store.seed(1, &conditions.catalogue()).unwrap();
    drop(store);
    Connection::open(&path)
        .unwrap()
        .execute_batch("INSERT INTO stock_changes VALUES (1, x'0404')")
        .unwrap();
    let refused = open(&path, &conditions, Variant::Optimized).unwrap_err();
    let said = std::error::Error::source(&refused).unwrap().to_string();
    assert!(said.contains("damaged"), "{said}");
}
