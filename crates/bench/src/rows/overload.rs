//! More than the processors can do: the requests of the mixed funnel, the shop on the one processor, the load
//! engine on the other. What is offered grows from half of what the shop can do to what the load engine reaches.
//!
//! A shop that spends `a` on an accepted request and `ρ·a` on a rejected one can, under `k` times its
//! capacity, at best answer (1 − kρ) / (1 − ρ) of its capacity: that is the bound beside each point. It needs
//! requests that cost the same. A shop that prefers payments accepts the dearer ones, so that the mixed requests
//! tell what is shed by class, and orders alone, at the same rates, are held to the bound.

mod recovery;
mod rejection;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::time::Duration;

use double11_measure::histogram::LatencyHistogram;
use double11_measure::jtl::Reader;

use crate::bench::{Bench, Storm, Traffic, remove_store};
use crate::figure::Figure;
use crate::process::Listening;

/// The requests of the funnel, nearly each on a visit of its own.
const CROWD: &str = include_str!("../../plans/crowd.toml");
/// Times the capacity.
const FACTORS: [f64; 11] = [0.5, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0];
/// Shoppers without a pause whose rate is the capacity.
const SHOPPERS: usize = 256;
/// Connections of the load engine: more than requests may be in process, fewer than the shop takes.
pub(super) const CONNECTIONS: &str = "4000";
/// Later than this (P99) what was offered is not what was asked for: of the shortest storm it is a tenth.
const REACHED_LAG_MS: f64 = 100.0;
/// Why there is no bound beside a point.
const NO_BOUND: &str = "to reject alone takes the whole processor, or its cost is not known";
/// Rates in a row that the load engine does not reach before no higher one is tried.
const UNREACHED_MAX: usize = 2;
/// The classes that the shop tells apart, the least important first.
const CLASSES: [&str; 6] = ["browse", "search", "detail", "cart", "order", "payment"];

/// What a shop can do, and what it costs.
#[derive(Debug, Clone, Copy)]
struct Costs {
    /// Good answers per second where nobody comes who cannot be served.
    capacity: f64,
    /// Cost of a rejection as a share of that of an accepted request; none where it is not known.
    rho: Option<f64>,
}

impl Costs {
    /// Good answers per second at best, of so many requests per second.
    fn bound(self, offered: f64) -> Option<f64> {
        if offered <= self.capacity {
            return Some(offered);
        }
        let rho = self.rho?;
        let bound = self.capacity * (1.0 - offered / self.capacity * rho) / (1.0 - rho);
        (bound > 0.0).then_some(bound)
    }
}

pub(super) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let crowd = bench.plan("crowd.toml", CROWD)?;
    let mut figures = flood(bench, ("overload", &crowd))?;
    let orders = flood(bench, ("overload of orders", "orders"));
    let unmeasured = |error| vec![Figure::missing("overload of orders", format!("{error:#}"))];
    figures.extend(orders.unwrap_or_else(unmeasured));
    Ok(figures)
}

/// A plan at ever higher rates.
fn flood(bench: &Bench, (what, plan): (&'static str, &str)) -> anyhow::Result<Vec<Figure>> {
    let (shops, generators) = Bench::two_processors()?;
    let store = bench.fresh("overload.db")?;
    let shop = bench.shop(&store, &["--sale", "--cpus", shops])?;
    let pinned = ["--cpus", generators, "--threads", "1"];
    let seconds = bench.settings.point_seconds();
    let most = Traffic::closed(plan, SHOPPERS, seconds).with(&pinned);
    let (costs, mut figures) = costs(bench, (what, plan), &bench.storm(&shop, &most)?)?;
    let capacity = costs.capacity;
    let mut unreached = Vec::new();
    let mut reached = 0.0;
    for factor in FACTORS {
        let traffic = Traffic::open(plan, capacity * factor, seconds).with(&pinned);
        let point = match unreached.as_slice() {
            [.., why] if unreached.len() >= UNREACHED_MAX => Err(String::clone(why)),
            _ => Point::measure(bench, &shop, &traffic),
        };
        match &point {
            Ok(_) => {
                unreached.clear();
                reached = factor;
            }
            Err(why) => unreached.push(why.clone()),
        }
        figures.extend(Point::figures(point, (what, factor), costs));
    }
    let name = format!("{what}: most that was reached");
    figures.push(Figure::new(name, "x", reached));
    if what == "overload" {
        let recovery = recovery::seconds(bench, &shop, (capacity, reached, generators));
        let unmeasured = |error| Figure::missing(recovery::NAME, format!("{error:#}"));
        figures.push(recovery.unwrap_or_else(unmeasured));
    }
    shop.stop()?;
    remove_store(&store)?;
    Ok(figures)
}

/// What acceptance and rejection cost, from a storm of those who wait for their answers, and the figures of
/// that.
fn costs(
    bench: &Bench,
    (what, plan): (&'static str, &str),
    most: &Storm,
) -> anyhow::Result<(Costs, Vec<Figure>)> {
    most.is_whole()?;
    let done = most.total().completed_successes + most.total().completed_refusals;
    let accepted = Storm::micros(most.shop.processor, done);
    // One processor, and nothing that waits: what others take of it is not the shop's doing.
    let capacity = 1e6 / accepted;
    let rejected = rejection::cost(bench, plan, accepted).map_err(|error| format!("{error:#}"));
    let rho = rejected.as_ref().ok().map(|rejected| rejected / accepted);
    let name = |which: &str| format!("{what}: {which}");
    let mut figures = vec![
        Figure::new(name("done by those who wait"), "/s", most.per_second(done)),
        Figure::new(name("capacity of the processor"), "/s", capacity)
            .at(&format!("{what} capacity"), 1.0),
        Figure::new(name("processor time, accepted"), "us", accepted),
    ];
    for (which, unit, divisor) in [
        ("processor time, rejected", "us", 1.0),
        ("cost of a rejection, of an acceptance", "x", accepted),
    ] {
        figures.push(match &rejected {
            Ok(rejected) => Figure::new(name(which), unit, rejected / divisor),
            Err(why) => Figure::missing(name(which), why.clone()),
        });
    }
    Ok((Costs { capacity, rho }, figures))
}

/// What came of one rate.
#[derive(Debug)]
pub(super) struct Point {
    /// Requests per second that reached the shop.
    pub(super) offered: f64,
    /// Good answers per second.
    pub(super) good: f64,
    /// The P99 of their service times.
    pub(super) p99_ms: Option<f64>,
    /// Requests per second that were shed, by class.
    shed: BTreeMap<String, f64>,
    /// The shop's share of one processor.
    share: f64,
    remark: Option<String>,
}

impl Point {
    /// Measures a rate; an error where the load engine could not keep its schedule, or there was none.
    pub(super) fn measure(
        bench: &Bench,
        shop: &Listening,
        traffic: &Traffic,
    ) -> Result<Self, String> {
        let traffic = traffic.clone().with(&["--connections", CONNECTIONS]);
        let told = |error: anyhow::Error| format!("{error:#}");
        let before = shed(shop).map_err(told)?;
        let storm = bench.storm(shop, &traffic).map_err(told)?;
        was_reached(&storm).map_err(told)?;
        let after = shed(shop).map_err(told)?;
        let seconds = storm.summary.whole.duration_s;
        let since = |(class, count): (String, f64)| {
            let earlier = before.get(&class).copied().unwrap_or_default();
            (class, (count - earlier) / seconds)
        };
        let total = storm.total();
        Ok(Self {
            offered: storm.per_second(total.attempted - total.never_sent),
            good: storm.per_second(total.completed_successes + total.completed_refusals),
            p99_ms: good_p99_ms(&storm).map_err(told)?,
            shed: after.into_iter().map(since).collect(),
            share: storm.shop.processor.as_secs_f64() / seconds,
            remark: remark(&storm).or_else(|| storm.limit()),
        })
    }

    fn figures(
        point: Result<Self, String>,
        (what, factor): (&str, f64),
        costs: Costs,
    ) -> Vec<Figure> {
        let name = |which: &str| format!("{what} at {factor}x: {which}");
        let on = |which: &str| format!("{what} {which}");
        let has_bound = what != "overload";
        let point = match point {
            Ok(point) => point,
            Err(why) => {
                let names = ["offered", "good answers", "P99 of good answers", "shed"];
                let bound = has_bound.then_some("good answers ÷ the bound");
                let names = names.into_iter().chain(bound);
                return names
                    .map(|which| Figure::missing(name(which), why.clone()))
                    .collect();
            }
        };
        let mut figures = vec![
            Figure::new(name("offered"), "/s", point.offered)
                .noted(point.remark)
                .at(&on("offered"), factor),
            Figure::new(name("good answers"), "/s", point.good).at(&on("good answers"), factor),
            Figure::sampled(name("P99 of good answers"), "ms", point.p99_ms)
                .at(&on("P99 of good answers"), factor),
            Figure::new(name("shed"), "/s", point.shed.values().sum()).at(&on("shed"), factor),
            Figure::new(name("share of its processor, shop"), "x", point.share).detail(),
        ];
        let share = name("good answers ÷ the bound");
        match costs.bound(point.offered).filter(|_| has_bound) {
            Some(bound) => figures.extend([
                Figure::new(share, "x", point.good / bound).at_least(0.9),
                Figure::new(name("bound"), "/s", bound)
                    .detail()
                    .at(&on("bound"), factor),
            ]),
            None if has_bound => figures.push(Figure::missing(share, NO_BOUND)),
            None => {}
        }
        for class in CLASSES {
            let shed = point.shed.get(class).copied().unwrap_or_default();
            figures.push(
                Figure::new(name(&format!("shed, {class}")), "/s", shed)
                    .detail()
                    .at(&on(&format!("shed {class}")), factor),
            );
        }
        figures
    }
}

/// An error when the load engine could not keep its schedule.
fn was_reached(storm: &Storm) -> anyhow::Result<()> {
    let lag = storm.manifest.generator.lag_p99_ms.unwrap_or_default();
    anyhow::ensure!(
        lag <= REACHED_LAG_MS,
        "the load engine was the limit: its timers fired {lag:.0} ms late (P99)"
    );
    Ok(())
}

/// What went wrong besides what the shop shed.
fn remark(storm: &Storm) -> Option<String> {
    let total = storm.total();
    let others = total.failures.iter().filter(|(kind, _)| *kind != "503");
    let others: Vec<String> = others
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    let late = (total.late > 0).then(|| format!("{} began late", total.late));
    let all: Vec<String> = others.into_iter().chain(late).collect();
    (!all.is_empty()).then(|| format!("of {} requests {}", total.attempted, all.join(", ")))
}

/// Requests that were shed so far, by class.
fn shed(shop: &Listening) -> anyhow::Result<BTreeMap<String, f64>> {
    let metrics = shop.metrics()?;
    let shed = metrics
        .samples()
        .filter(|sample| sample.name == "ecommerce_requests_shed_total");
    Ok(shed
        .filter_map(|sample| Some((sample.labels.get("class")?.clone(), sample.value)))
        .collect())
}

/// The P99 of the service times of good answers, from the samples; summaries hold those of all.
fn good_p99_ms(storm: &Storm) -> anyhow::Result<Option<f64>> {
    let mut times = LatencyHistogram::new();
    let file = BufReader::with_capacity(1 << 18, File::open(storm.samples())?);
    let read = Reader::new(file)
        .map_err(|problem| anyhow::anyhow!("{problem:?}"))?
        .for_each(1, |row| {
            if row.success {
                times.record(Duration::from_millis(row.elapsed_ms));
            }
        });
    anyhow::ensure!(read.problem_count == 0, "{:?}", read.problems);
    let p99 = times.percentile(99.0);
    Ok(p99.map(|time| time.as_secs_f64() * 1_000.0))
}

#[cfg(test)]
mod tests {
    use super::Costs;

    #[test]
    fn the_bound_falls_as_rejections_take_their_share() {
        let costs = Costs {
            capacity: 1_000.0,
            rho: Some(0.1),
        };
        let bounds = [500.0, 1_000.0, 2_000.0, 10_000.0].map(|offered| costs.bound(offered));
        let [half, whole, double, all] = bounds;
        assert_eq!((half, whole, all), (Some(500.0), Some(1_000.0), None));
        // 888 accepted at 1 ms and 1,112 rejected at 0.1 ms fill the second.
        assert!((double.unwrap() - 888.9).abs() < 0.1, "{double:?}");
        let unknown = Costs { rho: None, ..costs };
        assert_eq!(unknown.bound(2_000.0), None);
        assert_eq!(unknown.bound(900.0), Some(900.0));
    }
}
