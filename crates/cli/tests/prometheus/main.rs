//! The cross-check against a real Prometheus: right verdicts on sound and on spoilt data.
//!
//! Every test needs Debian's `prometheus`; where it is missing it is skipped visibly, and with
//! `CI=true` that is a failure.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot set itself up has failed, and tells why it was skipped"
)]

#[expect(
    dead_code,
    reason = "the other test binaries of the program use the rest"
)]
#[path = "../double11/harness.rs"]
mod harness;

mod extrapolation;
mod proxy;
mod rehearsed;
mod restarted;
mod server;
#[expect(dead_code, reason = "the other test targets use the rest")]
#[path = "../monitoring/servers.rs"]
mod servers;
mod spoilt;
