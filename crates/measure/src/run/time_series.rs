//! `timeseries.json`: what happened in each second, exact enough to be cut and merged again.

use serde::{Deserialize, Serialize};

use super::SCHEMA_VERSION;
use super::recorder::tallies::same;
use super::second::OpenSecond;
use super::tallies::AddError;

/// A run by the second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimeSeries {
    /// [`SCHEMA_VERSION`](super::SCHEMA_VERSION).
    pub schema_version: u32,
    /// When second 0 began, in milliseconds since 1970-01-01 UTC. The recorder knows no wall
    /// clock: whoever writes the file fills it in.
    pub start_unix_ms: Option<i64>,
    /// Names of the steps, in plan order.
    pub steps: Vec<String>,
    /// Seconds with any activity, in order.
    pub seconds: Vec<Second>,
}

impl TimeSeries {
    /// Adds another time series of the same run, second by second: counts are summed up, histograms
    /// bucket by bucket. Second 0 of the other one is second `later` of this one.
    ///
    /// # Errors
    /// [`AddError`], every kind but [`AddError::Failure`]. Nothing is added then.
    pub fn add(&mut self, other: &Self, later: u32) -> Result<(), AddError> {
        for series in [&*self, other] {
            if series.schema_version != SCHEMA_VERSION {
                return Err(AddError::Version {
                    found: series.schema_version,
                    known: SCHEMA_VERSION,
                });
            }
            in_order(&series.seconds)?;
        }
        let own = self.steps.iter().map(String::as_str);
        same("steps", own, other.steps.iter().map(String::as_str))?;
        let mut sum = Vec::with_capacity(self.seconds.len().max(other.seconds.len()));
        let mut rest = self.seconds.iter().peekable();
        for second in &other.seconds {
            let order = AddError::Order {
                second: second.second,
            };
            let at = second.second.checked_add(later).ok_or(order)?;
            while let Some(before) = rest.next_if(|own| own.second < at) {
                sum.push(before.clone());
            }
            // Adding to nothing reads what is added, so that a damaged second is found here as well.
            let mut open = OpenSecond::new(self.steps.len());
            if let Some(same) = rest.next_if(|own| own.second == at) {
                open.add(same)?;
            }
            open.add(second)?;
            sum.push(open.close(at));
        }
        sum.extend(rest.cloned());
        self.seconds = sum;
        Ok(())
    }
}

fn in_order(seconds: &[Second]) -> Result<(), AddError> {
    let wrong = seconds
        .windows(2)
        .find(|pair| pair[0].second >= pair[1].second);
    wrong.map_or(Ok(()), |pair| {
        Err(AddError::Order {
            second: pair[1].second,
        })
    })
}

/// One second of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Second {
    /// Seconds since the start of the run, rounded down.
    pub second: u32,
    /// The steps with any activity, in plan order.
    pub steps: Vec<SecondStep>,
}

/// One step in one second: by the second of the planned start, except `completed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecondStep {
    /// The index of the step in [`TimeSeries::steps`].
    pub step: u16,
    /// Requests that were planned.
    pub attempted: u64,
    /// Answered as wished.
    pub succeeded: u64,
    /// Answered with a refusal that the step expects.
    pub expected_refusals: u64,
    /// Anything else, dropped ones included.
    pub failed: u64,
    /// Planned, but dropped before sending.
    pub dropped: u64,
    /// Never sent: dropped, or no connection could be made.
    pub never_sent: u64,
    /// Requests that got a complete answer in this second, whatever the status, by the second of
    /// their *end*.
    pub completed: u64,
    /// Histogram of the response times in the form of
    /// [`LatencyHistogram::to_base64`](crate::histogram::LatencyHistogram::to_base64); of every
    /// request that was not dropped. `None` without one.
    pub response_time: Option<String>,
    /// Histogram of the service times, of every request that was sent. `None` without one.
    pub service_time: Option<String>,
}
