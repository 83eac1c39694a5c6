//! Durable orders per second on MariaDB, with Redis beside it and everything on the same processors: by the plan
//! `orders`, first with a group of orders in each transaction, then on the same server with one, with samples,
//! ledger and metrics kept, and audited.

use std::path::PathBuf;
use std::process::Command;

use double11_servers::{MariaDb, Redis};

use crate::bench::{Bench, Storm, Traffic};
use crate::figure::Figure;
use crate::process::{self, Listening};

/// What a server of this size would be given: room for its pages and for a log that is not the limit.
const DATABASE: [&str; 2] = ["--innodb-buffer-pool-size=2G", "--innodb-log-file-size=1G"];

/// A database, a cache, and the ledger of the gateway.
struct Servers {
    database: MariaDb,
    cache: Redis,
}

/// One database of them.
struct Store {
    environment: [(&'static str, String); 2],
    gateway_ledger: PathBuf,
}

impl Servers {
    fn start() -> anyhow::Result<Self> {
        Ok(Self {
            database: MariaDb::start_with(&DATABASE)?,
            cache: Redis::start()?,
        })
    }

    /// A new database with its tables, and a prefix of its own in the cache.
    fn store(&self, bench: &Bench, name: &str) -> anyhow::Result<Store> {
        let url = self.database.create_database(name)?;
        let cache = format!("{}?prefix={name}:", self.cache.url());
        let store = Store {
            environment: [("DOUBLE11_STORE", url), ("DOUBLE11_CACHE", cache)],
            gateway_ledger: bench.path(&format!("{name}.gateway")),
        };
        let mut migrate = Command::new(&bench.program);
        migrate.arg("migrate").envs(store.environment.clone());
        let (output, _) = process::run(&mut migrate)?;
        anyhow::ensure!(
            output.status.success(),
            "the tables could not be made: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(store)
    }

    /// Processor time of the database and of the cache.
    fn processor(&self) -> [std::time::Duration; 2] {
        [self.database.pid(), self.cache.pid()]
            .map(|pid| pid.map(process::usage).unwrap_or_default().processor)
    }
}

pub(super) fn measure(bench: &mut Bench) -> anyhow::Result<Vec<Figure>> {
    let servers = Servers::start()?;
    let mut figures = Vec::new();
    let grouped = storm(bench, &servers, "grouped", &[], &mut figures)?;
    let lever = ["--disable", "group-commit"];
    let single = storm(bench, &servers, "single", &lever, &mut figures)?;
    figures.push(
        Figure::new(
            "orders on MariaDB: with group commit / without",
            "x",
            grouped / single,
        )
        .at_least(3.0),
    );
    Ok(figures)
}

/// One storm on a database of its own; the durable orders per second.
fn storm(
    bench: &Bench,
    servers: &Servers,
    name: &str,
    levers: &[&str],
    figures: &mut Vec<Figure>,
) -> anyhow::Result<f64> {
    let store = servers.store(bench, name)?;
    let shop = shop(bench, &store, levers)?;
    let before = servers.processor();
    let traffic = Traffic::closed("orders", bench.settings.buyers, bench.settings.seconds);
    let storm = bench.storm(&shop, &traffic)?;
    let used = servers.processor();
    shop.stop()?;
    storm.is_whole()?;
    let orders = storm.step("order")?;
    let rate = storm.per_second(orders.completed_successes);
    let figure = |what: &str, unit, value| {
        Figure::new(format!("orders on MariaDB, {name}: {what}"), unit, value)
    };
    let micros = |processor| Storm::micros(processor, orders.succeeded);
    let durable = figure("durable", "/s", rate);
    let more = vec![
        if levers.is_empty() {
            durable.at_least(20_000.0)
        } else {
            durable
        },
        Figure::sampled(
            format!("orders on MariaDB, {name}: P99"),
            "ms",
            orders.response_time.p99_ms,
        ),
        figure("processor time, shop", "us", micros(storm.shop.processor)),
        figure(
            "processor time, database",
            "us",
            micros(used[0].saturating_sub(before[0])),
        ),
        figure(
            "processor time, cache",
            "us",
            micros(used[1].saturating_sub(before[1])),
        ),
        figure("processor time, load engine", "us", micros(storm.engine)),
    ];
    figures.extend(storm.remarked(more));
    let mut audit = Command::new(&bench.program);
    audit
        .arg("audit")
        .arg("--gateway-ledger")
        .arg(&store.gateway_ledger)
        .envs(store.environment);
    figures.push(figure("audit findings", "", bench.findings(audit)?).at_most(0.0));
    Ok(rate)
}

fn shop(bench: &Bench, store: &Store, levers: &[&str]) -> anyhow::Result<Listening> {
    let mut serve = bench.serve();
    serve
        .arg("--gateway-ledger")
        .arg(&store.gateway_ledger)
        .args(levers)
        .envs(store.environment.clone());
    Listening::start(&mut serve, &bench.path("shop.log"))
}
