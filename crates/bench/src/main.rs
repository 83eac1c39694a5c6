//! `make bench`: every speed figure of the project, side by side in one run.
//!
//! The program itself is measured, as a user starts it: `double11 serve` and `double11 load` are child
//! processes, known by their command lines and their files. Rows take turns, round after round, so that
//! a machine that changes its mind spoils all of them alike; what is printed is the median over the
//! rounds. What cannot be measured says why.

mod bench;
mod busy;
mod facts;
mod figure;
mod no_op;
mod numbers;
mod plot;
mod probe;
mod process;
mod record;
mod rows;
mod settings;
mod table;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand, ValueEnum as _};

use bench::Bench;
use facts::Facts;
use record::Record;
use rows::Row;
use settings::Settings;

/// Measures every speed figure of the project.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure, print a table and write JSON.
    Run(Run),
    /// Draw the curves of a record.
    Plot(plot::Plot),
    /// Be a shop whose store stores nothing: the ceiling of the HTTP stack.
    NoOp(no_op::NoOp),
}

#[derive(Debug, Args)]
struct Run {
    #[command(flatten)]
    settings: Settings,
    /// Measure these rows only (repeatable).
    #[arg(long, value_name = "ROW")]
    only: Vec<Row>,
    /// Where the stores and runs go; a temporary folder without it. They are
    /// removed afterwards.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// The program that is measured.
    #[arg(long, default_value = "target/release/double11")]
    program: PathBuf,
    /// Where the figures go.
    #[arg(long, default_value = "results/bench.json")]
    out: PathBuf,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Run(options) => run(&options),
        Command::Plot(options) => plot::draw(&options),
        Command::NoOp(options) => no_op::serve(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            table::say(&format!("error: {error:#}"));
            ExitCode::from(3)
        }
    }
}

fn run(options: &Run) -> anyhow::Result<()> {
    let program = options
        .program
        .canonicalize()
        .with_context(|| format!("`{}`: build it first", options.program.display()))?;
    let folder = match &options.folder {
        Some(parent) => tempfile::tempdir_in(parent),
        None => tempfile::tempdir(),
    };
    let folder = folder.context("no folder for stores and runs")?;
    let rows = if options.only.is_empty() {
        Row::value_variants().to_vec()
    } else {
        options.only.clone()
    };
    let settings = options.settings.clone();
    anyhow::ensure!(
        settings.rounds > 0 && settings.seconds > 0 && settings.buyers > 0,
        "nothing to measure"
    );
    let facts = Facts::look(&program, folder.path(), settings.probe())?;
    let mut record = Record::begin(facts, settings.clone());
    let mut bench = Bench {
        program,
        folder: folder.path().to_owned(),
        settings,
        grown: BTreeMap::new(),
        catalogues: BTreeMap::new(),
        jtl: None,
        capacity: None,
    };
    let rounds = options.settings.rounds;
    for round in 1..=rounds {
        bench.capacity = None;
        for row in &rows {
            let name = row.name();
            table::say(&format!("round {round} of {rounds}: {name}"));
            record.take(&name, bench.measure(*row));
        }
    }
    bench.stop()?;
    record.finish();
    table::print(&record);
    record.write(&options.out)
}
