//! The form of a plan file. Unknown keys are errors.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::Write;

/// A whole plan file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlanFile {
    /// Version of this form: 1.
    pub(super) format: Spanned<u32>,
    pub(super) name: Spanned<String>,
    #[serde(default)]
    pub(super) description: String,
    /// Numbers that the caller may replace by name.
    #[serde(default)]
    pub(super) parameters: BTreeMap<String, f64>,
    #[serde(default)]
    pub(super) data: BTreeMap<String, Spanned<DataFile>>,
    pub(super) step: Vec<StepFile>,
}

/// A source of data.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum DataFile {
    /// A whole number of a range, each equally likely.
    Uniform { min: Amount, max: Amount },
    /// A whole number from 1, drawn by Zipf's law.
    Zipf { exponent: f64, max: Amount },
    /// A text of a list, each equally likely or by Zipf's law in the list's order.
    List {
        #[serde(default)]
        values: Vec<String>,
        built_in: Option<String>,
        exponent: Option<f64>,
    },
    /// A text drawn by weight.
    Choice { values: Vec<WeightedFile> },
    /// A UUID of version 7.
    Uuid {},
    /// A JSON array of several items.
    Repeat {
        min: u32,
        max: u32,
        distinct: Option<String>,
        template: String,
    },
}

/// A number, or the name of a parameter.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Amount {
    Number(f64),
    Parameter(String),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WeightedFile {
    pub(super) value: String,
    pub(super) weight: f64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StepFile {
    pub(super) name: Spanned<String>,
    /// Share of visits, in normal times.
    pub(super) weight: Spanned<f64>,
    /// Factor on the weight at the peak.
    pub(super) peak_factor: Option<Spanned<f64>>,
    /// The step that this one is conditional on.
    pub(super) within: Option<Spanned<String>>,
    pub(super) think_time: Option<Spanned<PauseFile>>,
    pub(super) delayed: Option<Spanned<DelayedFile>>,
    pub(super) request: Option<RequestFile>,
}

/// Seconds, uniform between two lengths.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PauseFile {
    pub(super) min_s: f64,
    pub(super) max_s: f64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DelayedFile {
    pub(super) share: Amount,
    pub(super) min_s: f64,
    pub(super) max_s: f64,
    #[serde(default)]
    pub(super) expected_refusals: Vec<RefusalFile>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestFile {
    pub(super) method: Spanned<String>,
    pub(super) path: Spanned<String>,
    pub(super) body: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Spanned<String>>,
    pub(super) success: Spanned<Vec<u16>>,
    #[serde(default)]
    pub(super) expected_refusals: Vec<RefusalFile>,
    pub(super) write: Option<Write>,
    #[serde(default)]
    pub(super) idempotency_key: bool,
    #[serde(default)]
    pub(super) extract: BTreeMap<String, Spanned<String>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefusalFile {
    pub(super) status: u16,
    pub(super) code: Option<String>,
}
