//! What a shop may use of the machine.

use clap::Args;
use double11_limits::{CpuLimit, Limits, MemoryLimit};

/// What a shop may use of the machine.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Resource limits")]
pub(crate) struct ResourceArguments {
    /// Processors that a shop may use, such as 2, 0.5 or 500m; held by a control group, or by
    /// whole cores where none can be had.
    #[arg(long, value_name = "N")]
    pub(crate) cpu_limit: Option<CpuLimit>,
    /// Memory that a shop may use, such as 4Gi, 512Mi or 500M; needs a control group. A shop that
    /// wants more is killed by the kernel.
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory_limit: Option<MemoryLimit>,
}

impl ResourceArguments {
    /// What is limited; `None` for nothing.
    pub(crate) fn limits(self) -> Option<Limits> {
        let limits = Limits {
            cpu: self.cpu_limit,
            memory: self.memory_limit,
        };
        (!limits.is_empty()).then_some(limits)
    }
}
