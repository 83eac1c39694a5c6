//! `process_*` metrics, with processor time to the microsecond.
//!
//! The collector of the crate `prometheus` counts processor time in whole seconds, which is too
//! coarse for the processor time per request of a short phase. Everything else is taken from it.

use std::sync::{Mutex, PoisonError};

use prometheus::core::{Collector, Desc};
use prometheus::process_collector::ProcessCollector;
use prometheus::{Counter, proto::MetricFamily};
use rustix::time::{ClockId, clock_gettime};

const CPU_SECONDS: &str = "process_cpu_seconds_total";

pub(super) struct ProcessMetrics {
    rest: ProcessCollector,
    /// The counter and the lock that keeps two scrapes from adding the same time twice.
    cpu_seconds: Mutex<Counter>,
}

impl ProcessMetrics {
    pub(super) fn new() -> prometheus::Result<Self> {
        let cpu_seconds = Counter::new(
            CPU_SECONDS,
            "Total user and system CPU time spent in seconds.",
        )?;
        Ok(Self {
            rest: ProcessCollector::for_self(),
            cpu_seconds: Mutex::new(cpu_seconds),
        })
    }
}

impl Collector for ProcessMetrics {
    fn desc(&self) -> Vec<&Desc> {
        self.rest.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut families = self.rest.collect();
        families.retain(|family| family.name() != CPU_SECONDS);
        let counter = self
            .cpu_seconds
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let used = clock_gettime(ClockId::ProcessCPUTime);
        let seconds = used.tv_sec as f64 + used.tv_nsec as f64 / 1e9;
        counter.inc_by((seconds - counter.get()).max(0.0));
        families.extend(counter.collect());
        families
    }
}
