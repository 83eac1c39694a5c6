//! The options of `load`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use double11_load::threshold::Threshold;

use crate::arguments::shard::ShardArguments;
use crate::machine::parse_duration;

/// Starts that wait or run at a time, where nothing is said.
pub(crate) const MAX_IN_FLIGHT_DEFAULT: u32 = 10_000;

#[derive(Debug, Args)]
pub(crate) struct Load {
    /// The plan: funnel, session, day, flash-sale, orders, or a file whose name ends in `.toml`, or in
    /// `.jmx` for a plan of JMeter.
    pub(crate) plan: String,
    /// The shop to storm, `http://` or `https://`.
    #[arg(
        long,
        env = "DOUBLE11_TARGET",
        value_name = "URL",
        required_unless_present = "base_users"
    )]
    pub(crate) target: Option<String>,
    /// Requests per second to offer, whatever the answers (open model); where the plan has a profile,
    /// at its factor 1.
    #[arg(
        long,
        value_name = "PER_SECOND",
        conflicts_with = "users",
        help_heading = "Traffic"
    )]
    pub(crate) rate: Option<f64>,
    /// Virtual users, each of which waits for its answers (closed model); where the plan has a
    /// profile, at its factor 1.
    #[arg(long, value_name = "N", help_heading = "Traffic")]
    pub(crate) users: Option<u32>,
    /// How long to storm, without the ramp; without it as long as the plan's profile says, or 30s.
    #[arg(long, value_parser = parse_duration, value_name = "TIME", help_heading = "Traffic")]
    pub(crate) duration: Option<Duration>,
    /// How long the rate rises to its first height before.
    #[arg(long, value_parser = parse_duration, value_name = "TIME", help_heading = "Traffic")]
    pub(crate) ramp: Option<Duration>,
    /// Storm as in this hour, 0 to 23, of a plan whose profile has hours.
    #[arg(long, value_name = "H", help_heading = "Traffic")]
    pub(crate) hour: Option<u32>,
    /// How many times faster than the profile says time passes; rates stay what they are.
    #[arg(long, value_name = "X", help_heading = "Traffic")]
    pub(crate) time_scale: Option<f64>,
    /// Shop as at the peak of the sale instead of a normal day; for plans without a profile.
    #[arg(long, help_heading = "Traffic")]
    pub(crate) peak: bool,
    /// Decides instants and choices.
    #[arg(
        long,
        env = "DOUBLE11_SEED",
        default_value_t = 11,
        value_name = "N",
        help_heading = "Traffic"
    )]
    pub(crate) seed: u64,
    /// Send nothing; print how many of this many visitors the plan leads to each step.
    #[arg(long, value_name = "N", help_heading = "Traffic")]
    pub(crate) base_users: Option<u32>,
    /// Connections at a time; a due start without one waits and is late. Without it 256, and
    /// never fewer than virtual users.
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(crate) connections: Option<u32>,
    /// Starts that wait or run at a time; beyond it a start is dropped and counts as failed.
    #[arg(
        long,
        default_value_t = MAX_IN_FLIGHT_DEFAULT,
        value_name = "N",
        help_heading = "Limits"
    )]
    pub(crate) max_in_flight: u32,
    /// How long to wait for an answer.
    #[arg(
        long,
        value_parser = parse_duration,
        default_value = "5s",
        value_name = "TIME",
        help_heading = "Limits"
    )]
    pub(crate) timeout: Duration,
    /// Products that exist in the target's catalogue, short for `--param products=N`, or
    /// `-J products=N` for a plan of JMeter.
    #[arg(long, value_name = "N", help_heading = "Traffic")]
    pub(crate) products: Option<u32>,
    /// A parameter of the plan (repeatable).
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_parameter, help_heading = "Traffic")]
    pub(crate) param: Vec<(String, f64)>,
    /// Set a property of a JMeter plan, such as `-Jusers=100` (repeatable).
    #[arg(
        short = 'J',
        long = "jmeterproperty",
        value_name = "NAME=VALUE",
        help_heading = "Traffic"
    )]
    pub(crate) property: Vec<String>,
    /// A header for every request (repeatable); the plan's own win.
    #[arg(
        short = 'H',
        long = "header",
        value_name = "NAME: VALUE",
        help_heading = "Requests"
    )]
    pub(crate) headers: Vec<String>,
    /// Certificate authorities to trust besides the public ones: a PEM file (repeatable).
    #[arg(long, value_name = "FILE", help_heading = "Requests")]
    pub(crate) ca_cert: Vec<PathBuf>,
    /// Fail when this condition is met, such as `p95>50ms` (repeatable; the form is below).
    #[arg(long, value_name = "EXPR", help_heading = "Output")]
    pub(crate) fail_if: Vec<Threshold>,
    /// Generator threads; without it one per core.
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(crate) threads: Option<u16>,
    /// Keep the generator on these cores, such as 2,3.
    #[arg(
        long,
        value_name = "CORES",
        value_delimiter = ',',
        help_heading = "Limits"
    )]
    pub(crate) cpus: Vec<usize>,
    /// Where the run's files go.
    #[arg(
        long,
        env = "DOUBLE11_OUT",
        default_value = "run",
        value_name = "DIR",
        help_heading = "Output"
    )]
    pub(crate) out: PathBuf,
    /// Write into a folder that is not empty.
    #[arg(long, help_heading = "Output")]
    pub(crate) force: bool,
    /// Which samples to keep: all, errors, 1:N or none. Histograms always hold all of them.
    #[arg(
        long,
        default_value = "all",
        value_name = "WHICH",
        help_heading = "Output"
    )]
    pub(crate) samples: String,
    #[command(flatten)]
    pub(crate) sharding: ShardArguments,
}

/// Reads `NAME=VALUE`.
pub(crate) fn parse_parameter(text: &str) -> Result<(String, f64), String> {
    let wrong =
        || format!("`{text}` is not a parameter; write a name and a number: `products=1000`");
    let (name, value) = text.split_once('=').ok_or_else(wrong)?;
    let value: f64 = value.trim().parse().map_err(|_| wrong())?;
    if name.trim().is_empty() || !value.is_finite() {
        return Err(wrong());
    }
    Ok((name.trim().to_owned(), value))
}
