//! How a MySQL store is opened.

use std::sync::Arc;
use std::time::Duration;

use double11_store::{Clock, Levers, StockPolicy, StoreObserver};
use double11_units::Currency;

use crate::connect::Target;

/// Everything that decides how the store behaves.
#[derive(Clone)]
pub struct MysqlOptions {
    /// `mysql://user[:password]@host[:port]/database[?…]`; the parameters are those of the driver.
    pub url: String,
    /// The password, in place of the one in the URL.
    pub password: Option<String>,
    /// Which optimisations are on: `pool`, `indexes` and `group-commit` matter here.
    pub levers: Levers,
    /// How stock is moved; anything but `Guarded` is for the audit's own test.
    pub stock_policy: StockPolicy,
    /// How long an unpaid order holds its stock.
    pub payment_window: Duration,
    /// Currency of a store that is seeded now; a seeded store keeps its own.
    pub currency: Currency,
    /// Pooled connections for reads, and for writes without `group-commit` (1 or more).
    pub pool_size: usize,
    /// Most writes that wait for the writers; one more is refused at once.
    pub queue_max: usize,
    /// Most writes in one transaction.
    pub group_max: usize,
    /// Tells the time of day.
    pub clock: Arc<dyn Clock>,
    /// Is told of every commit.
    pub observer: Arc<dyn StoreObserver>,
}

impl std::fmt::Debug for MysqlOptions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let server = match Target::parse(&self.url, None) {
            Ok(target) => target.name().to_owned(),
            Err(_) => "unreadable".to_owned(),
        };
        formatter
            .debug_struct("MysqlOptions")
            .field("server", &server)
            .field("levers", &self.levers)
            .field("stock_policy", &self.stock_policy)
            .field("payment_window", &self.payment_window)
            .finish_non_exhaustive()
    }
}
