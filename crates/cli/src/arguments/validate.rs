//! The options of `validate`.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use double11_monitor::prometheus::{ORDER_LABELS, SELECTOR_DEFAULT};

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("measured").required(true).args(["run", "jtl"]))]
pub(crate) struct Validate {
    /// The folder of a run of the load engine, as `double11 load --out DIR` makes it.
    #[arg(long, value_name = "DIR")]
    pub(crate) run: Option<PathBuf>,
    /// A sample file of any tool, JMeter's included, made while Prometheus scraped the shop.
    #[arg(long, value_name = "FILE", requires = "prometheus")]
    pub(crate) jtl: Option<PathBuf>,
    /// The Prometheus that scraped the shop meanwhile; without it, the scrapes kept with the run count.
    #[arg(long, env = "DOUBLE11_PROMETHEUS", value_name = "URL")]
    pub(crate) prometheus: Option<String>,
    /// Labels of the shop in Prometheus, where several targets could be meant.
    #[arg(long, value_name = "LABELS", default_value = SELECTOR_DEFAULT, requires = "prometheus")]
    pub(crate) selector: String,
    /// What samples of orders are called in a sample file (repeatable).
    #[arg(
        long,
        value_name = "LABEL",
        default_values = ORDER_LABELS,
        requires = "jtl"
    )]
    pub(crate) order_label: Vec<String>,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
