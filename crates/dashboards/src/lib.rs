//! The Grafana dashboards of the shop, as typed Rust.
//!
//! [`all`] gives the four dashboards of a language: the comparison of the two variants, the business
//! figures, the service by rate, errors and duration, and what the service depends on. They serialise
//! to Grafana's classic JSON, the one model that its versions 11 to 13 all read. A test writes them
//! below `deploy/grafana/dashboards` and fails where the files say something else.
//!
//! Deliberately absent: any access to Grafana or Prometheus, and any knowledge of the shop but the
//! names of its metrics.

mod boards;
mod grid;
mod language;
mod panels;
mod query;

pub mod model;

pub use language::Language;
pub use model::Dashboard;

/// One dashboard with the name of its file.
#[derive(Clone, Debug)]
pub struct Named {
    /// Name of the file below the folder of the language, without its ending.
    pub name: &'static str,
    /// What the file says.
    pub dashboard: Dashboard,
}

/// Every dashboard with its name, in the order in which they are meant to be read.
pub fn named(language: Language) -> Vec<Named> {
    [
        ("comparison", boards::comparison(language)),
        ("business", boards::business(language)),
        ("service", boards::service(language)),
        ("dependencies", boards::dependencies(language)),
    ]
    .map(|(name, dashboard)| Named { name, dashboard })
    .into()
}

/// Every dashboard, in the order in which they are meant to be read.
pub fn all(language: Language) -> Vec<Dashboard> {
    named(language)
        .into_iter()
        .map(|named| named.dashboard)
        .collect()
}
