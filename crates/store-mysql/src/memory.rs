//! What a shop that writes in groups remembers between them, so that it need not ask again.
//!
//! Prices never change while a shop runs. Levels of stock do, also by other shops: what is remembered
//! of them is a hope, which the guard of the update turns into a promise. Where a hope fails, the group
//! is rolled back and run again with everything read and locked.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use double11_store::{Product, Stopwatch};
use double11_units::{Money, ProductId};

use crate::work::set::{Level, Stored};

/// Pieces of a product that must be left, as far as is known, for its level not to be read and locked.
/// Shops that share a product draw its level past each other's memory; the more is left, the rarer one
/// of them notices it by a group that has to be run again.
const PLENTY: i64 = 100;
/// How long keys are looked up before they are claimed, after one had been claimed before.
const CAUTION: Duration = Duration::from_secs(1);

/// What one shop remembers.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    prices: HashMap<ProductId, Money>,
    /// What was available when it was last read, without what this shop has moved since.
    available: HashMap<ProductId, i64>,
    /// Since the last key that turned out to be claimed.
    claimed: Option<Stopwatch>,
}

impl Memory {
    /// The prices of these products, as far as they are known.
    pub(crate) fn prices<'of>(
        &self,
        products: impl Iterator<Item = &'of ProductId>,
    ) -> Vec<(ProductId, Money)> {
        let inner = self.lock();
        products
            .filter_map(|product_id| Some((*product_id, *inner.prices.get(product_id)?)))
            .collect()
    }

    /// Remembers prices that were read.
    pub(crate) fn learn_prices(&self, read: &HashMap<ProductId, Money>) {
        if !read.is_empty() {
            self.lock().prices.extend(read);
        }
    }

    /// Remembers the whole catalogue and its levels, so that no order has to read them.
    pub(crate) fn learn_all(&self, products: &[Product], levels: Vec<(ProductId, i64)>) {
        let mut inner = self.lock();
        let prices = products
            .iter()
            .map(|product| (product.product_id, product.price));
        inner.prices.extend(prices);
        inner.available.extend(levels);
    }

    /// The levels of these products of which there is plenty.
    pub(crate) fn plenty<'of>(
        &self,
        products: impl Iterator<Item = &'of ProductId>,
    ) -> HashMap<ProductId, i64> {
        let inner = self.lock();
        products
            .filter_map(|product_id| Some((*product_id, *inner.available.get(product_id)?)))
            .filter(|(_, available)| *available >= PLENTY)
            .collect()
    }

    /// Remembers the levels that a group has left behind. What was only hoped may be of before another
    /// group of this shop, so that of it only what moved is known.
    pub(crate) fn learn_levels(&self, stock: &BTreeMap<ProductId, Level>) {
        let mut inner = self.lock();
        for (product_id, level) in stock {
            match level.stored {
                Stored::Hoped(_) => {
                    if let Some(available) = inner.available.get_mut(product_id) {
                        *available += level.available;
                    }
                }
                Stored::Read(stored) => {
                    inner
                        .available
                        .insert(*product_id, stored + level.available);
                }
                Stored::Unknown => {}
            }
        }
    }

    /// Whether keys of orders may be claimed without looking first whether they are claimed already.
    pub(crate) fn trusts_keys(&self) -> bool {
        let claimed = self.lock().claimed;
        claimed.is_none_or(|since| since.elapsed() >= CAUTION)
    }

    /// Notes that a key had been claimed before.
    pub(crate) fn doubt_keys(&self) {
        self.lock().claimed = Some(Stopwatch::start());
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use double11_units::ProductId;

    use super::Memory;
    use crate::work::set::{Level, Stored};

    fn product() -> ProductId {
        ProductId::new(1).expect("positive")
    }

    fn learn(memory: &Memory, stored: Stored, available: i64) {
        let level = Level {
            stored,
            available,
            ..Level::default()
        };
        memory.learn_levels(&BTreeMap::from([(product(), level)]));
    }

    #[test]
    fn what_two_groups_take_in_hope_is_taken_twice() {
        let memory = Memory::default();
        let plenty = || memory.plenty([product()].iter()).remove(&product());
        assert_eq!(plenty(), None, "nothing is known");
        learn(&memory, Stored::Read(10_000), 0);
        // Both began with 10,000.
        learn(&memory, Stored::Hoped(10_000), -60);
        learn(&memory, Stored::Hoped(10_000), -50);
        assert_eq!(plenty(), Some(9_890));
        learn(&memory, Stored::Read(120), -20);
        assert_eq!(plenty(), Some(100), "what was read counts");
        learn(&memory, Stored::Hoped(100), -1);
        assert_eq!(plenty(), None, "too little to hope for");
    }
}
