//! What the rows share: shops, storms and their folders.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::Context as _;
use double11_load::run_directory::{LEDGER, SAMPLES, SUMMARY, TIME_SERIES};
use double11_load::{RunManifest, read_manifest};
use double11_measure::run::{StepSummary, Summary, TimeSeries};
use serde::de::DeserializeOwned;

use crate::figure::Figure;
use crate::process::{self, Background, Listening, Usage};
use crate::settings::Settings;

/// Where a shop listens when nobody else has to know.
const ANYWHERE: &str = "127.0.0.1:0";

/// What the rows work with.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) program: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) settings: Settings,
    /// Stores that already hold orders, by how many were asked for.
    pub(crate) grown: BTreeMap<u64, PathBuf>,
    /// Stores of which nothing is changed, by their number of products.
    pub(crate) catalogues: BTreeMap<u32, PathBuf>,
    /// The files that are reported on.
    pub(crate) jtl: Option<PathBuf>,
    /// Durable orders per second in this round, once they are measured.
    pub(crate) capacity: Option<f64>,
}

/// What a shop is put under.
#[derive(Debug, Clone)]
pub(crate) struct Traffic {
    plan: String,
    arguments: Vec<String>,
}

impl Traffic {
    /// Buyers, each with a connection, who wait for every answer.
    pub(crate) fn closed(plan: &str, users: usize, seconds: u64) -> Self {
        Self::new(plan, seconds).with(&["--users", &users.to_string()])
    }

    /// Requests a second, whatever the answers.
    pub(crate) fn open(plan: &str, rate: f64, seconds: u64) -> Self {
        Self::new(plan, seconds).with(&["--rate", &format!("{rate:.1}")])
    }

    fn new(plan: &str, seconds: u64) -> Self {
        Self::profiled(plan).with(&["--duration", &format!("{seconds}s")])
    }

    /// As the plan's own profile says.
    pub(crate) fn profiled(plan: &str) -> Self {
        Self {
            plan: plan.to_owned(),
            arguments: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, arguments: &[&str]) -> Self {
        let more = arguments.iter().map(|&argument| argument.to_owned());
        self.arguments.extend(more);
        self
    }
}

/// A storm that is over.
#[derive(Debug)]
pub(crate) struct Storm {
    pub(crate) summary: Summary,
    pub(crate) manifest: RunManifest,
    /// Processor time of the load engine.
    pub(crate) engine: Duration,
    /// What the shop used meanwhile.
    pub(crate) shop: Usage,
    pub(crate) folder: PathBuf,
}

impl Storm {
    pub(crate) fn total(&self) -> &StepSummary {
        &self.summary.whole.total
    }

    pub(crate) fn step(&self, name: &str) -> anyhow::Result<&StepSummary> {
        let mut steps = self.summary.whole.steps.iter();
        steps
            .find(|step| step.step == name)
            .with_context(|| format!("the plan has no step `{name}`"))
    }

    /// A count as a rate over the measured phases.
    pub(crate) fn per_second(&self, count: u64) -> f64 {
        count as f64 / self.summary.whole.duration_s
    }

    /// Microseconds of processor time for each of `count`.
    pub(crate) fn micros(processor: Duration, count: u64) -> f64 {
        processor.as_secs_f64() * 1e6 / count as f64
    }

    /// An error when anything failed, or nothing succeeded.
    pub(crate) fn is_whole(&self) -> anyhow::Result<()> {
        let total = self.total();
        anyhow::ensure!(
            total.failed == 0,
            "{} of {} requests failed: {:?}",
            total.failed,
            total.attempted,
            total.failures
        );
        anyhow::ensure!(total.succeeded > 0, "no request succeeded");
        Ok(())
    }

    /// That the load engine was the limit, where it was.
    pub(crate) fn limit(&self) -> Option<String> {
        let health = &self.manifest.generator;
        let reasons = health.reasons.join("; ");
        health
            .generator_limited
            .then(|| format!("the load engine was the limit: {reasons}"))
    }

    /// The same figures, with the remark that the load engine was the limit where it was.
    pub(crate) fn remarked(&self, figures: Vec<Figure>) -> Vec<Figure> {
        let noted = |figure: Figure| figure.noted(self.limit());
        figures.into_iter().map(noted).collect()
    }

    pub(crate) fn time_series(&self) -> anyhow::Result<TimeSeries> {
        json(&self.folder.join(TIME_SERIES))
    }

    pub(crate) fn samples(&self) -> PathBuf {
        self.folder.join(SAMPLES)
    }
}

impl Bench {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes a plan of the bench's own; its path.
    pub(crate) fn plan(&self, name: &str, text: &str) -> anyhow::Result<String> {
        let path = self.path(name);
        std::fs::write(&path, text)?;
        Ok(path.display().to_string())
    }

    /// An optimised shop on this store, which is made when it is not there.
    pub(crate) fn shop(&self, store: &Path, more: &[&str]) -> anyhow::Result<Listening> {
        self.shop_at(ANYWHERE, store, more)
    }

    /// The same at a given address.
    pub(crate) fn shop_at(
        &self,
        addr: &str,
        store: &Path,
        more: &[&str],
    ) -> anyhow::Result<Listening> {
        let mut command = self.serve_at(addr);
        command
            .arg("--store")
            .arg(format!("sqlite:{}", store.display()))
            .args(more);
        Listening::start(&mut command, &self.path("shop.log"))
    }

    /// The command of a shop with room for every order, on a port of the system's choice; its store is to be added.
    pub(crate) fn serve(&self) -> Command {
        self.serve_at(ANYWHERE)
    }

    fn serve_at(&self, addr: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(["serve", "--end-with-parent", "--addr", addr])
            .args(["--stock", "1000000000", "--payment-window", "10h"]);
        command
    }

    /// The bench's own shop, whose store stores nothing; on these processors.
    pub(crate) fn no_op(&self, cpus: Option<&str>, more: &[&str]) -> anyhow::Result<Listening> {
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
            .args(["no-op", "--threads", threads])
            .args(more)
            .arg("--ledger")
            .arg(self.path("no-op.gateway"));
        Listening::start(&mut command, &self.path("no-op.log"))
    }

    /// Storms a shop and reads what came of it.
    pub(crate) fn storm(&self, shop: &Listening, traffic: &Traffic) -> anyhow::Result<Storm> {
        let before = shop.usage();
        let (output, engine) = process::run(&mut self.storming(&shop.target, traffic))?;
        let used = shop.usage().since(before);
        self.storm_of(&output, engine, used)
    }

    /// Begins a storm that goes on by itself.
    pub(crate) fn begin_storm(
        &self,
        shop: &Listening,
        traffic: &Traffic,
    ) -> anyhow::Result<Background> {
        Background::start(&mut self.storming(&shop.target, traffic))
    }

    fn storming(&self, target: &str, traffic: &Traffic) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(["load", &traffic.plan, "--force", "--target", target])
            .args(["--out", &self.path("run").display().to_string()])
            .args(&traffic.arguments);
        command
    }

    /// What came of a storm, from its files.
    pub(crate) fn storm_of(
        &self,
        output: &Output,
        engine: Duration,
        shop: Usage,
    ) -> anyhow::Result<Storm> {
        // 4: the load engine was the limit, which the figures tell as well.
        anyhow::ensure!(
            matches!(output.status.code(), Some(0 | 4)),
            "the load engine ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
        let folder = self.path("run");
        Ok(Storm {
            summary: json(&folder.join(SUMMARY))?,
            manifest: read_manifest(&folder)?,
            engine,
            shop,
            folder,
        })
    }

    /// Whether the audit finds violations in a store and the latest ledger: 1, or 0 when it does not.
    pub(crate) fn audited(&self, store: &Path) -> anyhow::Result<f64> {
        let mut command = Command::new(&self.program);
        command
            .arg("audit")
            .args(["--store", &format!("sqlite:{}", store.display())]);
        self.findings(command)
    }

    /// The same by an audit of which only the latest ledger is to be added.
    pub(crate) fn findings(&self, mut audit: Command) -> anyhow::Result<f64> {
        audit.arg("--ledger").arg(self.path("run").join(LEDGER));
        let (output, _) = process::run(&mut audit)?;
        match output.status.code() {
            Some(0) => Ok(0.0),
            Some(1) => Ok(1.0),
            _ => anyhow::bail!(
                "the audit ended with {}: {}",
                output.status,
                String::from_utf8_lossy(&output.stderr).trim()
            ),
        }
    }

    /// A store that is new.
    pub(crate) fn fresh(&self, name: &str) -> anyhow::Result<PathBuf> {
        let store = self.path(name);
        // What a row left behind that failed half-way.
        remove_store(&store)?;
        Ok(store)
    }

    /// Processors of which shop and load engine get one each, or why that cannot be.
    pub(crate) fn two_processors() -> anyhow::Result<(&'static str, &'static str)> {
        let count = std::thread::available_parallelism()?.get();
        anyhow::ensure!(count >= 2, "shop and load engine need a processor each");
        Ok(("0", "1"))
    }
}

fn json<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = std::fs::read(path).with_context(|| format!("`{}`", path.display()))?;
    Ok(serde_json::from_slice(&text)?)
}

/// Removes a store with its log, lock and ledger.
pub(crate) fn remove_store(store: &Path) -> anyhow::Result<()> {
    let name = store.file_name().context("a store has a name")?.to_owned();
    let folder = store.parent().context("a store has a folder")?;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let belongs = entry
            .file_name()
            .to_string_lossy()
            .starts_with(&*name.to_string_lossy());
        if belongs {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
