//! What speaks for or against the figures: the audit and the generator's own health.

use serde::{Deserialize, Serialize};

/// The audit of a variant's store after its run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AuditReport {
    /// Whether every check passed.
    pub passed: bool,
    /// How long the shop took to settle before the audit, in seconds.
    pub settled_after_s: Option<f64>,
    /// The checks in the order in which they ran.
    pub checks: Vec<AuditCheck>,
}

/// One invariant, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AuditCheck {
    /// Short stable name, for instance `no-oversell`.
    pub name: String,
    /// What a pass proves, an English sentence; other languages have their own words by the name.
    pub what: String,
    /// Rows or ledger lines that were examined.
    pub examined: u64,
    /// How many of them contradict it.
    pub violations: u64,
    /// What came out.
    pub status: AuditStatus,
    /// What contradicts it, a bounded number of lines, as they are.
    pub findings: Vec<String>,
}

/// What a check of an audit says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum AuditStatus {
    /// Everything examined was right.
    Passed,
    /// At least one violation.
    Failed,
    /// It was not carried out.
    NotChecked {
        /// Why not, in the auditor's words.
        reason: String,
    },
}

/// Why a variant has no audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AuditMissing {
    /// The store of the shop cannot be read from here.
    NoStoreAccess,
    /// Samples alone do not tell what the shop stored.
    NotFromSamples,
}

/// How the load generator itself fared during a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GeneratorHealth {
    /// Whether the generator, not the shop, was the limit.
    pub limited: bool,
    /// Share of its processors that it used over the measured phases, 0 to 1.
    pub cpu_share: Option<f64>,
    /// 99th percentile of how late a timer woke, in milliseconds.
    pub scheduling_lag_p99_ms: Option<f64>,
    /// The worst wake-up, in milliseconds.
    pub scheduling_lag_max_ms: Option<f64>,
    /// Starts that waited for a connection.
    pub late: u64,
    /// Starts that never happened because too much was in flight.
    pub dropped: u64,
    /// Most requests in flight at once.
    pub in_flight_max: Option<u64>,
    /// Most open file descriptors.
    pub descriptors_max: Option<u64>,
    /// How many it may open.
    pub descriptor_limit: Option<u64>,
    /// Remarks, each a sentence.
    pub notes: Vec<String>,
}
