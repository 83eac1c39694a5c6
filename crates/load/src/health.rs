//! The generator's health: whether it kept its schedule and had processor time to spare. Figures of a
//! generator at its own limit say nothing about the shop.

use std::collections::BTreeMap;
use std::time::Duration;

use double11_measure::histogram::LatencyHistogram;
use serde::{Deserialize, Serialize};

/// Above this share of its processors a generator is at its limit.
pub const PROCESSOR_SHARE_MAX: f64 = 0.8;
/// Above this P99 of the scheduling lag a second is not on schedule.
///
/// Lag is part of every response time, which counts from the planned instant, so it can only make a
/// shop look worse. A fifth of the 50 ms that are asked of a shop's P95 is where it begins to blur the
/// verdict; a shared virtual machine shows 1 to 3 ms without any load of its own.
pub const LAG_P99_MAX: Duration = Duration::from_millis(10);
/// Seconds over a limit, in all, that make a run generator-limited; in runs shorter than half a
/// minute a third of their seconds.
pub const SECONDS_OVER_MAX: u64 = 10;
/// Seconds over a limit that never make a run generator-limited, however short it is.
const SECONDS_OVER_MIN: u64 = 2;

/// Seconds that stay open for reports of slower workers.
const OPEN_SECONDS: u64 = 5;

/// One worker's report on one second.
#[derive(Debug)]
pub(crate) struct WorkerSecond {
    pub(crate) worker: usize,
    pub(crate) second: u64,
    /// How late timers fired.
    pub(crate) lag: LatencyHistogram,
    pub(crate) processor_time: Duration,
    /// What the report covers: about a second.
    pub(crate) length: Duration,
    pub(crate) connections: usize,
    /// Time that the worker has waited for the recorder since the start of the run.
    pub(crate) blocked: Duration,
}

/// The generator's health over a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GeneratorHealth {
    /// Whether the figures of the run tell of the generator rather than of the shop.
    pub generator_limited: bool,
    /// Why, in sentences; empty when not limited.
    pub reasons: Vec<String>,
    /// Worker threads.
    pub threads: usize,
    /// Processors that the generator may use.
    pub processors: usize,
    /// Processor time of the whole process over the run, as a share of its processors.
    pub processor_share_mean: Option<f64>,
    /// The same for the busiest second.
    pub processor_share_max: Option<f64>,
    /// Share of one processor that the busiest worker used, on average over the run.
    pub worker_share_mean: Option<f64>,
    /// Seconds in which the process or a worker was above the limit for processor time.
    pub seconds_over_processor_limit: u64,
    /// How late timers fired, over the whole run, in milliseconds.
    pub lag_p99_ms: Option<f64>,
    /// P99 of the worst second, in milliseconds.
    pub lag_p99_worst_second_ms: Option<f64>,
    /// The latest that any timer fired, in milliseconds.
    pub lag_max_ms: Option<f64>,
    /// Seconds in which the P99 of the lag was above the limit.
    pub seconds_over_lag_limit: u64,
    /// Most descriptors in use at once.
    pub descriptors_max: u64,
    /// Descriptors that the process may use.
    pub descriptors_limit: Option<u64>,
    /// Time that workers had to wait for the recorder, in milliseconds.
    pub blocked_ms: f64,
    /// Second by second.
    pub seconds: Vec<HealthSecond>,
}

/// How the generator does while a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct GeneratorGlance {
    /// The latest second of which the process and the workers have told; `None` before the first.
    pub latest: Option<HealthSecond>,
    /// Seconds so far above a limit for processor time or lag.
    pub seconds_over_limit: u64,
}

impl GeneratorGlance {
    /// Whether the generator was at a limit of its own in the latest second.
    pub fn is_strained(&self) -> bool {
        self.latest.is_some_and(|second| second.is_over_limit())
    }
}

/// One second of the generator.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HealthSecond {
    /// Seconds since the start of the run.
    pub second: u64,
    /// P99 of how late timers fired, in milliseconds; `None` when none fired.
    pub lag_p99_ms: Option<f64>,
    /// The busiest worker's share of one processor.
    pub worker_share: f64,
    /// The process's share of its processors.
    pub processor_share: Option<f64>,
}

impl HealthSecond {
    /// Whether the process or a worker was above [`PROCESSOR_SHARE_MAX`], or the lag above
    /// [`LAG_P99_MAX`].
    pub fn is_over_limit(&self) -> bool {
        self.is_over_processor_limit() || self.is_over_lag_limit()
    }

    fn is_over_processor_limit(&self) -> bool {
        let over = |share: f64| share > PROCESSOR_SHARE_MAX;
        over(self.worker_share) || self.processor_share.is_some_and(over)
    }

    fn is_over_lag_limit(&self) -> bool {
        let limit = milliseconds(LAG_P99_MAX);
        self.lag_p99_ms.is_some_and(|lag| lag > limit)
    }
}

/// Puts the reports together.
#[derive(Debug)]
pub(crate) struct HealthWatch {
    processors: usize,
    workers: Vec<WorkerTotal>,
    open: BTreeMap<u64, OpenSecond>,
    closed: Vec<HealthSecond>,
    lag: LatencyHistogram,
    /// Descriptors in use besides the workers' connections.
    descriptors_base: u64,
    descriptors_max: u64,
    descriptors_limit: Option<u64>,
    process_time: Duration,
    process_since: Duration,
    process_first: Duration,
}

#[derive(Debug, Default, Clone)]
struct WorkerTotal {
    processor_time: Duration,
    connections: usize,
    blocked: Duration,
}

#[derive(Debug, Default)]
struct OpenSecond {
    lag: LatencyHistogram,
    worker_share_max: f64,
    processor_share: Option<f64>,
}

impl HealthWatch {
    pub(crate) fn new(
        threads: usize,
        processors: usize,
        (descriptors_base, descriptors_limit): (u64, Option<u64>),
        process_time: Duration,
    ) -> Self {
        Self {
            processors,
            workers: vec![WorkerTotal::default(); threads],
            open: BTreeMap::new(),
            closed: Vec::new(),
            lag: LatencyHistogram::new(),
            descriptors_base,
            descriptors_max: descriptors_base,
            descriptors_limit,
            process_time,
            process_since: Duration::ZERO,
            process_first: process_time,
        }
    }

    /// Takes a worker's report.
    pub(crate) fn take(&mut self, report: &WorkerSecond) {
        if let Some(worker) = self.workers.get_mut(report.worker) {
            worker.processor_time += report.processor_time;
            worker.connections = report.connections;
            worker.blocked = report.blocked;
        }
        self.lag.merge(&report.lag);
        let open = self.open.entry(report.second).or_default();
        open.lag.merge(&report.lag);
        let length = report.length.as_secs_f64();
        if length > 0.0 {
            let share = report.processor_time.as_secs_f64() / length;
            open.worker_share_max = open.worker_share_max.max(share);
        }
        let connections: usize = self.workers.iter().map(|worker| worker.connections).sum();
        let descriptors = self.descriptors_base + u64::try_from(connections).unwrap_or(u64::MAX);
        self.descriptors_max = self.descriptors_max.max(descriptors);
        while let Some(first) = self.open.first_entry()
            && first.key() + OPEN_SECONDS < report.second
        {
            let (second, open) = first.remove_entry();
            self.closed.push(open.close(second));
        }
    }

    /// Takes the processor time of the process, `now` since the start of the run.
    pub(crate) fn take_process(&mut self, now: Duration, processor_time: Duration) {
        let passed = now.saturating_sub(self.process_since).as_secs_f64();
        if passed < 0.5 {
            return;
        }
        let used = processor_time
            .saturating_sub(self.process_time)
            .as_secs_f64();
        let second = self.process_since.as_secs();
        self.open.entry(second).or_default().processor_share =
            Some(used / passed / self.processors as f64);
        (self.process_since, self.process_time) = (now, processor_time);
    }

    /// Connections that the workers last told of.
    pub(crate) fn connections(&self) -> u32 {
        let connections = self.workers.iter().map(|worker| worker.connections);
        u32::try_from(connections.sum::<usize>()).unwrap_or(u32::MAX)
    }

    /// How it goes. Cheap enough for every second: only the seconds that are still open are summed up.
    pub(crate) fn glance(&self) -> GeneratorGlance {
        let open = self.open.iter().map(|(&second, open)| open.close(second));
        let told: Vec<HealthSecond> = open
            .filter(|second| second.processor_share.is_some() && second.worker_share > 0.0)
            .collect();
        let is_over = HealthSecond::is_over_limit;
        GeneratorGlance {
            latest: told.last().copied(),
            seconds_over_limit: count(&self.closed, is_over) + count(&told, is_over),
        }
    }

    /// The verdict, at `ended` since the start of the run.
    pub(crate) fn finish(mut self, ended: Duration, process_time: Duration) -> GeneratorHealth {
        for (second, open) in std::mem::take(&mut self.open) {
            self.closed.push(open.close(second));
        }
        let seconds_over_processor_limit =
            count(&self.closed, HealthSecond::is_over_processor_limit);
        let seconds_over_lag_limit = count(&self.closed, HealthSecond::is_over_lag_limit);
        let passed = Some(ended.as_secs_f64()).filter(|passed| *passed > 0.0);
        let share = |used: Duration, processors: usize| {
            passed.map(|passed| used.as_secs_f64() / passed / processors as f64)
        };
        let busiest = self
            .workers
            .iter()
            .map(|worker| worker.processor_time)
            .max();
        let max = |values: &dyn Fn(&HealthSecond) -> Option<f64>| {
            self.closed.iter().filter_map(values).max_by(f64::total_cmp)
        };
        let blocked: Duration = self.workers.iter().map(|worker| worker.blocked).sum();
        let mut health = GeneratorHealth {
            generator_limited: false,
            reasons: Vec::new(),
            threads: self.workers.len(),
            processors: self.processors,
            processor_share_mean: share(
                process_time.saturating_sub(self.process_first),
                self.processors,
            ),
            processor_share_max: max(&|second| second.processor_share),
            worker_share_mean: share(busiest.unwrap_or_default(), 1),
            seconds_over_processor_limit,
            lag_p99_ms: self.lag.percentile(99.0).map(milliseconds),
            lag_p99_worst_second_ms: max(&|second| second.lag_p99_ms),
            lag_max_ms: self.lag.max().map(milliseconds),
            seconds_over_lag_limit,
            descriptors_max: self.descriptors_max,
            descriptors_limit: self.descriptors_limit,
            blocked_ms: milliseconds(blocked),
            seconds: Vec::new(),
        };
        health.judge(ended.as_secs());
        health.seconds = self.closed;
        health
    }
}

impl GeneratorHealth {
    fn judge(&mut self, seconds: u64) {
        let too_many = (seconds / 3).clamp(SECONDS_OVER_MIN, SECONDS_OVER_MAX);
        if self.seconds_over_processor_limit >= too_many {
            self.reasons.push(format!(
                "the generator used more than {:.0} % of its processor time in {} seconds",
                PROCESSOR_SHARE_MAX * 100.0,
                self.seconds_over_processor_limit
            ));
        }
        if self.seconds_over_lag_limit >= too_many {
            self.reasons.push(format!(
                "1 % of the starts were more than {} ms behind schedule in {} seconds",
                LAG_P99_MAX.as_millis(),
                self.seconds_over_lag_limit
            ));
        }
        self.generator_limited = !self.reasons.is_empty();
    }
}

impl OpenSecond {
    fn close(&self, second: u64) -> HealthSecond {
        HealthSecond {
            second,
            lag_p99_ms: self.lag.percentile(99.0).map(milliseconds),
            worker_share: self.worker_share_max,
            processor_share: self.processor_share,
        }
    }
}

fn count(seconds: &[HealthSecond], is_counted: impl Fn(&HealthSecond) -> bool) -> u64 {
    let counted = seconds.iter().filter(|second| is_counted(second)).count();
    u64::try_from(counted).unwrap_or(u64::MAX)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(second: u64, lag_ms: u64, busy_ms: u64) -> WorkerSecond {
        let mut lag = LatencyHistogram::new();
        for _ in 0..100 {
            lag.record(Duration::from_millis(lag_ms));
        }
        let processor_time = Duration::from_millis(busy_ms);
        let blocked = Duration::ZERO;
        WorkerSecond {
            worker: 0,
            second,
            lag,
            processor_time,
            length: Duration::from_secs(1),
            connections: 7,
            blocked,
        }
    }

    /// Health of 30 seconds of which `bad` are bad.
    fn health(bad: u64, lag_ms: u64, busy_ms: u64) -> GeneratorHealth {
        let mut watch = HealthWatch::new(1, 2, (10, Some(100)), Duration::ZERO);
        for second in 0..30 {
            let is_bad = second < bad;
            let (lag, busy) = if is_bad { (lag_ms, busy_ms) } else { (0, 300) };
            watch.take(&report(second, lag, busy));
        }
        watch.finish(Duration::from_secs(30), Duration::from_secs(15))
    }

    #[test]
    fn ten_seconds_over_a_limit_mark_the_run() {
        let well = health(0, 0, 0);
        assert!(
            !well.generator_limited && well.reasons.is_empty(),
            "{well:?}"
        );
        assert_eq!(well.seconds.len(), 30);
        assert_eq!(well.descriptors_max, 17);
        assert_eq!(well.processor_share_mean, Some(0.25));
        assert!(!health(9, 25, 300).generator_limited);
        let lagging = health(10, 25, 300);
        assert!(lagging.generator_limited);
        assert_eq!(lagging.seconds_over_lag_limit, 10);
        assert!(
            lagging.reasons[0].contains("behind schedule in 10 seconds"),
            "{lagging:?}"
        );
        assert!(!health(30, 9, 790).generator_limited);
        let busy = health(12, 0, 850);
        assert!(busy.generator_limited);
        assert!(
            busy.reasons[0].contains("80 % of its processor time in 12 seconds"),
            "{busy:?}"
        );
    }

    #[test]
    fn a_glance_sees_the_latest_second_that_is_whole() {
        let mut watch = HealthWatch::new(1, 2, (10, Some(100)), Duration::ZERO);
        assert_eq!(watch.glance(), GeneratorGlance::default());
        for second in 0..20_u64 {
            let busy = if second >= 15 { 900 } else { 300 };
            watch.take(&report(second, 0, busy));
            let now = Duration::from_secs(second + 1);
            watch.take_process(now, Duration::from_millis(300 * (second + 1)));
        }
        assert!(watch.glance().is_strained());
        assert_eq!(watch.glance().seconds_over_limit, 5);
        assert_eq!(watch.connections(), 7);
        // The process has not told of this second yet.
        watch.take(&report(20, 0, 100));
        assert_eq!(watch.glance().latest.unwrap().second, 19);
        watch.take_process(Duration::from_secs(21), Duration::from_millis(6_300));
        let glance = watch.glance();
        assert_eq!(glance.latest.unwrap().second, 20);
        assert!(!glance.is_strained());
        watch.take(&report(21, 25, 100));
        watch.take_process(Duration::from_secs(22), Duration::from_millis(6_600));
        assert!(watch.glance().is_strained());
    }

    #[test]
    fn the_process_is_measured_against_its_processors() {
        let mut watch = HealthWatch::new(1, 2, (0, None), Duration::from_secs(5));
        for second in 1..=20 {
            // 1.8 of 2 processors.
            let used = Duration::from_millis(5_000 + 1_800 * second);
            watch.take_process(Duration::from_secs(second), used);
        }
        let health = watch.finish(Duration::from_secs(20), Duration::from_secs(41));
        assert!(health.generator_limited);
        assert_eq!(health.seconds_over_processor_limit, 20);
        assert!((health.processor_share_max.unwrap() - 0.9).abs() < 1e-9);
        assert!((health.processor_share_mean.unwrap() - 0.9).abs() < 1e-9);
    }
}
