//! Search among many products, at a modest rate: the load engine's percentiles, which have loopback in them, and
//! the shop's own from its histogram, whose buckets end at 0.5, 1, 2.5 ms and so on.

use std::collections::BTreeMap;

use anyhow::Context as _;
use double11_monitor::exposition::Exposition;

use super::stores;
use crate::bench::{Bench, Traffic};
use crate::figure::Figure;
use crate::numbers::grouped;

const PRODUCTS: u32 = 100_000;
/// Searches per second.
const RATE: f64 = 1_000.0;

pub(super) fn prepare(bench: &mut Bench) -> anyhow::Result<()> {
    for products in sizes(bench) {
        stores::catalogue(bench, products)?;
    }
    Ok(())
}

pub(super) fn measure(bench: &mut Bench) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for products in sizes(bench) {
        figures.extend(among(bench, products)?);
    }
    Ok(figures)
}

fn sizes(bench: &Bench) -> Vec<u32> {
    let mut sizes = vec![PRODUCTS, bench.settings.products_max];
    sizes.dedup();
    sizes
}

fn among(bench: &mut Bench, products: u32) -> anyhow::Result<Vec<Figure>> {
    let plan = bench.plan("search.toml", include_str!("../../plans/search.toml"))?;
    let store = stores::catalogue(bench, products)?;
    let shop = bench.shop(&store, &[])?;
    let traffic = Traffic::open(&plan, RATE, bench.settings.point_seconds());
    let storm = bench.storm(&shop, &traffic)?;
    let in_shop = within(&shop.metrics()?, 0.99)?;
    shop.stop()?;
    storm.is_whole()?;
    let name = |what: &str| format!("search, {} products: {what}", grouped(products.into()));
    let times = &storm.total().service_time;
    let in_shop = Figure::new(name("P99 in the shop, at most"), "ms", in_shop * 1_000.0);
    Ok(storm.remarked(vec![
        Figure::sampled(name("P50 with loopback"), "ms", times.p50_ms),
        Figure::sampled(name("P99 with loopback"), "ms", times.p99_ms),
        if products == PRODUCTS {
            in_shop.at_most(1.0)
        } else {
            in_shop
        },
    ]))
}

/// The end of the bucket that a quantile of the shop's searches lies in, in seconds.
fn within(metrics: &Exposition, quantile: f64) -> anyhow::Result<f64> {
    let mut buckets: BTreeMap<u64, f64> = BTreeMap::new();
    for sample in metrics.samples() {
        let is = |label: &str, value: &str| sample.labels.get(label).is_some_and(|is| is == value);
        if sample.name == "ecommerce_request_duration_seconds_bucket"
            && is("endpoint", "/api/search")
            && is("status", "200")
        {
            let end = sample
                .labels
                .get("le")
                .and_then(|end| end.parse::<f64>().ok());
            // Not negative floats are in the order of their bits.
            *buckets
                .entry(end.context("a bucket without an end")?.to_bits())
                .or_default() += sample.value;
        }
    }
    let all = buckets.values().copied().fold(0.0, f64::max);
    anyhow::ensure!(all > 0.0, "the shop counted no search");
    let found = buckets.iter().find(|(_, count)| **count >= quantile * all);
    let end = found.map(|(end, _)| f64::from_bits(*end));
    end.filter(|end| end.is_finite())
        .context("the quantile lies beyond the last bucket")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_lies_within_its_bucket() {
        let name = "ecommerce_request_duration_seconds";
        let line = |end: &str, count: u32| {
            format!(
                "{name}_bucket{{endpoint=\"/api/search\",status=\"200\",le=\"{end}\"}} {count}\n"
            )
        };
        let head = format!("# TYPE {name} histogram\n");
        let tail = format!(
            "{name}_sum{{endpoint=\"/api/search\",status=\"200\"}} 1\n\
             {name}_count{{endpoint=\"/api/search\",status=\"200\"}} 200\n"
        );
        let text = |last: u32| {
            [
                &head,
                &line("0.0005", 150),
                &line("0.001", last),
                &line("+Inf", 200),
                &tail,
            ]
            .map(String::as_str)
            .concat()
        };
        let of = |last| within(&Exposition::parse(&text(last)).unwrap(), 0.99);
        assert!((of(198).unwrap() - 0.001).abs() < f64::EPSILON);
        assert!(of(197).is_err());
        assert!(within(&Exposition::parse("").unwrap(), 0.99).is_err());
    }
}
