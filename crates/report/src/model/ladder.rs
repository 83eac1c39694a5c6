//! The lever ladder: what each optimisation adds, one by one.

use serde::{Deserialize, Serialize};

use super::improvement::Metric;

/// The ladder, all rungs under the same offered load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Ladder {
    /// Name of the phase that was measured.
    pub phase: String,
    /// Requests per second that were offered.
    pub offered_per_second: f64,
    /// From the bottom to the top.
    pub rungs: Vec<LadderRung>,
    /// Whether `tuned` lies between the two ends, metric by metric.
    pub tuned_between: Vec<TunedBetween>,
}

/// One rung.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LadderRung {
    /// What it is called, for instance `baseline`, `+ pool` or `tuned`.
    pub name: String,
    /// The variant, when the rung is one that has a name.
    pub variant: Option<String>,
    /// Levers that the rung before does not have.
    pub added: Vec<String>,
    /// All levers that are on.
    pub levers: Vec<String>,
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
    /// Processor time of the shop per transaction, in microseconds.
    pub cpu_per_request_us: Option<f64>,
    /// Whether the audit passed; `None` when there was none.
    pub audit_passed: Option<bool>,
}

/// Whether `tuned` lies between baseline and optimised in one metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TunedBetween {
    /// Which metric.
    pub metric: Metric,
    /// Whether it does; either end counts as between. `None` where a lower bound leaves it open.
    pub between: Option<bool>,
}
