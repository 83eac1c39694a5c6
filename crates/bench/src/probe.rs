//! How fast the disk makes data durable, in the same minutes as everything else.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use double11_store::Stopwatch;

/// Bytes that each probe appends: a page of SQLite's log with its header.
const BYTES: usize = 4_120;
/// How long the probe goes on.
const LASTS: Duration = Duration::from_secs(3);

/// Median and P99 of `fdatasync` after an append, in milliseconds, by nearest rank.
pub(crate) fn fdatasync(folder: &Path) -> anyhow::Result<(f64, f64)> {
    let path = folder.join("fdatasync-probe");
    let mut file = File::create(&path)?;
    let mut spans = Vec::new();
    let whole = Stopwatch::start();
    while whole.elapsed() < LASTS {
        file.write_all(&[0x11; BYTES])?;
        let one = Stopwatch::start();
        file.sync_data()?;
        spans.push(one.elapsed());
    }
    std::fs::remove_file(&path)?;
    spans.sort_unstable();
    let rank = |percent: usize| {
        let index = (spans.len() * percent).div_ceil(100).saturating_sub(1);
        spans.get(index).copied().unwrap_or_default().as_secs_f64() * 1_000.0
    };
    Ok((rank(50), rank(99)))
}
