//! The mixed funnel of the sale's peak: as fast as its shoppers without a pause go, then at half of it.

use crate::bench::{Bench, Traffic, remove_store};
use crate::figure::Figure;

const SHOPPERS: usize = 256;

pub(super) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let store = bench.fresh("funnel.db")?;
    let shop = bench.shop(&store, &["--sale"])?;
    let seconds = bench.settings.seconds;
    let most = Traffic::closed("funnel", SHOPPERS, seconds).with(&["--peak"]);
    let most = bench.storm(&shop, &most)?;
    most.is_whole()?;
    let total = most.total();
    let per_second = most.per_second(total.completed_successes + total.completed_refusals);
    let half = Traffic::open("funnel", per_second / 2.0, seconds).with(&["--peak"]);
    let half = bench.storm(&shop, &half)?;
    half.is_whole()?;
    shop.stop()?;
    remove_store(&store)?;
    let response = &half.total().response_time;
    let mut figures = most.remarked(vec![
        Figure::new("funnel: requests", "/s", per_second).at_least(40_000.0),
        Figure::sampled("funnel: P50", "ms", total.response_time.p50_ms),
        Figure::sampled("funnel: P99", "ms", total.response_time.p99_ms),
    ]);
    figures.extend(half.remarked(vec![
        Figure::sampled("funnel at half: P50", "ms", response.p50_ms),
        Figure::sampled("funnel at half: P99", "ms", response.p99_ms).at_most(10.0),
    ]));
    Ok(figures)
}
