//! The options of `rehearse`.

use std::path::PathBuf;

use clap::Args;
use double11_store::Variant;

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
