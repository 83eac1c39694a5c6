//! What a recorder holds, to be written down, and to be added to another recorder of the same run.

use super::{PhaseTally, RunRecorder};
use crate::run::SCHEMA_VERSION;
use crate::run::tallies::{AddError, PhaseTallies, RunTallies, StepTallies};
use crate::run::tally::{COUNT_MAX, Tally};

impl RunRecorder {
    /// What has been counted so far. [`Self::add`] takes it up again.
    pub fn tallies(&self) -> RunTallies {
        let phases = self.shape.phases.iter().zip(&self.phases);
        RunTallies {
            schema_version: SCHEMA_VERSION,
            phases: phases
                .map(|(shape, phase)| PhaseTallies {
                    name: shape.name.clone(),
                    visits: phase.visits,
                    visit_time: phase.visit_time,
                    windows: phase.windows.clone(),
                    steps: self.written(phase),
                })
                .collect(),
        }
    }

    /// Adds what another recorder of the same run has counted, as if its samples had been recorded
    /// here: counts are summed up, histograms bucket by bucket. The time series has a sum of its own,
    /// [`TimeSeries::add`](crate::run::TimeSeries::add).
    ///
    /// # Errors
    /// [`AddError`], every kind but [`AddError::Order`]. Nothing is added then.
    pub fn add(&mut self, other: &RunTallies) -> Result<(), AddError> {
        if other.schema_version != SCHEMA_VERSION {
            return Err(AddError::Version {
                found: other.schema_version,
                known: SCHEMA_VERSION,
            });
        }
        let own = self.shape.phases.iter().map(|phase| phase.name.as_str());
        let found = other.phases.iter().map(|phase| phase.name.as_str());
        same("phases", own, found)?;
        let read = other.phases.iter().map(|phase| self.read(phase));
        let read = read.collect::<Result<Vec<_>, _>>()?;
        // A histogram keeps the room that it has grown to: adding to nothing is to change nothing.
        let was_empty = self.is_empty();
        for tally in read.iter().flat_map(|phase| &phase.steps) {
            self.attempted += tally.counts.attempted;
            self.failed += tally.counts.failed;
            self.dropped += tally.counts.dropped;
            self.late += tally.late;
        }
        if was_empty {
            self.phases = read;
            return Ok(());
        }
        for (sum, phase) in self.phases.iter_mut().zip(&read) {
            sum.merge(phase);
        }
        Ok(())
    }

    /// Whether nothing has been recorded.
    fn is_empty(&self) -> bool {
        self.attempted == 0 && self.phases.iter().all(|phase| phase.visits == 0)
    }

    fn written(&self, phase: &PhaseTally) -> Vec<StepTallies> {
        let steps = self.shape.steps.iter().zip(&phase.steps);
        steps.map(|(name, tally)| tally.written(name)).collect()
    }

    fn read(&self, phase: &PhaseTallies) -> Result<PhaseTally, AddError> {
        let own = self.shape.steps.iter().map(String::as_str);
        let found = phase.steps.iter().map(|step| step.step.as_str());
        same("steps", own, found)?;
        let windows = phase.windows.values();
        let too_many = windows
            .map(|window| window.requests.max(window.in_time))
            .chain([phase.visits, phase.visit_time.as_secs()])
            .any(|count| count > COUNT_MAX);
        if too_many {
            return Err(AddError::Counts {
                place: format!("phase `{}`", phase.name),
                what: "a count is out of range",
            });
        }
        let steps = phase
            .steps
            .iter()
            .map(|step| Tally::read(&phase.name, step));
        Ok(PhaseTally {
            steps: steps.collect::<Result<_, _>>()?,
            windows: phase.windows.clone(),
            visits: phase.visits,
            visit_time: phase.visit_time,
        })
    }
}

impl PhaseTally {
    fn merge(&mut self, other: &Self) {
        for (sum, tally) in self.steps.iter_mut().zip(&other.steps) {
            sum.merge(tally);
        }
        for (&second, &count) in &other.windows {
            self.windows.entry(second).or_default().add(count);
        }
        self.visits += other.visits;
        self.visit_time = self.visit_time.saturating_add(other.visit_time);
    }
}

/// Checks that names are those of the run.
pub(in crate::run) fn same<'a>(
    what: &'static str,
    own: impl Iterator<Item = &'a str>,
    found: impl Iterator<Item = &'a str>,
) -> Result<(), AddError> {
    let (own, found): (Vec<_>, Vec<_>) = (own.collect(), found.collect());
    if own == found {
        return Ok(());
    }
    Err(AddError::Shape {
        what,
        found: found.join(", "),
        expected: own.join(", "),
    })
}

#[cfg(test)]
mod tests;
