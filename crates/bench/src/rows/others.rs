//! The disk, the mixed funnel and the start.

use super::{Bench, remove_store};
use crate::figure::Figure;
use crate::probe;

pub(super) fn sync(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let (p50, p99) = probe::fdatasync(&bench.folder)?;
    Ok(vec![
        Figure::new("fdatasync: P50", "ms", p50),
        Figure::new("fdatasync: P99", "ms", p99),
    ])
}

/// The mixed funnel of the sale's peak: as fast as 256 shoppers without a pause go, then at half of it.
pub(super) fn funnel(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let store = bench.path("funnel.db");
    let shop = bench.shop(&store, &["--sale"])?;
    let seconds = bench.seconds();
    let most = bench.storm(
        &shop.target,
        "funnel",
        &[
            "--peak",
            "--users",
            "256",
            "--connections",
            "256",
            "--duration",
            &seconds,
        ],
    )?;
    let total = &most.summary.whole.total;
    let per_second = total.throughput_per_second.unwrap_or_default();
    let half = format!("{:.0}", per_second / 2.0);
    let calm = bench.storm(
        &shop.target,
        "funnel",
        &[
            "--peak",
            "--rate",
            &half,
            "--connections",
            "256",
            "--duration",
            &seconds,
        ],
    )?;
    shop.stop()?;
    remove_store(&store)?;
    let response = &calm.summary.whole.total.response_time;
    let milliseconds = |value: Option<f64>| value.unwrap_or(f64::NAN);
    Ok(vec![
        Figure::new("funnel: requests", "/s", per_second).at_least(40_000.0),
        Figure::new("funnel at half: P50", "ms", milliseconds(response.p50_ms)),
        Figure::new("funnel at half: P99", "ms", milliseconds(response.p99_ms)).at_most(10.0),
    ])
}

/// From the start of the program to its listening: with a fresh store of 100,000 products, and again.
pub(super) fn start_up(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let store = bench.path("start.db");
    let fresh = bench.shop(&store, &[])?;
    let first = fresh.ready_after.as_secs_f64() * 1_000.0;
    fresh.stop()?;
    let again = bench.shop(&store, &[])?;
    let second = again.ready_after.as_secs_f64() * 1_000.0;
    again.stop()?;
    remove_store(&store)?;
    Ok(vec![
        Figure::new("start-up: a fresh store of 100,000 products", "ms", first),
        Figure::new("start-up: that store again", "ms", second),
    ])
}
