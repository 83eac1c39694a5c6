//! What an order costs in time where there is little load, beside what the disk alone takes in the same
//! minutes: groups must not make a lone order wait.

use super::stores;
use crate::bench::{Bench, Storm, Traffic};
use crate::figure::Figure;
use crate::probe;
use crate::process::Listening;

/// The low rate, in orders per second.
const FEW: f64 = 50.0;

pub(super) fn measure(bench: &mut Bench) -> anyhow::Result<Vec<Figure>> {
    let store = stores::grown(bench, bench.settings.stored_orders)?;
    let shop = bench.shop(&store, &[])?;
    let capacity = match bench.capacity {
        Some(capacity) => capacity,
        None => capacity(bench, &shop)?,
    };
    let mut figures = beside_the_disk(bench, &shop, ("at half of capacity", capacity / 2.0, 20.0))?;
    figures.extend(beside_the_disk(bench, &shop, ("at 50 a second", FEW, 5.0))?);
    shop.stop()?;
    Ok(figures)
}

/// Orders per second where the row of orders has not just measured them.
fn capacity(bench: &Bench, shop: &Listening) -> anyhow::Result<f64> {
    let settings = &bench.settings;
    let traffic = Traffic::closed("orders", settings.buyers, settings.point_seconds());
    let storm = bench.storm(shop, &traffic)?;
    storm.is_whole()?;
    Ok(storm.per_second(storm.total().completed_successes))
}

fn beside_the_disk(
    bench: &Bench,
    shop: &Listening,
    (when, rate, most): (&str, f64, f64),
) -> anyhow::Result<Vec<Figure>> {
    let lasts = bench.settings.probe();
    let mut spans = probe::fdatasync(&bench.folder, lasts)?;
    let traffic = Traffic::open("orders", rate, bench.settings.point_seconds());
    let storm: Storm = bench.storm(shop, &traffic)?;
    storm.is_whole()?;
    spans.extend(probe::fdatasync(&bench.folder, lasts)?);
    let p99 = storm.total().response_time.p99_ms;
    let disk = probe::percentile_ms(&spans, 99);
    let ratio = p99.zip(disk).map(|(p99, disk)| p99 / disk);
    let name = |what: &str| format!("order {when}: {what}");
    Ok(storm.remarked(vec![
        Figure::sampled(name("P50"), "ms", storm.total().response_time.p50_ms),
        Figure::sampled(name("P99"), "ms", p99),
        Figure::sampled(name("P99 of fdatasync around it"), "ms", disk),
        Figure::sampled(name("P99 ÷ that of fdatasync"), "x", ratio).at_most(most),
    ]))
}
