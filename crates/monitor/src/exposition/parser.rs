//! Reading the text format: lines into families.

use std::collections::{HashMap, HashSet};

use super::line::{Line, read_line};
use super::{Exposition, Family, FamilyKind, Labels, Sample};

/// The longest text that is read, in bytes.
pub const BYTES_MAX: usize = 16 << 20;

/// The most samples that are read; a shop has at most 3,000 series by its contract.
pub const SAMPLES_MAX: usize = 100_000;

/// Where a text is not in the format, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// The fault.
    pub kind: ParseErrorKind,
}

/// What can be wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// A metric name is expected and not there.
    #[error("expected the name of a metric")]
    MetricName,
    /// A label name is expected and not there.
    #[error("expected the name of a label")]
    LabelName,
    /// A character of the label list is missing.
    #[error("expected `{0}` in the labels")]
    LabelSyntax(char),
    /// A label value is not closed, or holds an unknown escape.
    #[error("the value of label `{0}` is not closed or has an unknown escape")]
    LabelValue(String),
    /// A label is there twice.
    #[error("label `{0}` is there twice")]
    RepeatedLabel(String),
    /// The value is missing or no number.
    #[error("`{0}` is not a value")]
    Value(String),
    /// The timestamp is no whole number.
    #[error("`{0}` is not a timestamp in milliseconds")]
    Timestamp(String),
    /// Something follows the timestamp.
    #[error("unexpected text after the sample")]
    TrailingText,
    /// A TYPE line names no known type.
    #[error("`{0}` is not a metric type")]
    UnknownType(String),
    /// A second TYPE or HELP line, or a TYPE line after the samples.
    #[error("`{0}` is already described or has samples already")]
    Redescribed(String),
    /// The same series twice in one scrape.
    #[error("series `{0}` is there twice")]
    RepeatedSeries(String),
    /// More than [`BYTES_MAX`] bytes or [`SAMPLES_MAX`] samples.
    #[error("more than {BYTES_MAX} bytes or {SAMPLES_MAX} samples")]
    TooLarge,
}

pub(super) fn parse(text: &str) -> Result<Exposition, ParseError> {
    if text.len() > BYTES_MAX {
        return Err(ParseError {
            line: 1,
            kind: ParseErrorKind::TooLarge,
        });
    }
    let mut families = Families::default();
    for (index, line) in text.split('\n').enumerate() {
        read_line(line)
            .and_then(|line| families.take(line))
            .map_err(|kind| ParseError {
                line: index + 1,
                kind,
            })?;
    }
    Ok(Exposition {
        families: families.all,
    })
}

/// The families read so far.
#[derive(Default)]
struct Families {
    all: Vec<Family>,
    by_name: HashMap<String, usize>,
    typed: HashSet<usize>,
    series: HashSet<(String, Labels)>,
}

impl Families {
    fn take(&mut self, line: Line<'_>) -> Result<(), ParseErrorKind> {
        match line {
            Line::Nothing => Ok(()),
            Line::Help { name, text } => {
                let family = self.family(name);
                let help = &mut self.all[family].help;
                if help.is_some() {
                    return Err(ParseErrorKind::Redescribed(name.to_owned()));
                }
                *help = Some(text);
                Ok(())
            }
            Line::Type { name, kind } => {
                let family = self.family(name);
                if !self.typed.insert(family) || !self.all[family].samples.is_empty() {
                    return Err(ParseErrorKind::Redescribed(name.to_owned()));
                }
                self.all[family].kind = kind;
                Ok(())
            }
            Line::Sample(sample) => self.sample(sample),
        }
    }

    fn sample(&mut self, sample: Sample) -> Result<(), ParseErrorKind> {
        if self.series.len() == SAMPLES_MAX {
            return Err(ParseErrorKind::TooLarge);
        }
        if !self
            .series
            .insert((sample.name.clone(), sample.labels.clone()))
        {
            return Err(ParseErrorKind::RepeatedSeries(sample.name));
        }
        let family = self.family_of_sample(&sample.name);
        self.all[family].samples.push(sample);
        Ok(())
    }

    /// The family that a series belongs to by its name and the families' types; a new untyped one
    /// if there is none.
    fn family_of_sample(&mut self, name: &str) -> usize {
        for suffix in ["_bucket", "_sum", "_count"] {
            let family = name
                .strip_suffix(suffix)
                .and_then(|family| self.by_name.get(family));
            if let Some(&index) = family
                && self.all[index].kind.suffixes().contains(&suffix)
            {
                return index;
            }
        }
        self.family(name)
    }

    fn family(&mut self, name: &str) -> usize {
        if let Some(&index) = self.by_name.get(name) {
            return index;
        }
        let index = self.all.len();
        self.by_name.insert(name.to_owned(), index);
        self.all.push(Family {
            name: name.to_owned(),
            help: None,
            kind: FamilyKind::Untyped,
            samples: Vec::new(),
        });
        index
    }
}
