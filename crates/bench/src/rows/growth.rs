//! How cost grows: orders per second and the shop's processor time of one, against products, buyers, stored
//! orders and processors. One thing changes at a time.

use std::path::Path;

use super::stores;
use crate::bench::{Bench, Storm, Traffic, remove_store};
use crate::figure::Figure;
use crate::numbers::grouped;
use crate::process::Listening;

const PRODUCTS: [u32; 2] = [1_000, 100_000];
const BUYERS: [usize; 5] = [16, 64, 256, 1_024, 4_096];
/// Limits of the shop that none of these buyers meets.
const ROOM: [&str; 6] = [
    "--connections-max",
    "8192",
    "--in-flight-max",
    "16384",
    "--queue-max",
    "16384",
];

/// Makes the stores that take long.
pub(super) fn prepare(bench: &mut Bench) -> anyhow::Result<()> {
    for products in products(bench) {
        stores::catalogue(bench, products)?;
    }
    for orders in stored(bench) {
        stores::grown(bench, orders)?;
    }
    Ok(())
}

pub(super) fn measure(bench: &mut Bench) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for products in products(bench) {
        let store = stores::catalogue(bench, products)?;
        let at = ("products", u64::from(products));
        let traffic = traffic(bench, bench.settings.buyers);
        let plan = traffic.with(&["--products", &products.to_string()]);
        figures.extend(alone(bench, (&store, &[]), &plan, at));
    }
    figures.extend(buyers(bench)?);
    let store = bench.fresh("empty.db")?;
    let plan = traffic(bench, bench.settings.buyers);
    figures.extend(alone(bench, (&store, &[]), &plan, ("stored orders", 0)));
    remove_store(&store)?;
    for orders in stored(bench) {
        let store = stores::grown(bench, orders)?;
        figures.extend(alone(
            bench,
            (&store, &[]),
            &plan,
            ("stored orders", orders),
        ));
    }
    let store = bench.fresh("processors.db")?;
    for (count, cpus) in [(1, "0"), (2, "0,1")] {
        let at = ("processors", count);
        let result = Bench::two_processors();
        if let (Err(error), 2) = (&result, count) {
            figures.extend(point(Err(anyhow::anyhow!("{error:#}")), at));
            continue;
        }
        let plan = traffic(bench, bench.settings.buyers).with(&["--cpus", cpus]);
        figures.extend(alone(bench, (&store, &["--cpus", cpus]), &plan, at));
    }
    remove_store(&store)?;
    Ok(figures)
}

/// Sizes of the catalogue.
fn products(bench: &Bench) -> Vec<u32> {
    let mut all = PRODUCTS.to_vec();
    all.push(bench.settings.products_max);
    all.sort_unstable();
    all.dedup();
    all
}

/// Orders that a store already holds.
fn stored(bench: &Bench) -> Vec<u64> {
    let orders = bench.settings.stored_orders;
    if bench.settings.long {
        vec![orders, 10 * orders]
    } else {
        vec![orders]
    }
}

fn traffic(bench: &Bench, buyers: usize) -> Traffic {
    Traffic::closed("orders", buyers, bench.settings.point_seconds())
}

/// Ever more buyers at one shop.
fn buyers(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let store = bench.fresh("buyers.db")?;
    let shop = bench.shop(&store, &ROOM)?;
    let mut figures = Vec::new();
    for buyers in BUYERS {
        let storm = whole(bench, &shop, &traffic(bench, buyers));
        figures.extend(point(storm, ("buyers", buyers as u64)));
    }
    shop.stop()?;
    remove_store(&store)?;
    Ok(figures)
}

/// One storm of a shop of its own.
fn alone(
    bench: &Bench,
    (store, more): (&Path, &[&str]),
    traffic: &Traffic,
    at: (&str, u64),
) -> Vec<Figure> {
    let storm = bench.shop(store, more).and_then(|shop| {
        let storm = whole(bench, &shop, traffic)?;
        shop.stop()?;
        Ok(storm)
    });
    point(storm, at)
}

fn whole(bench: &Bench, shop: &Listening, traffic: &Traffic) -> anyhow::Result<Storm> {
    let storm = bench.storm(shop, traffic)?;
    storm.is_whole()?;
    Ok(storm)
}

fn point(storm: anyhow::Result<Storm>, (what, x): (&str, u64)) -> Vec<Figure> {
    let name = |which: &str| format!("growth, {} {what}: {which}", grouped(x));
    let names = [name("orders"), name("processor time, shop")];
    match storm {
        Ok(storm) => {
            let [orders, time] = names;
            let total = storm.total();
            let micros = Storm::micros(storm.shop.processor, total.succeeded);
            let rate = storm.per_second(total.completed_successes);
            storm.remarked(vec![
                Figure::new(orders, "/s", rate).at(&format!("growth {what}: rate"), x as f64),
                Figure::new(time, "us", micros).at(&format!("growth {what}: cost"), x as f64),
            ])
        }
        Err(error) => {
            let why = format!("{error:#}");
            names.map(|name| Figure::missing(name, why.clone())).into()
        }
    }
}
