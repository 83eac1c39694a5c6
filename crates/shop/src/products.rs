//! Reads of the catalogue, by whatever levers are on.

use std::sync::Arc;

use bytes::Bytes;
use double11_store::{Lever, Levers, ListedProduct, PageRequest, Store, StoreError};
use double11_units::ProductId;

use crate::random::SharedStream;
use crate::search::SearchIndex;
use crate::snapshot::Snapshot;

/// The catalogue as clients read it.
pub(crate) struct Products {
    store: Arc<dyn Store>,
    snapshot: Option<Arc<Snapshot>>,
    index: Option<Arc<SearchIndex>>,
    /// Products in the store, ids 1..=count.
    count: u32,
    random_id: bool,
    picks: SharedStream,
}

/// One product: rendered before, or as the store gave it.
#[derive(Debug)]
pub(crate) enum Found {
    Rendered(Bytes),
    Listed(ListedProduct),
}

/// Several products, ascending by id.
#[derive(Debug)]
pub(crate) enum FoundMany {
    /// Positions in the snapshot.
    Rendered(Arc<Snapshot>, Vec<u32>),
    Listed(Vec<ListedProduct>),
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Snapshot")
            .field("products", &self.len())
            .finish_non_exhaustive()
    }
}

impl FoundMany {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Rendered(_, positions) => positions.len(),
            Self::Listed(listed) => listed.len(),
        }
    }

    /// The id of the last product.
    pub(crate) fn last_id(&self) -> Option<i64> {
        match self {
            Self::Rendered(_, positions) => positions.last().map(|last| i64::from(*last) + 1),
            Self::Listed(listed) => listed.last().map(|last| last.product.product_id.get()),
        }
    }
}

impl Products {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        snapshot: Option<Arc<Snapshot>>,
        index: Option<Arc<SearchIndex>>,
        picks: Picks,
    ) -> Self {
        Self {
            store,
            snapshot,
            index,
            count: picks.count,
            random_id: picks.levers.has(Lever::RandomId),
            picks: SharedStream::new(picks.seed),
        }
    }

    pub(crate) async fn random(&self) -> Result<Option<Found>, StoreError> {
        if !self.random_id {
            return Ok(self.store.random_product().await?.map(Found::Listed));
        }
        match ProductId::new(i64::from(self.picks.below(self.count)) + 1) {
            Ok(product_id) if self.count > 0 => self.one(product_id).await,
            _ => Ok(None),
        }
    }

    pub(crate) async fn one(&self, product_id: ProductId) -> Result<Option<Found>, StoreError> {
        if let Some(snapshot) = &self.snapshot {
            let position = snapshot.position(product_id);
            return Ok(position.map(|position| Found::Rendered(snapshot.body(position))));
        }
        Ok(self.store.product(product_id).await?.map(Found::Listed))
    }

    pub(crate) async fn page(&self, page: PageRequest) -> Result<FoundMany, StoreError> {
        if let Some(snapshot) = &self.snapshot {
            return Ok(FoundMany::Rendered(
                Arc::clone(snapshot),
                snapshot.page(page),
            ));
        }
        Ok(FoundMany::Listed(self.store.products(page).await?))
    }

    /// How many products match, and the first of them.
    pub(crate) async fn search(
        &self,
        text: String,
        limit: u32,
    ) -> Result<(u64, FoundMany), StoreError> {
        let Some(index) = &self.index else {
            let page = self.store.search(text, limit).await?;
            return Ok((page.total, FoundMany::Listed(page.items)));
        };
        let hits = index.find(&text, limit as usize);
        if let Some(snapshot) = &self.snapshot {
            return Ok((
                hits.total,
                FoundMany::Rendered(Arc::clone(snapshot), hits.positions),
            ));
        }
        let mut items = Vec::with_capacity(hits.positions.len());
        for position in hits.positions {
            if let Ok(product_id) = ProductId::new(i64::from(position) + 1)
                && let Some(listed) = self.store.product(product_id).await?
            {
                items.push(listed);
            }
        }
        Ok((hits.total, FoundMany::Listed(items)))
    }
}

/// How random products are picked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Picks {
    pub(crate) levers: Levers,
    pub(crate) count: u32,
    pub(crate) seed: u64,
}
