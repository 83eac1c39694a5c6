//! Requests per second of processor time of the load engine, `wrk` and `oha`: the same request to the same
//! shop on the one core, the generator on the other; samples and histograms are kept by ours.

use std::process::Command;

use anyhow::Context as _;

use crate::bench::{Bench, Traffic};
use crate::figure::Figure;
use crate::process;

const CONNECTIONS: usize = 64;
const BODY: &str = r#"{"user_id": 123456, "items": [{"product_id": 77, "quantity": 1}]}"#;
const KEY: &str = "018f2b6e-7c1a-7000-8000-000000000001";

/// A generator that others made.
type Peer = fn(&Bench, &str, &str) -> anyhow::Result<f64>;

pub(super) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let (shops, generators) = Bench::two_processors()?;
    let shop = bench.no_op(Some(shops), &[])?;
    let traffic = Traffic::closed("orders", CONNECTIONS, bench.settings.point_seconds());
    let storm = bench.storm(
        &shop,
        &traffic.with(&["--cpus", generators, "--threads", "1"]),
    )?;
    storm.is_whole()?;
    let ours = storm.total().attempted as f64 / storm.engine.as_secs_f64();
    // On one core of its own, which it is meant to fill, the engine is always near its limit.
    let mut figures = vec![Figure::new(
        "engine: requests a second of processor time",
        "/s",
        ours,
    )];
    let peers: [(&str, Peer, Option<f64>); 2] = [("wrk", wrk, Some(0.8)), ("oha", oha, None)];
    for (name, peer, least) in peers {
        let rate = format!("{name}: requests a second of processor time");
        let share = format!("engine: share of {name}'s");
        let (rate, share) = match peer(bench, &shop.target, generators) {
            Ok(theirs) => (
                Figure::new(rate, "/s", theirs),
                Figure::new(share, "x", ours / theirs),
            ),
            Err(error) => {
                let why = format!("{error:#}");
                (
                    Figure::missing(rate, why.clone()),
                    Figure::missing(share, why),
                )
            }
        };
        figures.push(rate);
        figures.push(match least {
            Some(least) => share.at_least(least),
            None => share,
        });
    }
    shop.stop()?;
    Ok(figures)
}

/// A peer tool on the generators' processor.
fn command(name: &str, cpus: &str) -> anyhow::Result<Command> {
    let there = Command::new(name).arg("--version").output();
    anyhow::ensure!(there.is_ok(), "{name} is not on PATH");
    let mut command = Command::new("taskset");
    command.args(["-c", cpus, name]);
    Ok(command)
}

fn wrk(bench: &Bench, target: &str, cpus: &str) -> anyhow::Result<f64> {
    let script = bench.path("post.lua");
    let text = format!(
        "wrk.method = \"POST\"\nwrk.body = '{BODY}'\n\
         wrk.headers[\"Content-Type\"] = \"application/json\"\n\
         wrk.headers[\"Idempotency-Key\"] = \"{KEY}\"\n"
    );
    std::fs::write(&script, text)?;
    let mut command = command("wrk", cpus)?;
    command
        .args(["-t1", "-c", &CONNECTIONS.to_string(), "-s"])
        .arg(&script)
        .args(["-d", &format!("{}s", bench.settings.point_seconds())])
        .arg(format!("{target}/api/orders"));
    let (output, processor) = process::run(&mut command)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let requests = text.lines().find_map(|line| {
        let (requests, _) = line.trim().split_once(" requests in ")?;
        requests.parse::<f64>().ok()
    });
    let requests = requests.with_context(|| format!("wrk said: {text}"))?;
    anyhow::ensure!(!text.contains("Non-2xx"), "wrk met refusals: {text}");
    Ok(requests / processor.as_secs_f64())
}

fn oha(bench: &Bench, target: &str, cpus: &str) -> anyhow::Result<f64> {
    let mut command = command("oha", cpus)?;
    command
        .args([
            "--no-tui",
            "--output-format",
            "json",
            "-m",
            "POST",
            "-d",
            BODY,
        ])
        .args(["-T", "application/json", "-H"])
        .arg(format!("Idempotency-Key: {KEY}"))
        .args(["-c", &CONNECTIONS.to_string(), "-z"])
        .arg(format!("{}s", bench.settings.point_seconds()))
        .args(["--worker-threads", "1"])
        .arg(format!("{target}/api/orders"));
    let (output, processor) = process::run(&mut command)?;
    let words = || String::from_utf8_lossy(&output.stderr).trim().to_owned();
    anyhow::ensure!(
        output.status.success(),
        "oha ended with {}: {}",
        output.status,
        words()
    );
    let said: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let statuses = said
        .get("statusCodeDistribution")
        .and_then(|all| all.as_object());
    let statuses = statuses.context("oha told of no statuses")?;
    anyhow::ensure!(
        statuses.keys().eq(["201"]),
        "oha met refusals: {statuses:?}"
    );
    let requests = statuses
        .values()
        .filter_map(serde_json::Value::as_f64)
        .sum::<f64>();
    Ok(requests / processor.as_secs_f64())
}
