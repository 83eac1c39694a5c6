//! The conformance suite against SQLite, for the levers that change how it works.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up its store has failed"
)]

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use double11_store::conformance::histories::{find_concurrent, find_in_crowd, find_sequential};
use double11_store::conformance::{CURRENCY, Conditions, PAYMENT_WINDOW};
use double11_store::{Lever, Levers, StockPolicy, Store, StoreObserver, Variant};
use double11_store_sqlite::{SqliteOptions, SqliteStore};
use tempfile::TempDir;

struct Unobserved;

impl StoreObserver for Unobserved {
    fn committed(&self, _writes: usize, _commit: Duration) {}
}

/// A store in a folder that goes with it.
struct Temporary {
    store: SqliteStore,
    /// Kept until the store is gone.
    folder: TempDir,
}

impl Deref for Temporary {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        &self.store
    }
}

fn options(folder: &TempDir, conditions: &Conditions, levers: Levers) -> SqliteOptions {
    SqliteOptions {
        path: folder.path().join("shop.db"),
        levers,
        stock_policy: StockPolicy::Guarded,
        payment_window: PAYMENT_WINDOW,
        currency: CURRENCY,
        pool_size: 4,
        queue_max: 10_000,
        group_max: 64,
        clock: Arc::clone(&conditions.clock) as Arc<dyn double11_store::Clock>,
        observer: Arc::new(Unobserved),
    }
}

fn open(conditions: &Conditions, levers: Levers) -> Temporary {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(options(&folder, conditions, levers)).unwrap();
    store.seed(1, &conditions.catalogue()).unwrap();
    Temporary { store, folder }
}

async fn baseline(conditions: Conditions) -> Temporary {
    open(&conditions, Variant::Baseline.levers())
}

async fn tuned(conditions: Conditions) -> Temporary {
    open(&conditions, Variant::Tuned.levers())
}

async fn optimized(conditions: Conditions) -> Temporary {
    open(&conditions, Variant::Optimized.levers())
}

async fn only_group_commit(conditions: Conditions) -> Temporary {
    open(&conditions, Levers::NONE.with(Lever::GroupCommit))
}

/// A store whose stock is moved wrongly on purpose.
async fn read_then_write(conditions: Conditions) -> Temporary {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(SqliteOptions {
        stock_policy: StockPolicy::ReadThenWrite,
        ..options(&folder, &conditions, Variant::Tuned.levers())
    })
    .unwrap();
    store.seed(1, &conditions.catalogue()).unwrap();
    Temporary { store, folder }
}

/// A store to which a newer version has added a column for each table, a table and an index.
async fn expanded(conditions: Conditions, levers: Levers) -> Temporary {
    let Temporary { store, folder } = open(&conditions, levers);
    store.close().await.unwrap();
    drop(store);
    let path = folder.path().join("shop.db");
    let file = rusqlite::Connection::open(path).unwrap();
    let mut statement = file
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .unwrap();
    let names = statement.query_map((), |row| row.get(0)).unwrap();
    let names: Vec<String> = names.map(Result::unwrap).collect();
    assert_eq!(names.len(), 11, "{names:?}");
    for name in names {
        file.execute_batch(&format!("ALTER TABLE {name} ADD COLUMN newer TEXT"))
            .unwrap();
    }
    file.execute_batch("CREATE TABLE newer (a INTEGER); CREATE INDEX newer_a ON newer (a)")
        .unwrap();
    drop(statement);
    file.close().unwrap();
    Temporary {
        store: SqliteStore::open(options(&folder, &conditions, levers)).unwrap(),
        folder,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_of_the_next_version_answers_as_ever() {
    for variant in [Variant::Baseline, Variant::Optimized] {
        let open = async |conditions| expanded(conditions, variant.levers()).await;
        let found = find_sequential(&open, 8).await;
        assert_eq!(found, None, "{variant}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stock_that_is_read_and_then_written_is_found_out() {
    let found = find_in_crowd(&read_then_write, 50).await;
    let found = found.expect("many at once must notice it");
    // Where what was sold twice is sold or given back, a constraint of the table may refuse first.
    let words = [
        "oversold",
        "pieces",
        "no answer: the store is not available",
    ];
    assert!(
        words.iter().any(|word| found.told.contains(word)),
        "{found}"
    );
    let found = find_concurrent(&read_then_write, 1_000).await;
    assert!(found.is_some(), "a few at once must notice it in the end");
}

/// A store that lets buyers wait a second longer than it should.
async fn too_patient(conditions: Conditions) -> Temporary {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(SqliteOptions {
        payment_window: PAYMENT_WINDOW + Duration::from_secs(1),
        ..options(&folder, &conditions, Variant::Optimized.levers())
    })
    .unwrap();
    store.seed(1, &conditions.catalogue()).unwrap();
    Temporary { store, folder }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_answer_is_found_and_its_history_made_small() {
    let found = find_sequential(&too_patient, 64).await;
    let found = found.expect("a wrong window must be noticed");
    let commands = found.told.matches("->").count();
    assert_eq!(commands, 1, "one order is enough to show it:\n{found}");
}

mod with_baseline {
    double11_store::conformance_suite!(super::super::baseline);
}
mod with_tuned {
    double11_store::conformance_suite!(super::super::tuned);
}
mod with_optimized {
    double11_store::conformance_suite!(super::super::optimized);
}
mod with_only_group_commit {
    double11_store::conformance_suite!(super::super::only_group_commit);
}
