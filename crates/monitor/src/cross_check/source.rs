//! Who says what the target counted inside a phase: the scrapes themselves, or a Prometheus.

use std::time::Duration;

use double11_measure::run::PhaseSummary;

use super::window::Window;
use super::{CrossCheckInput, Reason, throughput};
use crate::matrix::InterpolatedQuantile;

/// The time in the target's handlers within a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct HandlerTime {
    pub(crate) p95: InterpolatedQuantile,
    pub(crate) mean: Duration,
}

/// Says what the target counted inside a phase.
pub(crate) trait Source {
    /// The span inside the phase that is compared, from scrape to scrape.
    fn window(&self, input: &CrossCheckInput<'_>, phase: &PhaseSummary) -> Result<Window, Reason>;

    /// Requests per second at all known endpoints within the window.
    fn rate(&self, input: &CrossCheckInput<'_>, window: Window) -> Result<f64, Reason>;

    /// The time in the handlers of all known endpoints within the window; `None` without a request.
    fn handler_time(
        &self,
        input: &CrossCheckInput<'_>,
        window: Window,
    ) -> Result<Option<HandlerTime>, Reason>;
}

/// What the scrapes of the matrix themselves say.
#[derive(Debug)]
pub(super) struct Scraped;

impl Source for Scraped {
    fn window(&self, input: &CrossCheckInput<'_>, phase: &PhaseSummary) -> Result<Window, Reason> {
        Window::inside(input, phase)
    }

    fn rate(&self, input: &CrossCheckInput<'_>, window: Window) -> Result<f64, Reason> {
        Ok(throughput::counted(input, window)? / window.length().as_secs_f64())
    }

    fn handler_time(
        &self,
        input: &CrossCheckInput<'_>,
        window: Window,
    ) -> Result<Option<HandlerTime>, Reason> {
        let handler = input.handler_time(window.from, window.to)?;
        let p95 = handler.prometheus_quantile(0.95);
        Ok(p95
            .zip(handler.mean())
            .map(|(p95, mean)| HandlerTime { p95, mean }))
    }
}
