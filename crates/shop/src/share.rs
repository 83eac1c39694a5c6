//! What the shop tells others on the same store, and hears from them, in the background.

use std::sync::Arc;
use std::time::Duration;

use double11_store::{SharedCache, Stopwatch};
use double11_units::UnixMicros;

use crate::activity::{Activity, SLOT};
use crate::http::App;
use crate::upkeep::Stop;

/// How often what is sold out is exchanged.
const STOCK_PERIOD: Duration = Duration::from_millis(200);
/// The least between two exchanges, however much news there is.
const STOCK_PAUSE: Duration = Duration::from_millis(20);

/// Exchanges what is sold out, and keeps the gauge of the cache.
pub(crate) async fn exchange(cache: Arc<dyn SharedCache>, app: Arc<App>, mut stop: Stop) {
    loop {
        if let Some(sold_out) = &app.sold_out {
            let news = sold_out.take_news();
            let asked = Stopwatch::start();
            if let Some(flags) = cache.exchange_stock_news(news).await {
                sold_out.heard(asked, &flags);
            }
        }
        app.metrics.shared_cache_up(cache.is_up());
        let pause = async {
            tokio::time::sleep(STOCK_PAUSE).await;
            let rest = tokio::time::sleep(STOCK_PERIOD.saturating_sub(STOCK_PAUSE));
            match &app.sold_out {
                Some(sold_out) => tokio::select! {
                    () = rest => {}
                    () = sold_out.has_news() => {}
                },
                None => rest.await,
            }
        };
        tokio::select! {
            () = pause => {}
            _ = stop.changed() => return,
        }
    }
}

/// Publishes the slot that ends, and adds what other shops saw in it and in the one before.
pub(crate) async fn activity(cache: &dyn SharedCache, activity: &Activity, now: UnixMicros) {
    let length = i64::try_from(SLOT.as_micros()).unwrap_or(i64::MAX);
    let slot = u64::try_from(now.get() / length).unwrap_or(0);
    for others in cache.exchange_activity(slot, activity.seen()).await {
        let ago = usize::try_from(slot.saturating_sub(others.slot)).unwrap_or(usize::MAX);
        activity.merge(ago, &others.seen);
    }
}
