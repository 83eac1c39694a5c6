//! What was measured for one variant.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::cross_check::CrossCheckReport;
use super::judgement::{AuditMissing, AuditReport, GeneratorHealth};
use super::prometheus::PrometheusReport;

/// One variant's run: the first one where there are several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct VariantReport {
    /// Its name, for instance `baseline`.
    pub name: String,
    /// The levers that were on.
    pub levers: Vec<String>,
    /// Phases in the order of the run, the warm-up included and marked.
    pub phases: Vec<PhaseReport>,
    /// One point per second of the run, ascending.
    pub seconds: Vec<SecondPoint>,
    /// How response times spread over the run.
    pub heatmap: Option<Heatmap>,
    /// Shoppers of the judged phase, step by step.
    pub funnel: Vec<FunnelStep>,
    /// The judged phase request by request.
    pub steps: Vec<StepReport>,
    /// Every time of the judged phase, so that percentiles can be looked up and merged elsewhere.
    pub histogram: Option<HistogramExport>,
    /// Audit of the store after the run.
    pub audit: Option<AuditReport>,
    /// Why there is no audit, where there is none.
    pub audit_missing: Option<AuditMissing>,
    /// The generator's figures against the shop's own.
    pub cross_check: Option<CrossCheckReport>,
    /// The run as a Prometheus saw it, where one scraped the shop.
    pub prometheus: Option<PrometheusReport>,
    /// How the generator fared.
    pub generator: Option<GeneratorHealth>,
    /// The memory of the control group that held the shop, where its memory was limited.
    pub group_memory: Option<GroupMemory>,
}

/// What became of the memory of a control group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GroupMemory {
    /// The most that it had at a time, the page cache of the shop's files included; `None` where the
    /// kernel does not tell.
    pub peak_bytes: Option<u64>,
    /// Processes that the kernel killed because they wanted more than the limit.
    pub oom_kills: u64,
}

impl VariantReport {
    /// The phase of this name.
    pub fn phase(&self, name: &str) -> Option<&PhaseReport> {
        self.phases.iter().find(|phase| phase.name == name)
    }
}

/// Figures of one phase. Rates count the phase's duration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PhaseReport {
    /// Its name, for instance `peak 20x`.
    pub name: String,
    /// Whether its figures count; false for the warm-up.
    pub measured: bool,
    /// How many times the normal traffic was offered.
    pub traffic_multiple: Option<f64>,
    /// Start, in seconds of the run.
    pub start_s: f64,
    /// Length in seconds.
    pub duration_s: f64,
    /// Requests per second that the plan asks for.
    pub offered_per_second: Option<f64>,
    /// Requests planned for this phase, dropped ones included.
    pub attempted: u64,
    /// Answered as hoped for.
    pub succeeded: u64,
    /// Refusals that the step expects (sold out, window closed).
    pub expected_refusals: u64,
    /// Everything else, dropped starts included.
    pub failed: u64,
    /// Never begun.
    pub dropped: u64,
    /// Begun after the planned instant.
    pub late: u64,
    /// Succeeded and expected refusals per second.
    pub throughput_per_second: Option<f64>,
    /// Successful orders per second.
    pub orders_per_second: Option<f64>,
    /// Captured payments per second.
    pub payments_per_second: Option<f64>,
    /// Planned start → last byte.
    pub response_time: Quantiles,
    /// Sent → last byte.
    pub service_time: Quantiles,
    /// P95 of response time in which a failed request counts as at least the time-out, in ms.
    pub verdict_p95_ms: Option<f64>,
    /// Whether that is only a lower bound.
    pub verdict_p95_is_lower_bound: bool,
    /// Failed ÷ attempted, 0 to 1; `None` when nothing was attempted.
    pub error_rate: Option<f64>,
    /// Failed requests by kind: a status, `time-out`, `dropped`, ….
    pub failures: BTreeMap<String, u64>,
    /// Good windows.
    pub availability: Option<Availability>,
    /// Share of the processor time that the shop was given, 0 to 1.
    pub cpu_share: Option<f64>,
    /// Processor time of the shop per transaction, in microseconds.
    pub cpu_per_request_us: Option<f64>,
    /// Largest resident memory of the shop, in bytes.
    pub memory_max_bytes: Option<u64>,
    /// How often the shop had to wait because its quota of processor time was used up; `None` where it
    /// had none.
    pub throttling: Option<Throttling>,
}

/// How often a quota of processor time was used up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Throttling {
    /// Periods of 100 ms in which the shop had something to do.
    pub periods: u64,
    /// Those of them in which it had to wait.
    pub throttled: u64,
    /// How long its threads waited, added up over the processors, in seconds.
    pub waited_s: f64,
}

/// Percentiles of a time in milliseconds, nearest rank; `None` where nothing was recorded.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Quantiles {
    /// How many were recorded.
    pub count: u64,
    /// Smallest.
    pub min_ms: Option<f64>,
    /// Arithmetic mean.
    pub mean_ms: Option<f64>,
    /// 50th percentile.
    pub p50_ms: Option<f64>,
    /// 90th percentile.
    pub p90_ms: Option<f64>,
    /// 95th percentile.
    pub p95_ms: Option<f64>,
    /// 99th percentile.
    pub p99_ms: Option<f64>,
    /// 99.9th percentile.
    pub p999_ms: Option<f64>,
    /// Largest.
    pub max_ms: Option<f64>,
}

/// Windows in which at least 99 % of the requests succeeded within one second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Availability {
    /// Good windows.
    pub good: u64,
    /// All windows.
    pub total: u64,
}

impl Availability {
    /// Good ÷ total, 0 to 1; `None` without windows.
    pub fn share(&self) -> Option<f64> {
        (self.total > 0).then(|| self.good as f64 / self.total as f64)
    }

    /// One window as a share of all: the finest difference that can be seen.
    pub fn resolution(&self) -> Option<f64> {
        (self.total > 0).then(|| 1.0 / self.total as f64)
    }
}

/// One second of a run, by planned start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SecondPoint {
    /// Which second of the run, from 0.
    pub second: u32,
    /// Requests planned in it.
    pub attempted: u64,
    /// Succeeded and expected refusals *completed* in it.
    pub throughput_per_second: Option<f64>,
    /// Median response time in ms.
    pub p50_ms: Option<f64>,
    /// 95th percentile.
    pub p95_ms: Option<f64>,
    /// 99th percentile.
    pub p99_ms: Option<f64>,
    /// Failed ÷ attempted, 0 to 1.
    pub error_rate: Option<f64>,
    /// Share of the shop's processor time, 0 to 1.
    pub cpu_share: Option<f64>,
    /// Resident memory of the shop in bytes.
    pub memory_bytes: Option<u64>,
}

/// Counts of requests by time and response time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Heatmap {
    /// Width of a column in seconds.
    pub column_s: f64,
    /// Edges of the rows in ms, ascending and above 0; row `i` holds `edges[i] ≤ t < edges[i + 1]`.
    /// Every variant has the same edges, so that their pictures can be compared.
    /// What lies below the first edge counts in the first row, what lies above the last in the last.
    pub edges_ms: Vec<f64>,
    /// The columns, ascending in time; columns without requests may be left out.
    pub columns: Vec<HeatmapColumn>,
}

/// One column of a [`Heatmap`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HeatmapColumn {
    /// Start, in seconds of the run.
    pub start_s: f64,
    /// Requests per row, from the fastest; one fewer than there are edges.
    pub counts: Vec<u64>,
}

/// One step of the funnel in the judged phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FunnelStep {
    /// Name of the step, for instance `add_cart`.
    pub step: String,
    /// Share of the visits that the plan sends here, 0 to 1.
    pub expected_share: f64,
    /// That share of the visits that began.
    pub expected_users: f64,
    /// Shoppers that reached it.
    pub observed_users: u64,
}

/// One kind of request in the judged phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StepReport {
    /// Name of the step.
    pub step: String,
    /// Requests planned.
    pub attempted: u64,
    /// Succeeded and expected refusals per second.
    pub throughput_per_second: Option<f64>,
    /// Median response time in ms.
    pub p50_ms: Option<f64>,
    /// 95th percentile of response time in ms, failed requests counting as the time-out.
    pub verdict_p95_ms: Option<f64>,
    /// Whether that is only a lower bound.
    pub verdict_p95_is_lower_bound: bool,
    /// Failed ÷ attempted, 0 to 1.
    pub error_rate: Option<f64>,
}

/// Histograms of the judged phase in HdrHistogram's V2 encoding, in base64; the unit of their values
/// is the microsecond.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HistogramExport {
    /// Planned start → last byte.
    pub response_time: Option<String>,
    /// Sent → last byte.
    pub service_time: Option<String>,
}
