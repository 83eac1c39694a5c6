//! From the start of the program to its listening: with a fresh store of 100,000 products, and again.

use crate::bench::{Bench, remove_store};
use crate::figure::Figure;

pub(super) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let store = bench.fresh("start.db")?;
    let names = [
        "start-up: a fresh store of 100,000 products",
        "start-up: that store again",
    ];
    let mut figures = Vec::new();
    for name in names {
        let shop = bench.shop(&store, &["--products", "100000"])?;
        let took = shop.ready_after.as_secs_f64() * 1_000.0;
        shop.stop()?;
        figures.push(Figure::new(name, "ms", took));
    }
    remove_store(&store)?;
    Ok(figures)
}
