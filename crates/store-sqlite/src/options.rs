//! How a SQLite store is opened.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use double11_store::{Clock, Levers, StockPolicy, StoreObserver};
use double11_units::Currency;

/// Everything that decides how the store behaves.
#[derive(Clone)]
pub struct SqliteOptions {
    /// The store's file; created when it does not exist.
    pub path: PathBuf,
    /// Which optimisations are on: `pool`, `indexes` and `group-commit` matter here.
    pub levers: Levers,
    /// How stock is moved; anything but `Guarded` is for the audit's own test.
    pub stock_policy: StockPolicy,
    /// How long an unpaid order holds its stock.
    pub payment_window: Duration,
    /// Currency of a store that is created now.
    pub currency: Currency,
    /// Pooled connections for reads, and for writes without `group-commit` (1 or more).
    pub pool_size: usize,
    /// Most writes that wait for the writer; one more is refused at once.
    pub queue_max: usize,
    /// Most writes in one transaction.
    pub group_max: usize,
    /// Tells the time of day.
    pub clock: Arc<dyn Clock>,
    /// Is told of every commit.
    pub observer: Arc<dyn StoreObserver>,
}

impl std::fmt::Debug for SqliteOptions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SqliteOptions")
            .field("path", &self.path)
            .field("levers", &self.levers)
            .field("stock_policy", &self.stock_policy)
            .field("payment_window", &self.payment_window)
            .finish_non_exhaustive()
    }
}
