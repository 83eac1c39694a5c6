//! The span between two scrapes, and what the client did in it.

use std::time::Duration;

use double11_measure::run::{PhaseSummary, Second};
use double11_units::UnixMicros;

use super::{CrossCheckInput, Reason};

/// How far outside a phase a scrape may lie and still belong to it: scrapes at its boundaries are
/// made when the boundary has passed.
const BOUNDARY_TOLERANCE: Duration = Duration::from_millis(250);

/// The span that the scrapes inside a phase must cover at least. The client counts by whole seconds,
/// whose shares at both ends are estimates.
const SPAN_MIN: Duration = Duration::from_secs(5);

/// The span between two scrapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: UnixMicros,
    pub(crate) to: UnixMicros,
    /// When second 0 of the run began.
    start: UnixMicros,
}

impl Window {
    /// From the last scrape before the run to the last of all, which must be after the last second
    /// with any activity has begun. The target must not have restarted.
    pub(super) fn whole_run(input: &CrossCheckInput<'_>) -> Result<Self, Reason> {
        let start = input.start()?;
        let scrapes = input.matrix.scrapes();
        let from = scrapes
            .iter()
            .rfind(|&&at| at <= start)
            .ok_or(Reason::NoScrapeBefore)?;
        let last_second = input
            .time_series
            .seconds
            .last()
            .map_or(0, |second| second.second);
        let end = start.plus(Duration::from_secs(u64::from(last_second)));
        let to = scrapes
            .last()
            .filter(|&&at| at >= end)
            .ok_or(Reason::NoScrapeAfter)?;
        Self {
            from: *from,
            to: *to,
            start,
        }
        .unless_restarted(input)
    }

    /// From the first to the last scrape inside a phase.
    pub(super) fn inside(
        input: &CrossCheckInput<'_>,
        phase: &PhaseSummary,
    ) -> Result<Self, Reason> {
        let start = input.start()?;
        let seconds = |value: f64| Duration::try_from_secs_f64(value).unwrap_or_default();
        let phase_start = start.plus(seconds(phase.start_s));
        let phase_end = phase_start.plus(seconds(phase.duration_s));
        let inside: Vec<UnixMicros> = input
            .matrix
            .scrapes()
            .into_iter()
            .filter(|&at| phase_start.since(at) <= BOUNDARY_TOLERANCE)
            .filter(|&at| at.since(phase_end) <= BOUNDARY_TOLERANCE)
            .collect();
        let too_few = |spanned: Duration| Reason::ScrapesTooFew {
            spanned_s: spanned.as_secs_f64(),
            needed_s: SPAN_MIN.as_secs_f64(),
        };
        let (Some(&from), Some(&to)) = (inside.first(), inside.last()) else {
            return Err(too_few(Duration::ZERO));
        };
        let window = Self { from, to, start };
        if window.length() < SPAN_MIN {
            return Err(too_few(window.length()));
        }
        window.unless_restarted(input)
    }

    /// From one scrape to another.
    pub(crate) fn between(
        input: &CrossCheckInput<'_>,
        from: UnixMicros,
        to: UnixMicros,
    ) -> Result<Self, Reason> {
        let start = input.start()?;
        Self { from, to, start }.unless_restarted(input)
    }

    fn unless_restarted(self, input: &CrossCheckInput<'_>) -> Result<Self, Reason> {
        if input.matrix.restarted_between(self.from, self.to) {
            Err(Reason::TargetRestarted)
        } else {
            Ok(self)
        }
    }

    pub(crate) fn length(&self) -> Duration {
        self.to.since(self.from)
    }

    /// Requests of the compared steps that were answered within the window; seconds at its ends
    /// count by the share that lies inside.
    pub(super) fn answered(&self, input: &CrossCheckInput<'_>) -> f64 {
        let steps = input.compared_steps();
        input
            .time_series
            .seconds
            .iter()
            .map(|second| {
                let completed: u64 = second
                    .steps
                    .iter()
                    .filter(|step| steps.contains(&step.step))
                    .map(|step| step.completed)
                    .sum();
                self.share(second) * completed as f64
            })
            .sum()
    }

    /// The share of a second of the run that lies inside the window, 0–1.
    pub(super) fn share(&self, second: &Second) -> f64 {
        let begin = self
            .start
            .plus(Duration::from_secs(u64::from(second.second)));
        let end = begin.plus(Duration::from_secs(1));
        end.min(self.to).since(begin.max(self.from)).as_secs_f64()
    }
}
