//! Products that were seen sold out a moment ago, so that the store need not be asked to refuse them.
//!
//! Used on a store that several shops share. `sold_out` may only be said when within the second before the
//! answer the store had less than was wanted; therefore an observation counts from the instant before the
//! store was asked, says that *nothing* was available, and is honoured until it is [`HONOURED`] old. Nothing
//! here counts stock.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use double11_store::{OrderLines, PlaceOrder, SoldOutFlag, StockNews, Stopwatch};
use double11_units::{ProductId, Quantity};
use tokio::sync::Notify;

/// How old an observation may be that refuses an order. The rest of the second is for the answer.
const HONOURED: Duration = Duration::from_millis(800);
/// Observations that wait to be told to other shops; more are not told.
const NEWS_MAX: usize = 1_000;

/// What was seen, for every product.
pub(crate) struct SoldOut {
    /// Instants are microseconds since this, from 1 on.
    base: Stopwatch,
    /// When nothing was available last, by position; 0 when that is not known.
    observed: Vec<AtomicU64>,
    /// When the newest list of all sold-out products was asked for.
    listed: AtomicU64,
    news: Mutex<News>,
    /// There is news that others do not know.
    fresh: Notify,
}

#[derive(Default)]
struct News {
    sold_out: HashMap<ProductId, Stopwatch>,
    in_stock: HashMap<ProductId, Stopwatch>,
}

impl SoldOut {
    /// For products 1 to `count`.
    pub(crate) fn new(count: u32) -> Self {
        Self {
            base: Stopwatch::start(),
            observed: (0..count).map(|_| AtomicU64::new(0)).collect(),
            listed: AtomicU64::new(0),
            news: Mutex::default(),
            fresh: Notify::new(),
        }
    }

    /// A product for which the store would refuse this order as well. None for an order of which that is not
    /// sure: its key may have been claimed, its total may be another, a product may not exist.
    pub(crate) fn refuses(&self, command: &PlaceOrder) -> Option<ProductId> {
        let OrderLines::Items(lines) = &command.lines else {
            return None;
        };
        let is_plain = command.key.is_none() && command.expected_total.is_none();
        if !is_plain || !lines.iter().all(|(id, _)| self.at(*id).is_some()) {
            return None;
        }
        let sold_out = |(product_id, _): &&(ProductId, Quantity)| self.is_sold_out(*product_id);
        lines
            .iter()
            .find(sold_out)
            .map(|(product_id, _)| *product_id)
    }

    /// The store was asked at this instant and had nothing available of the product.
    pub(crate) fn saw(&self, product_id: ProductId, asked: Stopwatch) {
        let was_known = self.is_sold_out(product_id);
        if !self.note(product_id, self.instant(asked.elapsed())) {
            return;
        }
        let mut news = self.lock();
        if news.sold_out.len() < NEWS_MAX {
            news.sold_out.insert(product_id, asked);
        }
        drop(news);
        if !was_known {
            self.fresh.notify_one();
        }
    }

    /// The store was asked at this instant for all products that are sold out, ascending: the others are not.
    pub(crate) fn list(&self, asked: Stopwatch, sold_out: &[ProductId]) {
        let instant = self.instant(asked.elapsed());
        self.listed.fetch_max(instant, Ordering::AcqRel);
        let mut listed = sold_out
            .iter()
            .map(|product_id| product_id.get())
            .peekable();
        for (id, observed) in (1_i64..).zip(&self.observed) {
            while listed.next_if(|next| *next < id).is_some() {}
            if listed.next_if_eq(&id).is_some() {
                observed.fetch_max(instant, Ordering::AcqRel);
                continue;
            }
            let known = observed.load(Ordering::Acquire);
            // What was seen after the list was asked for counts more.
            let is_older = known != 0 && known < instant;
            let cleared = is_older
                && observed
                    .compare_exchange(known, 0, Ordering::AcqRel, Ordering::Acquire)
                    .is_ok();
            if cleared && let Ok(product_id) = ProductId::new(id) {
                self.back_in_stock(product_id, asked);
            }
        }
    }

    /// Others told this when they were asked at this instant.
    pub(crate) fn heard(&self, asked: Stopwatch, flags: &[SoldOutFlag]) {
        let since = asked.elapsed();
        for flag in flags {
            self.note(flag.product_id, self.instant(since + flag.age));
        }
    }

    /// What others do not know yet.
    pub(crate) fn take_news(&self) -> StockNews {
        let news = std::mem::take(&mut *self.lock());
        StockNews {
            sold_out: news.sold_out.into_iter().collect(),
            in_stock: news.in_stock.into_iter().collect(),
        }
    }

    /// Resolves when there is something to tell at once.
    pub(crate) async fn has_news(&self) {
        self.fresh.notified().await;
    }

    fn is_sold_out(&self, product_id: ProductId) -> bool {
        let observed = self
            .at(product_id)
            .map_or(0, |observed| observed.load(Ordering::Acquire));
        observed != 0 && observed > self.instant(HONOURED)
    }

    /// Whether the observation is news: newer than the last one and than the list.
    fn note(&self, product_id: ProductId, instant: u64) -> bool {
        let Some(observed) = self.at(product_id) else {
            return false;
        };
        instant > self.listed.load(Ordering::Acquire)
            && observed.fetch_max(instant, Ordering::AcqRel) < instant
    }

    fn back_in_stock(&self, product_id: ProductId, asked: Stopwatch) {
        let mut news = self.lock();
        if news.in_stock.len() < NEWS_MAX {
            news.in_stock.insert(product_id, asked);
        }
    }

    fn at(&self, product_id: ProductId) -> Option<&AtomicU64> {
        let position = usize::try_from(product_id.get() - 1).ok()?;
        self.observed.get(position)
    }

    /// The instant this long ago. What was before the first counts as never.
    fn instant(&self, ago: Duration) -> u64 {
        let since = self.base.elapsed().saturating_sub(ago);
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for SoldOut {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SoldOut")
            .field("products", &self.observed.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
