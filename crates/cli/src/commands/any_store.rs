//! The store that a URL names, of either kind.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use double11_store::{
    CatalogueFacts, Clock, Levers, NewProduct, StockPolicy, Store, StoreObserver,
};
use double11_store_mysql::{MysqlOptions, MysqlStore};
use double11_store_sqlite::{OpenError, SqliteOptions, SqliteStore};
use double11_units::Currency;

use crate::commands::store_url::StoreUrl;
use crate::exit::Failure;

/// How a store is opened, of whichever kind it is.
pub(super) struct Opening {
    pub(super) levers: Levers,
    pub(super) stock_policy: StockPolicy,
    pub(super) payment_window: Duration,
    pub(super) pool_size: usize,
    pub(super) queue_max: usize,
    pub(super) group_max: usize,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) observer: Arc<dyn StoreObserver>,
}

/// An open store.
pub(super) enum AnyStore {
    Sqlite(Arc<SqliteStore>),
    Mysql(Arc<MysqlStore>),
}

impl AnyStore {
    /// Opens it. A file that does not exist is made; the tables of a server must be there.
    pub(super) fn open(url: StoreUrl, opening: Opening) -> Result<Self, Failure> {
        let currency = Currency::default();
        match url {
            StoreUrl::Sqlite(path) => SqliteStore::open(SqliteOptions {
                path,
                levers: opening.levers,
                stock_policy: opening.stock_policy,
                payment_window: opening.payment_window,
                currency,
                pool_size: opening.pool_size,
                queue_max: opening.queue_max,
                group_max: opening.group_max,
                clock: opening.clock,
                observer: opening.observer,
            })
            .map(|store| Self::Sqlite(Arc::new(store)))
            .map_err(file_failure),
            StoreUrl::Mysql { url, password } => MysqlStore::open(MysqlOptions {
                url,
                password,
                levers: opening.levers,
                stock_policy: opening.stock_policy,
                payment_window: opening.payment_window,
                currency,
                pool_size: opening.pool_size,
                queue_max: opening.queue_max,
                group_max: opening.group_max,
                clock: opening.clock,
                observer: opening.observer,
            })
            .map(|store| Self::Mysql(Arc::new(store)))
            .map_err(server_failure),
        }
    }

    /// The catalogue that it has, if any.
    pub(super) fn catalogue_facts(&self) -> Result<Option<CatalogueFacts>, Failure> {
        match self {
            Self::Sqlite(store) => store
                .catalogue_facts()
                .context("reading the catalogue")
                .map_err(storing),
            Self::Mysql(store) => store.catalogue_facts().map_err(server_failure),
        }
    }

    /// Fills an empty store. On a server another shop may be faster; then that is the catalogue.
    pub(super) fn fill(
        &self,
        seed: i64,
        products: &[NewProduct],
    ) -> Result<CatalogueFacts, Failure> {
        let filled = match self {
            Self::Sqlite(store) => store
                .seed(seed, products)
                .context("filling the store")
                .map_err(storing),
            Self::Mysql(store) => store.seed(seed, products).map_err(server_failure),
        };
        match self.catalogue_facts()? {
            Some(facts) => Ok(facts),
            None => Err(filled.err().unwrap_or_else(|| {
                Failure::environment(anyhow::anyhow!("the catalogue of the store has vanished"))
                    .hint("somebody else empties this store")
            })),
        }
    }

    /// What tells it from any other in a cache that several stores use; none for a file, which has no
    /// cache beside it.
    pub(super) fn identity(&self) -> Result<Option<String>, Failure> {
        match self {
            Self::Sqlite(_) => Ok(None),
            Self::Mysql(store) => store.identity().map_err(server_failure),
        }
    }

    /// The store as a shop uses it.
    pub(super) fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => Arc::clone(store) as Arc<dyn Store>,
            Self::Mysql(store) => Arc::clone(store) as Arc<dyn Store>,
        }
    }
}

/// Why a server cannot be used, with what to do about it.
pub(super) fn server_failure(error: double11_store_mysql::OpenError) -> Failure {
    let hint = error.hint();
    Failure::environment(error).hint(hint)
}

fn storing(error: anyhow::Error) -> Failure {
    Failure::environment(error).hint("check the disk's free space and the file's permissions")
}

fn file_failure(error: OpenError) -> Failure {
    let hint = match &error {
        OpenError::InUse { .. } => "stop the other shop, or name another file with `--store`",
        OpenError::NotAStore { .. } => "name a new file, or one that `double11 serve` made",
        OpenError::OtherVersion { .. } => {
            "use the version of the program that made it, or name a new file with `--store`"
        }
        OpenError::NotDurable { .. } => "put the store on a local disk that supports SQLite's WAL",
        OpenError::Lock { .. } | OpenError::Log { .. } | OpenError::Sqlite { .. } => {
            "check that the folder exists, can be written and has room"
        }
    };
    Failure::environment(error).hint(hint)
}
