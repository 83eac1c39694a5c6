//! Shops and gateway as processes of their own, on every store: what goes wrong between them ends as
//! `docs/PAYMENTS.md` says, and each time with a clean audit.
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

mod buyer;
mod calls;
mod matrix;
mod refused;
mod situations;
mod stores;
mod two_shops;
mod world;
