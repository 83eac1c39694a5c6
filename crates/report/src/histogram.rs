//! Histograms as files that other tools read, and the points of the percentile chart.
//!
//! A report carries each histogram in HdrHistogram's V2 encoding. Here it becomes the percentile
//! text (`.hgrm`) that HdrHistogram's own tools print and its plotter reads.

use std::fmt::Write as _;
use std::io::{self, Write};

use double11_measure::histogram::{HistogramError, LatencyHistogram};

/// How many steps each halving of the rest above a percentile has.
///
/// Source: `HistogramLogProcessor` and `outputPercentileDistribution` of HdrHistogram, default 5.
const STEPS_PER_HALF: f64 = 5.0;

/// Why a histogram could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The text in the report is no histogram.
    #[error("the histogram of the report cannot be read")]
    Histogram(#[from] HistogramError),
    /// The writer refused.
    #[error("the percentiles cannot be written")]
    Write(#[source] io::Error),
}

/// Writes a histogram of a report (base64) in HdrHistogram's percentile text, values in
/// milliseconds.
///
/// # Errors
/// [`ExportError::Histogram`] when the text is no histogram, [`ExportError::Write`] when the writer
/// fails.
pub fn write_percentiles(base64: &str, mut writer: impl Write) -> Result<(), ExportError> {
    let histogram = LatencyHistogram::from_base64(base64)?;
    writer
        .write_all(percentile_text(&histogram).as_bytes())
        .map_err(ExportError::Write)
}

/// One line of the percentile text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    /// Highest value of the bucket, in milliseconds.
    pub(crate) value_ms: f64,
    /// Share of the values that are at or below it as far as the walk has come, 0 to 1.
    pub(crate) quantile: f64,
    /// Values at or below it.
    pub(crate) count: u64,
}

/// Walks up the percentiles in steps that halve with the rest above.
///
/// Source: `PercentileIterator` of HdrHistogram (Java).
pub(crate) fn points(histogram: &LatencyHistogram) -> Vec<Point> {
    let total = histogram.len();
    let mut points = Vec::new();
    let mut level = 0.0_f64;
    let mut count = 0;
    for (value, times) in histogram.buckets() {
        count += times;
        let value_ms = value.as_secs_f64() * 1_000.0;
        let reached = 100.0 * count as f64 / total as f64;
        while count < total && level <= reached {
            points.push(Point {
                value_ms,
                quantile: level / 100.0,
                count,
            });
            let halvings = (100.0 / (100.0 - level)).log2().floor() + 1.0;
            level += 100.0 / (STEPS_PER_HALF * 2_f64.powf(halvings));
        }
        if count == total {
            // The walk arrives at the last value once, and then that value stands for all the rest.
            points.push(Point {
                value_ms,
                quantile: level / 100.0,
                count,
            });
            points.push(Point {
                value_ms,
                quantile: 1.0,
                count,
            });
        }
    }
    points
}

/// The percentile text of a histogram.
pub(crate) fn percentile_text(histogram: &LatencyHistogram) -> String {
    let mut text = format!(
        "{:>12} {:>14} {:>10} {:>14}\n\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    );
    let mut line = |point: Point| {
        let Point {
            value_ms,
            quantile,
            count,
        } = point;
        if quantile < 1.0 {
            let rarity = 1.0 / (1.0 - quantile);
            writeln!(
                text,
                "{value_ms:12.3} {quantile:2.12} {count:10} {rarity:14.2}"
            )
        } else {
            writeln!(text, "{value_ms:12.3} {quantile:2.12} {count:10}")
        }
        .expect("a text takes every line");
    };
    points(histogram).into_iter().for_each(&mut line);
    let total = histogram.len();
    let (mean, deviation) = mean_and_deviation(histogram);
    let max = histogram
        .max()
        .map_or(0.0, |max| max.as_secs_f64() * 1_000.0);
    writeln!(
        text,
        "#[Mean    = {mean:12.3}, StdDeviation   = {deviation:12.3}]\n\
         #[Max     = {max:12.3}, Total count    = {total:12}]"
    )
    .expect("a text takes every line");
    text
}

/// Mean and standard deviation in milliseconds, the highest value of each bucket standing for it.
fn mean_and_deviation(histogram: &LatencyHistogram) -> (f64, f64) {
    let mean = histogram
        .mean()
        .map_or(0.0, |mean| mean.as_secs_f64() * 1_000.0);
    let squares: f64 = histogram
        .buckets()
        .map(|(value, times)| {
            let distance = value.as_secs_f64() * 1_000.0 - mean;
            distance * distance * times as f64
        })
        .sum();
    let deviation = (squares / histogram.len().max(1) as f64).sqrt();
    (mean, deviation)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn histogram(values: impl IntoIterator<Item = u64>) -> LatencyHistogram {
        let mut histogram = LatencyHistogram::new();
        for micros in values {
            histogram.record(Duration::from_micros(micros));
        }
        histogram
    }

    #[test]
    fn the_walk_agrees_with_the_histogram() {
        let histogram = histogram((1..=100_000).map(|value| value * 7 % 90_001 + 1));
        let points = points(&histogram);
        assert_eq!(points.last().unwrap().count, 100_000);
        assert!(points.len() > 60, "{}", points.len());
        for pair in points.windows(2) {
            assert!(pair[0].value_ms <= pair[1].value_ms);
            assert!(pair[0].quantile < pair[1].quantile);
            assert!(pair[0].count <= pair[1].count);
        }
        for point in &points {
            let value = histogram.percentile(point.quantile * 100.0).unwrap();
            let expected = value.as_secs_f64() * 1_000.0;
            // A walk that stands exactly between two ranks may take the next bucket.
            assert!(
                (point.value_ms - expected).abs() <= expected * 0.002,
                "{point:?}, the histogram says {expected}"
            );
        }
    }

    #[test]
    fn the_text_is_what_hdr_histogram_prints() {
        let text = percentile_text(&histogram([1_000, 1_000, 1_000, 2_000]));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "       Value     Percentile TotalCount 1/(1-Percentile)"
        );
        assert_eq!(
            lines[2],
            "       1.000 0.000000000000          3           1.00"
        );
        assert_eq!(
            lines[3],
            "       1.000 0.100000000000          3           1.11"
        );
        assert_eq!(
            lines[lines.len() - 4..lines.len() - 2],
            [
                "       2.000 0.775000000000          4           4.44",
                "       2.000 1.000000000000          4",
            ],
            "{text}"
        );
        assert!(text.contains("#[Mean    =        1.2"), "{text}");
        assert!(text.ends_with("Total count    =            4]\n"), "{text}");
    }

    #[test]
    fn an_empty_histogram_has_no_points() {
        assert!(points(&LatencyHistogram::new()).is_empty());
        let mut text = Vec::new();
        write_percentiles(&LatencyHistogram::new().to_base64(), &mut text).unwrap();
        assert!(write_percentiles("no histogram", &mut text).is_err());
    }
}
