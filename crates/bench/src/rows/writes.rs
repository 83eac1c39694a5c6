//! The figures of a storm of durable writes.

use crate::bench::{Bench, Storm};
use crate::figure::Figure;

/// The figures of the step `step`, and what the audit says of `store`.
pub(super) fn figures(
    bench: &Bench,
    storm: &Storm,
    (step, least): (&str, f64),
    store: &std::path::Path,
) -> anyhow::Result<Vec<Figure>> {
    storm.is_whole()?;
    let writes = storm.step(step)?;
    let count = writes.succeeded;
    let name = |what: &str| format!("{step}s: {what}");
    let micros = |processor| Storm::micros(processor, count);
    let response = &writes.response_time;
    let mut figures = storm.remarked(vec![
        Figure::new(
            name("durable"),
            "/s",
            storm.per_second(writes.completed_successes),
        )
        .at_least(least),
        Figure::sampled(name("P50"), "ms", response.p50_ms),
        Figure::sampled(name("P99"), "ms", response.p99_ms),
        Figure::new(
            name("processor time, shop"),
            "us",
            micros(storm.shop.processor),
        ),
        Figure::new(
            name("processor time, load engine"),
            "us",
            micros(storm.engine),
        ),
        Figure::new(
            name("written to the disk by the shop"),
            "bytes",
            storm.shop.written as f64 / count as f64,
        ),
        Figure::new(
            name("memory of the shop"),
            "MiB",
            storm.shop.resident as f64 / 1_048_576.0,
        ),
    ]);
    figures.push(Figure::new(name("audit findings"), "", bench.audited(store)?).at_most(0.0));
    Ok(figures)
}
