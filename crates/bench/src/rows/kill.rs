//! `kill -9` in the middle of a storm: the shop is started again at once at the same address, the buyers go on,
//! and the audit compares what the store holds with what every buyer was told.

use std::time::Duration;

use crate::bench::{Bench, Traffic, remove_store};
use crate::figure::Figure;
use crate::process::Usage;

pub(super) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let store = bench.fresh("kill.db")?;
    let shop = bench.shop(&store, &[])?;
    let settings = &bench.settings;
    let seconds = settings.point_seconds().max(2);
    let traffic = Traffic::closed("orders", settings.buyers, seconds);
    let mut storm = bench.begin_storm(&shop, &traffic)?;
    storm.go_on(Duration::from_secs(seconds) / 2)?;
    let address = shop.target.trim_start_matches("http://").to_owned();
    shop.kill()?;
    let shop = bench.shop_at(&address, &store, &[])?;
    let again = shop.ready_after.as_secs_f64() * 1_000.0;
    let output = storm.wait()?;
    let storm = bench.storm_of(&output, Duration::ZERO, Usage::default())?;
    shop.stop()?;
    let findings = bench.audited(&store)?;
    remove_store(&store)?;
    let writes = &storm.manifest.writes;
    anyhow::ensure!(writes.acknowledged > 0, "no order was acknowledged");
    Ok(vec![
        Figure::new(
            "kill -9: orders acknowledged",
            "",
            writes.acknowledged as f64,
        ),
        Figure::new(
            "kill -9: orders of unknown outcome",
            "",
            writes.unknown as f64,
        ),
        Figure::new("kill -9: until it listens again", "ms", again),
        Figure::new("kill -9: audit findings", "", findings).at_most(0.0),
    ])
}
