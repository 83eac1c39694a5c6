//! `make bench`: every speed figure of the project, side by side in one run.
//!
//! The program itself is measured, as a user starts it: `double11 serve` and `double11 load` are child
//! processes, known by their command lines and their files. Rows take turns, round after round, so that
//! a machine that changes its mind spoils all of them alike; what is printed is the median over the
//! rounds. What cannot be measured says why.

mod figure;
mod no_op;
mod probe;
mod process;
mod rows;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};

use figure::Record;
use rows::{Bench, Row};

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
    /// Be a shop whose store stores nothing: the ceiling of the HTTP stack.
    NoOp(no_op::NoOp),
}

#[derive(Debug, Args)]
struct Run {
    /// How often every row is measured.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How long each storm of a row lasts, in seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Orders that the store holds before orders are measured.
    #[arg(long, default_value_t = 1_000_000)]
    stored_orders: u64,
    /// Measure these rows only (repeatable).
    #[arg(long)]
    only: Vec<Row>,
    /// Where the stores and runs go; a temporary folder without it. They are removed afterwards.
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
        Row::ALL.to_vec()
    } else {
        options.only.clone()
    };
    let mut record = Record::begin(folder.path(), options.rounds, options.seconds)?;
    let mut bench = Bench {
        program,
        folder: folder.path().to_owned(),
        seconds: options.seconds,
        stored_orders: options.stored_orders,
        grown: None,
    };
    for round in 1..=options.rounds {
        for row in &rows {
            table::say(&format!(
                "round {round} of {}: {}",
                options.rounds,
                row.name()
            ));
            let figures = bench.measure(*row);
            record.take(figures);
        }
    }
    bench.stop()?;
    table::print(&record);
    record.write(&options.out)
}
