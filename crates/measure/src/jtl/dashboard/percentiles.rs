//! Two definitions of a percentile, each a type of its own.

use std::collections::VecDeque;

use super::counts::MillisecondCounts;

/// Percentiles of every sample of the run, by nearest rank; 0 without a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FullRunPercentiles {
    /// The median, in milliseconds.
    pub median_ms: u64,
    /// The three others that were asked for.
    pub others_ms: [u64; 3],
}

impl FullRunPercentiles {
    pub(super) fn of(counts: &MillisecondCounts, others: [f64; 3]) -> Self {
        let at = |percentile| counts.percentile(percentile).unwrap_or_default();
        Self {
            median_ms: at(50.0),
            others_ms: others.map(at),
        }
    }
}

/// Percentiles as `JMeter`'s dashboard shows them: of the *last* samples of a label only, interpolated
/// at rank `p · (n + 1)`. Whatever came before the window is not in them.
///
/// Source: `JMeter`'s `PercentileAggregator` with Commons Math's estimation type `LEGACY`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct WindowPercentiles {
    /// The median, in milliseconds.
    pub median_ms: f64,
    /// The three others that were asked for.
    pub others_ms: [f64; 3],
    /// Samples that the window had no room for.
    pub forgotten: u64,
}

/// The last elapsed times of a label.
#[derive(Debug)]
pub(super) struct Window {
    last_ms: VecDeque<u32>,
    /// How many there may be.
    size: Option<usize>,
    forgotten: u64,
}

impl Window {
    pub(super) fn new(size: Option<usize>) -> Self {
        Self {
            last_ms: VecDeque::new(),
            size,
            forgotten: 0,
        }
    }

    pub(super) fn add(&mut self, elapsed_ms: u64) {
        if self.size.is_some_and(|size| self.last_ms.len() >= size) {
            self.last_ms.pop_front();
            self.forgotten += 1;
        }
        let elapsed_ms = u32::try_from(elapsed_ms).unwrap_or(u32::MAX);
        self.last_ms.push_back(elapsed_ms);
    }

    pub(super) fn finish(self, others: [f64; 3]) -> WindowPercentiles {
        let mut sorted: Vec<u32> = self.last_ms.into();
        sorted.sort_unstable();
        WindowPercentiles {
            median_ms: legacy(&sorted, 50.0),
            others_ms: others.map(|percentile| legacy(&sorted, percentile)),
            forgotten: self.forgotten,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the position lies between 1 and the number of values"
)]
fn legacy(sorted: &[u32], percentile: f64) -> f64 {
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else {
        return 0.0;
    };
    let position = percentile / 100.0 * (sorted.len() as f64 + 1.0);
    if position < 1.0 {
        return f64::from(*first);
    }
    if position >= sorted.len() as f64 {
        return f64::from(*last);
    }
    let below = position.floor() as usize;
    let (low, high) = (f64::from(sorted[below - 1]), f64::from(sorted[below]));
    low + position.fract() * (high - low)
}
