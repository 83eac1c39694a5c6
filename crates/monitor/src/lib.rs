//! Watching a target from outside: scraping its metrics while a run lasts, and holding what it
//! counted against what the client measured.
//!
//! The crate speaks the Prometheus text format and the form of Prometheus' own answers. It must not
//! know how the target is built nor how load is made: it shares no code with the shop, whose figures
//! it checks, and none with the load engine, whose figures it checks them against. What the plan's
//! steps are called and which endpoint each of them asks is handed in.

pub mod clock;
pub mod cross_check;
pub mod exposition;
pub mod matrix;
pub mod prometheus;
pub mod sampler;
pub mod scrape;

#[cfg(test)]
mod loopback;
