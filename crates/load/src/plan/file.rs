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
    /// When shoppers come. Absent from the hash of a plan that has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) profile: Option<Spanned<ProfileFile>>,
    pub(super) step: Vec<StepFile>,
}

/// When shoppers come: how many, and either phases or the hours of a day.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileFile {
    pub(super) visits_per_second: Option<Spanned<f64>>,
    pub(super) requests_per_second: Option<Spanned<f64>>,
    pub(super) users: Option<Spanned<u32>>,
    pub(super) spread: Option<Spanned<SpreadFile>>,
    pub(super) time_scale: Option<Spanned<f64>>,
    /// Multiplier of each hour of a day.
    pub(super) hours: Option<Spanned<Vec<f64>>>,
    pub(super) peak_above: Option<Spanned<f64>>,
    pub(super) hour: Option<Spanned<u32>>,
    #[serde(default)]
    pub(super) phase: Vec<PhaseFile>,
}

/// How arrivals are spread.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SpreadFile {
    Poisson,
    Even,
}

/// A stretch of a run.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PhaseFile {
    pub(super) name: Spanned<String>,
    pub(super) duration_s: Spanned<f64>,
    pub(super) factor: Option<Spanned<f64>>,
    pub(super) from: Option<Spanned<f64>>,
    pub(super) to: Option<Spanned<f64>>,
    #[serde(default)]
    pub(super) peak: bool,
    #[serde(default = "yes")]
    pub(super) measured: bool,
}

fn yes() -> bool {
    true
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
    /// Absent from the hash of a step that has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry: Option<Spanned<RetryFile>>,
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

/// When a failed request is sent again.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RetryFile {
    pub(super) attempts: u32,
    #[serde(default)]
    pub(super) statuses: Vec<u16>,
    #[serde(default)]
    pub(super) transport: bool,
    pub(super) min_s: f64,
    pub(super) max_s: f64,
    #[serde(default = "one_second")]
    pub(super) retry_after_max_s: f64,
}

fn one_second() -> f64 {
    1.0
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
