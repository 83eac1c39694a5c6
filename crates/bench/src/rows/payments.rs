//! Durable payments per second, each of an order that was placed right before.

use super::writes;
use crate::bench::{Bench, Traffic, remove_store};
use crate::figure::Figure;

pub(super) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let plan = bench.plan("pay.toml", include_str!("../../plans/pay.toml"))?;
    let store = bench.fresh("payments.db")?;
    let shop = bench.shop(&store, &[])?;
    let settings = &bench.settings;
    let traffic = Traffic::closed(&plan, settings.buyers, settings.seconds);
    let storm = bench.storm(&shop, &traffic)?;
    shop.stop()?;
    let figures = writes::figures(bench, &storm, ("payment", 25_600.0), &store)?;
    remove_store(&store)?;
    Ok(figures)
}
