//! How much is measured, as the record tells it.

use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};

/// Seconds of a storm that is one point among several.
const POINT_SECONDS_MAX: u64 = 10;
/// Seconds of a probe of the disk.
const PROBE_SECONDS_MAX: u64 = 3;

/// How much is measured.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// How often every row is measured.
    #[arg(long, default_value_t = 5, value_name = "N")]
    pub(crate) rounds: usize,
    /// How long the storms of orders, payments and the funnel last, in
    /// seconds; those of which a row has many last 10 s at most.
    #[arg(long, default_value_t = 60, value_name = "N")]
    pub(crate) seconds: u64,
    /// Buyers at a time for orders and payments, who wait for each answer.
    #[arg(long, default_value_t = 256, value_name = "N")]
    pub(crate) buyers: usize,
    /// Orders that the store holds before orders are measured.
    #[arg(long, default_value_t = 1_000_000, value_name = "N")]
    pub(crate) stored_orders: u64,
    /// Products of the largest catalogue.
    #[arg(long, default_value_t = 1_000_000, value_name = "N")]
    pub(crate) products_max: u32,
    /// Rows of the JTL file that is reported on.
    #[arg(long, default_value_t = 10_000_000, value_name = "N")]
    pub(crate) jtl_rows: u64,
    /// Virtual users whose memory is measured.
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    pub(crate) virtual_users: usize,
    /// Share of the processors that other programs may take while a row is
    /// measured; above it nothing of that row counts. 1 lets everything count.
    #[arg(long, default_value_t = 0.2, value_name = "SHARE")]
    pub(crate) busy_max: f64,
    /// Measure what takes minutes to prepare as well: a store of ten times as
    /// many orders.
    #[arg(long)]
    pub(crate) long: bool,
}

impl Settings {
    /// How long a probe of the disk goes on.
    pub(crate) fn probe(&self) -> Duration {
        Duration::from_secs(self.seconds.min(PROBE_SECONDS_MAX))
    }

    /// Seconds of a storm that is one point among several.
    pub(crate) fn point_seconds(&self) -> u64 {
        self.seconds.min(POINT_SECONDS_MAX)
    }
}
