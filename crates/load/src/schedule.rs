//! When shoppers come: phases, the rate curve they make, and the arrival instants drawn from it.
//!
//! The instants are a function of the phases and the seed alone. Each worker thread of each shard goes
//! through the whole sequence and takes the arrivals that are its own, so nothing is shared and nothing
//! depends on the number of threads or of shards.

mod arrivals;
mod curve;

use std::time::Duration;

use double11_measure::sample::PhaseId;

pub use arrivals::{Arrival, Arrivals};
pub use curve::RateCurve;

/// A stretch of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// Its name in the figures.
    pub name: String,
    /// How long it lasts.
    pub duration: Duration,
    /// The arrival rate; `None` in the closed model, where the users set the pace.
    pub rate: Option<Rate>,
    /// Whether the shoppers who come in this phase behave as at the peak.
    pub peak: bool,
    /// `false` for a warm-up, whose samples are recorded but do not count in the results.
    pub measured: bool,
    /// Stem of a sample file of its own; `None` for the run's `samples.jtl`. Phases may share one.
    pub samples_file: Option<String>,
}

/// An arrival rate, in a unit of the caller's choice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rate {
    /// Visits per second.
    Visits(Ramp),
    /// Requests per second, if every request succeeds; divided by the plan's requests per visit.
    Requests(Ramp),
}

/// A rate that changes linearly over its phase.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ramp {
    /// Per second, at the start of the phase.
    pub from: f64,
    /// Per second, at the end of the phase.
    pub to: f64,
}

/// How arrivals are spread under the rate curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// As a Poisson process, the way independent shoppers come.
    Poisson,
    /// Evenly: the n-th arrival when n − ½ are expected.
    Even,
}

impl Ramp {
    /// The rate in the mean of its phase.
    pub const fn mean(self) -> f64 {
        f64::midpoint(self.from, self.to)
    }

    /// The same rate throughout.
    pub const fn constant(per_second: f64) -> Self {
        Self {
            from: per_second,
            to: per_second,
        }
    }

    /// The rate when this share of the phase has passed, 0 to 1; none when it is over.
    pub(crate) fn at(self, passed: Option<f64>) -> f64 {
        passed.map_or(0.0, |share| self.from + (self.to - self.from) * share)
    }

    pub(crate) fn scaled(self, factor: f64) -> Self {
        Self {
            from: self.from * factor,
            to: self.to * factor,
        }
    }
}

impl Rate {
    /// The rate in requests per second, for a plan with this many requests a visit.
    pub fn requests(self, requests_per_visit: f64) -> Ramp {
        match self {
            Self::Requests(ramp) => ramp,
            Self::Visits(ramp) => ramp.scaled(requests_per_visit),
        }
    }

    /// The rate in visits per second, for a plan with this many requests a visit.
    pub fn visits(self, requests_per_visit: f64) -> Ramp {
        match self {
            Self::Visits(ramp) => ramp,
            Self::Requests(ramp) => ramp.scaled(1.0 / requests_per_visit),
        }
    }
}

/// The ends of the phases, to tell which one an instant belongs to.
#[derive(Debug, Clone)]
pub struct PhaseClock {
    ends: Vec<Duration>,
}

impl PhaseClock {
    /// The phases one after the other from the start of the run.
    pub fn new(phases: &[Phase]) -> Self {
        let mut end = Duration::ZERO;
        let ends = phases.iter().map(|phase| {
            end = end.saturating_add(phase.duration);
            end
        });
        Self {
            ends: ends.collect(),
        }
    }

    /// The end of the last phase.
    pub fn end(&self) -> Duration {
        self.ends.last().copied().unwrap_or_default()
    }

    /// The phase of an instant; what comes after the end belongs to the last one.
    pub fn phase_at(&self, at: Duration) -> PhaseId {
        let index = self.ends.partition_point(|end| *end <= at);
        PhaseId(u16::try_from(index.min(self.ends.len().saturating_sub(1))).unwrap_or(u16::MAX))
    }

    /// How much of its phase has passed at an instant, 0 to 1; `None` after the last phase.
    pub(crate) fn share_passed(&self, at: Duration) -> Option<f64> {
        let index = self.ends.partition_point(|end| *end <= at);
        let end = *self.ends.get(index)?;
        let start = index
            .checked_sub(1)
            .map_or(Duration::ZERO, |before| self.ends[before]);
        let (passed, length) = (at.saturating_sub(start), end.saturating_sub(start));
        (!length.is_zero()).then(|| passed.div_duration_f64(length))
    }
}

#[cfg(test)]
mod tests;
