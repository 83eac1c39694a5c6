//! Counts of durations in whole milliseconds, small enough to have tens of thousands of them.
//!
//! A [`LatencyHistogram`] of one label in one second takes tens of kilobytes and mostly zeros. A
//! JTL file tells whole milliseconds, of which a second of one label has a few dozen different ones.
//! They are kept as pairs of a key and a count, no coarser than the histogram they end in.

use std::time::Duration;

use crate::histogram::{LONGEST, LatencyHistogram};

/// Durations that wait to be sorted in; a compromise between memory and the cost of sorting.
const PENDING_MAX: usize = 128;

/// Milliseconds up to here are kept as they are: 2²¹ µs.
const EXACT_MAX_MS: u64 = 2097;

/// Beyond, a doubling has this many keys, exactly as many as the histogram has buckets.
const KEYS_PER_DOUBLING: u64 = 1024;

/// The first power of two of microseconds above the exact ones.
const FIRST_DOUBLING: u64 = 21;

/// How often each duration was seen.
#[derive(Debug, Clone, Default)]
pub(super) struct SparseCounts {
    pending: Vec<u16>,
    /// In rising order of the key.
    counts: Vec<(u16, u32)>,
}

impl SparseCounts {
    pub(super) fn record(&mut self, key: u16) {
        self.pending.push(key);
        if self.pending.len() >= PENDING_MAX {
            self.sort_in();
        }
    }

    pub(super) fn merge(&mut self, mut other: Self) {
        other.sort_in();
        self.sort_in();
        self.add_sorted(&other.counts);
    }

    /// Adds every duration to a histogram, the longest first so that it grows at once.
    pub(super) fn add_to(&self, histogram: &mut LatencyHistogram) {
        for &key in &self.pending {
            histogram.record(duration_of(key));
        }
        for &(key, count) in self.counts.iter().rev() {
            histogram.record_many(duration_of(key), u64::from(count));
        }
    }

    /// The longest duration, as exactly as it is kept. `None` without one.
    pub(super) fn longest(&self) -> Option<Duration> {
        let counted = self.counts.last().map(|(key, _)| *key);
        counted
            .max(self.pending.iter().copied().max())
            .map(duration_of)
    }

    fn sort_in(&mut self) {
        self.pending.sort_unstable();
        let mut new = [(0, 0); PENDING_MAX];
        let mut distinct = 0;
        for run in self.pending.chunk_by(|left, right| left == right) {
            if let (Some(place), Some(&key)) = (new.get_mut(distinct), run.first()) {
                *place = (key, u32::try_from(run.len()).unwrap_or(u32::MAX));
                distinct += 1;
            }
        }
        self.pending.clear();
        self.add_sorted(&new[..distinct]);
    }

    /// Adds counts in rising order of the key, from the back and in place: taking and giving back
    /// memory for every few rows would leave it in pieces.
    fn add_sorted(&mut self, new: &[(u16, u32)]) {
        let absent = new
            .iter()
            .filter(|(key, _)| {
                self.counts
                    .binary_search_by_key(key, |(key, _)| *key)
                    .is_err()
            })
            .count();
        let mut left = self.counts.len();
        let mut right = new.len();
        self.counts.reserve_exact(absent);
        self.counts.resize(left + absent, (0, 0));
        for place in (0..self.counts.len()).rev() {
            if right == 0 {
                // What is left stands where it belongs.
                break;
            }
            let (new_key, new_count) = new[right - 1];
            match left.checked_sub(1).map(|last| self.counts[last]) {
                Some((key, count)) if key > new_key => {
                    self.counts[place] = (key, count);
                    left -= 1;
                }
                Some((key, count)) if key == new_key => {
                    self.counts[place] = (key, count + new_count);
                    left -= 1;
                    right -= 1;
                }
                _ => {
                    self.counts[place] = (new_key, new_count);
                    right -= 1;
                }
            }
        }
    }
}

/// The key of a duration: the milliseconds, or above two seconds the bucket of the histogram.
/// Durations beyond [`LONGEST`] have its key.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the key of an hour is 13,361"
)]
pub(super) fn key_of(milliseconds: u64) -> u16 {
    if milliseconds <= EXACT_MAX_MS {
        return milliseconds as u16;
    }
    let micros = milliseconds.min(LONGEST.as_secs() * 1000) * 1000;
    let doubling = u64::from(micros.ilog2());
    let bucket = (micros >> (doubling - 10)) - KEYS_PER_DOUBLING;
    let key = EXACT_MAX_MS + 1 + (doubling - FIRST_DOUBLING) * KEYS_PER_DOUBLING + bucket;
    key as u16
}

/// A duration that has this key.
fn duration_of(key: u16) -> Duration {
    let key = u64::from(key);
    if key <= EXACT_MAX_MS {
        return Duration::from_millis(key);
    }
    let above = key - EXACT_MAX_MS - 1;
    let bucket = KEYS_PER_DOUBLING + above % KEYS_PER_DOUBLING;
    let shift = FIRST_DOUBLING - 10 + above / KEYS_PER_DOUBLING;
    Duration::from_micros(bucket << shift).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn buckets(histogram: &LatencyHistogram) -> Vec<(Duration, u64)> {
        histogram.buckets().collect()
    }

    proptest! {
        #[test]
        fn counts_come_out_as_if_recorded_in_the_histogram(
            values in proptest::collection::vec(
                prop_oneof![0..100_u64, 0..5000_u64, 0..5_000_000_u64], 0..600),
            split in 0..600_usize,
        ) {
            let mut exact = LatencyHistogram::new();
            let (mut left, mut right) = (SparseCounts::default(), SparseCounts::default());
            for (index, &value) in values.iter().enumerate() {
                exact.record(Duration::from_millis(value));
                let part = if index < split { &mut left } else { &mut right };
                part.record(key_of(value));
            }
            left.merge(right);
            let mut counted = LatencyHistogram::new();
            left.add_to(&mut counted);
            prop_assert_eq!(buckets(&counted), buckets(&exact));
        }
    }

    #[test]
    fn every_key_is_that_of_its_own_duration() {
        let mut last = None;
        for milliseconds in (0..5_000)
            .step_by(3)
            .chain((5_000..3_700_000).step_by(1_009))
        {
            let key = key_of(milliseconds);
            assert!(last <= Some(key), "keys rise with the duration");
            last = Some(key);
            let one = LatencyHistogram::from_iter([Duration::from_millis(milliseconds)]);
            let other = LatencyHistogram::from_iter([duration_of(key)]);
            assert_eq!(buckets(&one), buckets(&other), "{milliseconds} ms");
        }
    }

    impl FromIterator<Duration> for LatencyHistogram {
        fn from_iter<T: IntoIterator<Item = Duration>>(durations: T) -> Self {
            let mut histogram = Self::new();
            for duration in durations {
                histogram.record(duration);
            }
            histogram
        }
    }
}
