//! What several shops share, in Redis: [`RedisCache`] implements [`double11_store::SharedCache`].
//!
//! One server or a cluster, with or without TLS. Redis lost is speed lost and nothing else: an answer is
//! awaited for 50 ms at most, after a failure nothing is asked until a connection stands again, and that is made in
//! the background. Which keys there are, how long they live and how old an answer can be is written down in
//! `docs/CACHE.md`.
//!
//! This crate knows the trait and the words of `store`; it must not know a shop or a database.

mod activity;
mod address;
mod cache;
mod carts;
mod clear;
mod error;
mod handshake;
mod keeper;
mod keys;
mod link;
mod owed;
mod stock;

pub use address::{AddressError, CacheAddress};
pub use cache::{RedisCache, RedisSettings};
pub use clear::clear_prefix;
pub use error::{OpenError, Refusal};
