//! A store for commands that change it while no shop is open.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use double11_store::{
    Answer, CatalogueFacts, NewProduct, StockPolicy, Store, StoreError, StoreObserver, SystemClock,
    Variant,
};
use double11_store_sqlite::{SqliteOptions, SqliteStore};
use double11_units::Currency;

use crate::commands::serve::open_failure;
use crate::commands::store_url::StoreUrl;
use crate::exit::Failure;

struct Unobserved;

impl StoreObserver for Unobserved {
    fn committed(&self, _writes: usize, _commit: Duration) {}
}

/// A store that nobody else has open.
pub(super) struct OfflineStore {
    store: SqliteStore,
    runtime: tokio::runtime::Runtime,
}

/// Opens a store, and makes one that does not exist. A shop that has a file open keeps it.
pub(super) fn open(url: &StoreUrl) -> Result<OfflineStore, Failure> {
    let path = match url {
        StoreUrl::Sqlite(path) => path.clone(),
        StoreUrl::Mysql { .. } => {
            return Err(Failure::usage(anyhow!(
                "`{}` cannot be changed by this command yet",
                url.location()
            ))
            .hint("name a file: `sqlite:FILE`"));
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::environment)?;
    let store = SqliteStore::open(SqliteOptions {
        path,
        // As `serve` opens it when it is told nothing else, so that no index is made twice.
        levers: Variant::Optimized.levers(),
        stock_policy: StockPolicy::Guarded,
        payment_window: Duration::from_mins(15),
        currency: Currency::default(),
        pool_size: 1,
        queue_max: 16,
        group_max: 16,
        clock: Arc::new(SystemClock),
        observer: Arc::new(Unobserved),
    })
    .map_err(open_failure)?;
    Ok(OfflineStore { store, runtime })
}

impl OfflineStore {
    /// The catalogue that the store has, if any.
    pub(super) fn catalogue_facts(&self) -> Result<Option<CatalogueFacts>, Failure> {
        self.store
            .catalogue_facts()
            .context("reading the catalogue")
            .map_err(Failure::environment)
    }

    /// Fills an empty store.
    pub(super) fn seed(&self, seed: i64, products: &[NewProduct]) -> Result<(), Failure> {
        self.store
            .seed(seed, products)
            .context("filling the store")
            .map_err(|error| {
                Failure::environment(error)
                    .hint("check the disk's free space and the file's permissions")
            })
    }

    /// Waits for an answer.
    pub(super) fn wait<T>(
        &self,
        ask: impl FnOnce(&dyn Store) -> Answer<T>,
    ) -> Result<T, StoreError> {
        self.runtime.block_on(ask(&self.store))
    }

    /// Finishes what is queued and closes the store.
    pub(super) fn close(&self) -> Result<(), StoreError> {
        self.wait(|store| store.close())
    }
}
