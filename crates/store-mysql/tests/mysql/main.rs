//! The store against a private `MariaDB`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot set up its store, or gets less than it asked for, has failed"
)]

mod bad_input;
mod common;
mod conformance;
mod data_life;
mod faults;
mod hopes;
mod races;
mod speed;
mod statements;
