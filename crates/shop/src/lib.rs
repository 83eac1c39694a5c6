//! The shop: use cases over a [`double11_store::Store`], its caches, its payment gateway, its
//! metrics and its HTTP interface.
//!
//! Every optimisation that the shop itself owns is a lever (catalogue snapshot, search index, cart
//! cache, admission); what a lever does inside the store is the store's affair. This crate must not
//! know which store it runs on, who takes the money, who the shoppers are, or how a run is judged. Only [`metrics`] knows
//! the crate `prometheus`, and only the private module `http` knows HTTP and JSON.

pub mod catalogue;
pub mod metrics;
pub mod server;
pub mod settings;

mod activity;
mod admission;
mod cart_cache;
mod cart_memory;
mod carts;
mod http;
mod orders;
mod payments;
mod products;
mod random;
mod search;
mod share;
mod snapshot;
mod sold_out;
mod upkeep;

#[cfg(test)]
mod tests;

pub use metrics::{MetricLabels, Metrics};
pub use server::{Dependencies, Running, Shop, ShutdownReport, StartError};
pub use settings::{Limits, ShopSettings};
pub use snapshot::GapInCatalogue;
