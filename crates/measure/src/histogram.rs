//! The one latency histogram and the one percentile definition of the project.
//!
//! A histogram of durations in microseconds with three significant decimal digits (`HdrHistogram`):
//! every reported duration is at most one part in a thousand above the recorded one. A percentile is
//! the *nearest rank*: the smallest recorded value such that at least `⌈p/100·n⌉` of the `n` values
//! are not above it. Nothing is interpolated; definitions of other tools are other types.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{DeserializeError, Deserializer, Serializer as _, V2Serializer};

/// Significant decimal digits of a [`LatencyHistogram`]: a relative error of at most 10⁻³.
pub const SIGNIFICANT_DIGITS: u8 = 3;

/// The longest duration that is told apart; longer ones are recorded as this and counted.
pub const LONGEST: Duration = Duration::from_hours(1);

const LOWEST_MICROS: u64 = 1;
const HIGHEST_MICROS: u64 = 3_600_000_000;

/// The range doubles when it grows, so that the one which holds an hour ends at the next power of two.
const HIGHEST_ENCODED: u64 = u32::MAX as u64;

/// Bytes before the counts in the V2 encoding: cookie, payload length, normalising offset,
/// significant digits, lowest and highest value, conversion ratio.
const V2_HEADER_BYTES: usize = 40;

/// A histogram of durations from 1 µs to [`LONGEST`] with three significant digits.
///
/// Shorter durations count as 1 µs. It grows with the largest value recorded, so that an empty one
/// is small (16 KiB) and one that saw a second takes about 90 KiB.
#[derive(Clone)]
pub struct LatencyHistogram {
    inner: Histogram<u64>,
    saturated: u64,
}

/// Why a text is not an encoded histogram.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistogramError {
    /// The text is not base64.
    #[error("histogram is not valid base64")]
    Base64(#[source] base64::DecodeError),
    /// The bytes are shorter or longer than their own header says.
    #[error("histogram has {actual} bytes where its header asks for {expected}")]
    Length {
        /// Bytes that the header announces, itself included; 40 where not even the header is whole.
        expected: usize,
        /// Bytes that there are.
        actual: usize,
    },
    /// The bytes are not an `HdrHistogram` in V2 encoding.
    #[error("histogram is not in the V2 encoding of HdrHistogram")]
    Encoding(#[source] DeserializeError),
    /// A histogram, but not of microseconds with three significant digits.
    #[error(
        "histogram has {digits} significant digits from {lowest} up to {highest}, \
         expected {SIGNIFICANT_DIGITS} digits from {LOWEST_MICROS} up to at most {HIGHEST_ENCODED}"
    )]
    Configuration {
        /// Its significant digits.
        digits: u64,
        /// Its lowest discernible value.
        lowest: u64,
        /// The highest value that it can hold.
        highest: u64,
    },
}

impl LatencyHistogram {
    /// An empty histogram.
    ///
    /// # Panics
    /// Never: the fixed bounds are valid.
    pub fn new() -> Self {
        let mut inner =
            Histogram::new_with_bounds(LOWEST_MICROS, 2 * LOWEST_MICROS, SIGNIFICANT_DIGITS)
                .expect("the fixed bounds of the histogram are valid");
        inner.auto(true);
        Self {
            inner,
            saturated: 0,
        }
    }

    /// Records one duration, rounded to the nearest microsecond.
    ///
    /// # Panics
    /// Never: the value is clamped into the range that the histogram grows to.
    pub fn record(&mut self, value: Duration) {
        self.record_many(value, 1);
    }

    /// Records the same duration `count` times, rounded to the nearest microsecond.
    ///
    /// # Panics
    /// Never: the value is clamped into the range that the histogram grows to.
    pub fn record_many(&mut self, value: Duration, count: u64) {
        if value > LONGEST {
            self.saturated += count;
        }
        self.inner
            .record_n(micros_clamped(value), count)
            .expect("a value clamped to the range can always be recorded");
    }

    /// Adds every value of another histogram, as if each had been recorded here.
    ///
    /// # Panics
    /// Never: both have the same bounds and digits.
    pub fn merge(&mut self, other: &Self) {
        self.inner
            .add(&other.inner)
            .expect("histograms of one configuration can be added");
        self.saturated += other.saturated;
    }

    /// Forgets every value, keeping the memory.
    pub fn clear(&mut self) {
        self.inner.reset();
        self.saturated = 0;
    }

    /// How many values were recorded.
    pub fn len(&self) -> u64 {
        self.inner.len()
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// The value at a percentile (0–100, clamped) by nearest rank, at most one part in a thousand
    /// above the exact one. `None` when nothing was recorded or the percentile is not a number.
    pub fn percentile(&self, percentile: f64) -> Option<Duration> {
        let rank = nearest_rank(percentile, self.len())?;
        // Half a rank below the wanted one, the library's own rounding up lands on it exactly.
        let quantile = (rank as f64 - 0.5) / self.len() as f64;
        Some(Duration::from_micros(
            self.inner.value_at_quantile(quantile),
        ))
    }

    /// The smallest value recorded, to the resolution of the histogram (rounded down).
    pub fn min(&self) -> Option<Duration> {
        (!self.is_empty()).then(|| Duration::from_micros(self.inner.min()))
    }

    /// The largest value recorded, to the resolution of the histogram (rounded up).
    pub fn max(&self) -> Option<Duration> {
        (!self.is_empty()).then(|| Duration::from_micros(self.inner.max()))
    }

    /// The arithmetic mean, with the middle of each value's bucket standing for the value.
    pub fn mean(&self) -> Option<Duration> {
        (!self.is_empty()).then(|| Duration::from_secs_f64(self.inner.mean() / 1e6))
    }

    /// How many values were above [`LONGEST`] and recorded as it. Not part of the encoded form.
    pub fn saturated(&self) -> u64 {
        self.saturated
    }

    /// How many values are at or below `value`, to the resolution of the histogram: values in the
    /// same bucket as `value` count.
    pub fn count_at_or_below(&self, value: Duration) -> u64 {
        let micros = micros_floor(value);
        if micros >= self.inner.max() {
            self.len()
        } else {
            self.inner.count_between(0, micros)
        }
    }

    /// The buckets that hold values, in rising order: the highest duration that falls into the
    /// bucket, and how many did.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> + '_ {
        self.inner.iter_recorded().map(|step| {
            (
                Duration::from_micros(step.value_iterated_to()),
                step.count_at_value(),
            )
        })
    }

    /// The histogram in the uncompressed V2 encoding of `HdrHistogram`, in base64.
    /// Source: <https://github.com/HdrHistogram/HdrHistogram>, `EncodableHistogram`.
    ///
    /// # Panics
    /// Never: counts fit the encoding.
    pub fn to_base64(&self) -> String {
        HistogramEncoder::default().encode(self)
    }

    /// Reads back what [`Self::to_base64`] wrote.
    ///
    /// # Errors
    /// Each variant of [`HistogramError`] says what is wrong with the text. Whatever the text says,
    /// it makes no larger histogram than [`LONGEST`] asks for.
    pub fn from_base64(text: &str) -> Result<Self, HistogramError> {
        let bytes = BASE64.decode(text).map_err(HistogramError::Base64)?;
        check_header(&bytes)?;
        let mut inner: Histogram<u64> = Deserializer::new()
            .deserialize(&mut bytes.as_slice())
            .map_err(HistogramError::Encoding)?;
        inner.auto(true);
        Ok(Self {
            inner,
            saturated: 0,
        })
    }
}

/// Encodes many histograms with the same buffers. Each needs more room than its text, and a
/// hundred kilobytes taken and given back between small texts that stay scatter the texts.
#[derive(Default)]
pub(crate) struct HistogramEncoder {
    serializer: V2Serializer,
    bytes: Vec<u8>,
}

impl HistogramEncoder {
    /// As [`LatencyHistogram::to_base64`].
    pub(crate) fn encode(&mut self, histogram: &LatencyHistogram) -> String {
        self.bytes.clear();
        self.serializer
            .serialize(&histogram.inner, &mut self.bytes)
            .expect("a histogram of this size always fits its encoding");
        BASE64.encode(&self.bytes)
    }
}

impl Default for LatencyHistogram {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for LatencyHistogram {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LatencyHistogram")
            .field("len", &self.len())
            .field("min", &self.min())
            .field("max", &self.max())
            .field("saturated", &self.saturated)
            .finish_non_exhaustive()
    }
}

/// The one-based rank of a percentile among `count` values: `⌈p/100·n⌉`, at least 1. `None` when
/// there is no value or the percentile is not a number.
///
/// A product that misses a whole number only by the rounding of floating-point arithmetic is taken
/// as that number, so that the 99.9th percentile of 1,000 values is the 999th.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the rank lies between 1 and the count"
)]
pub fn nearest_rank(percentile: f64, count: u64) -> Option<u64> {
    if count == 0 || percentile.is_nan() {
        return None;
    }
    let exact = percentile.clamp(0.0, 100.0) * count as f64 / 100.0;
    let whole = exact.round();
    let rank = if (exact - whole).abs() <= whole * 1e-12 {
        whole
    } else {
        exact.ceil()
    };
    Some((rank as u64).clamp(1, count))
}

fn micros_clamped(value: Duration) -> u64 {
    if value >= LONGEST {
        return HIGHEST_MICROS;
    }
    let below_second = u64::from(value.subsec_nanos()) + 500;
    (value.as_secs() * 1_000_000 + below_second / 1_000).max(LOWEST_MICROS)
}

fn micros_floor(value: Duration) -> u64 {
    u64::try_from(value.as_micros()).unwrap_or(u64::MAX)
}

/// Holds what the header announces against the bytes that there are and against the fixed
/// configuration, before anything is allocated for it.
fn check_header(bytes: &[u8]) -> Result<(), HistogramError> {
    let mismatch = |expected| HistogramError::Length {
        expected,
        actual: bytes.len(),
    };
    let header = bytes
        .first_chunk::<V2_HEADER_BYTES>()
        .ok_or(mismatch(V2_HEADER_BYTES))?;
    let payload_bytes = usize::try_from(big_endian(&header[4..8])).unwrap_or(usize::MAX);
    let expected = V2_HEADER_BYTES.saturating_add(payload_bytes);
    if bytes.len() != expected {
        return Err(mismatch(expected));
    }
    let digits = big_endian(&header[12..16]);
    let lowest = big_endian(&header[16..24]);
    let highest = big_endian(&header[24..32]);
    if digits != u64::from(SIGNIFICANT_DIGITS)
        || lowest != LOWEST_MICROS
        || highest > HIGHEST_ENCODED
    {
        return Err(HistogramError::Configuration {
            digits,
            lowest,
            highest,
        });
    }
    Ok(())
}

fn big_endian(field: &[u8]) -> u64 {
    field
        .iter()
        .fold(0, |value, &byte| value << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests;
