//! The JSON form of a matrix. Source: Prometheus documentation, "HTTP API", sections "Format
//! overview", "Range queries" and "Range vectors".

use std::collections::BTreeMap;

use double11_units::UnixMicros;
use serde::{Deserialize, Serialize};

use super::{Matrix, NAME_LABEL, Point};
use crate::exposition::{Labels, parse_value, value_text};

/// The whole answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Answer {
    status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<Data>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: Vec<Series>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Series {
    metric: Labels,
    values: Vec<(f64, String)>,
}

/// Why a JSON document is not a matrix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MatrixFormatError {
    /// Prometheus answered with an error.
    #[error("the answer has status `{status}`: {}", error.as_deref().unwrap_or("no reason given"))]
    Status {
        /// Its status.
        status: String,
        /// Its own words.
        error: Option<String>,
    },
    /// An answer of another type, such as an instant vector.
    #[error("the answer is of type `{0}`, expected `matrix`")]
    ResultType(String),
    /// A series without a name.
    #[error("a series has no `__name__`")]
    NoName,
    /// The same series twice.
    #[error("series `{0}` is there twice")]
    RepeatedSeries(String),
    /// A value that is no number.
    #[error("`{value}` is not a value of series `{series}`")]
    Value {
        /// The name of the series.
        series: String,
        /// The text.
        value: String,
    },
    /// Instants of a series that do not rise.
    #[error("the times of series `{0}` are not in rising order")]
    Order(String),
}

impl From<Matrix> for Answer {
    fn from(matrix: Matrix) -> Self {
        let result = matrix
            .series
            .into_iter()
            .map(|(metric, points)| Series {
                metric,
                values: points
                    .into_iter()
                    .map(|point| (unix_seconds(point.at), value_text(point.value)))
                    .collect(),
            })
            .collect();
        Self {
            status: "success".to_owned(),
            data: Some(Data {
                result_type: "matrix".to_owned(),
                result,
            }),
            error: None,
            warnings: matrix.warnings,
        }
    }
}

impl TryFrom<Answer> for Matrix {
    type Error = MatrixFormatError;

    fn try_from(answer: Answer) -> Result<Self, MatrixFormatError> {
        let Answer {
            status,
            data,
            error,
            warnings,
        } = answer;
        let data = match data {
            Some(data) if status == "success" => data,
            _ => return Err(MatrixFormatError::Status { status, error }),
        };
        if data.result_type != "matrix" {
            return Err(MatrixFormatError::ResultType(data.result_type));
        }
        let mut series = BTreeMap::new();
        for one in data.result {
            let name = one
                .metric
                .get(NAME_LABEL)
                .cloned()
                .ok_or(MatrixFormatError::NoName)?;
            let points = points(&name, one.values)?;
            if series.insert(one.metric, points).is_some() {
                return Err(MatrixFormatError::RepeatedSeries(name));
            }
        }
        Ok(Self { series, warnings })
    }
}

fn points(name: &str, values: Vec<(f64, String)>) -> Result<Vec<Point>, MatrixFormatError> {
    let mut points: Vec<Point> = Vec::with_capacity(values.len());
    for (seconds, text) in values {
        let at = instant(seconds);
        if points.last().is_some_and(|last| at <= last.at) {
            return Err(MatrixFormatError::Order(name.to_owned()));
        }
        let value = parse_value(&text).ok_or_else(|| MatrixFormatError::Value {
            series: name.to_owned(),
            value: text,
        })?;
        points.push(Point { at, value });
    }
    Ok(points)
}

/// An instant as Prometheus writes it. Exact to the microsecond until the year 2255.
pub(super) fn unix_seconds(at: UnixMicros) -> f64 {
    at.get() as f64 / 1e6
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "an absurd time saturates, which is as good"
)]
fn instant(seconds: f64) -> UnixMicros {
    UnixMicros::new((seconds * 1e6).round() as i64)
}
