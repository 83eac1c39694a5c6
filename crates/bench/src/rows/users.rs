//! Memory per virtual user: of the load engine with many users who think, less that with one user; first without
//! connections, then each with an open one.

use std::time::Duration;

use double11_load::host::Host;
use double11_load::{RunManifest, read_manifest};

use crate::bench::{Bench, Traffic};
use crate::figure::Figure;
use crate::numbers::grouped;
use crate::process::Listening;

/// When everybody has begun to think.
const SETTLED: Duration = Duration::from_secs(3);
/// The same where everybody waits for an order first, the earliest ones for a commit of their own.
const SETTLED_CONNECTED: Duration = Duration::from_secs(10);
/// The time-out of a request that all wait for together.
const TIMEOUT: &str = "30s";
/// What a commit takes that all orders wait for at once, so that each holds a connection.
const COMMIT_MS: &str = "4000";
/// Descriptors that a process needs besides its connections.
const DESCRIPTORS_BESIDES: u64 = 200;
/// Ports that others may need.
const PORTS_BESIDES: u64 = 2_000;

pub(super) fn measure(bench: &Bench) -> Vec<Figure> {
    let idle = idle(bench);
    let connected = connected(bench);
    let of = |name: &str, figure: anyhow::Result<Figure>| {
        figure.unwrap_or_else(|error| Figure::missing(name, format!("{error:#}")))
    };
    vec![
        of("virtual user: memory without a connection", idle),
        of("virtual user: memory with an open connection", connected),
    ]
}

fn idle(bench: &Bench) -> anyhow::Result<Figure> {
    let plan = bench.plan("idle.toml", include_str!("../../plans/idle.toml"))?;
    let shop = bench.no_op(None, &[])?;
    let users = bench.settings.virtual_users;
    let held = |users: usize| {
        let traffic = Traffic::profiled(&plan).with(&["--users", &users.to_string()]);
        memory(
            bench,
            &shop,
            (&traffic.with(&["--connections", "64"]), SETTLED),
        )
    };
    let ((few, _), (many, manifest)) = (held(1)?, held(users)?);
    shop.stop()?;
    let (thinking, users) = (manifest.visits_cut, users as u64);
    anyhow::ensure!(
        thinking == users,
        "{thinking} of {users} users were thinking"
    );
    let each = each(few, many, users);
    let figure = Figure::new("virtual user: memory without a connection", "kB", each);
    let remark = format!("{} users", grouped(users));
    Ok(figure.at_most(20.0).noted(Some(remark)))
}

fn connected(bench: &Bench) -> anyhow::Result<Figure> {
    let plan = bench.plan("connected.toml", include_str!("../../plans/connected.toml"))?;
    let users = connections_max()?.min(bench.settings.virtual_users as u64);
    let text = users.to_string();
    let shop = bench.no_op(
        None,
        &[
            "--connections-max",
            &(users + 10).to_string(),
            "--in-flight-max",
            &(2 * users + 10).to_string(),
            "--commit-ms",
            COMMIT_MS,
            "--group-max",
            &text,
        ],
    )?;
    let held = |users: &str, settled| {
        let traffic = Traffic::profiled(&plan).with(&["--users", users, "--timeout", TIMEOUT]);
        let traffic = traffic.with(&["--connections", users]);
        memory(bench, &shop, (&traffic, settled))
    };
    let ((few, _), (many, manifest)) = (held("1", SETTLED)?, held(&text, SETTLED_CONNECTED)?);
    shop.stop()?;
    let open = manifest.generator.descriptors_max;
    anyhow::ensure!(
        open >= users,
        "{open} descriptors were open for {users} users"
    );
    let each = each(few, many, users);
    let figure = Figure::new("virtual user: memory with an open connection", "kB", each);
    Ok(figure.noted(Some(format!("{} users", grouped(users)))))
}

/// Connections to one address that descriptors and ports allow.
fn connections_max() -> anyhow::Result<u64> {
    let descriptors = Host::look().descriptors_limit.unwrap_or(u64::MAX);
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")?;
    let mut ends = range.split_whitespace().map(str::parse::<u64>);
    let (Some(Ok(first)), Some(Ok(last))) = (ends.next(), ends.next()) else {
        anyhow::bail!("the range of ports is not known: {range}");
    };
    let ports = (last - first).saturating_sub(PORTS_BESIDES);
    let most = descriptors.saturating_sub(DESCRIPTORS_BESIDES).min(ports);
    anyhow::ensure!(
        most > 0,
        "there are {descriptors} descriptors and {ports} ports"
    );
    Ok(most)
}

/// Resident memory of a load engine whose users all think, and whether they all did.
fn memory(
    bench: &Bench,
    shop: &Listening,
    (traffic, settled): (&Traffic, Duration),
) -> anyhow::Result<(u64, RunManifest)> {
    let mut storm = bench.begin_storm(shop, traffic)?;
    storm.go_on(settled)?;
    let resident = storm.usage().resident;
    let output = storm.stop()?;
    anyhow::ensure!(resident > 0, "the load engine ended with {}", output.status);
    Ok((resident, read_manifest(&bench.path("run"))?))
}

/// Kilobytes of each of many users.
fn each(few: u64, many: u64, users: u64) -> f64 {
    many.saturating_sub(few) as f64 / users as f64 / 1_000.0
}
