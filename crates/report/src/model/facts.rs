//! Who, where and how: the facts around the figures.

use serde::{Deserialize, Serialize};

/// When and from what the rehearsal ran.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunFacts {
    /// Start in UTC as RFC 3339 text.
    pub started_at: String,
    /// From the first start to the last audit, in seconds.
    pub duration_s: Option<f64>,
    /// The command line that repeats it.
    pub command: String,
    /// Seed of shoppers, catalogue and gateway.
    pub seed: u64,
    /// Version of Double11.
    pub version: String,
    /// Commit that the program was built from.
    pub git_commit: Option<String>,
}

/// The machine that it ran on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HostFacts {
    /// Model name of the processor.
    pub cpu_model: Option<String>,
    /// Logical processors of the machine.
    pub logical_cpus: Option<u32>,
    /// Memory in bytes.
    pub memory_bytes: Option<u64>,
    /// Name of the operating system.
    pub operating_system: Option<String>,
    /// Kernel release.
    pub kernel: Option<String>,
    /// File system under the store, for instance `ext4`.
    pub file_system: Option<String>,
    /// Median time of one `fdatasync` on it, in milliseconds.
    pub fdatasync_ms: Option<f64>,
    /// Where the shop was pinned, for instance `CPU 0`.
    pub shop_cpus: Option<String>,
    /// Where the load generator was pinned.
    pub generator_cpus: Option<String>,
    /// What each shop was limited to; `None` where nothing was limited, or that is unknown.
    pub shop_limits: Option<ShopLimits>,
}

/// What each shop was limited to, all alike.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ShopLimits {
    /// Processors, such as 0.5.
    pub cpus: Option<f64>,
    /// Memory in bytes, the page cache of its files included.
    pub memory_bytes: Option<u64>,
    /// What held the shop to it.
    #[serde(flatten)]
    pub held_by: HeldBy,
}

/// What held a shop to its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "held_by", rename_all = "snake_case")]
pub enum HeldBy {
    /// The kernel's control groups, version 1.
    CgroupV1,
    /// The kernel's control groups, version 2.
    CgroupV2,
    /// It was kept on whole processors.
    Pinned {
        /// How many.
        cores: u32,
    },
}

/// The traffic, the same for every variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlanFacts {
    /// Name of the plan, for instance `funnel`.
    pub name: String,
    /// Hash of everything in it, as hexadecimal digits.
    pub hash: Option<String>,
    /// Requests per second of a normal day.
    pub normal_per_second: Option<f64>,
    /// Most connections that the generator opens.
    pub connections: Option<u32>,
    /// Most visits waiting or running before a start is dropped.
    pub max_in_flight: Option<u32>,
    /// Time-out of a request in milliseconds.
    pub request_timeout_ms: f64,
    /// Products in the catalogue.
    pub products: Option<u64>,
    /// How long an unpaid order holds its stock, in seconds.
    pub payment_window_s: Option<f64>,
    /// Address of the store without secrets, for instance `SQLite`.
    pub store: Option<String>,
}

/// What the method section says about this very rehearsal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MethodFacts {
    /// What the figures were made from.
    pub source: Source,
    /// What the times count from.
    pub time_basis: TimeBasis,
    /// How many pairs of runs there were.
    pub pairs: u32,
    /// Names of the variants of all runs of all pairs, in the order in which they ran.
    pub order: Vec<String>,
    /// Folders of those runs relative to the report, in the same order; empty where none is kept.
    pub run_folders: Vec<String>,
    /// Name of the phase whose figures are judged; the same in every variant.
    pub judged_phase: String,
    /// Length of the warm-up that counts nowhere, in seconds.
    pub warm_up_s: Option<f64>,
    /// The files that were kept.
    pub files: Vec<FileFact>,
}

/// What the figures of a report were made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A rehearsal that made its runs itself.
    Rehearsal,
    /// Folders of runs that were made before.
    RunDirectories,
    /// Files of samples alone, for instance JMeter's.
    SampleFiles,
}

/// What the times of a report count from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TimeBasis {
    /// The planned start: waiting for a busy shop counts.
    ResponseTime,
    /// The sending alone, because planned starts are unknown: every “response time” of the report
    /// is a service time.
    ServiceTimeOnly,
}

/// One file that a rehearsal keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FileFact {
    /// Its name relative to the report.
    pub name: String,
    /// What is in it.
    #[serde(flatten)]
    pub what: FileKind,
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum FileKind {
    /// Every sample of the normal phase.
    NormalSamples,
    /// Every sample of the peak phases.
    PeakSamples,
    /// Samples that were compared.
    Samples,
    /// The shop's own metrics over time, in the form of Prometheus' `query_range` answer.
    Metrics,
    /// The report as a page.
    ReportPage,
    /// The report as data.
    ReportData,
    /// The summary as a picture.
    Picture,
    /// The summary as a Markdown table.
    Markdown,
    /// A histogram of times in HdrHistogram's percentile form.
    Histogram,
    /// Every file of every run.
    Runs,
    /// Anything else, in words that are shown as they are.
    Other {
        /// What it is.
        text: String,
    },
}
