//! `double11 dashboards` as its users meet it: the server from outside, and the page in a browser over a
//! real Prometheus that has scraped both shops.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot set itself up has failed, and tells why it was skipped"
)]

#[expect(dead_code, reason = "pages of files are what the report's tests open")]
#[path = "../../../report/tests/browser_check/check.rs"]
mod browser_check;
#[expect(
    dead_code,
    reason = "the other test binary of the program uses the rest"
)]
#[path = "../double11/harness.rs"]
mod harness;
mod page;
mod prometheus;
mod server;
#[expect(dead_code, reason = "the other test targets use the rest")]
#[path = "../monitoring/servers.rs"]
mod servers;
mod site;
