//! More than a slow store can do: the bench's own shop, whose store commits groups of 32 orders, each in
//! 10 ms, and so 3,200 orders a second at most. Processors have time left, so that what was good at its best
//! must stay good under ten times as much.

use super::overload::Point;
use crate::bench::{Bench, Traffic};
use crate::figure::Figure;

/// Times what the store can do.
const FACTORS: [f64; 5] = [0.5, 1.0, 2.0, 5.0, 10.0];
const COMMIT_MS: u32 = 10;
const GROUP_MAX: u32 = 32;

pub(super) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let (shops, generators) = Bench::two_processors()?;
    let (commit, group) = (COMMIT_MS.to_string(), GROUP_MAX.to_string());
    let slow = ["--commit-ms", &commit, "--group-max", &group];
    let shop = bench.no_op(Some(shops), &slow)?;
    let pinned = ["--cpus", generators, "--threads", "1"];
    let seconds = bench.settings.point_seconds();
    let capacity = f64::from(GROUP_MAX) * 1_000.0 / f64::from(COMMIT_MS);
    let mut figures = Vec::new();
    let mut best = 0.0_f64;
    let mut last = None;
    for factor in FACTORS {
        let traffic = Traffic::open("orders", capacity * factor, seconds).with(&pinned);
        let name = |what: &str| format!("store-bound at {factor}x: {what}");
        let names = ["offered", "good answers", "P99 of good answers"].map(name);
        match Point::measure(bench, &shop, &traffic) {
            Ok(point) => {
                let [offered, good, p99] = names;
                best = best.max(point.good);
                last = Some(Ok(point.good));
                figures.push(
                    Figure::new(offered, "/s", point.offered).at("store-bound offered", factor),
                );
                figures.push(
                    Figure::new(good, "/s", point.good).at("store-bound good answers", factor),
                );
                figures.push(
                    Figure::sampled(p99, "ms", point.p99_ms)
                        .at("store-bound P99 of good answers", factor),
                );
            }
            Err(why) => {
                last = Some(Err(why.clone()));
                figures.extend(names.map(|name| Figure::missing(name, why.clone())));
            }
        }
    }
    shop.stop()?;
    let name = "store-bound: good answers at 10x ÷ the best";
    figures.push(match last {
        Some(Ok(good)) => Figure::new(name, "x", good / best).at_least(0.9),
        Some(Err(why)) => Figure::missing(name, why),
        None => Figure::missing(name, "no rate was offered"),
    });
    Ok(figures)
}
