//! The contract: what `improvement_report.json` holds, `schema_version` 1.
//!
//! Everything the page and the terminal show is here, already computed. A figure that may not exist
//! is an `Option` and is shown as a dash; units are part of the field names. Times of a run count
//! from its own start, so that two variants share one axis.

use serde::{Deserialize, Serialize};

pub use facts::{FileFact, HostFacts, MethodFacts, PlanFacts, RunFacts};
pub use improvement::{
    Bound, Figure, ImprovementRow, Metric, Outcome, Reason, TargetVerdict, Unit,
};
pub use judgement::{
    AuditCheck, AuditReport, CrossCheckReport, CrossCheckResult, CrossCheckStatus, Finding,
    GeneratorHealth, Severity,
};
pub use variant::{
    Availability, FunnelStep, Heatmap, HeatmapColumn, PhaseReport, Quantiles, SecondPoint,
    StepReport, VariantReport,
};

mod facts;
mod improvement;
mod judgement;
mod variant;

/// The version of the JSON form that this crate writes and reads.
pub const SCHEMA_VERSION: u32 = 1;

/// A whole before/after report.
///
/// `improvement`, `outcome` and `sentence` follow from the rest: fill the other fields, leave these
/// three empty and call [`crate::conclude`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImprovementReport {
    /// Always [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// When, with which command and which build the rehearsal ran.
    pub run: RunFacts,
    /// The machine.
    pub host: HostFacts,
    /// The traffic.
    pub plan: PlanFacts,
    /// What was measured for each variant; the first is the yardstick, the last is the one that is
    /// judged. At least two.
    pub variants: Vec<VariantReport>,
    /// The table of improvements; the rows in the order in which they are shown.
    pub improvement: Vec<ImprovementRow>,
    /// What the whole rehearsal says.
    pub outcome: Outcome,
    /// One English sentence that claims only what was measured.
    pub sentence: String,
    /// What a reader has to know beside the figures, for instance what the yardstick misses.
    pub findings: Vec<Finding>,
    /// Doubts about the measurement itself, each a sentence with advice.
    pub warnings: Vec<String>,
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
