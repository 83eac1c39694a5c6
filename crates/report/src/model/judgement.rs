//! What speaks for or against the figures: audit, cross-check, the generator's own health, findings.

use serde::{Deserialize, Serialize};

/// The audit of a variant's store after its run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditReport {
    /// Whether every check passed.
    pub passed: bool,
    /// How long the shop took to settle before the audit, in seconds.
    pub settled_after_s: Option<f64>,
    /// The checks in the order in which they ran.
    pub checks: Vec<AuditCheck>,
}

/// One invariant, checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditCheck {
    /// Short stable name, for instance `no-oversell`.
    pub name: String,
    /// What is checked, a sentence.
    pub what: String,
    /// What has to be found.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// Whether it holds.
    pub passed: bool,
    /// What contradicts it, a bounded number of lines.
    pub findings: Vec<String>,
}

/// The generator's figures against the shop's own metrics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrossCheckReport {
    /// The comparisons.
    pub results: Vec<CrossCheckResult>,
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrossCheckResult {
    /// Phase of the run.
    pub phase: String,
    /// What is compared, with its unit, for instance `TPS` or `P95 of service time (ms)`.
    pub what: String,
    /// The generator's figure.
    pub generator: Option<f64>,
    /// The shop's figure.
    pub shop: Option<f64>,
    /// How far they may differ, in words.
    pub tolerance: String,
    /// What came out.
    pub status: CrossCheckStatus,
    /// Why, where it needs saying.
    pub why: Option<String>,
}

/// What a comparison says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrossCheckStatus {
    /// Within the tolerance.
    Agrees,
    /// Outside of it: one of the two is wrong.
    Differs,
    /// The two do not see the same thing, for instance requests that wait before the handler.
    CannotCompare,
}

/// How the load generator itself fared during a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

/// How heavy a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Something that was asked for does not hold.
    Failure,
}

/// Something a reader has to know beside the figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// How heavy it weighs.
    pub severity: Severity,
    /// The variant that it is about, where it is about one.
    pub variant: Option<String>,
    /// The finding, a sentence or two.
    pub text: String,
}
