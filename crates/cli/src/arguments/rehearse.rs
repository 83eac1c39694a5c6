//! The options of `rehearse`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use double11_monitor::prometheus::SELECTOR_DEFAULT;
use double11_store::Variant;

use crate::arguments::load::parse_parameter;
use crate::arguments::{ReportArguments, ResourceArguments};
use crate::machine::parse_duration;

#[derive(Debug, Args)]
pub(crate) struct Rehearse {
    #[command(flatten)]
    pub(crate) length: RehearsalLength,
    /// Pairs of runs; five or more give intervals and verdicts [default: 6, with --quick 1].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) pairs: Option<u32>,
    /// Also run every shop between baseline and optimised, one optimisation after the other.
    #[arg(long, conflicts_with_all = ["baseline", "optimized"])]
    pub(crate) levers: bool,
    /// Leave out the search for each shop's capacity.
    #[arg(long)]
    pub(crate) no_capacity: bool,
    #[command(flatten)]
    pub(crate) shops: RehearsedShops,
    #[command(flatten)]
    pub(crate) resources: ResourceArguments,
    #[command(flatten)]
    pub(crate) traffic: RehearsedTraffic,
    /// Where the report and the runs go.
    #[arg(
        long,
        env = "DOUBLE11_OUT",
        default_value = "results",
        value_name = "DIR"
    )]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) report: ReportArguments,
    #[command(flatten)]
    pub(crate) prometheus: RehearsedPrometheus,
}

/// How long it takes.
#[derive(Debug, Args)]
pub(crate) struct RehearsalLength {
    /// One pair of runs in three minutes: targets met or missed, no verdict on better or worse.
    #[arg(long, conflicts_with = "full")]
    pub(crate) quick: bool,
    /// The requirements' own times: a rise of 5 and a peak of 30 minutes in every run.
    #[arg(long)]
    pub(crate) full: bool,
}

/// Which shops are compared.
#[derive(Debug, Args)]
#[command(next_help_heading = "Shops")]
pub(crate) struct RehearsedShops {
    /// The two variants to compare, the plainer one first; the same twice shows what chance does.
    #[arg(
        long,
        value_name = "A,B",
        value_delimiter = ',',
        default_value = "baseline,optimized"
    )]
    pub(crate) variants: Vec<Variant>,
    /// A shop of your own that already runs, to be measured first.
    #[arg(
        long,
        value_name = "URL",
        requires = "optimized",
        conflicts_with = "variants"
    )]
    pub(crate) baseline: Option<String>,
    /// The other shop of your own.
    #[arg(
        long,
        value_name = "URL",
        requires = "baseline",
        conflicts_with = "variants"
    )]
    pub(crate) optimized: Option<String>,
    /// A header of every request, such as `Authorization: Bearer x` (repeatable).
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,
    /// A PEM file of certificate authorities to trust besides the public ones (repeatable).
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_cert: Vec<PathBuf>,
    /// Ports of the two variants; 0 lets the system choose.
    #[arg(
        long,
        value_name = "A,B",
        value_delimiter = ',',
        default_value = "8080,8081"
    )]
    pub(crate) ports: Vec<u16>,
    /// A database server for the stores of both variants, such as `mysql://root@127.0.0.1:3306`; each
    /// run makes a database of its own there, `double11_rehearsal_*`, and drops it. The password may
    /// be in `DOUBLE11_STORE_PASSWORD`.
    #[arg(long, value_name = "URL", conflicts_with = "baseline")]
    pub(crate) store: Option<String>,
    /// A Redis beside it, under a prefix of each run's own.
    #[arg(long, value_name = "URL", requires = "store")]
    pub(crate) cache: Option<String>,
    /// Products in the catalogue, 1 to 5,000,000, and of the plan [default: 100000].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    pub(crate) products: Option<u32>,
    /// Pieces of each product; without it the catalogue decides.
    #[arg(long, value_name = "PIECES")]
    pub(crate) stock: Option<u32>,
}

/// A real Prometheus beside the rehearsal's own scrapes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Prometheus")]
pub(crate) struct RehearsedPrometheus {
    /// Compare with a Prometheus that scrapes both ports; `spawn` starts the one on the path with the
    /// shipped configuration.
    #[arg(long, env = "DOUBLE11_PROMETHEUS", value_name = "URL|spawn")]
    pub(crate) prometheus: Option<String>,
    /// Labels of the shops in a Prometheus that runs already.
    #[arg(long, value_name = "LABELS", default_value = SELECTOR_DEFAULT, requires = "prometheus")]
    pub(crate) selector: String,
    /// Keep the data of a Prometheus that was started here, in `prometheus/` beside the runs.
    #[arg(long, requires = "prometheus")]
    pub(crate) keep_prometheus_data: bool,
}

/// What storms them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Traffic")]
pub(crate) struct RehearsedTraffic {
    /// What a shopper does: a built-in plan, a `.toml` file, or a `.jmx` file of JMeter. A plan with a
    /// load profile brings its own phases, one of JMeter its users.
    #[arg(long, value_name = "PLAN", default_value = "funnel")]
    pub(crate) plan: String,
    /// A parameter of the plan (repeatable).
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_parameter)]
    pub(crate) param: Vec<(String, f64)>,
    /// Set a property of a JMeter plan, such as `-Jusers=100` (repeatable).
    #[arg(short = 'J', long = "jmeterproperty", value_name = "NAME=VALUE")]
    pub(crate) property: Vec<String>,
    /// How long the users of a JMeter plan run at most; needed where the plan has no end.
    #[arg(long, value_parser = parse_duration, value_name = "TIME")]
    pub(crate) duration: Option<Duration>,
    /// Requests per second of a normal day; the peak is ten and twenty times that [default: 50]. For a
    /// plan with a load profile: its rate at the factor 1.
    #[arg(long, value_name = "RATE")]
    pub(crate) normal_rate: Option<f64>,
    /// Make every phase shorter by this factor, 0.01 to 100,000; of a plan with a load profile, in
    /// place of the profile's own scale.
    #[arg(long, value_name = "X")]
    pub(crate) time_scale: Option<f64>,
    /// Decides catalogue, shoppers and gateway; the same seed gives the same rehearsal.
    #[arg(long, env = "DOUBLE11_SEED", default_value_t = 11)]
    pub(crate) seed: u64,
}
