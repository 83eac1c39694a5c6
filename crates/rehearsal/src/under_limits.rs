//! How a shop fared under its limits in one run; kept beside the run, so that a later comparison judges
//! no latency under throttling either.

use std::collections::BTreeMap;

use double11_limits::MemoryUse;
use double11_measure::run::Summary;
use double11_report::model::{GroupMemory, Throttling};
use serde::{Deserialize, Serialize};

use crate::report_of::phases::span;
use crate::resources::{ResourceSample, throttling_between};

/// The content of `limits.json` in the folder of a run. Empty where nothing was limited, or nothing
/// counts how it went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct UnderLimits {
    /// Throttling by the name of the phase.
    pub(crate) phases: BTreeMap<String, Throttling>,
    /// The memory of the shop's control group until the shop was asked to end.
    pub(crate) memory: Option<GroupMemory>,
}

impl UnderLimits {
    /// Its name in the folder of a run.
    pub(crate) const FILE: &str = "limits.json";

    pub(crate) fn of(
        summary: &Summary,
        resources: &[ResourceSample],
        memory: Option<MemoryUse>,
    ) -> Self {
        let phases = summary.phases.iter().filter_map(|phase| {
            let (from, to) = span(phase);
            let seen = throttling_between(resources, from, to)?;
            let throttling = Throttling {
                periods: seen.periods,
                throttled: seen.throttled,
                waited_s: seen.waited.as_secs_f64(),
            };
            Some((phase.name.clone(), throttling))
        });
        Self {
            phases: phases.collect(),
            memory: memory.map(|memory| GroupMemory {
                peak_bytes: memory.peak_bytes,
                oom_kills: memory.oom_kills,
            }),
        }
    }
}
