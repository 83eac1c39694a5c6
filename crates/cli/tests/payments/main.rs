//! Shop and gateway as processes of their own: what goes wrong between the two ends as `docs/PAYMENTS.md`
//! says, and each time with a clean audit.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot set itself up has failed, and tells why it was skipped"
)]

#[expect(
    dead_code,
    reason = "shared with the other targets, which use more of it"
)]
#[path = "../double11/harness.rs"]
mod harness;

mod refused;
mod together;
mod world;
