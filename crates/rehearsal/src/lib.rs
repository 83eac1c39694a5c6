//! The rehearsal: both shops under the same traffic, one after the other, each audited, and what was
//! measured put into one report.
//!
//! A shop is a child process of its own, known only by its program, its address and its store:
//! this crate must not know the crates `shop` and `store`, whose figures it judges. It prints
//! nothing; an [`Observer`] is told what happens.

mod capacity;
mod child;
mod clock;
mod compare;
mod endpoints;
mod files;
mod host;
mod ladder;
mod options;
mod prometheus;
mod publish;
mod rehearse;
mod rehearsed_plan;
mod report_of;
mod resources;
mod run;
mod schedule;
mod seen;
mod settle;
mod store;
mod under_limits;
mod watched;
mod writes;

pub use child::ShopError;
pub use compare::{CompareError, CompareOptions, InputError, compare};
pub use endpoints::{built_in_plan, endpoints, endpoints_asked};
pub use options::{Event, Observer, PrometheusSource, RehearsalOptions, Rung, Side};
pub use prometheus::PrometheusFailure;
pub use rehearse::{Rehearsal, RehearsalError, rehearse};
pub use rehearsed_plan::RehearsedPlan;
pub use schedule::{NORMAL_PER_SECOND, Schedule};
pub use store::{StoreFailure, Stores};
pub use watched::Watched;
pub use writes::count as count_writes;
