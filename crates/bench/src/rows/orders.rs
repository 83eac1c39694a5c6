//! Durable orders per second on a store that already holds many, by the plan `orders`, across checkpoints,
//! with samples, ledger and metrics kept, and audited.

use super::{stores, writes};
use crate::bench::{Bench, Traffic};
use crate::figure::Figure;

pub(super) fn measure(bench: &mut Bench) -> anyhow::Result<Vec<Figure>> {
    bench.capacity = None;
    let store = stores::grown(bench, bench.settings.stored_orders)?;
    let shop = bench.shop(&store, &[])?;
    let settings = &bench.settings;
    let traffic = Traffic::closed("orders", settings.buyers, settings.seconds);
    let storm = bench.storm(&shop, &traffic)?;
    shop.stop()?;
    let figures = writes::figures(bench, &storm, ("order", 58_300.0), &store)?;
    bench.capacity = figures.first().and_then(|rate| rate.value.clone().ok());
    Ok(figures)
}
