//! Durable orders and payments: the whole write path, with the load engine on the same cores.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Bench, Storm, remove_store};
use crate::figure::Figure;
use crate::process::{self, Usage};
use crate::table::say;

/// Buyers at a time, each of whom waits for the answer before ordering again.
const BUYERS: &str = "512";

/// Orders per second on a store that already holds many, by the plan `orders`, across checkpoints, with
/// samples, ledger and metrics kept, and audited.
pub(super) fn orders(bench: &mut Bench) -> anyhow::Result<Vec<Figure>> {
    let store = match &bench.grown {
        Some(store) => store.clone(),
        None => grow(bench)?,
    };
    let shop = bench.shop(&store, &[])?;
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
    let mut figures = of_writes(&storm, "order", used)?;
    if let Some(rate) = figures.first_mut() {
        *rate = rate.clone().at_least(58_300.0);
    }
    figures.push(audited(bench, &store, &storm)?.at_most(0.0));
    Ok(figures)
}

/// Payments per second, each of an order that was placed right before.
pub(super) fn payments(bench: &mut Bench) -> anyhow::Result<Vec<Figure>> {
    let plan = bench.path("pay.toml");
    std::fs::write(&plan, include_str!("../../plans/pay.toml"))?;
    let store = bench.path("payments.db");
    let shop = bench.shop(&store, &[])?;
    let before = shop.usage();
    let seconds = bench.seconds();
    let storm = bench.storm(
        &shop.target,
        &plan.display().to_string(),
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
    let mut figures = of_writes(&storm, "payment", used)?;
    if let Some(rate) = figures.first_mut() {
        *rate = rate.clone().at_least(25_600.0);
    }
    figures.push(audited(bench, &store, &storm)?.at_most(0.0));
    remove_store(&store)?;
    Ok(figures)
}

fn of_writes(storm: &Storm, step: &str, used: Usage) -> anyhow::Result<Vec<Figure>> {
    let writes = storm.step(step)?;
    let count = writes.succeeded.max(1) as f64;
    let name = |what: &str| format!("{step}s: {what}");
    let failed = storm.summary.whole.total.failed;
    anyhow::ensure!(
        failed == 0,
        "{failed} requests failed: {:?}",
        writes.failures
    );
    let micros = |processor: std::time::Duration| processor.as_secs_f64() * 1e6 / count;
    let milliseconds = |value: Option<f64>| value.unwrap_or(f64::NAN);
    Ok(vec![
        Figure::new(name("durable"), "/s", storm.per_second(writes)),
        Figure::new(name("P50"), "ms", milliseconds(writes.response_time.p50_ms)),
        Figure::new(name("P99"), "ms", milliseconds(writes.response_time.p99_ms)),
        Figure::new(name("processor time, shop"), "us", micros(used.processor)),
        Figure::new(
            name("processor time, load engine"),
            "us",
            micros(storm.processor),
        ),
        Figure::new(
            name("written to the disk by the shop"),
            "bytes",
            used.written as f64 / count,
        ),
        Figure::new(
            name("memory of the shop"),
            "MiB",
            used.resident as f64 / 1_048_576.0,
        ),
    ])
}

/// Violations that the audit finds, by exit code: 0 or not.
fn audited(bench: &Bench, store: &Path, storm: &Storm) -> anyhow::Result<Figure> {
    let mut command = Command::new(&bench.program);
    command
        .arg("audit")
        .args(["--store", &format!("sqlite:{}", store.display())])
        .arg("--ledger")
        .arg(storm.folder.join(double11_load::run_directory::LEDGER));
    let (output, _) = process::run(&mut command)?;
    let code = output.status.code();
    anyhow::ensure!(
        matches!(code, Some(0 | 1)),
        "the audit ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let name = format!("{}: audit findings", storm.manifest.plan.name);
    Ok(Figure::new(name, "", f64::from(u8::from(code == Some(1)))))
}

/// Makes the store that already holds many orders.
fn grow(bench: &mut Bench) -> anyhow::Result<PathBuf> {
    let store = bench.path("grown.db");
    let shop = bench.shop(&store, &[])?;
    let mut stored = 0;
    while stored < bench.stored_orders {
        let storm = bench.storm(
            &shop.target,
            "orders",
            &[
                "--users",
                BUYERS,
                "--duration",
                "10s",
                "--connections",
                BUYERS,
                "--samples",
                "none",
            ],
        )?;
        let placed = storm.step("order")?.succeeded;
        anyhow::ensure!(placed > 0, "no order could be placed");
        stored += placed;
        say(&format!("  {stored} orders stored"));
    }
    shop.stop()?;
    bench.grown = Some(store.clone());
    Ok(store)
}
