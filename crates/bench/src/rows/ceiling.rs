//! Orders that are accepted and not stored: the most that the write path could reach with this HTTP
//! stack and this load engine on these cores.

use crate::bench::{Bench, Storm, Traffic};
use crate::figure::Figure;

pub(super) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let shop = bench.no_op(None, &[])?;
    let settings = &bench.settings;
    let traffic = Traffic::closed("orders", settings.buyers, settings.point_seconds());
    let storm = bench.storm(&shop, &traffic)?;
    shop.stop()?;
    storm.is_whole()?;
    let orders = storm.step("order")?;
    let micros = |processor| Storm::micros(processor, orders.succeeded);
    Ok(storm.remarked(vec![
        Figure::new(
            "ceiling: orders accepted, not stored",
            "/s",
            storm.per_second(orders.completed_successes),
        ),
        Figure::new(
            "ceiling: processor time, HTTP stack",
            "us",
            micros(storm.shop.processor),
        ),
        Figure::new(
            "ceiling: processor time, load engine",
            "us",
            micros(storm.engine),
        ),
    ]))
}
