//! Sums over all samples, as lines on the console and in the log while a plan runs.
//!
//! Source: `JMeter`'s `Summariser` and `SummariserRunningSample`: the form of the lines, that they come
//! in the first seconds of each half minute of the wall clock, and that rates count from when the sums
//! were begun.

use std::sync::Arc;

/// How late in an interval its line may still come, in seconds; and how far two lines are apart at
/// least.
const WINDOW_SECONDS: i64 = 5;

/// A line of talk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The line, without a line break.
    pub text: String,
    /// Whether it belongs on standard output.
    pub on_console: bool,
    /// Whether it belongs in the log.
    pub in_log: bool,
}

/// How summarisers report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummariserOptions {
    /// The name of the one that hears everything, by `summariser.name`; none without a name.
    pub name: Option<String>,
    /// Seconds between two reports, by `summariser.interval`.
    pub interval_seconds: i64,
    /// Whether lines go to the log, by `summariser.log`.
    pub in_log: bool,
    /// Whether lines go to standard output, by `summariser.out`.
    pub on_console: bool,
    /// Whether samples of transactions are left out, by
    /// `summariser.ignore_transaction_controller_sample_result`.
    pub ignores_transactions: bool,
}

impl SummariserOptions {
    /// As the properties say. Without `summariser.name` there is none; the built-in properties call it
    /// `summary`, as the property file that comes with `JMeter` does.
    pub fn of(property: &dyn Fn(&str) -> Option<String>) -> Self {
        let is = |name: &str| property(name).is_none_or(|value| value.eq_ignore_ascii_case("true"));
        let name = property("summariser.name").unwrap_or_default();
        let interval = property("summariser.interval").and_then(|text| text.trim().parse().ok());
        Self {
            name: (!name.is_empty()).then_some(name),
            interval_seconds: interval.filter(|seconds| *seconds > 0).unwrap_or(30),
            in_log: is("summariser.log"),
            on_console: is("summariser.out"),
            ignores_transactions: is("summariser.ignore_transaction_controller_sample_result"),
        }
    }
}

/// Users now, ever, and gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ThreadCounts {
    pub(super) active: u32,
    pub(super) started: u32,
}

/// The sums of one name.
#[derive(Debug)]
pub(super) struct Summariser {
    name: Arc<str>,
    /// Second of the wall clock of the last report.
    last_second: i64,
    delta: Sums,
    total: Sums,
}

#[derive(Debug, Clone)]
struct Sums {
    samples: u64,
    errors: u64,
    sum_ms: u64,
    min_ms: u64,
    max_ms: u64,
    start_ms: i64,
    end_ms: i64,
}

impl Summariser {
    pub(super) fn new(name: Arc<str>, now_ms: i64) -> Self {
        Self {
            name,
            last_second: 0,
            delta: Sums::new(now_ms),
            total: Sums::new(now_ms),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn add(&mut self, elapsed_ms: u64, success: bool) {
        let delta = &mut self.delta;
        delta.samples += 1;
        delta.errors += u64::from(!success);
        delta.sum_ms += elapsed_ms;
        delta.min_ms = delta.min_ms.min(elapsed_ms);
        delta.max_ms = delta.max_ms.max(elapsed_ms);
    }

    /// The lines that are due after samples were added.
    pub(super) fn due(&mut self, now_ms: i64, interval: i64, threads: ThreadCounts) -> Vec<String> {
        self.delta.end_ms = now_ms;
        let now = now_ms.div_euclid(1_000);
        let is_late_enough = now > self.last_second + WINDOW_SECONDS;
        if !is_late_enough || now.rem_euclid(interval) > WINDOW_SECONDS {
            return Vec::new();
        }
        self.last_second = now;
        let delta = self.delta.clone();
        self.move_delta(now_ms);
        let mut lines = vec![self.line('+', &delta, Some(threads))];
        if self.total.samples != delta.samples {
            lines.push(self.line('=', &self.total, None));
        }
        lines
    }

    /// The lines at the end of the run.
    pub(super) fn last(&mut self, now_ms: i64, threads: ThreadCounts) -> Vec<String> {
        self.delta.end_ms = now_ms;
        let mut lines = Vec::new();
        if self.delta.samples > 0 && self.total.samples > 0 {
            lines.push(self.line('+', &self.delta, Some(threads)));
        }
        self.move_delta(now_ms);
        lines.push(self.line('=', &self.total, None));
        lines
    }

    fn move_delta(&mut self, now_ms: i64) {
        let delta = std::mem::replace(&mut self.delta, Sums::new(now_ms));
        let total = &mut self.total;
        total.samples += delta.samples;
        total.errors += delta.errors;
        total.sum_ms += delta.sum_ms;
        total.min_ms = total.min_ms.min(delta.min_ms);
        total.max_ms = total.max_ms.max(delta.max_ms);
        total.end_ms = now_ms;
    }

    fn line(&self, kind: char, sums: &Sums, threads: Option<ThreadCounts>) -> String {
        let samples = sums.samples;
        let elapsed_ms = if samples == 0 {
            0
        } else {
            (sums.end_ms - sums.start_ms).max(0)
        };
        let seconds = (elapsed_ms + 500) / 1_000;
        let rate = if elapsed_ms > 0 {
            let per_second = samples as f64 / elapsed_ms as f64 * 1_000.0;
            format!("{per_second:6.1}")
        } else {
            "******".to_owned()
        };
        // Without a sample the extremes are what they begin with.
        let (min, max) = match samples {
            0 => (i64::MAX.to_string(), i64::MIN.to_string()),
            _ => (sums.min_ms.to_string(), sums.max_ms.to_string()),
        };
        let threads = threads.map(|ThreadCounts { active, started }| {
            let finished = started.saturating_sub(active);
            format!(" Active: {active} Started: {started} Finished: {finished}")
        });
        format!(
            "{} {kind} {samples:6} in {:02}:{:02}:{:02} = {rate}/s Avg: {:5} Min: {min:>5} Max: {max:>5} \
             Err: {:5} ({:.2}%){}",
            self.name,
            seconds / 3_600,
            seconds / 60 % 60,
            seconds % 60,
            sums.sum_ms.checked_div(samples).unwrap_or(0),
            sums.errors,
            sums.errors as f64 * 100.0 / samples.max(1) as f64,
            threads.unwrap_or_default(),
        )
    }
}

impl Sums {
    fn new(now_ms: i64) -> Self {
        Self {
            samples: 0,
            errors: 0,
            sum_ms: 0,
            min_ms: u64::MAX,
            max_ms: 0,
            start_ms: now_ms,
            end_ms: now_ms,
        }
    }
}
