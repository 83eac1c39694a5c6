//! The HTTP stack without a store, and the load engine beside `wrk` on it.

use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;

use super::Bench;
use crate::figure::Figure;
use crate::process::{self, Listening};

/// Connections of the comparison with `wrk`.
const CONNECTIONS: &str = "64";
const BUYERS: &str = "512";

fn no_op(bench: &Bench, cpus: Option<&str>) -> anyhow::Result<Listening> {
    let program = std::env::current_exe()?;
    let mut command = match cpus {
        Some(cpus) => {
            let mut command = Command::new("taskset");
            command.args(["-c", cpus]).arg(program);
            command
        }
        None => Command::new(program),
    };
    let threads = if cpus.is_some() { "1" } else { "2" };
    command
        .args(["no-op", "--threads", threads, "--ledger"])
        .arg(bench.path("no-op.gateway"));
    Listening::start(&mut command, &bench.path("no-op.log"))
}

/// Orders per second that are accepted and not stored: the most that the write path could reach with
/// this HTTP stack and this load engine on these cores.
pub(super) fn ceiling(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let shop = no_op(bench, None)?;
    let before = shop.usage();
    let seconds = bench.seconds();
    let storm = bench.storm(
        &shop.target,
        "orders",
        &[
            "--users",
            BUYERS,
            "--duration",
            &seconds,
            "--connections",
            BUYERS,
        ],
    )?;
    let used = shop.usage().since(before);
    shop.stop()?;
    let orders = storm.step("order")?;
    let count = orders.succeeded.max(1) as f64;
    let micros = |processor: Duration| processor.as_secs_f64() * 1e6 / count;
    Ok(vec![
        Figure::new(
            "ceiling: orders accepted, not stored",
            "/s",
            storm.per_second(orders),
        ),
        Figure::new(
            "ceiling: processor time, HTTP stack",
            "us",
            micros(used.processor),
        ),
        Figure::new(
            "ceiling: processor time, load engine",
            "us",
            micros(storm.processor),
        ),
    ])
}

/// Requests per second of processor time of load engine and `wrk`: the same request to the same shop on
/// the one core, the generator on the other, samples and histograms kept by ours.
pub(super) fn beside_wrk(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let shop = no_op(bench, Some("0"))?;
    let seconds = bench.seconds();
    let ours = bench.storm(
        &shop.target,
        "orders",
        &[
            "--users",
            CONNECTIONS,
            "--connections",
            CONNECTIONS,
            "--duration",
            &seconds,
            "--cpus",
            "1",
            "--threads",
            "1",
        ],
    )?;
    let orders = ours.summary.whole.total.attempted as f64;
    let ours = orders / ours.processor.as_secs_f64();
    let wrk = wrk(bench, &shop.target);
    shop.stop()?;
    let engine = Figure::new("engine: requests a second of processor time", "/s", ours);
    Ok(match wrk {
        Ok(wrk) => vec![
            engine,
            Figure::new("wrk: requests a second of processor time", "/s", wrk),
            Figure::new("engine: share of wrk's", "x", ours / wrk).at_least(0.8),
        ],
        Err(error) => vec![
            engine,
            Figure::missing("engine: share of wrk's", format!("{error:#}")),
        ],
    })
}

fn wrk(bench: &Bench, target: &str) -> anyhow::Result<f64> {
    let script = bench.path("post.lua");
    std::fs::write(
        &script,
        "wrk.method = \"POST\"\n\
         wrk.body = '{\"user_id\": 123456, \"items\": [{\"product_id\": 77, \"quantity\": 1}]}'\n\
         wrk.headers[\"Content-Type\"] = \"application/json\"\n\
         wrk.headers[\"Idempotency-Key\"] = \"018f2b6e-7c1a-7000-8000-000000000001\"\n",
    )?;
    let mut command = Command::new("taskset");
    command
        .args([
            "-c",
            "1",
            "wrk",
            "-t1",
            "-c",
            CONNECTIONS,
            "-d",
            &bench.seconds(),
            "-s",
        ])
        .arg(&script)
        .arg(format!("{target}/api/orders"));
    let (output, processor) = process::run(&mut command).context("wrk")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let requests = text.lines().find_map(|line| {
        let (requests, _) = line.trim().split_once(" requests in ")?;
        requests.parse::<f64>().ok()
    });
    let requests = requests.with_context(|| format!("wrk said: {text}"))?;
    anyhow::ensure!(!text.contains("Non-2xx"), "wrk met refusals: {text}");
    Ok(requests / processor.as_secs_f64())
}
