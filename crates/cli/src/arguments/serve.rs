//! The options of `serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use double11_store::{Lever, Variant};

use super::gateway::{GatewayArguments, parse_share};
use crate::arguments::{KeptArguments, ResourceArguments};
use crate::machine::parse_duration;

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Which shop: baseline, tuned or optimized.
    #[arg(
        long,
        env = "DOUBLE11_VARIANT",
        default_value = "optimized",
        value_name = "VARIANT"
    )]
    pub(crate) variant: Variant,
    /// Turn one optimisation on (repeatable).
    #[arg(long, value_name = "LEVER")]
    pub(crate) enable: Vec<Lever>,
    /// Turn one optimisation off (repeatable).
    #[arg(long, value_name = "LEVER")]
    pub(crate) disable: Vec<Lever>,
    /// Where the shop keeps its data: `sqlite:FILE`, or `mysql://USER@HOST:PORT/DATABASE` with the
    /// password in `DOUBLE11_STORE_PASSWORD`.
    #[arg(
        long,
        env = "DOUBLE11_STORE",
        hide_env_values = true,
        default_value = "sqlite:double11.db",
        value_name = "URL"
    )]
    pub(crate) store: String,
    /// The Redis that shops on one server's store share, such as `redis://127.0.0.1:6379`.
    #[arg(
        long,
        env = "DOUBLE11_CACHE",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub(crate) cache: Option<String>,
    /// Where the shop listens; port 0 lets the system choose.
    #[arg(
        long,
        env = "DOUBLE11_ADDR",
        default_value = "127.0.0.1:8080",
        value_name = "ADDR"
    )]
    pub(crate) addr: SocketAddr,
    /// Where `/actuator` is served instead, off the public address.
    #[arg(
        long,
        env = "DOUBLE11_MANAGEMENT_ADDR",
        value_name = "ADDR",
        help_heading = "Access"
    )]
    pub(crate) management_addr: Option<SocketAddr>,
    /// Products of a store that is created now, 1 to 5,000,000.
    #[arg(
        long,
        default_value_t = 100_000,
        value_parser = clap::value_parser!(u32).range(1..=5_000_000),
        value_name = "N",
        help_heading = "Catalogue and sale"
    )]
    pub(crate) products: u32,
    /// Decides catalogue and gateway.
    #[arg(
        long,
        env = "DOUBLE11_SEED",
        default_value_t = 11,
        value_name = "N",
        help_heading = "Catalogue and sale"
    )]
    pub(crate) seed: u64,
    /// Pieces of each product of a store that is created now; without it the catalogue decides.
    #[arg(long, value_name = "PIECES", help_heading = "Catalogue and sale")]
    pub(crate) stock: Option<u32>,
    /// How long an unpaid order holds its stock, such as 500ms, 30s, 5m or 1h.
    #[arg(
        long,
        value_parser = parse_duration,
        default_value = "15m",
        value_name = "TIME",
        help_heading = "Catalogue and sale"
    )]
    pub(crate) payment_window: Duration,
    /// Say in the metrics that a sale is on.
    #[arg(long, help_heading = "Catalogue and sale")]
    pub(crate) sale: bool,
    #[command(flatten)]
    pub(crate) gateway: GatewayArguments,
    /// Median latency of the sandbox gateway.
    #[arg(
        long,
        value_parser = parse_duration,
        default_value = "2ms",
        value_name = "TIME",
        help_heading = "Sandbox gateway"
    )]
    pub(crate) gateway_latency: Duration,
    /// Share of payments that the sandbox gateway declines, 0 to 1.
    #[arg(
        long,
        default_value_t = 0.0,
        value_parser = parse_share,
        value_name = "SHARE",
        help_heading = "Sandbox gateway"
    )]
    pub(crate) gateway_decline: f64,
    /// Where the sandbox gateway writes down what it did [default: beside the store's file].
    #[arg(long, value_name = "FILE", help_heading = "Sandbox gateway")]
    pub(crate) gateway_ledger: Option<PathBuf>,
    /// Who may call a shop that listens beyond loopback, where it must be said: none for everybody.
    #[arg(
        long,
        hide_possible_values = true,
        value_name = "WHO",
        help_heading = "Access"
    )]
    pub(crate) auth: Option<Auth>,
    /// Keep the shop on these cores.
    #[arg(
        long,
        value_name = "CORES",
        value_delimiter = ',',
        help_heading = "Limits"
    )]
    pub(crate) cpus: Vec<usize>,
    #[command(flatten)]
    pub(crate) kept: KeptArguments,
    #[command(flatten)]
    pub(crate) limits: ServeLimits,
    #[command(flatten)]
    pub(crate) resources: ResourceArguments,
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
    #[arg(long, default_value_t = 65_536, value_name = "N")]
    pub(crate) body_bytes: usize,
    /// Longest time for a request head to arrive.
    #[arg(long, value_parser = parse_duration, default_value = "5s", value_name = "TIME")]
    pub(crate) head_timeout: Duration,
    /// Connections at a time.
    #[arg(long, default_value_t = 4_096, value_name = "N")]
    pub(crate) connections_max: usize,
    /// Requests in process at a time with the lever `admission`.
    #[arg(long, default_value_t = 1_024, value_name = "N")]
    pub(crate) in_flight_max: usize,
    /// Writes that wait for the store's writer with the lever `group-commit`.
    #[arg(long, default_value_t = 8_192, value_name = "N")]
    pub(crate) queue_max: usize,
    /// Most writes in one transaction with the lever `group-commit`.
    #[arg(long, default_value_t = 512, value_name = "N")]
    pub(crate) group_max: usize,
    /// Pooled connections to the store with the lever `pool`, 1 to 1,000.
    #[arg(long, default_value_t = 8, value_parser = parse_pool_size, value_name = "N")]
    pub(crate) pool_size: usize,
    /// Threads that may block in the store at a time without the lever `group-commit`.
    #[arg(long, default_value_t = 200, value_name = "N")]
    pub(crate) store_threads: usize,
    /// How long a shutdown waits for requests in process.
    #[arg(long, value_parser = parse_duration, default_value = "10s", value_name = "TIME")]
    pub(crate) drain_deadline: Duration,
}

/// Who may call a shop that listens beyond loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Auth {
    /// Everybody who can reach the address.
    None,
}

fn parse_pool_size(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|size| (1..=1_000).contains(size))
        .ok_or_else(|| format!("`{text}` is not a number between 1 and 1000"))
}
