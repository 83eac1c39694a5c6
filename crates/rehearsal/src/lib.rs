//! The rehearsal: both shops under the same traffic, one after the other, each audited, and what was
//! measured put into one report.
//!
//! A shop is a child process of its own, known only by its program, its address and its store file:
//! this crate must not know the crates `shop` and `store`, whose figures it judges. It prints
//! nothing; an [`Observer`] is told what happens.

mod child;
mod clock;
mod endpoints;
mod files;
mod host;
mod options;
mod rehearse;
mod report_of;
mod resources;
mod run;
mod settle;
mod writes;

pub use child::ShopError;
pub use endpoints::endpoints;
pub use options::{Event, Observer, PhasePlan, RehearsalOptions, Schedule};
pub use rehearse::{Rehearsal, RehearsalError, rehearse};
pub use writes::count as count_writes;
