//! The contract: what `improvement_report.json` holds, `schema_version` 2.
//!
//! Everything the page and the terminal show is here, already computed. A figure that may not exist
//! is an `Option` and is shown as a dash; units are part of the field names. Times of a run count
//! from its own start, so that two variants share one axis.

use serde::{Deserialize, Serialize};

pub use capacity::{CapacityBracket, CapacityProbe, CapacityReport};
pub use comparison::{
    Comparison, ComparisonReason, ComparisonVerdict, DifferenceComparison, Incomparable, Interval,
    IntervalBound, MetricComparison, PairFigures, RuleOfThree, RunReport,
};
pub use cross_check::{
    CrossCheckKind, CrossCheckReason, CrossCheckReport, CrossCheckResult, CrossCheckStatus,
};
pub use facts::{
    FileFact, FileKind, HeldBy, HostFacts, MethodFacts, PlanFacts, RunFacts, ShopLimits, Source,
    TimeBasis,
};
pub use improvement::{
    Bound, Figure, ImprovementRow, Metric, Outcome, Reason, TargetVerdict, Unit,
};
pub use judgement::{AuditCheck, AuditMissing, AuditReport, AuditStatus, GeneratorHealth};
pub use ladder::{Ladder, LadderRung, TunedBetween};
pub use prometheus::{PrometheusPoint, PrometheusReport};
pub use remarks::{Finding, FindingKind, Severity, Warning};
pub use variant::{
    Availability, FunnelStep, GroupMemory, Heatmap, HeatmapColumn, HistogramExport, PhaseReport,
    Quantiles, SecondPoint, StepReport, Throttling, VariantReport,
};

mod capacity;
mod comparison;
mod cross_check;
mod facts;
mod improvement;
mod judgement;
mod ladder;
mod prometheus;
mod remarks;
mod variant;

/// The version of the JSON form that this crate writes and reads.
pub const SCHEMA_VERSION: u32 = 2;

/// A whole before/after report.
///
/// `improvement`, `outcome` and `sentence` follow from the rest: fill the other fields, leave these
/// three empty and call [`crate::conclude`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ImprovementReport {
    /// Always [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// When, with which command and which build the rehearsal ran.
    pub run: RunFacts,
    /// The machine.
    pub host: HostFacts,
    /// The traffic.
    pub plan: PlanFacts,
    /// What was measured for each variant, from the runs of the first pair; the first is the
    /// yardstick, the last is the one that is judged. At least two, with names of their own: the same
    /// variant twice is `baseline` and `baseline-again`.
    pub variants: Vec<VariantReport>,
    /// Every run of every pair in the order in which they ran; empty where there was one run per
    /// variant and `variants` says all.
    pub runs: Vec<RunReport>,
    /// What all pairs of runs say together.
    pub comparison: Option<Comparison>,
    /// Why the two sides must not be compared; empty where they may.
    pub incomparable: Vec<Incomparable>,
    /// The highest rates that each variant holds; empty where they were not searched.
    pub capacity: Vec<CapacityReport>,
    /// What each lever adds.
    pub ladder: Option<Ladder>,
    /// The table of improvements; the rows in the order in which they are shown.
    pub improvement: Vec<ImprovementRow>,
    /// What the whole rehearsal says.
    pub outcome: Outcome,
    /// One English sentence that claims only what was measured.
    pub sentence: String,
    /// What a reader has to know beside the figures, for instance what the yardstick misses.
    pub findings: Vec<Finding>,
    /// Doubts about the measurement itself.
    pub warnings: Vec<Warning>,
    /// How it was measured, as far as it differs from run to run.
    pub method: MethodFacts,
}

impl ImprovementReport {
    /// The variant that the others are compared with: the first one.
    pub fn baseline(&self) -> Option<&VariantReport> {
        self.variants.first()
    }

    /// The variant that is judged: the last one, `None` where there are fewer than two.
    pub fn optimised(&self) -> Option<&VariantReport> {
        self.variants.get(1..).and_then(<[_]>::last)
    }
}
