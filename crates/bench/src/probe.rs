//! How fast the disk makes data durable, in the same minutes as everything else.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use double11_store::Stopwatch;

/// Bytes that each probe appends: a page of SQLite's log with its header.
const BYTES: usize = 4_120;

/// How long each `fdatasync` after an append took, again and again for a while.
pub(crate) fn fdatasync(folder: &Path, lasts: Duration) -> anyhow::Result<Vec<Duration>> {
    let path = folder.join("fdatasync-probe");
    let mut file = File::create(&path)?;
    let mut spans = Vec::new();
    let whole = Stopwatch::start();
    while whole.elapsed() < lasts {
        file.write_all(&[0x11; BYTES])?;
        let one = Stopwatch::start();
        file.sync_data()?;
        spans.push(one.elapsed());
    }
    std::fs::remove_file(&path)?;
    Ok(spans)
}

/// A percentile by nearest rank, in milliseconds; none without a sample.
pub(crate) fn percentile_ms(spans: &[Duration], percent: usize) -> Option<f64> {
    let mut spans = spans.to_vec();
    spans.sort_unstable();
    let index = (spans.len() * percent).div_ceil(100).checked_sub(1)?;
    Some(spans.get(index)?.as_secs_f64() * 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::percentile_ms;
    use std::time::Duration;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let spans: Vec<_> = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile_ms(&spans, 50), Some(100.0));
        assert_eq!(percentile_ms(&spans, 99), Some(198.0));
        assert_eq!(percentile_ms(&[], 99), None);
    }
}
