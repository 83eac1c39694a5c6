//! The table of improvements and what follows from it.

use serde::{Deserialize, Serialize};

/// What a row of the table is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Transactions per second that succeeded or got a refusal their step expects.
    Throughput,
    /// Successful orders per second.
    OrderRate,
    /// Captured payments per second.
    PaymentRate,
    /// 95th percentile of response time in which a failed request counts as the time-out.
    ResponseTimeP95,
    /// Failed ÷ attempted.
    ErrorRate,
    /// Good one-second windows ÷ all windows.
    Availability,
    /// Share of the processor time that the shop was given, at the same offered load.
    CpuShare,
    /// Processor time for one transaction.
    CpuPerRequest,
}

/// What the number of a [`Figure`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Events per second.
    PerSecond,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// A share between 0 and 1.
    Share,
}

/// Whether a number is the value or only a limit of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// The value itself.
    Exact,
    /// The value is this or more: the percentile lies in requests that were given up.
    AtLeast,
}

/// One number with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Figure {
    /// The number.
    pub value: f64,
    /// What it counts.
    pub unit: Unit,
    /// Value or limit.
    pub bound: Bound,
    /// For availability: good and all windows.
    pub windows: Option<(u64, u64)>,
}

/// What the figures say about one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TargetVerdict {
    /// The judged variant meets the target.
    Met,
    /// It does not.
    Missed,
    /// There is no target; the figures are worth knowing.
    Finding,
    /// A figure is missing or cannot be trusted.
    NotJudged,
}

/// Why a row has its verdict; the words are made where it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Reason {
    /// Both variants meet the target.
    BothMeet,
    /// The judged variant meets it, the yardstick does not.
    OnlyOptimisedMeets,
    /// The judged variant meets it; whether the yardstick does is not known.
    BaselineUnknown,
    /// The judged variant does not meet it.
    Misses,
    /// No window was bad, but so few windows cannot tell the target from a little less.
    CoarseWindows {
        /// One window as a share of all.
        resolution: f64,
    },
    /// The requirements ask for nothing here.
    NoTarget,
    /// The figure was not measured.
    NotMeasured,
    /// The target is missed because too little was asked for to reach it.
    NotOffered {
        /// Requests per second that were offered.
        offered_per_second: f64,
    },
    /// The shop had to wait for its quota of processor time, which is in every response time.
    Throttled {
        /// Periods in which it had something to do, in the judged phase of all runs.
        periods: u64,
        /// Those of them in which it had to wait.
        throttled: u64,
    },
}

/// One row of the table of improvements.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ImprovementRow {
    /// What it is about.
    pub metric: Metric,
    /// What the requirements expect before the optimisation, in their words (`500 ms`).
    pub requirement_before: Option<String>,
    /// What they ask for after it (`< 50 ms`).
    pub requirement_after: Option<String>,
    /// The yardstick's figure.
    pub baseline: Option<Figure>,
    /// The judged variant's figure.
    pub optimised: Option<Figure>,
    /// Judged ÷ yardstick; `None` where either is missing or the yardstick is 0.
    pub ratio: Option<f64>,
    /// Whether the yardstick meets the target; `None` where it cannot be said.
    pub baseline_meets_target: Option<bool>,
    /// Whether the judged variant meets it.
    pub verdict: TargetVerdict,
    /// Why.
    pub reason: Reason,
}

/// What the whole rehearsal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every target met, every audit and comparable cross-check passed.
    Passed,
    /// A target missed, an audit failed or a comparable cross-check failed.
    Failed,
    /// The load generator was the limit, a figure with a target is missing, or the two sides must
    /// not be compared.
    CannotJudge,
}
