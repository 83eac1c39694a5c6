//! Money, rates, the base of every id and errors in one line: the words that all crates of Double11 share.
//!
//! This crate does no input or output, reads no clock, no environment and no global random
//! number generator. It must not know what a shop, a store or a load test is.

pub mod errors;
pub mod ids;
pub mod money;
pub mod rate;
pub mod scale;
pub mod time;

pub use ids::{
    AttemptId, CartId, IdempotencyKey, InvalidId, OrderId, ProductId, Quantity, RefundId, UserId,
};
pub use money::{Currency, Money, MoneyError};
pub use rate::{ArrivalRate, InvalidRate};
pub use time::UnixMicros;
