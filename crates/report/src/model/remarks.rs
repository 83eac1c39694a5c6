//! What a reader has to know beside the figures, as codes with values, so that every language can
//! say it.

use serde::{Deserialize, Serialize};

use super::cross_check::{CrossCheckKind, CrossCheckReason};

/// How heavy a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Something that was asked for does not hold.
    Failure,
}

/// Something a reader has to know beside the figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finding {
    /// How heavy it weighs.
    pub severity: Severity,
    /// The variant that it is about, where it is about one.
    pub variant: Option<String>,
    /// What it is.
    #[serde(flatten)]
    pub what: FindingKind,
}

/// What a [`Finding`] says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum FindingKind {
    /// Payments or refunds were still in process when the waiting ended.
    Unsettled {
        /// How long was waited, in seconds.
        limit_s: f64,
    },
    /// A noteworthy share of the requests failed.
    RequestsFailed {
        /// In which phase.
        phase: String,
        /// Failed ÷ attempted, 0 to 1.
        share: f64,
        /// Requests planned.
        attempted: u64,
        /// The most frequent kinds with their counts, the most frequent first.
        kinds: Vec<(String, u64)>,
    },
    /// A cross-check could not be made.
    CannotCompare {
        /// What was to be compared, in the words of the cross-check.
        check: String,
        /// Its kind.
        kind: CrossCheckKind,
        /// The phase; `None` for the whole run.
        phase: Option<String>,
        /// Why not.
        reason: CrossCheckReason,
    },
    /// No phase was named to be judged.
    NoJudgedPhase,
    /// The shop had to wait for its quota of processor time.
    Throttled {
        /// In which phase.
        phase: String,
        /// Periods in which it had something to do.
        periods: u64,
        /// Those of them in which it had to wait.
        throttled: u64,
        /// How long its threads waited, added up over the processors, in seconds.
        waited_s: f64,
    },
    /// Anything else, in words that are shown as they are.
    Other {
        /// A sentence or two.
        text: String,
    },
}

/// A doubt about the measurement itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Warning {
    /// Shop and load generator shared one processor and disturbed each other.
    SharedCore,
    /// The shop's metrics could not be read at some instant.
    ScrapeFailed {
        /// During a run of this variant.
        variant: String,
        /// What went wrong.
        message: String,
    },
    /// Anything else, in words that are shown as they are.
    Other {
        /// A sentence with advice.
        text: String,
    },
}
