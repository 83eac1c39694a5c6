//! A store for commands that change it while no shop is open.

use std::sync::Arc;
use std::time::Duration;

use double11_store::{
    Answer, CatalogueFacts, NewProduct, StockPolicy, Store, StoreError, StoreObserver, SystemClock,
    Variant,
};

use crate::commands::any_store::{AnyStore, Opening};
use crate::commands::store_url::StoreUrl;
use crate::exit::Failure;

struct Unobserved;

impl StoreObserver for Unobserved {
    fn committed(&self, _writes: usize, _commit: Duration) {}
}

/// A store that this command works on; no shop has it open, if it is a file.
pub(super) struct OfflineStore {
    store: AnyStore,
    runtime: tokio::runtime::Runtime,
}

/// Opens a store, and makes a file that does not exist. A shop that has a file open keeps it.
pub(super) fn open(url: &StoreUrl) -> Result<OfflineStore, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::environment)?;
    let opening = Opening {
        // As `serve` opens it when it is told nothing else, so that no index is made twice.
        levers: Variant::Optimized.levers(),
        stock_policy: StockPolicy::Guarded,
        payment_window: Duration::from_mins(15),
        pool_size: 1,
        queue_max: 16,
        group_max: 16,
        clock: Arc::new(SystemClock),
        observer: Arc::new(Unobserved),
    };
    let store = AnyStore::open(url.clone(), opening)?;
    Ok(OfflineStore { store, runtime })
}

impl OfflineStore {
    /// The catalogue that the store has, if any.
    pub(super) fn catalogue_facts(&self) -> Result<Option<CatalogueFacts>, Failure> {
        self.store.catalogue_facts()
    }

    /// Fills an empty store.
    pub(super) fn seed(&self, seed: i64, products: &[NewProduct]) -> Result<(), Failure> {
        self.store.fill(seed, products).map(drop)
    }

    /// Waits for an answer.
    pub(super) fn wait<T>(
        &self,
        ask: impl FnOnce(&dyn Store) -> Answer<T>,
    ) -> Result<T, StoreError> {
        self.runtime.block_on(ask(&*self.store.store()))
    }

    /// Finishes what is queued and closes the store.
    pub(super) fn close(&self) -> Result<(), StoreError> {
        self.wait(|store| store.close())
    }
}
