//! `improvement_report.json`: writer and reader.

use std::io::{Read, Write};

use serde::Deserialize;

use crate::model::{ImprovementReport, SCHEMA_VERSION};

/// Why a report could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// The writer refused.
    #[error("cannot write the report as JSON")]
    Write(#[source] std::io::Error),
    /// The reader failed.
    #[error("cannot read the report")]
    Read(#[source] std::io::Error),
    /// A figure cannot be expressed, or the text is no report.
    #[error("the JSON of the report does not have the expected form")]
    Form(#[source] serde_json::Error),
    /// Written by another version of the program.
    #[error("the report has schema version {found}, this program reads {SCHEMA_VERSION}")]
    Version {
        /// What the file says.
        found: u64,
    },
}

/// Writes the report as indented JSON that ends with a line break.
///
/// # Errors
/// [`JsonError::Write`] when the writer fails, [`JsonError::Form`] when a value has no JSON form.
pub fn write(report: &ImprovementReport, mut writer: impl Write) -> Result<(), JsonError> {
    let mut text = serde_json::to_vec_pretty(report).map_err(JsonError::Form)?;
    text.push(b'\n');
    writer.write_all(&text).map_err(JsonError::Write)
}

/// Reads a report.
///
/// # Errors
/// [`JsonError::Read`] when the reader fails, [`JsonError::Version`] for another schema version,
/// [`JsonError::Form`] for anything that is not a report.
pub fn read(mut reader: impl Read) -> Result<ImprovementReport, JsonError> {
    // The version is looked at first, so that a newer file is named as such and not as a broken one.
    #[derive(Deserialize)]
    struct Version {
        schema_version: u64,
    }
    let mut text = Vec::new();
    reader.read_to_end(&mut text).map_err(JsonError::Read)?;
    let version: Version = serde_json::from_slice(&text).map_err(JsonError::Form)?;
    if version.schema_version != u64::from(SCHEMA_VERSION) {
        return Err(JsonError::Version {
            found: version.schema_version,
        });
    }
    serde_json::from_slice(&text).map_err(JsonError::Form)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::sample;

    /// Same form, same texts, and numbers that differ by no more than what reading a decimal text
    /// may cost.
    fn is_same(left: &Value, right: &Value) -> bool {
        match (left, right) {
            (Value::Array(left), Value::Array(right)) => {
                left.len() == right.len()
                    && left
                        .iter()
                        .zip(right)
                        .all(|(left, right)| is_same(left, right))
            }
            (Value::Object(left), Value::Object(right)) => {
                left.len() == right.len()
                    && left.iter().all(|(key, value)| {
                        right.get(key).is_some_and(|other| is_same(value, other))
                    })
            }
            (Value::Number(left), Value::Number(right)) => {
                let (left, right) = (left.as_f64().unwrap(), right.as_f64().unwrap());
                (left - right).abs() <= left.abs() * 4.0 * f64::EPSILON
            }
            _ => left == right,
        }
    }

    #[test]
    fn what_was_written_is_read_back() {
        let report = sample::report();
        let mut text = Vec::new();
        write(&report, &mut text).unwrap();
        assert!(text.ends_with(b"}\n"));
        let back = read(text.as_slice()).unwrap();
        let value = |report: &ImprovementReport| serde_json::to_value(report).unwrap();
        assert!(is_same(&value(&report), &value(&back)));
        let mut other = back;
        other.variants[1].phases[2].failed += 1;
        assert!(!is_same(&value(&report), &value(&other)));
    }

    #[test]
    fn another_version_is_named() {
        let error = read(br#"{"schema_version": 1, "run": 5}"#.as_slice()).unwrap_err();
        assert!(matches!(error, JsonError::Version { found: 1 }), "{error}");
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "[]", "{}", "{\"schema_version\": 2}", "no json"] {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(matches!(error, JsonError::Form(_)), "{text}: {error}");
        }
    }

    #[test]
    fn a_writer_that_fails_is_reported() {
        let mut room = [0_u8; 16];
        let error = write(&sample::report(), room.as_mut_slice()).unwrap_err();
        assert!(matches!(error, JsonError::Write(_)), "{error}");
    }
}
