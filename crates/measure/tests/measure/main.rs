//! What the crate must do at full size.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops with the error it met"
)]

mod large_jtl;
