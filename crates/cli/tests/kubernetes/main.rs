//! The files for containers and clusters: rendered by kubectl, held against Kubernetes' schemas and against rules of
//! our own; the image's and the scripts' linters; and the scripts themselves, on a cluster that only answers.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot set itself up has failed, and tells why it was skipped"
)]

mod compose;
mod database;
mod drift;
#[expect(dead_code, reason = "other test targets use the rest")]
#[path = "../double11/harness.rs"]
mod harness;
mod linters;
mod load;
mod local;
mod network;
mod pods;
mod quota;
mod rendered;
mod schema;
mod scripts;
mod shop;
