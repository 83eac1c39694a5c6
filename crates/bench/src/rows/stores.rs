//! Stores that take long to make and are kept from round to round.

use std::path::PathBuf;

use crate::bench::{Bench, Traffic};
use crate::table::say;

/// Seconds of each storm that grows a store.
const GROWING_SECONDS: u64 = 10;

/// A store that already holds so many orders; it is made at the first time.
pub(super) fn grown(bench: &mut Bench, orders: u64) -> anyhow::Result<PathBuf> {
    if let Some(store) = bench.grown.get(&orders) {
        return Ok(store.clone());
    }
    let store = bench.fresh(&format!("grown-{orders}.db"))?;
    let shop = bench.shop(&store, &[])?;
    let seconds = bench.settings.seconds.min(GROWING_SECONDS);
    let traffic = Traffic::closed("orders", bench.settings.buyers, seconds);
    let traffic = traffic.with(&["--samples", "none"]);
    let mut stored = 0;
    while stored < orders {
        let placed = bench.storm(&shop, &traffic)?.step("order")?.succeeded;
        anyhow::ensure!(placed > 0, "no order could be placed");
        stored += placed;
        say(&format!("  {stored} of {orders} orders stored"));
    }
    shop.stop()?;
    bench.grown.insert(orders, store.clone());
    Ok(store)
}

/// A store of so many products, of which nothing is changed; it is made at the first time.
pub(super) fn catalogue(bench: &mut Bench, products: u32) -> anyhow::Result<PathBuf> {
    if let Some(store) = bench.catalogues.get(&products) {
        return Ok(store.clone());
    }
    let store = bench.fresh(&format!("catalogue-{products}.db"))?;
    let products_text = products.to_string();
    bench
        .shop(&store, &["--products", &products_text])?
        .stop()?;
    bench.catalogues.insert(products, store.clone());
    Ok(store)
}
