//! Figures of the samples by their labels, over the whole run.

use std::sync::Arc;
use std::time::Duration;

use double11_measure::histogram::LatencyHistogram;

/// How many labels are told apart; samples of further ones are counted together.
pub const LABELS_MAX: usize = 2_000;

/// The label of the samples whose labels came too late to be told apart.
pub const OTHER_LABELS: &str = "(other labels)";

/// The figures of one label.
#[derive(Debug, Clone)]
pub struct LabelFigures {
    /// The label.
    pub label: Arc<str>,
    /// Samples that were not successful.
    pub errors: u64,
    /// The elapsed times of all samples, failed ones too.
    pub elapsed: LatencyHistogram,
    /// When the first of them began, on the run's clock.
    pub first_start: Duration,
    /// When the last of them was over.
    pub last_end: Duration,
    /// Whether the samples stand for transactions, whose parts are counted under their own labels.
    pub is_transaction: bool,
}

impl LabelFigures {
    pub(super) fn new(label: Arc<str>, is_transaction: bool) -> Self {
        Self {
            label,
            errors: 0,
            elapsed: LatencyHistogram::new(),
            first_start: Duration::MAX,
            last_end: Duration::ZERO,
            is_transaction,
        }
    }

    /// How many samples there were.
    pub fn samples(&self) -> u64 {
        self.elapsed.len()
    }

    /// Samples a second, from the first start to the last end.
    pub fn per_second(&self) -> f64 {
        let span = self.last_end.saturating_sub(self.first_start).as_secs_f64();
        if span > 0.0 {
            self.samples() as f64 / span
        } else {
            0.0
        }
    }

    /// Adds the samples of another label.
    pub fn merge(&mut self, other: &Self) {
        self.errors += other.errors;
        self.elapsed.merge(&other.elapsed);
        self.first_start = self.first_start.min(other.first_start);
        self.last_end = self.last_end.max(other.last_end);
    }
}
