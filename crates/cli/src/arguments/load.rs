//! The options of `load`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::machine::parse_duration;

#[derive(Debug, Args)]
pub(crate) struct Load {
    /// The plan: funnel or orders.
    pub(crate) plan: String,
    /// The shop to storm.
    #[arg(
        long,
        env = "DOUBLE11_TARGET",
        value_name = "URL",
        required_unless_present = "base_users"
    )]
    pub(crate) target: Option<String>,
    /// Send nothing; print how many of this many visitors the plan leads to each step.
    #[arg(long, value_name = "N")]
    pub(crate) base_users: Option<u32>,
    /// Requests per second to offer (open model).
    #[arg(long, conflicts_with = "users")]
    pub(crate) rate: Option<f64>,
    /// Virtual users (closed model).
    #[arg(long)]
    pub(crate) users: Option<u32>,
    /// How long to storm.
    #[arg(long, value_parser = parse_duration, default_value = "30s")]
    pub(crate) duration: Duration,
    /// How long the rate rises to its full height before.
    #[arg(long, value_parser = parse_duration, default_value = "0s")]
    pub(crate) ramp: Duration,
    /// Shop as at the peak of the sale instead of a normal day.
    #[arg(long)]
    pub(crate) peak: bool,
    /// Connections at a time; a due start without one waits and is late.
    #[arg(long, default_value_t = 256)]
    pub(crate) connections: u32,
    /// Starts that wait or run at a time; beyond it a start is dropped and counts as failed.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) max_in_flight: u32,
    /// How long to wait for an answer.
    #[arg(long, value_parser = parse_duration, default_value = "5s")]
    pub(crate) timeout: Duration,
    /// Decides instants and choices.
    #[arg(long, env = "DOUBLE11_SEED", default_value_t = 11)]
    pub(crate) seed: u64,
    /// Products that exist in the target's catalogue.
    #[arg(long, default_value_t = 100_000)]
    pub(crate) products: u32,
    /// Generator threads; without it one per core.
    #[arg(long)]
    pub(crate) threads: Option<u16>,
    /// Keep the generator on these cores.
    #[arg(long, value_name = "CORES", value_delimiter = ',')]
    pub(crate) cpus: Vec<usize>,
    /// Which samples to keep: all, errors, 1:N or none. Histograms always hold all of them.
    #[arg(long, default_value = "all")]
    pub(crate) samples: String,
    /// Where the run's files go.
    #[arg(long, env = "DOUBLE11_OUT", default_value = "run", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Write into a folder that is not empty.
    #[arg(long)]
    pub(crate) force: bool,
}
