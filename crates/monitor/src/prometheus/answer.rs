//! Reading the answers. A range of samples is read as a [`Matrix`](crate::matrix::Matrix) instead.

use double11_units::UnixMicros;
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::Error;

use crate::exposition::{Labels, parse_value};
use crate::matrix::Point;

#[derive(Debug, Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Debug, Deserialize)]
struct Refusal {
    error: String,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Found {
    Scalar(Value),
    Vector(Vec<Instant>),
    Matrix(Vec<Range>),
}

/// Seconds since 1970 and the text of a number.
type Value = (f64, String);

#[derive(Debug, Deserialize)]
struct Instant {
    value: Value,
}

#[derive(Debug, Deserialize)]
struct Range {
    metric: Labels,
    values: Vec<Value>,
}

#[derive(Debug, Deserialize)]
struct BuildInfo {
    version: String,
}

/// Prometheus' own words for a refusal, where it is Prometheus that refused.
pub(super) fn error(body: &[u8]) -> Option<String> {
    let refusal: Refusal = serde_json::from_slice(body).ok()?;
    Some(refusal.error)
}

pub(super) fn version(body: &[u8]) -> Option<String> {
    let info: Answer<BuildInfo> = serde_json::from_slice(body).ok()?;
    Some(info.data.version)
}

/// The number of a scalar, or of the only series of a vector; `None` for no series.
pub(super) fn number(body: &[u8]) -> Result<Option<f64>, Error> {
    let value = match found(body)? {
        Found::Scalar(value) => value,
        Found::Vector(series) => {
            let mut series = series.into_iter();
            match (series.next(), series.next()) {
                (None, _) => return Ok(None),
                (Some(one), None) => one.value,
                _ => return Err(Error::custom("several series, expected one")),
            }
        }
        Found::Matrix(_) => return Err(Error::custom("a matrix, expected one number")),
    };
    Ok(Some(point(value)?.value))
}

pub(super) fn series(body: &[u8]) -> Result<Vec<(Labels, Vec<Point>)>, Error> {
    let Found::Matrix(ranges) = found(body)? else {
        return Err(Error::custom("expected a matrix"));
    };
    let read = ranges.into_iter().map(|range| {
        let points: Result<Vec<Point>, Error> = range.values.into_iter().map(point).collect();
        Ok((range.metric, points?))
    });
    read.collect()
}

fn found(body: &[u8]) -> Result<Found, Error> {
    let answer: Answer<Found> = serde_json::from_slice(body)?;
    Ok(answer.data)
}

fn point((seconds, text): Value) -> Result<Point, Error> {
    let value =
        parse_value(&text).ok_or_else(|| Error::custom(format!("`{text}` is not a value")))?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "an absurd time saturates, which is as good"
    )]
    let at = UnixMicros::new((seconds * 1e6).round() as i64);
    Ok(Point { at, value })
}
