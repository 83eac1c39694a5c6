//! A run: accumulated sample by sample, summed up at its end, and kept in three files.
//!
//! [`RunRecorder`] takes samples and yields a [`Summary`] (`summary.json`), a [`TimeSeries`]
//! (`timeseries.json`) and [`RunTallies`] (`tallies.json`), by which runs are added up exactly. Samples that could not be taken are never invented: a dropped start is
//! counted as dropped and as failed, and it is in no percentile but the verdict's.

mod availability;
mod recorder;
mod second;
mod summary;
mod tallies;
mod tally;
mod time_series;

pub(crate) use availability::availability;
pub(crate) use summary::milliseconds;

pub use availability::{
    AVAILABLE_WITHIN, Availability, GOOD_SHARE_PERCENT, WINDOW_REQUESTS_MIN, WindowCount,
};
pub use recorder::{PhaseProgress, PhaseShape, Progress, RunRecorder, RunShape, StepProgress};
pub use summary::{PhaseSummary, Quantiles, SCHEMA_VERSION, SessionSummary, StepSummary, Summary};
pub use tallies::{AddError, PhaseTallies, RunTallies, StepTallies};
pub use time_series::{Second, SecondStep, TimeSeries};
