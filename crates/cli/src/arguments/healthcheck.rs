//! The arguments of `healthcheck`.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;

use crate::machine::parse_duration;

#[derive(Debug, Args)]
pub(crate) struct Healthcheck {
    /// The shop, such as `http://127.0.0.1:8080`, or any page that answers 200 when all is well;
    /// without it the shop of this machine.
    #[arg(value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Where the shop listens, as `serve` was told.
    #[arg(
        long,
        env = "DOUBLE11_ADDR",
        default_value = "127.0.0.1:8080",
        value_name = "ADDR"
    )]
    pub(crate) addr: SocketAddr,
    /// Where the shop serves `/actuator`, where that is another address.
    #[arg(long, env = "DOUBLE11_MANAGEMENT_ADDR", value_name = "ADDR")]
    pub(crate) management_addr: Option<SocketAddr>,
    /// Longest wait for the answer, the look-up of the host's name included.
    #[arg(long, value_parser = parse_duration, default_value = "3s", value_name = "TIME")]
    pub(crate) timeout: Duration,
}
