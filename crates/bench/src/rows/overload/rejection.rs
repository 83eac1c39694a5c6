//! What it costs to shed a request: a shop that lets one request in at a time, and that one never ends.

use std::io::Write as _;
use std::net::TcpStream;

use crate::bench::{Bench, Storm, Traffic, remove_store};

/// Clients who ask again and again.
const CLIENTS: usize = 64;
/// The permit is held until the body of this order times out, after 10 s.
const SECONDS_MAX: u64 = 5;

/// Microseconds of processor time of a rejection, given those of an accepted request.
pub(super) fn cost(bench: &Bench, plan: &str, accepted: f64) -> anyhow::Result<f64> {
    let (shops, generators) = Bench::two_processors()?;
    let store = bench.fresh("rejection.db")?;
    let shop = bench.shop(&store, &["--sale", "--cpus", shops, "--in-flight-max", "1"])?;
    let address = shop.target.trim_start_matches("http://");
    let mut holder = TcpStream::connect(address)?;
    // The head of an order whose body does not come.
    write!(
        holder,
        "POST /api/orders HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: 64\r\n\r\n"
    )?;
    let seconds = bench.settings.point_seconds().min(SECONDS_MAX);
    let traffic = Traffic::closed(plan, CLIENTS, seconds);
    let traffic = traffic.with(&["--cpus", generators, "--threads", "1"]);
    let storm = bench.storm(&shop, &traffic)?;
    drop(holder);
    shop.stop()?;
    remove_store(&store)?;
    let total = storm.total();
    let rejected = total.failures.get("503").copied().unwrap_or_default();
    anyhow::ensure!(
        rejected > 9 * total.succeeded,
        "the shop would not reject: {} of {} requests were shed",
        rejected,
        total.attempted
    );
    let all = Storm::micros(storm.shop.processor, rejected);
    let others = accepted * total.succeeded as f64 / rejected as f64;
    Ok((all - others).max(0.0))
}
