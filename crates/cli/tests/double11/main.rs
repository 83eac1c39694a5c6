//! The program as its users run it: processes, sockets, files, exit codes.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot set itself up has failed, and tells why it was skipped"
)]

mod commands;
mod compare;
mod crash;
mod data_life;
mod flash_sale;
mod harness;
mod openapi;
mod plans;
mod power_loss;
mod python_client;
mod shards;
mod terminal;
mod validation;
