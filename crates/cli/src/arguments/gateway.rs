//! The options of `gateway`, and those about a gateway that `serve` shares with it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use crate::machine::parse_duration;

#[derive(Debug, Args)]
pub(crate) struct Gateway {
    /// Where the gateway listens; port 0 lets the system choose. Beyond loopback it needs a secret.
    #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDR")]
    pub(crate) addr: SocketAddr,
    /// Where it writes down what it did, before it answers.
    #[arg(long, default_value = "gateway.ledger", value_name = "FILE")]
    pub(crate) ledger: PathBuf,
    #[command(flatten)]
    pub(crate) secret: SecretArguments,
    /// Decides which attempts are declined, not answered, called back late or twice.
    #[arg(
        long,
        env = "DOUBLE11_SEED",
        default_value_t = 11,
        value_name = "N",
        help_heading = "Behaviour"
    )]
    pub(crate) seed: u64,
    /// Median latency of a charge or refund.
    #[arg(
        long,
        value_parser = parse_duration,
        default_value = "2ms",
        value_name = "TIME",
        help_heading = "Behaviour"
    )]
    pub(crate) latency: Duration,
    /// Share of charges that are declined, 0 to 1.
    #[arg(
        long,
        default_value_t = 0.0,
        value_parser = parse_share,
        value_name = "SHARE",
        help_heading = "Behaviour"
    )]
    pub(crate) decline: f64,
    /// Share of charges that are made but not answered in time: half never, half after 8 s.
    #[arg(
        long,
        default_value_t = 0.0,
        value_parser = parse_share,
        value_name = "SHARE",
        help_heading = "Behaviour"
    )]
    pub(crate) no_answer: f64,
    /// Tell every outcome here too: the shop's `/api/payments/callbacks/NAME`. Needs a secret.
    #[arg(long, value_name = "URL", help_heading = "Callbacks")]
    pub(crate) callbacks: Option<String>,
    /// Share of callbacks that are sent twice, 0 to 1.
    #[arg(
        long,
        default_value_t = 0.0,
        value_parser = parse_share,
        requires = "callbacks",
        value_name = "SHARE",
        help_heading = "Callbacks"
    )]
    pub(crate) duplicate_callbacks: f64,
    /// Share of callbacks that are sent late, 0 to 1.
    #[arg(
        long,
        default_value_t = 0.0,
        value_parser = parse_share,
        requires = "callbacks",
        value_name = "SHARE",
        help_heading = "Callbacks"
    )]
    pub(crate) late_callbacks: f64,
    /// How late those are.
    #[arg(
        long,
        value_parser = parse_duration,
        default_value = "10s",
        value_name = "TIME",
        help_heading = "Callbacks"
    )]
    pub(crate) late_by: Duration,
    /// Trust these certificate authorities too, a file in PEM, when calling back by https.
    #[arg(
        long,
        requires = "callbacks",
        value_name = "FILE",
        help_heading = "Callbacks"
    )]
    pub(crate) ca_cert: Option<PathBuf>,
    /// End when the process that started this one ends.
    #[arg(long, hide = true)]
    pub(crate) end_with_parent: bool,
}

/// What shop and gateway share. Texts that cannot be a secret are found later, so that no message of
/// the command line repeats one.
#[derive(Debug, Args)]
#[command(next_help_heading = "Shared secret")]
pub(crate) struct SecretArguments {
    /// File with the secret of shop and gateway, at least 16 bytes; spaces at its ends do not count.
    #[arg(
        long,
        env = "DOUBLE11_GATEWAY_SECRET_FILE",
        conflicts_with = "gateway_secret",
        value_name = "FILE"
    )]
    pub(crate) gateway_secret_file: Option<PathBuf>,
    /// The secret itself: only by the environment, since a command line is seen by others.
    #[arg(
        long,
        env = "DOUBLE11_GATEWAY_SECRET",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    pub(crate) gateway_secret: Option<SecretText>,
}

/// How a shop reaches a gateway that is not its own sandbox.
#[derive(Debug, Args)]
#[command(next_help_heading = "Payment gateway")]
pub(crate) struct GatewayArguments {
    /// The gateway that takes the money, such as `double11 gateway`; without it the shop's own sandbox.
    #[arg(long, env = "DOUBLE11_GATEWAY", value_name = "URL")]
    pub(crate) gateway: Option<String>,
    /// What it is called in metrics, orders and the path of its callbacks.
    #[arg(
        long,
        default_value = "http",
        value_parser = parse_name,
        value_name = "NAME"
    )]
    pub(crate) gateway_name: String,
    /// How long a payment waits for the gateway before it answers 202.
    #[arg(long, value_parser = parse_duration, default_value = "5s", value_name = "TIME")]
    pub(crate) gateway_deadline: Duration,
    /// Questions to the gateway at a time; more wait.
    #[arg(
        long,
        default_value_t = 256,
        value_parser = clap::value_parser!(u32).range(1..=65_536),
        value_name = "N"
    )]
    pub(crate) gateway_in_flight: u32,
    /// Trust these certificate authorities of the gateway too, a file in PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) gateway_ca_cert: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) secret: SecretArguments,
}

/// A text that is never shown.
#[derive(Clone)]
pub(crate) struct SecretText(String);

impl SecretText {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl FromStr for SecretText {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SecretText(…)")
    }
}

pub(super) fn parse_share(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| format!("`{text}` is not a share between 0 and 1"))
}

/// A name that can be a label, a column and a part of a path.
fn parse_name(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    if (1..=16).contains(&text.len()) && text.chars().all(is_plain) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{text}` is not a name of 1 to 16 small letters, digits, `-` and `_`"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::{SecretText, parse_name};

    #[test]
    fn names_are_plain() {
        for name in ["http", "pay-1", "a_b", "0123456789abcdef"] {
            assert_eq!(parse_name(name).as_deref(), Ok(name));
        }
        for name in ["", "HTTP", "a/b", "a b", "支付", "0123456789abcdefg"] {
            assert!(parse_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let secret: SecretText = "hidden".parse().unwrap();
        assert!(!format!("{secret:?}").contains("hidden"));
    }
}
