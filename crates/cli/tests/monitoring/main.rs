//! The shipped monitoring: configuration, rules, alerts and their way to whoever is to hear of them,
//! tested with the real Prometheus and Alertmanager against the real shop.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot set itself up has failed, and tells why it was skipped"
)]

mod alerts;
mod configuration;
mod coverage;
mod end_to_end;
#[expect(
    dead_code,
    reason = "the other test binary of the program uses the rest"
)]
#[path = "../double11/harness.rs"]
mod harness;
mod kubernetes;
mod page;
mod routing;
#[expect(dead_code, reason = "other test targets use the rest")]
mod servers;
mod shipped;
mod sink;
mod tools;
