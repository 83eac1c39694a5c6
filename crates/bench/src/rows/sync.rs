//! The disk.

use crate::bench::Bench;
use crate::figure::Figure;
use crate::probe;

pub(super) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let spans = probe::fdatasync(&bench.folder, bench.settings.probe())?;
    Ok(vec![
        Figure::sampled("fdatasync: P50", "ms", probe::percentile_ms(&spans, 50)),
        Figure::sampled("fdatasync: P99", "ms", probe::percentile_ms(&spans, 99)),
    ])
}
