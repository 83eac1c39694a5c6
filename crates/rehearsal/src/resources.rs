//! Processor time and memory of the shop, sampled from outside through `/proc`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use double11_limits::{Group, Throttling};
use double11_monitor::matrix::{Matrix, Selector};
use double11_units::UnixMicros;

use crate::clock;

/// How often the shop is looked at.
const INTERVAL: Duration = Duration::from_millis(500);

/// One look at the shop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ResourceSample {
    /// Since the start of the traffic.
    pub(crate) at: Duration,
    /// Processor time of the process since its start.
    pub(crate) cpu: Duration,
    /// Resident memory in bytes.
    pub(crate) memory_bytes: u64,
    /// What its control group says of its quota, since the group was made; `None` without a quota.
    pub(crate) throttling: Option<Throttling>,
}

/// Looks at a process until it is told to stop.
#[derive(Debug)]
pub(crate) struct ResourceSampler {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<ResourceSample>>>,
}

impl Drop for ResourceSampler {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl ResourceSampler {
    /// Starts looking. `start` is the start of the traffic.
    pub(crate) fn start(process_id: u32, group: Option<Group>, start: Instant) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut samples = Vec::new();
            let mut next = start;
            while !stopped.load(Ordering::Relaxed) {
                samples.extend(look(process_id, group.as_ref(), start));
                next += INTERVAL;
                clock::pause(next.saturating_duration_since(clock::steady()));
            }
            samples.extend(look(process_id, group.as_ref(), start));
            samples
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }

    /// Stops looking and hands over what was seen, ascending in time.
    pub(crate) fn finish(mut self) -> Vec<ResourceSample> {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take();
        thread.map_or_else(Vec::new, |thread| thread.join().unwrap_or_default())
    }
}

/// What a shop tells of itself in its metrics, for a shop whose process is out of reach.
pub(crate) fn from_metrics(matrix: &Matrix, start: UnixMicros) -> Vec<ResourceSample> {
    let at_scrape = |at: UnixMicros| {
        let value = |name| matrix.sum_at(Selector::new(name, &[]), at);
        // The scrape before the start stands for the start: the shop was idle until then.
        let since_start = u64::try_from(at.get() - start.get()).unwrap_or(0);
        let cpu = Duration::try_from_secs_f64(value("process_cpu_seconds_total")?).ok()?;
        let memory = value("process_resident_memory_bytes").unwrap_or_default();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a gauge of bytes; a float cast saturates"
        )]
        let memory_bytes = memory as u64;
        Some(ResourceSample {
            at: Duration::from_micros(since_start),
            cpu,
            memory_bytes,
            throttling: None,
        })
    };
    matrix.scrapes().into_iter().filter_map(at_scrape).collect()
}

fn look(process_id: u32, group: Option<&Group>, start: Instant) -> Option<ResourceSample> {
    let stat = std::fs::read_to_string(format!("/proc/{process_id}/stat")).ok()?;
    let (cpu, memory_bytes) = parse_stat(&stat)?;
    Some(ResourceSample {
        at: clock::steady().saturating_duration_since(start),
        cpu,
        memory_bytes,
        throttling: group.and_then(Group::throttling),
    })
}

/// Processor time of a process since its start.
pub(crate) fn cpu_of(process_id: u32) -> Option<Duration> {
    look(process_id, None, clock::steady()).map(|sample| sample.cpu)
}

/// Processor time and resident memory of a line of `/proc/PID/stat`.
///
/// Source: proc(5): fields 14 and 15 are user and system time in clock ticks, field 24 resident
/// pages; the second field, the name, stands in brackets and may hold blanks.
fn parse_stat(stat: &str) -> Option<(Duration, u64)> {
    let after_name = stat.rsplit_once(')')?.1;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    let resident_pages: u64 = fields.nth(8)?.parse().ok()?;
    let ticks = rustix::param::clock_ticks_per_second();
    let cpu = Duration::from_secs_f64((user + system) as f64 / ticks as f64);
    Some((cpu, resident_pages * rustix::param::page_size() as u64))
}

/// Processor time used between two instants of the run, by linear interpolation.
pub(crate) fn cpu_between(
    samples: &[ResourceSample],
    from: Duration,
    to: Duration,
) -> Option<Duration> {
    let cpu_at = |at: Duration| {
        let after = samples.iter().position(|sample| sample.at >= at)?;
        let later = samples.get(after)?;
        let Some(earlier) = after.checked_sub(1).and_then(|before| samples.get(before)) else {
            return Some(later.cpu.as_secs_f64());
        };
        let span = later.at.saturating_sub(earlier.at).as_secs_f64();
        let share = if span > 0.0 {
            at.saturating_sub(earlier.at).as_secs_f64() / span
        } else {
            0.0
        };
        let (low, high) = (earlier.cpu.as_secs_f64(), later.cpu.as_secs_f64());
        Some(low + (high - low) * share)
    };
    Some(Duration::from_secs_f64(
        (cpu_at(to)? - cpu_at(from)?).max(0.0),
    ))
}

/// Largest resident memory seen between two instants of the run.
pub(crate) fn memory_max(samples: &[ResourceSample], from: Duration, to: Duration) -> Option<u64> {
    let within = samples
        .iter()
        .filter(|sample| (from..=to).contains(&sample.at));
    within.map(|sample| sample.memory_bytes).max()
}

/// How often the quota was used up between two instants of the run: from the last look before the one
/// to the first after the other, since there is nothing between two counts.
pub(crate) fn throttling_between(
    samples: &[ResourceSample],
    from: Duration,
    to: Duration,
) -> Option<Throttling> {
    let before = samples.iter().rev().find(|sample| sample.at <= from);
    let before = before.or(samples.first())?.throttling?;
    let after = samples.iter().find(|sample| sample.at >= to);
    let after = after.or(samples.last())?.throttling?;
    Some(Throttling {
        periods: after.periods.saturating_sub(before.periods),
        throttled: after.throttled.saturating_sub(before.throttled),
        waited: after.waited.saturating_sub(before.waited),
    })
}

#[cfg(test)]
mod tests {
    use super::{ResourceSample, cpu_between, look, memory_max, parse_stat, throttling_between};
    use crate::clock;
    use double11_limits::Throttling;
    use std::time::Duration;

    #[test]
    fn reads_a_line_with_blanks_in_the_name() {
        let line = "7 (a b) c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 9 0 100 1000000 12 \
                    18446744073709551615";
        let (cpu, memory) = parse_stat(line).unwrap();
        assert_eq!(cpu, Duration::from_secs(3));
        assert_eq!(memory, 12 * rustix::param::page_size() as u64);
        assert_eq!(parse_stat("7 (a"), None);
    }

    #[test]
    fn sees_this_process() {
        let sample = look(std::process::id(), None, clock::steady()).unwrap();
        assert_eq!(sample.throttling, None);
        assert!(sample.memory_bytes > 100_000);
    }

    #[test]
    fn interpolates_between_looks() {
        let at = |at, cpu_ms, memory_bytes| ResourceSample {
            at: Duration::from_secs(at),
            cpu: Duration::from_millis(cpu_ms),
            memory_bytes,
            throttling: None,
        };
        let samples = [at(0, 100, 5), at(10, 1_100, 9), at(20, 1_100, 7)];
        let between =
            |from, to| cpu_between(&samples, Duration::from_secs(from), Duration::from_secs(to));
        assert_eq!(between(0, 20), Some(Duration::from_secs(1)));
        assert_eq!(between(5, 10), Some(Duration::from_millis(500)));
        assert_eq!(between(12, 18), Some(Duration::ZERO));
        assert_eq!(between(5, 25), None);
        assert_eq!(
            memory_max(&samples, Duration::from_secs(1), Duration::from_secs(20)),
            Some(9)
        );
    }

    #[test]
    fn throttling_counts_from_the_look_before_to_the_look_after() {
        let at = |at, throttled| ResourceSample {
            at: Duration::from_secs(at),
            cpu: Duration::ZERO,
            memory_bytes: 0,
            throttling: Some(Throttling {
                periods: 10 * at,
                throttled,
                waited: Duration::from_millis(throttled),
            }),
        };
        let samples = [at(0, 1), at(10, 5), at(20, 5), at(30, 9)];
        let between = |from, to| {
            let (from, to) = (Duration::from_secs(from), Duration::from_secs(to));
            let seen = throttling_between(&samples, from, to).unwrap();
            assert_eq!(seen.waited, Duration::from_millis(seen.throttled));
            (seen.periods, seen.throttled)
        };
        assert_eq!(between(10, 20), (100, 0));
        assert_eq!(between(9, 20), (200, 4));
        assert_eq!(between(12, 21), (200, 4));
        assert_eq!(between(0, 99), (300, 8));
        assert_eq!(
            throttling_between(&[], Duration::ZERO, Duration::ZERO),
            None
        );
    }
}
