//! The rows of the bench, and what they share: shops, storms and their folders.

mod engine;
mod orders;
mod others;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use clap::ValueEnum;
use double11_load::run_directory::SUMMARY;
use double11_load::{RunManifest, read_manifest};
use double11_measure::run::{StepSummary, Summary};

use crate::figure::Figure;
use crate::process::{self, Listening};

/// What can be measured, in the order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Row {
    /// The disk: how long `fdatasync` takes.
    Sync,
    /// The HTTP stack with a store that stores nothing.
    Ceiling,
    /// The load engine beside `wrk`.
    Engine,
    /// Durable orders.
    Orders,
    /// Durable payments.
    Payments,
    /// The mixed funnel at its peak.
    Funnel,
    /// From the program's start to its first answer.
    StartUp,
}

impl Row {
    pub(crate) const ALL: [Self; 7] = [
        Self::Sync,
        Self::Ceiling,
        Self::Engine,
        Self::Orders,
        Self::Payments,
        Self::Funnel,
        Self::StartUp,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Ceiling => "ceiling",
            Self::Engine => "engine",
            Self::Orders => "orders",
            Self::Payments => "payments",
            Self::Funnel => "funnel",
            Self::StartUp => "start-up",
        }
    }
}

/// What the rows work with.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) program: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) seconds: u64,
    pub(crate) stored_orders: u64,
    /// The store that already holds many orders, once it is made.
    pub(crate) grown: Option<PathBuf>,
}

/// A storm that is over.
#[derive(Debug)]
struct Storm {
    summary: Summary,
    manifest: RunManifest,
    /// Processor time of the load engine.
    processor: Duration,
    folder: PathBuf,
}

impl Storm {
    fn step(&self, name: &str) -> anyhow::Result<&StepSummary> {
        let mut steps = self.summary.whole.steps.iter();
        steps
            .find(|step| step.step == name)
            .with_context(|| format!("the plan has no step `{name}`"))
    }

    /// Answers as wished per second, by their ends, within the measured phase.
    fn per_second(&self, step: &StepSummary) -> f64 {
        step.completed_successes as f64 / self.summary.whole.duration_s
    }
}

impl Bench {
    /// The figures of a row; an error becomes the reason why there are none.
    pub(crate) fn measure(&mut self, row: Row) -> Vec<Figure> {
        let measured = match row {
            Row::Sync => others::sync(self),
            Row::Ceiling => engine::ceiling(self),
            Row::Engine => engine::beside_wrk(self),
            Row::Orders => orders::orders(self),
            Row::Payments => orders::payments(self),
            Row::Funnel => others::funnel(self),
            Row::StartUp => others::start_up(self),
        };
        measured.unwrap_or_else(|error| vec![Figure::missing(row.name(), format!("{error:#}"))])
    }

    /// Removes what rows keep from round to round.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        match self.grown.take() {
            Some(store) => remove_store(&store),
            None => Ok(()),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// An optimised shop on this store, which is made when it is not there.
    fn shop(&self, store: &Path, more: &[&str]) -> anyhow::Result<Listening> {
        let mut command = Command::new(&self.program);
        command
            .args(["serve", "--end-with-parent", "--addr", "127.0.0.1:0"])
            .args(["--stock", "1000000000", "--payment-window", "10h"])
            .arg("--store")
            .arg(format!("sqlite:{}", store.display()))
            .args(more);
        Listening::start(&mut command, &self.path("shop.log"))
    }

    /// Storms a shop and reads what came of it.
    fn storm(&self, target: &str, plan: &str, more: &[&str]) -> anyhow::Result<Storm> {
        let folder = self.path("run");
        let mut command = Command::new(&self.program);
        command
            .args(["load", plan, "--force", "--target", target])
            .args(["--out", &folder.display().to_string()])
            .args(more);
        let (output, processor) = process::run(&mut command)?;
        // 4: the load engine was the limit, which the figures tell as well.
        anyhow::ensure!(
            matches!(output.status.code(), Some(0 | 4)),
            "`load {plan}` ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
        let summary = std::fs::read(folder.join(SUMMARY))?;
        Ok(Storm {
            summary: serde_json::from_slice(&summary)?,
            manifest: read_manifest(&folder)?,
            processor,
            folder,
        })
    }

    fn seconds(&self) -> String {
        format!("{}s", self.seconds)
    }
}

/// Removes a store with its log, lock and ledger.
fn remove_store(store: &Path) -> anyhow::Result<()> {
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
