//! Whether the machine was the bench's own.

use std::time::Duration;

use double11_store::Stopwatch;

use crate::process::{Children, ticks};

/// A look at the processors' work, to be compared with a later one.
#[derive(Debug)]
pub(crate) struct Watch {
    since: Stopwatch,
    all: Duration,
    ours: Duration,
}

impl Watch {
    pub(crate) fn start() -> Self {
        Self {
            since: Stopwatch::start(),
            all: all(),
            ours: ours(),
        }
    }

    /// The share of all processors that neither this process nor its ended children used since then:
    /// other programs, the kernel's own threads, and what a hypervisor kept.
    pub(crate) fn others_share(&self) -> f64 {
        let all = all().saturating_sub(self.all);
        let others = all.saturating_sub(ours().saturating_sub(self.ours));
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        others.as_secs_f64() / (self.since.elapsed().as_secs_f64() * processors as f64)
    }
}

/// Time of all processors in programs and the kernel, and stolen. Interrupts are left out: those of
/// loopback are the bench's own.
fn all() -> Duration {
    let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    work(text.lines().next().unwrap_or_default())
}

/// The fields of the line are user, nice, system, idle, iowait, irq, softirq, steal.
fn work(line: &str) -> Duration {
    let fields: Vec<u64> = line
        .split_whitespace()
        .skip(1)
        .filter_map(|field| field.parse().ok())
        .collect();
    let count = [0, 1, 2, 7].iter().filter_map(|place| fields.get(*place));
    let per_second = rustix::param::clock_ticks_per_second();
    Duration::from_secs_f64(count.sum::<u64>() as f64 / per_second as f64)
}

fn ours() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    ticks(&stat, 11) + Children::processor_time()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_what_programs_kernel_and_hypervisor_took() {
        let per_second = rustix::param::clock_ticks_per_second();
        let line = "cpu  100 20 30 9000 400 7 8 50 0 0";
        assert_eq!(
            work(line),
            Duration::from_secs_f64(200.0 / per_second as f64)
        );
        assert_eq!(work(""), Duration::ZERO);
    }
}
