//! What the shop does on its own: expiry, deleting what it need not keep, the sold-out bits, the
//! gauges, and feeling its own pressure.
//!
//! Each task runs until it is told to stop and is awaited by the server. A failing store is logged
//! once per spell of failure, not once per try.

use std::sync::Arc;
use std::time::Duration;

use double11_store::{Clock, Stopwatch, Store, StoreError};
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior};

use crate::activity::{self, Activity};
use crate::admission;
use crate::http::App;
use crate::payments::Payments;
use crate::share;
use crate::snapshot::Snapshot;
use crate::sold_out::SoldOut;

/// How often due orders are expired.
const EXPIRY_PERIOD: Duration = Duration::from_millis(250);
/// Orders expired in one command.
const EXPIRY_PAGE: u32 = 500;
/// How often old keys and carts are looked for. Without an index by age every row is looked at.
const PURGE_PERIOD: Duration = Duration::from_mins(10);
/// Keys and carts deleted in one command.
const PURGE_PAGE: u32 = 500;
/// How often the sold-out bits are refreshed: two misses still keep them about a second old.
const STOCK_PERIOD: Duration = Duration::from_millis(500);
const _: () = assert!(
    STOCK_PERIOD.as_millis() * 2 <= 1_000,
    "`in_stock` is promised to the second"
);

/// Told to stop by a change to `true`.
pub(crate) type Stop = watch::Receiver<bool>;

/// Expires orders that are due.
pub(crate) async fn expire(store: Arc<dyn Store>, payments: Arc<Payments>, stop: Stop) {
    let mut rhythm = Rhythm::new(EXPIRY_PERIOD, stop);
    while rhythm.next().await {
        let result = expire_all(&*store, &payments).await;
        rhythm.note(&result, "orders that are due cannot be expired");
    }
}

async fn expire_all(store: &dyn Store, payments: &Payments) -> Result<(), StoreError> {
    loop {
        let expired = store.expire_due(EXPIRY_PAGE).await?;
        if expired > 0 {
            payments.refund_queued();
            tracing::debug!(orders = expired, "orders expired");
        }
        if expired < EXPIRY_PAGE {
            return Ok(());
        }
    }
}

/// For how long the shop keeps what it may delete.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    /// Idempotency keys, from the write that claimed them.
    pub(crate) keys: Duration,
    /// Carts, from their last change.
    pub(crate) carts: Duration,
}

/// Deletes keys and carts that are old enough.
pub(crate) async fn purge(store: Arc<dyn Store>, clock: Arc<dyn Clock>, kept: Kept, stop: Stop) {
    let mut rhythm = Rhythm::new(PURGE_PERIOD, stop);
    while rhythm.next().await {
        let result = purge_all(&*store, &*clock, kept).await;
        rhythm.note(&result, "old keys and carts cannot be deleted");
    }
}

pub(crate) async fn purge_all(
    store: &dyn Store,
    clock: &dyn Clock,
    kept: Kept,
) -> Result<(), StoreError> {
    let now = clock.now();
    let mut total = 0;
    loop {
        let deleted = store
            .purge(now.minus(kept.keys), now.minus(kept.carts), PURGE_PAGE)
            .await?;
        total += deleted;
        if deleted < PURGE_PAGE {
            break;
        }
    }
    if total > 0 {
        tracing::debug!(rows = total, "old keys and carts deleted");
    }
    Ok(())
}

/// Refreshes the sold-out bits of the snapshot.
pub(crate) async fn refresh_stock(
    store: Arc<dyn Store>,
    snapshot: Arc<Snapshot>,
    flags: Option<Arc<SoldOut>>,
    stop: Stop,
) {
    let mut rhythm = Rhythm::new(STOCK_PERIOD, stop);
    while rhythm.next().await {
        let asked = Stopwatch::start();
        let result = store.sold_out_products().await.map(|sold_out| {
            snapshot.set_sold_out(&sold_out);
            if let Some(flags) = &flags {
                flags.list(asked, &sold_out);
            }
        });
        rhythm.note(&result, "sold-out products cannot be read");
    }
}

/// Refreshes the gauges of activity and of the store.
pub(crate) async fn refresh_gauges(
    app: Arc<App>,
    activity: Arc<Activity>,
    clock: Arc<dyn Clock>,
    stop: Stop,
) {
    let metrics = &app.metrics;
    let mut rhythm = Rhythm::new(activity::SLOT, stop);
    while rhythm.next().await {
        if let Some(cache) = &app.cache {
            share::activity(&**cache, &activity, clock.now()).await;
        }
        metrics.active_users(activity.active());
        metrics.average_cart_value(activity.average_cart_value());
        activity.rotate();
        let result = app.store.figures().await;
        rhythm.note(
            &result.map(|figures| metrics.figures(figures)),
            "the figures of the store cannot be read",
        );
    }
}

/// Tells admission how late a task gets its turn.
pub(crate) async fn feel_pressure(app: Arc<App>, mut stop: Stop) {
    loop {
        let due = tokio::time::Instant::now() + admission::PERIOD;
        tokio::select! {
            () = tokio::time::sleep_until(due) => {}
            _ = stop.changed() => return,
        }
        if !app.admission.follow(due.elapsed()) {
            return;
        }
    }
}

/// Now and then every period, until told to stop.
struct Rhythm {
    ticks: Interval,
    stop: Stop,
    failing: bool,
}

impl Rhythm {
    fn new(period: Duration, stop: Stop) -> Self {
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            ticks,
            stop,
            failing: false,
        }
    }

    /// Waits for the next turn; false when there is none.
    async fn next(&mut self) -> bool {
        tokio::select! {
            _ = self.ticks.tick() => true,
            _ = self.stop.changed() => false,
        }
    }

    /// Logs the first failure of a spell.
    fn note(&mut self, result: &Result<(), StoreError>, failure: &'static str) {
        if let Err(error) = result
            && !self.failing
        {
            tracing::warn!(error = error as &dyn std::error::Error, "{failure}");
        }
        self.failing = result.is_err();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use double11_store::{Clock, StoreError};
    use double11_units::UnixMicros;

    use super::{Kept, PURGE_PAGE, purge_all};
    use crate::tests::fake_store::FakeStore;

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> UnixMicros {
            UnixMicros::new(1_000_000_000)
        }
    }

    const KEPT: Kept = Kept {
        keys: Duration::from_secs(100),
        carts: Duration::from_secs(700),
    };

    #[tokio::test]
    async fn old_rows_are_deleted_page_by_page_until_none_is_left() {
        let store = FakeStore::new(1);
        store.set_purgeable(2 * PURGE_PAGE + 1);
        purge_all(&*store, &Noon, KEPT).await.unwrap();
        let asked = (UnixMicros::new(900_000_000), UnixMicros::new(300_000_000));
        assert_eq!(store.purges(), [asked; 3]);
    }

    #[tokio::test]
    async fn a_failing_store_ends_the_round() {
        let store = FakeStore::new(1);
        store.set_purgeable(PURGE_PAGE);
        store.fail_with(Some(StoreError::Busy));
        let result = purge_all(&*store, &Noon, KEPT).await;
        assert!(matches!(result, Err(StoreError::Busy)), "{result:?}");
    }
}
