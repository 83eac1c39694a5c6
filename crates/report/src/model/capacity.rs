//! The highest rates that a variant holds, as a search bracketed them.

use serde::{Deserialize, Serialize};

/// The search of one variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CapacityReport {
    /// Name of the variant.
    pub variant: String,
    /// The bracket for the requirements' own limits.
    pub strict: CapacityBracket,
    /// The bracket for limits that a straightforward shop may hold.
    pub relaxed: CapacityBracket,
    /// Every rate that was tried, in the order in which it was tried.
    pub probes: Vec<CapacityProbe>,
}

/// Between which rates the capacity lies. A bracket carries no verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CapacityBracket {
    /// Limit of the verdict P95 in milliseconds.
    pub p95_limit_ms: f64,
    /// Limit of the error rate, 0 to 1.
    pub error_rate_limit: f64,
    /// Highest offered requests per second at which both limits held; `None` when none did.
    pub holds_at: Option<f64>,
    /// Lowest offered requests per second at which one did not; `None` when all held.
    pub fails_at: Option<f64>,
    /// Whether the search ended because the load generator was the limit.
    pub generator_limited: bool,
}

/// One rate that was tried.
#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent answers about one measurement"
)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CapacityProbe {
    /// Requests per second that were offered.
    pub offered_per_second: f64,
    /// Transactions per second.
    pub throughput_per_second: Option<f64>,
    /// Successful orders per second.
    pub orders_per_second: Option<f64>,
    /// P95 of response time in which a failed request counts as at least the time-out, in ms.
    pub verdict_p95_ms: Option<f64>,
    /// Whether that is only a lower bound.
    pub verdict_p95_is_lower_bound: bool,
    /// Failed ÷ attempted, 0 to 1.
    pub error_rate: Option<f64>,
    /// Share of the processor time that the shop was given, 0 to 1.
    pub cpu_share: Option<f64>,
    /// Whether the load generator was the limit.
    pub generator_limited: bool,
    /// Whether the strict limits held.
    pub holds_strict: bool,
    /// Whether the relaxed limits held.
    pub holds_relaxed: bool,
}
