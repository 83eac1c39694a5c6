//! How long a shop suffers after an overload has ended.

use std::fmt::Write as _;

use double11_measure::histogram::LatencyHistogram;
use double11_measure::run::Second;

use super::{CONNECTIONS, CROWD};
use crate::bench::{Bench, Traffic};
use crate::figure::Figure;
use crate::process::Listening;

pub(super) const NAME: &str = "overload: until normal after it";
/// A second is normal when no more of its requests fail than this share, …
const FAILED_MAX: f64 = 0.01;
/// … and its P99 is at most so many times that of the worst second before the flood.
const SLOWER_MAX: f64 = 2.0;

/// Half of the capacity, the most that the load engine reaches, and half again: whole seconds after the
/// flood, by planned starts, before the first one that is like those before it.
pub(super) fn seconds(
    bench: &Bench,
    shop: &Listening,
    (capacity, flooded, generators): (f64, f64, &str),
) -> anyhow::Result<Figure> {
    anyhow::ensure!(flooded > 1.0, "the load engine reaches no overload");
    let flood = bench.settings.seconds.min(5);
    let (calm, after) = (flood + 1, flood + 3);
    let plan = plan(bench, (capacity, flooded), (calm, flood, after))?;
    let traffic = Traffic::profiled(&plan);
    let traffic = traffic.with(&["--connections", CONNECTIONS, "--cpus", generators]);
    let storm = bench.storm(shop, &traffic.with(&["--threads", "1"]))?;
    super::was_reached(&storm)?;
    let series = storm.time_series()?.seconds;
    let looks: Vec<Look> = series.iter().map(Look::at).collect::<Result<_, _>>()?;
    // The first second opens the connections.
    let before = looks.iter().filter(|look| (1..calm).contains(&look.second));
    let usual = before.filter_map(|look| look.p99_ms).fold(0.0, f64::max);
    anyhow::ensure!(usual > 0.0, "nothing was answered before the flood");
    let ended = calm + flood;
    let normal = looks.iter().find(|look| {
        let p99 = look.p99_ms.unwrap_or(f64::INFINITY);
        look.second >= ended && look.failed <= FAILED_MAX && p99 <= SLOWER_MAX * usual
    });
    let (waited, remark) = match normal {
        Some(look) => (look.second - ended, None),
        None => (after, Some("not normal before the end".to_owned())),
    };
    let figure = Figure::new(NAME, "s", waited as f64).at_most(1.0);
    let flood = format!("after {flooded} times the capacity, in whole seconds");
    Ok(figure.noted(Some(flood)).noted(remark).noted(storm.limit()))
}

/// The crowd with a flood in its middle.
fn plan(
    bench: &Bench,
    (capacity, flooded): (f64, f64),
    lengths: (u64, u64, u64),
) -> anyhow::Result<String> {
    let mut text = CROWD.to_owned();
    write!(text, "\n[profile]\nrequests_per_second = {capacity:.1}\n")?;
    let (calm, flood, after) = lengths;
    for (name, factor, length) in [
        ("calm", 0.5, calm),
        ("flood", flooded, flood),
        ("after", 0.5, after),
    ] {
        write!(
            text,
            "[[profile.phase]]\nname = \"{name}\"\nduration_s = {length}\nfactor = {factor:.2}\n"
        )?;
    }
    bench.plan("flood.toml", &text)
}

/// One second of a run.
#[derive(Debug)]
struct Look {
    second: u64,
    /// Failed requests as a share of all.
    failed: f64,
    p99_ms: Option<f64>,
}

impl Look {
    fn at(second: &Second) -> anyhow::Result<Self> {
        let mut times = LatencyHistogram::new();
        let (mut attempted, mut failed) = (0, 0);
        for step in &second.steps {
            attempted += step.attempted;
            failed += step.failed;
            if let Some(text) = &step.response_time {
                times.merge(&LatencyHistogram::from_base64(text)?);
            }
        }
        let p99 = times.percentile(99.0);
        Ok(Self {
            second: u64::from(second.second),
            failed: failed as f64 / (attempted as f64).max(1.0),
            p99_ms: p99.map(|time| time.as_secs_f64() * 1_000.0),
        })
    }
}
