//! What the shop's own metrics cost: recording an order, and a scrape of all series.

use std::time::Duration;

use double11_monitor::scrape::Scraper;
use double11_shop::{MetricLabels, Metrics};
use double11_store::Stopwatch;
use double11_units::Currency;

use crate::bench::{Bench, remove_store};
use crate::figure::Figure;
use crate::probe;

/// Orders that are recorded in one go.
const ORDERS: u64 = 1_000_000;
/// How long a scrape may take.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let mut figures = vec![Figure::new(
        "metrics: record of an order",
        "ns",
        nanoseconds_of_a_record(),
    )];
    let store = bench.fresh("metrics.db")?;
    let shop = bench.shop(&store, &["--products", "1000"])?;
    let scraper = Scraper::new(format!("{}/actuator/prometheus", shop.target), PATIENCE);
    let mut spans = Vec::new();
    let mut series = 0;
    let whole = Stopwatch::start();
    while whole.elapsed() < bench.settings.probe() {
        let scrape = scraper.scrape()?;
        series = scrape.exposition.samples().count();
        spans.push(scrape.took);
    }
    shop.stop()?;
    remove_store(&store)?;
    for percent in [50, 99] {
        let name = format!("metrics: scrape of all series, P{percent}");
        figures.push(Figure::sampled(
            name,
            "ms",
            probe::percentile_ms(&spans, percent),
        ));
    }
    figures.push(Figure::new("metrics: series", "", series as f64).at_most(3_000.0));
    Ok(figures)
}

/// On one thread, with nobody else at the counters.
fn nanoseconds_of_a_record() -> f64 {
    let metrics = Metrics::new(&MetricLabels {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        levers: String::new(),
        currency: Currency::Cny.code(),
        gateway: double11_gateway::SANDBOX,
        sale: true,
    });
    let all = Stopwatch::start();
    metrics.record_orders(ORDERS);
    all.elapsed().as_secs_f64() * 1e9 / ORDERS as f64
}
