//! The dashboards as files, against Grafana's types, and against rules for their queries.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot set itself up has failed, and tells why it was skipped"
)]

mod corrections;
mod files;
mod lint;
mod provisioning;
mod requirements;
mod schema;
mod tools;
