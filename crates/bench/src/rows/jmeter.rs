//! The same plan by Apache `JMeter` and by `double11 jmeter`: requests per second of processor time, and
//! memory. The generator has one core, the shop that stores nothing the other.
//!
//! What both do in their first seconds is left out. Java compiles while it runs: on one core `JMeter` needs
//! half a minute until it sends no more requests each second than in the one before.

use std::fs::File;
use std::io::BufReader;
use std::ops::Range;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use double11_measure::jtl;
use double11_store::{Clock as _, SystemClock};

use crate::bench::Bench;
use crate::figure::Figure;
use crate::process::{Background, Usage};

/// 64 buyers who never wait.
const ORDERS: &str = include_str!("../../plans/orders.jmx");
/// 1,000 buyers who think between orders.
const THINKING: &str = include_str!("../../plans/thinking.jmx");
/// What is left out at the beginning: the start, and as much again as is measured, up to this; of `JMeter`
/// five times as much.
const START: Duration = Duration::from_secs(4);
const WARM_UP_MAX: Duration = Duration::from_secs(6);
/// The last part of a run, in which users may be ending.
const TAIL: Duration = Duration::from_secs(2);
const MEBIBYTE: f64 = 1_048_576.0;

/// Who runs the plan.
#[derive(Debug, Clone, Copy)]
enum Runner {
    Ours,
    Real,
}

/// What a run cost between two looks at it.
struct Cost {
    requests: u64,
    processor: Duration,
    memory: f64,
}

pub(super) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let ours = cost(bench, Runner::Ours, ORDERS)?;
    figures.push(rate("ours", &ours));
    figures.push(memory("ours, 64 users", &ours));
    let thinking = cost(bench, Runner::Ours, THINKING)?;
    figures.push(memory("ours, 1,000 users who think", &thinking).at_most(100.0));
    match cost(bench, Runner::Real, ORDERS) {
        Ok(real) => {
            let share = |of: fn(&Cost) -> f64| of(&ours) / of(&real);
            figures.push(rate("JMeter", &real));
            figures.push(memory("JMeter, 64 users", &real));
            figures.push(
                Figure::new(
                    "jmeter plan: requests, share of JMeter's",
                    "x",
                    share(Cost::rate),
                )
                .at_least(8.0),
            );
            figures.push(
                Figure::new(
                    "jmeter plan: memory, share of JMeter's",
                    "x",
                    share(|cost| cost.memory),
                )
                .at_most(0.125),
            );
        }
        Err(error) => figures.push(Figure::missing("jmeter plan: JMeter", format!("{error:#}"))),
    }
    Ok(figures)
}

fn rate(who: &str, cost: &Cost) -> Figure {
    let name = format!("jmeter plan: requests a second of processor time, {who}");
    Figure::new(name, "/s", cost.rate())
}

fn memory(who: &str, cost: &Cost) -> Figure {
    Figure::new(format!("jmeter plan: memory, {who}"), "MiB", cost.memory)
}

impl Cost {
    /// Requests per second of processor time.
    fn rate(&self) -> f64 {
        self.requests as f64 / self.processor.as_secs_f64()
    }
}

/// Runs a plan against a shop of its own.
fn cost(bench: &Bench, runner: Runner, plan: &str) -> anyhow::Result<Cost> {
    let (shops, generators) = Bench::two_processors()?;
    let shop = bench.no_op(Some(shops), &[])?;
    let port = shop.target.rsplit(':').next().unwrap_or_default();
    let plan_file = bench.plan("plan.jmx", plan)?;
    let results = bench.path("plan.jtl");
    if results.exists() {
        std::fs::remove_file(&results)?;
    }
    let measured = Duration::from_secs(bench.settings.point_seconds());
    let warm_up = START + measured.min(WARM_UP_MAX) * runner.warm_ups();
    let whole = warm_up + measured + TAIL;
    let mut command = runner.command(bench, generators)?;
    command
        .args(["-n", "-t", &plan_file, "-l"])
        .arg(&results)
        .arg("-j")
        .arg(bench.path("plan.log"))
        .arg(format!("-Jport={port}"))
        .arg(format!("-Jduration={}", whole.as_secs()));
    let mut running = Background::start(&mut command)?;
    running.go_on(warm_up)?;
    let (begin, before) = (unix_ms(), running.usage());
    running.go_on(measured)?;
    let (end, after) = (unix_ms(), running.usage());
    let output = running.wait()?;
    anyhow::ensure!(
        output.status.success(),
        "{runner:?} ended with {}",
        output.status
    );
    let Usage {
        processor,
        resident_max,
        ..
    } = after.since(before);
    shop.stop()?;
    Ok(Cost {
        requests: requests(&results, &(begin..end))?,
        processor,
        memory: resident_max as f64 / MEBIBYTE,
    })
}

impl Runner {
    /// How many times as long as ours its warm-up takes.
    const fn warm_ups(self) -> u32 {
        match self {
            Self::Ours => 1,
            Self::Real => 5,
        }
    }

    fn command(self, bench: &Bench, cpus: &str) -> anyhow::Result<Command> {
        let mut command = Command::new("taskset");
        command.args(["-c", cpus]);
        match self {
            Self::Ours => command.arg(&bench.program).arg("jmeter"),
            Self::Real => {
                let target = bench.program.ancestors().nth(2);
                let home = target.context("the program lies in no target folder")?;
                let jar = home.join("test-tools/jmeter/bin/ApacheJMeter.jar");
                anyhow::ensure!(jar.exists(), "no Apache JMeter: `make tools` installs it");
                // The memory that JMeter's own script allows.
                command.args(["java", "-Xmx1g", "-jar"]).arg(jar)
            }
        };
        Ok(command)
    }
}

/// Samples of a result file that ended in a span of time; all of them must have succeeded.
fn requests(results: &Path, span: &Range<i64>) -> anyhow::Result<u64> {
    let file = File::open(results).with_context(|| format!("`{}`", results.display()))?;
    let reader =
        jtl::Reader::new(BufReader::new(file)).map_err(|problem| anyhow::anyhow!("{problem}"))?;
    let (mut count, mut failed) = (0, 0);
    let read = reader.for_each(1, |row| {
        let elapsed = i64::try_from(row.elapsed_ms).unwrap_or(i64::MAX);
        if span.contains(&row.time_stamp_ms.saturating_add(elapsed)) {
            count += 1;
            failed += u64::from(!row.success);
        }
    });
    anyhow::ensure!(
        failed == 0 && read.problem_count == 0 && count > 0,
        "{failed} of {count} samples failed, {} rows could not be read",
        read.problem_count
    );
    Ok(count)
}

/// Milliseconds since 1970, as result files count them.
fn unix_ms() -> i64 {
    SystemClock.now().millis()
}
