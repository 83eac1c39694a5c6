//! Scrapes accumulated over a run, in the form of Prometheus' own `query_range` answer.
//!
//! A [`Matrix`] holds what was scraped and nothing else: where a scrape failed there is no point, and
//! a warning says so. It is written and read as `{"status":"success","data":{"resultType":"matrix",
//! "result":[…]}}`, so that a file of a run and an answer of a Prometheus server are one thing.
//! Reading counters back is exact, by the points themselves; Prometheus' extrapolation of `rate` and
//! `increase` is deliberately absent.

use std::collections::{BTreeMap, BTreeSet};

use double11_units::UnixMicros;
use serde::{Deserialize, Serialize};

use crate::exposition::Labels;
use crate::scrape::Scrape;

mod histogram_delta;
mod wire;

pub use histogram_delta::{Bucket, HistogramDelta, InterpolatedQuantile};
pub use wire::MatrixFormatError;

/// The label under which the form keeps the name of a series.
pub const NAME_LABEL: &str = "__name__";

/// Beginnings of the names of the series that are kept.
pub const KEPT_PREFIXES: [&str; 2] = ["ecommerce_", "process_"];

/// The series whose change tells a restart of the target.
pub const PROCESS_START: &str = "process_start_time_seconds";

/// The value of a series at one scrape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The scrape's instant.
    pub at: UnixMicros,
    /// The value.
    pub value: f64,
}

/// Every kept series over time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "wire::Answer", into = "wire::Answer")]
pub struct Matrix {
    /// Points in order of time, by the labels with the name among them.
    series: BTreeMap<Labels, Vec<Point>>,
    /// What went wrong while scraping, in order of time.
    warnings: Vec<String>,
}

/// Which series are meant: those of a name that have all of the labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selector<'a> {
    /// The name.
    pub name: &'a str,
    /// Labels with the values that they must have; others may have any.
    pub labels: &'a [(&'a str, &'a str)],
}

/// Why the growth of a counter between two scrapes cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CounterError {
    /// The later scrape has no such series.
    #[error("the target has no series `{name}` with the wanted labels")]
    Missing {
        /// The name of the series.
        name: String,
    },
    /// A series fell between two scrapes, or went away: its process restarted.
    #[error("series `{name}` was reset")]
    Reset {
        /// The name of the series.
        name: String,
    },
}

impl<'a> Selector<'a> {
    /// The series of a name that have all of these labels.
    pub fn new(name: &'a str, labels: &'a [(&'a str, &'a str)]) -> Self {
        Self { name, labels }
    }

    fn matches(&self, labels: &Labels) -> bool {
        let has = |name: &str, value: &str| labels.get(name).is_some_and(|found| found == value);
        has(NAME_LABEL, self.name) && self.labels.iter().all(|&(name, value)| has(name, value))
    }
}

impl Matrix {
    /// A matrix without a series.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the series of a scrape whose names begin with one of [`KEPT_PREFIXES`], all at the
    /// instant of the scrape; timestamps of the target's own are not used.
    ///
    /// A scrape that is not later than the last one (the time of day was set back) is not kept,
    /// with a warning.
    pub fn push(&mut self, scrape: &Scrape) {
        if self.last_scrape().is_some_and(|last| scrape.at <= last) {
            self.warn(format!(
                "scrape at {} not kept: it is not later than the one before",
                seconds_text(scrape.at)
            ));
            return;
        }
        for sample in scrape.exposition.samples() {
            if !KEPT_PREFIXES
                .iter()
                .any(|prefix| sample.name.starts_with(prefix))
            {
                continue;
            }
            let mut labels = sample.labels.clone();
            labels.insert(NAME_LABEL.to_owned(), sample.name.clone());
            let point = Point {
                at: scrape.at,
                value: sample.value,
            };
            self.series.entry(labels).or_default().push(point);
        }
    }

    /// Notes something that went wrong, such as a scrape that failed.
    pub fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    /// What went wrong while scraping, in order of time.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The series that are meant, with their labels (the name among them) and points.
    pub fn select<'m>(
        &'m self,
        selector: Selector<'m>,
    ) -> impl Iterator<Item = (&'m Labels, &'m [Point])> {
        self.series
            .iter()
            .filter(move |(labels, _)| selector.matches(labels))
            .map(|(labels, points)| (labels, points.as_slice()))
    }

    /// Every instant at which any series has a point, in order.
    pub fn scrapes(&self) -> Vec<UnixMicros> {
        let all: BTreeSet<UnixMicros> = self
            .series
            .values()
            .flatten()
            .map(|point| point.at)
            .collect();
        all.into_iter().collect()
    }

    /// The same without anything later than an instant.
    #[must_use]
    pub fn until(&self, at: UnixMicros) -> Self {
        let series = self.series.iter().map(|(labels, points)| {
            let end = points.partition_point(|point| point.at <= at);
            (
                labels.clone(),
                points.get(..end).unwrap_or_default().to_vec(),
            )
        });
        Self {
            series: series.filter(|(_, points)| !points.is_empty()).collect(),
            warnings: self.warnings.clone(),
        }
    }

    /// Every value of every series.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        self.series.values().flatten().map(|point| point.value)
    }

    /// The sum of the series that are meant at the instant of a scrape; `None` if none has a point
    /// there.
    pub fn sum_at(&self, selector: Selector<'_>, at: UnixMicros) -> Option<f64> {
        self.select(selector)
            .filter_map(|(_, points)| value_at(points, at))
            .reduce(|sum, value| sum + value)
    }

    /// By how much the counters that are meant grew together between two scrapes. A series that is
    /// not there at `from` counts from 0, as a counter does.
    ///
    /// # Errors
    /// [`CounterError::Missing`] if none is there at `to`, [`CounterError::Reset`] if one fell
    /// anywhere between or is gone at `to`.
    pub fn counter_delta(
        &self,
        selector: Selector<'_>,
        from: UnixMicros,
        to: UnixMicros,
    ) -> Result<f64, CounterError> {
        let mut sum = None;
        for (_, points) in self.select(selector) {
            if let Some(delta) = series_delta(selector.name, points, from, to)? {
                *sum.get_or_insert(0.0) += delta;
            }
        }
        sum.ok_or_else(|| CounterError::Missing {
            name: selector.name.to_owned(),
        })
    }

    /// What the classic histograms that are meant (by the family's name) counted together between
    /// two scrapes.
    ///
    /// # Errors
    /// As [`Self::counter_delta`], for any of their series.
    pub fn histogram_delta(
        &self,
        family: Selector<'_>,
        from: UnixMicros,
        to: UnixMicros,
    ) -> Result<HistogramDelta, CounterError> {
        let Selector { name, labels } = family;
        let bucket_name = format!("{name}_bucket");
        let mut buckets = Vec::new();
        for (series, points) in self.select(Selector::new(&bucket_name, labels)) {
            let bound = series
                .get("le")
                .and_then(|le| crate::exposition::parse_value(le));
            let delta = series_delta(&bucket_name, points, from, to)?;
            if let (Some(upper_bound), Some(count)) = (bound, delta) {
                buckets.push(Bucket { upper_bound, count });
            }
        }
        let delta_of = |suffix: &str| {
            self.counter_delta(Selector::new(&format!("{name}{suffix}"), labels), from, to)
        };
        Ok(HistogramDelta::new(
            buckets,
            delta_of("_sum")?,
            delta_of("_count")?,
        ))
    }

    /// Whether the target's process was another one at any two scrapes of the span, by
    /// [`PROCESS_START`]; `false` if the target does not tell.
    pub fn restarted_between(&self, from: UnixMicros, to: UnixMicros) -> bool {
        self.select(Selector::new(PROCESS_START, &[]))
            .any(|(_, points)| {
                let mut starts = within(points, from, to)
                    .iter()
                    .map(|point| point.value.to_bits());
                starts
                    .next()
                    .is_some_and(|first| starts.any(|start| start != first))
            })
    }

    fn last_scrape(&self) -> Option<UnixMicros> {
        self.series
            .values()
            .filter_map(|points| points.last())
            .map(|point| point.at)
            .max()
    }
}

/// The growth of one series, if it is there at `to` or was at `from`.
fn series_delta(
    name: &str,
    points: &[Point],
    from: UnixMicros,
    to: UnixMicros,
) -> Result<Option<f64>, CounterError> {
    let reset = || CounterError::Reset {
        name: name.to_owned(),
    };
    let span = within(points, from, to);
    if span.windows(2).any(|pair| pair[1].value < pair[0].value) {
        return Err(reset());
    }
    match (value_at(points, from), value_at(points, to)) {
        (before, Some(after)) => Ok(Some(after - before.unwrap_or(0.0))),
        (None, None) if span.is_empty() => Ok(None),
        (_, None) => Err(reset()),
    }
}

/// The points of a span, both ends included.
fn within(points: &[Point], from: UnixMicros, to: UnixMicros) -> &[Point] {
    let start = points.partition_point(|point| point.at < from);
    let end = points.partition_point(|point| point.at <= to);
    points.get(start..end).unwrap_or_default()
}

fn value_at(points: &[Point], at: UnixMicros) -> Option<f64> {
    let index = points.binary_search_by_key(&at, |point| point.at).ok()?;
    points.get(index).map(|point| point.value)
}

/// An instant as Prometheus writes it, in seconds.
pub(crate) fn seconds_text(at: UnixMicros) -> String {
    wire::unix_seconds(at).to_string()
}

#[cfg(test)]
mod tests;
