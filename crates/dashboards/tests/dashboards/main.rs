//! The dashboards as files, against Grafana's types, and against rules for their queries.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot set itself up has failed"
)]

mod files;
mod lint;
mod provisioning;
