//! The shop as it stands in production: several shops on one MariaDB, one Redis and one gateway, while
//! parts of it are killed. Every test ends with the audit.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test that cannot set itself up has failed, and tells why it was skipped"
)]

mod asking;
mod budget;
mod disk;
mod faults;
mod fleet;
mod ground;
#[expect(
    dead_code,
    reason = "the other test binaries of the program use the rest"
)]
#[path = "../double11/harness.rs"]
mod harness;
mod locks;
mod refused;
mod rehearsed;
mod replicas;
mod traffic;
mod visits;
