//! Who, where and how: the facts around the figures.

use serde::{Deserialize, Serialize};

/// When and from what the rehearsal ran.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
}

/// The traffic, the same for every variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanFacts {
    /// Name of the plan, for instance `funnel`.
    pub name: String,
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
pub struct MethodFacts {
    /// How many runs each variant had.
    pub pairs: u32,
    /// Names of the variants in the order in which they ran.
    pub order: Vec<String>,
    /// Name of the phase whose figures are judged; the same in every variant.
    pub judged_phase: String,
    /// Length of the warm-up that counts nowhere, in seconds.
    pub warm_up_s: Option<f64>,
    /// The files that were kept.
    pub files: Vec<FileFact>,
}

/// One file that a rehearsal keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileFact {
    /// Its name relative to the report.
    pub name: String,
    /// What is in it.
    pub what: String,
}
