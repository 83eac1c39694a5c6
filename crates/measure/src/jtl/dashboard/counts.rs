//! Whole milliseconds and how often they were seen: exact, and small for times as they come.

use std::collections::BTreeMap;

use crate::histogram::nearest_rank;

/// Times below this many milliseconds have a counter each.
const DENSE_MS: u64 = 16_384;

#[derive(Debug, Clone, Default)]
pub(super) struct MillisecondCounts {
    dense: Vec<u32>,
    /// Longer times, and what no longer fits a counter.
    sparse: BTreeMap<u64, u64>,
    total: u64,
}

impl MillisecondCounts {
    pub(super) fn add(&mut self, elapsed_ms: u64) {
        self.total += 1;
        let index = usize::try_from(elapsed_ms).unwrap_or(usize::MAX);
        if elapsed_ms < DENSE_MS {
            if self.dense.len() <= index {
                self.dense.resize(index + 1, 0);
            }
            if let Some(more) = self.dense[index].checked_add(1) {
                self.dense[index] = more;
                return;
            }
        }
        *self.sparse.entry(elapsed_ms).or_default() += 1;
    }

    pub(super) fn len(&self) -> u64 {
        self.total
    }

    pub(super) fn min(&self) -> Option<u64> {
        self.percentile(0.0)
    }

    pub(super) fn max(&self) -> Option<u64> {
        self.percentile(100.0)
    }

    /// The time at a percentile by nearest rank, exactly.
    pub(super) fn percentile(&self, percentile: f64) -> Option<u64> {
        let rank = nearest_rank(percentile, self.total)?;
        let mut seen = 0;
        for (elapsed_ms, count) in (0_u64..).zip(&self.dense) {
            let full = self.sparse.get(&elapsed_ms).copied().unwrap_or_default();
            seen += u64::from(*count) + full;
            if seen >= rank {
                return Some(elapsed_ms);
            }
        }
        let longer = self.sparse.range(self.dense.len() as u64..);
        for (elapsed_ms, count) in longer {
            seen += count;
            if seen >= rank {
                return Some(*elapsed_ms);
            }
        }
        None
    }
}
