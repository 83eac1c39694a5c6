//! The before/after report of a rehearsal: its JSON, its HTML page and its table for a terminal.
//!
//! [`model`] is the contract: an [`ImprovementReport`] holds every figure that is shown, already
//! computed. [`assess`] derives the table of improvements, the outcome and the one-sentence claim
//! from those figures; [`html`], [`terminal`], [`markdown`], [`picture`] and [`json`] only show them,
//! and [`histogram`] writes the files that other tools read. All visible words stand in one private
//! module with one list per language, so that another language is one more list.
//!
//! The crate must not know how a run is made or measured: it reads no run files, no clock and no
//! environment, starts nothing, and writes only to the writers that it is handed.

pub mod model;

pub mod assess;
pub mod histogram;
pub mod html;
pub mod json;
pub mod markdown;
pub mod picture;
pub mod terminal;
pub mod vendor;

mod figures;
mod format;
mod sentence;
mod texts;

pub use assess::conclude;
pub use figures::figure;
pub use model::ImprovementReport;
pub use sentence::claim;
pub use texts::{Language, UnknownLanguage};

#[cfg(test)]
mod schema;
#[cfg(test)]
extern crate self as double11_report;
#[cfg(test)]
#[path = "../tests/sample/sample.rs"]
mod sample;
