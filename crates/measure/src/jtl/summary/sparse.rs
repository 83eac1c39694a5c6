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
        self.counts = merged(&self.counts, &other.counts);
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

    fn sort_in(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        self.pending.sort_unstable();
        let mut new: Vec<(u16, u32)> = Vec::with_capacity(self.pending.len());
        for &key in &self.pending {
            match new.last_mut() {
                Some((last, count)) if *last == key => *count += 1,
                _ => new.push((key, 1)),
            }
        }
        self.pending.clear();
        self.counts = merged(&self.counts, &new);
    }
}

fn merged(left: &[(u16, u32)], right: &[(u16, u32)]) -> Vec<(u16, u32)> {
    let mut sum = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    while let (Some(&&(left_key, left_count)), Some(&&(right_key, right_count))) =
        (left.peek(), right.peek())
    {
        let key = left_key.min(right_key);
        let mut count = 0;
        if left_key == key {
            count += left_count;
            left.next();
        }
        if right_key == key {
            count += right_count;
            right.next();
        }
        sum.push((key, count));
    }
    sum.extend(left);
    sum.extend(right);
    sum.shrink_to_fit();
    sum
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
