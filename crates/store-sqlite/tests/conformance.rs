//! The conformance suite against SQLite, for the levers that change how it works.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up its store has failed"
)]

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

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
    _folder: TempDir,
}

impl Deref for Temporary {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        &self.store
    }
}

fn open(conditions: &Conditions, levers: Levers) -> Temporary {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(SqliteOptions {
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
    })
    .unwrap();
    store.seed(1, &conditions.catalogue()).unwrap();
    Temporary {
        store,
        _folder: folder,
    }
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
