//! What a classic Prometheus histogram counted between two scrapes.

use std::time::Duration;

/// One bucket: how many observations were at or below its upper bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// The bound in seconds; infinite for the last.
    pub upper_bound: f64,
    /// Observations at or below it.
    pub count: f64,
}

/// Observations between two scrapes, over all series that were asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct HistogramDelta {
    /// Cumulative, by rising bound, each bound once.
    buckets: Vec<Bucket>,
    /// The sum of the observations in seconds.
    pub sum_seconds: f64,
    /// How many observations.
    pub count: f64,
}

/// A quantile by Prometheus' `histogram_quantile`: interpolated within the bucket it falls into,
/// hence off by up to that bucket's width. Not a percentile of this project's own definition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InterpolatedQuantile {
    /// The interpolated value; the highest finite bound if it lies beyond.
    pub value: Duration,
    /// The lower bound of its bucket.
    pub bucket_lower: Duration,
    /// The upper bound of its bucket; `None` if it lies beyond the highest finite bound.
    pub bucket_upper: Option<Duration>,
}

impl InterpolatedQuantile {
    /// How far the value may be from the true one: the width of its bucket; `None` if the bucket
    /// has no end.
    pub fn bucket_error(&self) -> Option<Duration> {
        self.bucket_upper
            .map(|upper| upper.saturating_sub(self.bucket_lower))
    }
}

impl HistogramDelta {
    /// Adds up buckets of the same bound (of several series) and puts them in order. Counts of
    /// buckets that were scraped at slightly different instants may fall by a few; as Prometheus
    /// does, each is taken as at least the one below.
    pub(super) fn new(mut buckets: Vec<Bucket>, sum_seconds: f64, count: f64) -> Self {
        buckets.sort_by(|one, other| one.upper_bound.total_cmp(&other.upper_bound));
        let mut summed: Vec<Bucket> = Vec::new();
        for bucket in buckets {
            match summed.last_mut() {
                Some(last) if last.upper_bound.to_bits() == bucket.upper_bound.to_bits() => {
                    last.count += bucket.count;
                }
                _ => summed.push(bucket),
            }
        }
        let mut below = 0.0_f64;
        for bucket in &mut summed {
            bucket.count = bucket.count.max(below);
            below = bucket.count;
        }
        Self {
            buckets: summed,
            sum_seconds,
            count,
        }
    }

    /// The observations of both together.
    #[must_use]
    pub fn merged(self, other: Self) -> Self {
        let buckets = [self.buckets, other.buckets].concat();
        Self::new(
            buckets,
            self.sum_seconds + other.sum_seconds,
            self.count + other.count,
        )
    }

    /// The buckets, cumulative, by rising bound.
    pub fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }

    /// The mean observation; `None` without one.
    pub fn mean(&self) -> Option<Duration> {
        (self.count > 0.0).then(|| seconds(self.sum_seconds / self.count))
    }

    /// The `quantile` (0–1) as Prometheus' `histogram_quantile` computes it. `None` without an
    /// observation, without a finite bucket, or without the bucket that has no end.
    ///
    /// Source: Prometheus, `promql/quantile.go`, function `BucketQuantile`.
    pub fn prometheus_quantile(&self, quantile: f64) -> Option<InterpolatedQuantile> {
        let (endless, finite) = self.buckets.split_last()?;
        let highest = finite.last()?;
        if endless.upper_bound != f64::INFINITY || endless.count <= 0.0 {
            return None;
        }
        let rank = quantile.clamp(0.0, 1.0) * endless.count;
        let Some(index) = finite.iter().position(|bucket| bucket.count >= rank) else {
            let bound = seconds(highest.upper_bound);
            return Some(InterpolatedQuantile {
                value: bound,
                bucket_lower: bound,
                bucket_upper: None,
            });
        };
        let bucket = finite[index];
        let below = index.checked_sub(1).map_or(
            Bucket {
                upper_bound: 0.0,
                count: 0.0,
            },
            |before| finite[before],
        );
        let inside = bucket.count - below.count;
        let share = if inside > 0.0 {
            (rank - below.count) / inside
        } else {
            0.0
        };
        let width = bucket.upper_bound - below.upper_bound;
        Some(InterpolatedQuantile {
            value: seconds(below.upper_bound + width * share),
            bucket_lower: seconds(below.upper_bound),
            bucket_upper: Some(seconds(bucket.upper_bound)),
        })
    }
}

/// Seconds as a duration; what is no duration (negative, not a number) is zero.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO)
}
