//! The rows of the bench, each in a file of its own.

mod ceiling;
mod engine;
mod funnel;
mod growth;
mod jmeter;
mod kill;
mod latency;
mod mariadb;
mod metrics;
mod orders;
mod overload;
mod payments;
mod report;
mod search;
mod start_up;
mod store_bound;
mod stores;
mod sync;
mod users;
mod writes;

use clap::ValueEnum;

use crate::bench::{Bench, remove_store};
use crate::busy::Watch;
use crate::figure::Figure;

/// What can be measured, in the order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Row {
    /// The disk: how long `fdatasync` takes.
    Sync,
    /// The HTTP stack with a store that stores nothing.
    Ceiling,
    /// The load engine beside `wrk` and `oha`.
    Engine,
    /// `double11 jmeter` beside Apache `JMeter`, on the same plan.
    Jmeter,
    /// Memory per virtual user.
    Users,
    /// Durable orders.
    Orders,
    /// Durable orders on MariaDB with Redis, with group commit and without.
    Mariadb,
    /// Orders far below the capacity, beside `fdatasync`.
    Latency,
    /// Durable payments.
    Payments,
    /// The mixed funnel at its peak.
    Funnel,
    /// More than the processors can do.
    Overload,
    /// More than a slow store can do.
    StoreBound,
    /// How cost grows.
    Growth,
    /// `kill -9` in the middle of a storm.
    Kill,
    /// What the shop's own metrics cost.
    Metrics,
    /// Search among many products.
    Search,
    /// The report on a long JTL file.
    Report,
    /// From the program's start to its first answer.
    StartUp,
}

impl Row {
    pub(crate) fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }

    /// Whether the row takes the machine as it finds it: one thread that waits for the disk, or counts
    /// that others cannot change.
    const fn bears_others(self) -> bool {
        matches!(self, Self::Users | Self::Kill)
    }
}

impl Bench {
    /// The figures of a row, or why there are none.
    pub(crate) fn measure(&mut self, row: Row) -> Result<Vec<Figure>, String> {
        self.prepare(row).map_err(|error| format!("{error:#}"))?;
        let watch = Watch::start();
        let measured = match row {
            Row::Sync => sync::measure(self),
            Row::Ceiling => ceiling::measure(self),
            Row::Engine => engine::measure(self),
            Row::Jmeter => jmeter::measure(self),
            Row::Users => Ok(users::measure(self)),
            Row::Orders => orders::measure(self),
            Row::Mariadb => mariadb::measure(self),
            Row::Latency => latency::measure(self),
            Row::Payments => payments::measure(self),
            Row::Funnel => funnel::measure(self),
            Row::Overload => overload::measure(self),
            Row::StoreBound => store_bound::measure(self),
            Row::Growth => growth::measure(self),
            Row::Kill => kill::measure(self),
            Row::Metrics => metrics::measure(self),
            Row::Search => search::measure(self),
            Row::Report => report::measure(self),
            Row::StartUp => start_up::measure(self),
        };
        let figures = measured.map_err(|error| format!("{error:#}"))?;
        let share = watch.others_share();
        let busy_max = self.settings.busy_max;
        if row.bears_others() || busy_max >= 1.0 || share <= busy_max {
            return Ok(figures);
        }
        let why = format!(
            "the machine was busy: others took {:.0} % of it",
            share * 100.0
        );
        let unmeasured = |figure: Figure| Figure {
            value: figure.value.and(Err(why.clone())),
            ..figure
        };
        Ok(figures.into_iter().map(unmeasured).collect())
    }

    /// Makes what a row needs and what takes long, before the row is measured.
    fn prepare(&mut self, row: Row) -> anyhow::Result<()> {
        match row {
            Row::Orders | Row::Latency => {
                stores::grown(self, self.settings.stored_orders).map(drop)
            }
            Row::Growth => growth::prepare(self),
            Row::Search => search::prepare(self),
            Row::Report => report::prepare(self),
            _ => Ok(()),
        }
    }

    /// Removes what rows keep from round to round.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        let grown = std::mem::take(&mut self.grown);
        let catalogues = std::mem::take(&mut self.catalogues);
        for store in grown.values().chain(catalogues.values()) {
            remove_store(store)?;
        }
        if let Some(file) = self.jtl.take() {
            std::fs::remove_file(file)?;
        }
        Ok(())
    }
}
