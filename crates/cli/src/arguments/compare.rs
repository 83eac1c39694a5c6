//! The options of `compare`.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::ReportArguments;

#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// A run of the plainer shop: a run directory, or a JTL file of any tool (repeatable).
    #[arg(long, value_name = "RUN", required = true)]
    pub(crate) baseline: Vec<PathBuf>,
    /// A run of the other shop; given as often, the first of both make the first pair.
    #[arg(long, value_name = "RUN", required = true)]
    pub(crate) optimized: Vec<PathBuf>,
    /// The page to write; the same as data goes beside it as `.json`.
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    pub(crate) output: PathBuf,
    /// The phase to judge; without it the busiest one of all runs.
    #[arg(long, value_name = "NAME")]
    pub(crate) phase: Option<String>,
    #[command(flatten)]
    pub(crate) report: ReportArguments,
}
