//! Plans run by the real Apache `JMeter` and by the program, each against a server of its own: both must
//! write the same samples and send the same requests.
//!
//! `JMeter` lies below `target/test-tools/jmeter`, where `make tools` puts it, and needs Java 17; without
//! it the tests are skipped visibly, and with `CI=true` that is a failure. What both wrote for a plan is
//! left in `target/tmp/jmeter/PLAN`. `DOUBLE11_JMETER_PLAN=name` runs one plan alone.
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

mod compare;
mod coverage;
mod differential;
mod runner;
mod server;
mod shipped;
