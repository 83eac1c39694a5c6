//! The Prometheus text format, version 0.0.4: reading and writing.
//!
//! Source: Prometheus documentation, "Exposition formats", section "Text-based format". The protobuf
//! form, `OpenMetrics` and native histograms are deliberately absent.

use std::collections::BTreeMap;
use std::fmt;

mod line;
mod parser;
mod render;

pub use parser::{BYTES_MAX, ParseError, ParseErrorKind, SAMPLES_MAX};

/// Labels of a sample, by name.
pub type Labels = BTreeMap<String, String>;

/// What one scrape of a target says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Exposition {
    /// The metric families in the order of their first line.
    pub families: Vec<Family>,
}

/// All samples of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// Its name.
    pub name: String,
    /// Its HELP text.
    pub help: Option<String>,
    /// Its type; untyped where no TYPE line says otherwise.
    pub kind: FamilyKind,
    /// Its samples in the order in which they came.
    pub samples: Vec<Sample>,
}

/// The type of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FamilyKind {
    /// Only grows, until the process restarts.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Cumulative buckets (`_bucket` by `le`), `_sum` and `_count`.
    Histogram,
    /// Precomputed quantiles, `_sum` and `_count`.
    Summary,
    /// Not said.
    Untyped,
}

impl FamilyKind {
    /// The word of the TYPE line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::Untyped => "untyped",
        }
    }

    /// What may follow the family's name in the names of its samples.
    fn suffixes(self) -> &'static [&'static str] {
        match self {
            Self::Counter | Self::Gauge | Self::Untyped => &[""],
            Self::Histogram => &["", "_bucket", "_sum", "_count"],
            Self::Summary => &["", "_sum", "_count"],
        }
    }
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The name of the series: the family's, with a suffix in histograms and summaries.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
    /// Its value; may be infinite or not a number.
    pub value: f64,
    /// Milliseconds since 1970-01-01 UTC, if the target gave a time of its own.
    pub timestamp_ms: Option<i64>,
}

impl Exposition {
    /// Reads a text.
    ///
    /// # Errors
    /// [`ParseError`] with the line of the first fault, and where the text is beyond [`BYTES_MAX`]
    /// or [`SAMPLES_MAX`].
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        parser::parse(text)
    }

    /// Every sample of every family.
    pub fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.families.iter().flat_map(|family| &family.samples)
    }
}

impl fmt::Display for Exposition {
    /// Writes the text that [`Exposition::parse`] reads back.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        render::render(self, formatter)
    }
}

/// The text of a value as Prometheus writes it.
pub(crate) fn value_text(value: f64) -> String {
    if value == f64::INFINITY {
        "+Inf".to_owned()
    } else if value == f64::NEG_INFINITY {
        "-Inf".to_owned()
    } else {
        value.to_string()
    }
}

/// Reads a value as Prometheus does: a decimal number, `NaN`, `+Inf`, `-Inf` or `Inf`.
pub(crate) fn parse_value(text: &str) -> Option<f64> {
    text.parse().ok()
}

#[cfg(test)]
mod tests;
