//! A sample on its way into a result file.

use double11_load::clock::RunClock;

use crate::sample::{DataType, SampleResult};
use crate::user::Variables;

use super::form::SaveForm;

/// A sample with all that a row says of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sampled<'a> {
    pub(super) result: &'a SampleResult,
    pub(super) form: &'a SaveForm,
    pub(super) clock: &'a RunClock,
    pub(super) thread_name: &'a str,
    pub(super) hostname: &'a str,
    pub(super) variables: &'a Variables,
    /// Names of the variables that rows end with.
    pub(super) variable_names: &'a [Box<str>],
}

impl<'a> Sampled<'a> {
    /// The values of the variables that rows end with.
    pub(super) fn values(&self) -> impl Iterator<Item = Option<&'a str>> + use<'a> {
        let variables = self.variables;
        let names = self.variable_names.iter();
        names.map(|name| variables.get(name))
    }
}

/// The times of a sample as result files have them.
///
/// `JMeter` reads clocks of whole milliseconds and subtracts; so the difference of two instants is
/// here that of their milliseconds, and start plus elapsed is the end.
#[expect(clippy::struct_field_names, reason = "raw numbers name their unit")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    /// Since 1970-01-01 UTC.
    pub(super) start_ms: i64,
    pub(super) elapsed_ms: i64,
    pub(super) latency_ms: i64,
    pub(super) idle_ms: i64,
    pub(super) connect_ms: i64,
}

impl Times {
    pub(super) fn of(clock: &RunClock, result: &SampleResult) -> Self {
        let start_ms = clock.wall(result.start).millis();
        let end_ms = clock.wall(result.end).millis();
        let idle_ms = i64::try_from(result.idle.as_millis()).unwrap_or(i64::MAX);
        let until = |span| clock.wall(result.start.saturating_add(span)).millis() - start_ms;
        Self {
            start_ms,
            elapsed_ms: (end_ms - start_ms - idle_ms).max(0),
            latency_ms: until(result.latency),
            idle_ms,
            connect_ms: until(result.connect),
        }
    }
}

impl DataType {
    /// The word in result files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "",
            Self::Text => "text",
            Self::Binary => "bin",
        }
    }
}
