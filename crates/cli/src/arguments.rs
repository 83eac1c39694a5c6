//! The command line as clap reads it. Each option may also come from the environment
//! (`DOUBLE11_…`); the command line wins.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use double11_store::{Lever, Variant};
use double11_units::scale::Scale;

use crate::machine::parse_duration;

/// Rehearses a Double 11 sale: a shop, its shoppers, and a verdict one can believe.
#[derive(Debug, Parser)]
#[command(name = "double11", version, about, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// What to log on standard error: error, warn, info, debug, trace, or a filter by module.
    #[arg(
        long,
        global = true,
        env = "DOUBLE11_LOG",
        default_value = "warn",
        value_name = "FILTER"
    )]
    pub(crate) log: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The main job: measure both shops under the same traffic, audit them, write the report.
    #[command(after_help = "\
Examples:
  double11 rehearse --quick                 one pair of runs, three minutes, report in results/
  double11 rehearse --quick --seed 7        the same with other shoppers")]
    Rehearse(Rehearse),
    /// Run a shop.
    #[command(after_help = "\
Examples:
  double11 serve                            the optimised shop on http://127.0.0.1:8080
  double11 serve --variant baseline --enable search-index
  curl http://127.0.0.1:8080/api/products/random")]
    Serve(Box<Serve>),
    /// Storm a shop with shoppers and write down what happened.
    #[command(after_help = "\
Examples:
  double11 load funnel --target http://127.0.0.1:8080 --rate 100 --duration 60s --out run1
  double11 load orders --target http://127.0.0.1:8080 --users 64 --duration 30s --out run2
  double11 load funnel --base-users 100 --peak      the step table of 100 visitors at the peak")]
    Load(Box<Load>),
    /// Check a shop's store against what its clients were told.
    #[command(after_help = "\
Example:
  double11 audit --store sqlite:double11.db --ledger run1/client-ledger.jsonl")]
    Audit(Audit),
    /// Compare a run's own figures with those that the shop counted meanwhile.
    #[command(after_help = "\
Example:
  double11 validate --run run1")]
    Validate(Validate),
    /// Print what the records of Double 11 become at a scale of 1:N.
    #[command(after_help = "\
Example:
  double11 scale 1:10000")]
    Scale(ScaleArguments),
}

#[derive(Debug, Args)]
pub(crate) struct Rehearse {
    /// One pair of runs in at most three minutes.
    #[arg(long)]
    pub(crate) quick: bool,
    /// The two variants to compare, the plainer one first.
    #[arg(
        long,
        value_name = "A,B",
        value_delimiter = ',',
        default_value = "baseline,optimized"
    )]
    pub(crate) variants: Vec<Variant>,
    /// Where the report and the runs go.
    #[arg(
        long,
        env = "DOUBLE11_OUT",
        default_value = "results",
        value_name = "DIR"
    )]
    pub(crate) out: PathBuf,
    /// Decides catalogue, shoppers and gateway; the same seed gives the same rehearsal.
    #[arg(long, env = "DOUBLE11_SEED", default_value_t = 11)]
    pub(crate) seed: u64,
    /// Ports of the two shops; 0 lets the system choose.
    #[arg(
        long,
        value_name = "A,B",
        value_delimiter = ',',
        default_value = "8080,8081"
    )]
    pub(crate) ports: Vec<u16>,
    /// Products in the catalogue.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    pub(crate) products: u32,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Which shop: baseline, tuned or optimized.
    #[arg(long, env = "DOUBLE11_VARIANT", default_value = "optimized")]
    pub(crate) variant: Variant,
    /// Turn one optimisation on (repeatable).
    #[arg(long, value_name = "LEVER")]
    pub(crate) enable: Vec<Lever>,
    /// Turn one optimisation off (repeatable).
    #[arg(long, value_name = "LEVER")]
    pub(crate) disable: Vec<Lever>,
    /// Where the shop keeps its data.
    #[arg(
        long,
        env = "DOUBLE11_STORE",
        default_value = "sqlite:double11.db",
        value_name = "URL"
    )]
    pub(crate) store: String,
    /// Where the shop listens; port 0 lets the system choose.
    #[arg(long, env = "DOUBLE11_ADDR", default_value = "127.0.0.1:8080")]
    pub(crate) addr: SocketAddr,
    /// Where `/actuator` is served instead, off the public address.
    #[arg(long, env = "DOUBLE11_MANAGEMENT_ADDR", value_name = "ADDR")]
    pub(crate) management_addr: Option<SocketAddr>,
    /// Products of a store that is created now.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    pub(crate) products: u32,
    /// Decides catalogue and gateway.
    #[arg(long, env = "DOUBLE11_SEED", default_value_t = 11)]
    pub(crate) seed: u64,
    /// Pieces of each product of a store that is created now; without it the catalogue decides.
    #[arg(long, value_name = "PIECES")]
    pub(crate) stock: Option<u32>,
    /// How long an unpaid order holds its stock.
    #[arg(long, value_parser = parse_duration, default_value = "15m")]
    pub(crate) payment_window: Duration,
    /// Say in the metrics that a sale is on.
    #[arg(long)]
    pub(crate) sale: bool,
    /// Median latency of the sandbox gateway.
    #[arg(long, value_parser = parse_duration, default_value = "2ms")]
    pub(crate) gateway_latency: Duration,
    /// Share of payments that the sandbox gateway declines, 0 to 1.
    #[arg(long, default_value_t = 0.0, value_parser = parse_share)]
    pub(crate) gateway_decline: f64,
    /// Who may call a shop that listens beyond loopback; must be said there.
    #[arg(long)]
    pub(crate) auth: Option<Auth>,
    /// Keep the shop on these cores.
    #[arg(long, value_name = "CORES", value_delimiter = ',')]
    pub(crate) cpus: Vec<usize>,
    #[command(flatten)]
    pub(crate) limits: ServeLimits,
    /// End when the process that started this one ends.
    #[arg(long, hide = true)]
    pub(crate) end_with_parent: bool,
    /// Wrong on purpose, for the audit's own test.
    #[arg(long, hide = true)]
    pub(crate) read_then_write_stock: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct ServeLimits {
    /// Largest request body, in bytes.
    #[arg(long, default_value_t = 65_536)]
    pub(crate) body_bytes: usize,
    /// Longest time for a request head to arrive.
    #[arg(long, value_parser = parse_duration, default_value = "5s")]
    pub(crate) head_timeout: Duration,
    /// Connections at a time.
    #[arg(long, default_value_t = 4_096)]
    pub(crate) connections_max: usize,
    /// Requests in process at a time with the lever `admission`.
    #[arg(long, default_value_t = 1_024)]
    pub(crate) in_flight_max: usize,
    /// Writes that wait for the store's writer with the lever `group-commit`.
    #[arg(long, default_value_t = 8_192)]
    pub(crate) queue_max: usize,
    /// Most writes in one transaction with the lever `group-commit`.
    #[arg(long, default_value_t = 512)]
    pub(crate) group_max: usize,
    /// Pooled connections to the store with the lever `pool`.
    #[arg(long, default_value_t = 8, value_parser = parse_pool_size)]
    pub(crate) pool_size: usize,
    /// Threads that may block in the store at a time without the lever `group-commit`.
    #[arg(long, default_value_t = 200)]
    pub(crate) store_threads: usize,
    /// How long a shutdown waits for requests in process.
    #[arg(long, value_parser = parse_duration, default_value = "10s")]
    pub(crate) drain_deadline: Duration,
}

/// Who may call a shop that listens beyond loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Auth {
    /// Everybody who can reach the address.
    None,
}

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

#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// The store to audit.
    #[arg(long, env = "DOUBLE11_STORE", value_name = "URL")]
    pub(crate) store: String,
    /// What a load run wrote down of its writes (repeatable).
    #[arg(long, value_name = "FILE")]
    pub(crate) ledger: Vec<PathBuf>,
    /// What the gateway wrote down; without it the file beside the store, if there is one.
    #[arg(long, value_name = "FILE")]
    pub(crate) gateway_ledger: Option<PathBuf>,
    /// The ledgers hold every write that this store was ever sent.
    #[arg(long)]
    pub(crate) complete: bool,
    /// Payments or refunds that are still in process are no fault.
    #[arg(long)]
    pub(crate) unsettled: bool,
    /// Print the report as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// The folder of a run that was made while its target's metrics were scraped.
    #[arg(long, value_name = "DIR")]
    pub(crate) run: PathBuf,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ScaleArguments {
    /// The scale, such as 1:10000.
    pub(crate) scale: Scale,
}

fn parse_share(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| format!("`{text}` is not a share between 0 and 1"))
}

fn parse_pool_size(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|size| (1..=1_000).contains(size))
        .ok_or_else(|| format!("`{text}` is not a number between 1 and 1000"))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    #[test]
    fn the_command_line_is_consistent() {
        super::Arguments::command().debug_assert();
    }

    #[test]
    fn only_the_step_table_needs_no_target() {
        let parse = |words: &[&str]| {
            let all = ["double11", "load", "funnel"].iter().chain(words);
            super::Arguments::try_parse_from(all).is_ok()
        };
        assert!(parse(&["--base-users", "100", "--peak"]));
        assert!(parse(&["--target", "http://127.0.0.1:1", "--rate", "5"]));
        assert!(!parse(&["--rate", "5"]));
    }
}
