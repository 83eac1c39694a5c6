//! The figures of a JTL file as `JMeter`'s dashboard defines them, and beside its percentiles those of
//! the whole run.
//!
//! Source: `JMeter` 5.6, `StatisticsSummaryConsumer`, `ApdexSummaryConsumer`, `ErrorsSummaryConsumer`,
//! `PercentileAggregator` and `Sample` of its report generator.

use std::collections::HashMap;
use std::io::BufRead;

use super::{Limits, Problem, ProblemKind, Reader, Row};

mod counts;
mod errors;
mod over_time;
mod percentiles;

pub use errors::{ErrorCount, SamplerErrors};
pub use over_time::Interval;
pub use percentiles::{FullRunPercentiles, WindowPercentiles};

use counts::MillisecondCounts;
use errors::Errors;
use over_time::OverTime;
use percentiles::Window;

/// Labels that are told apart; rows of further ones are in the total only.
pub const DASHBOARD_LABELS_MAX: usize = 2_000;

/// Rows with problems that are told in full.
const PROBLEMS_MAX: usize = 20;

/// What the figures go by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DashboardOptions {
    /// A success satisfies up to this time, in milliseconds:
    /// `jmeter.reportgenerator.apdex_satisfied_threshold`.
    pub satisfied_ms: u64,
    /// A success is tolerated up to this time, in milliseconds:
    /// `jmeter.reportgenerator.apdex_tolerated_threshold`.
    pub tolerated_ms: u64,
    /// How many of the last samples of a label `JMeter` takes percentiles of:
    /// `jmeter.reportgenerator.statistic_window`. `None` for all.
    pub window: Option<usize>,
    /// The percentiles beside the median: `aggregate_rpt_pct1` to `3`.
    pub percentiles: [f64; 3],
    /// Whether time stamps are those of starts, not of ends: `sampleresult.timestamp.start`.
    pub stamps_start: bool,
}

impl Default for DashboardOptions {
    /// As `JMeter` is shipped.
    fn default() -> Self {
        Self {
            satisfied_ms: 500,
            tolerated_ms: 1_500,
            window: Some(20_000),
            percentiles: [90.0, 95.0, 99.0],
            stamps_start: true,
        }
    }
}

/// The figures of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Dashboard {
    /// What they go by.
    pub options: DashboardOptions,
    /// First start, in milliseconds since 1970-01-01 UTC.
    pub start_ms: i64,
    /// Last end, likewise.
    pub end_ms: i64,
    /// All samples but those of transactions.
    pub total: Statistics,
    /// By label, in the order in which they first come.
    pub labels: Vec<Statistics>,
    /// Rows whose labels were too many to be told apart.
    pub other_labels: u64,
    /// What failed, the most frequent first.
    pub errors: Vec<ErrorCount>,
    /// What failed by sampler, the one with the most failures first.
    pub sampler_errors: Vec<SamplerErrors>,
    /// Stretches of equal length from the first second on.
    pub intervals: Vec<Interval>,
    /// The length of a stretch in seconds.
    pub interval_s: u32,
    /// The first problems of the file; rows with problems are left out.
    pub problems: Vec<String>,
    /// How many rows have problems.
    pub problem_count: u64,
}

/// The figures of a label, or of all samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    /// The label; `Total` of all samples.
    pub label: String,
    /// Whether the label is that of a transaction, which the total leaves out.
    pub is_transaction: bool,
    /// How many samples.
    pub samples: u64,
    /// How many of them failed.
    pub errors: u64,
    /// The mean of their elapsed times, in milliseconds.
    pub mean_ms: f64,
    /// The shortest.
    pub min_ms: u64,
    /// The longest.
    pub max_ms: u64,
    /// Percentiles of all samples.
    pub full_run: FullRunPercentiles,
    /// Percentiles as `JMeter`'s dashboard shows them.
    pub window: WindowPercentiles,
    /// Samples a second from the first start to the last end; infinite when that is no time.
    pub per_second: f64,
    /// Kibibytes received a second, likewise.
    pub received_kib_per_second: f64,
    /// Kibibytes sent a second, likewise.
    pub sent_kib_per_second: f64,
    /// `(satisfied + tolerated / 2) / samples`, where only successes satisfy.
    pub apdex: f64,
}

impl Dashboard {
    /// Reads a file to its end.
    ///
    /// # Errors
    /// A fatal [`Problem`]; that of a single row is noted and the row left out.
    pub fn read(
        input: impl BufRead,
        options: DashboardOptions,
        limits: Limits,
    ) -> Result<Self, Problem> {
        let mut reader = Reader::with_limits(input, limits)?;
        let mut reading = Reading::new(options);
        loop {
            match reader.next_row() {
                Ok(Some(row)) => reading.add(&row),
                Ok(None) => return Ok(reading.finish()),
                // What the writer did not get to write is one row less.
                Err(problem)
                    if problem.is_fatal() && !matches!(problem.kind, ProblemKind::Unfinished) =>
                {
                    return Err(problem);
                }
                Err(problem) => {
                    reading.problem_count += 1;
                    if reading.problems.len() < PROBLEMS_MAX {
                        reading.problems.push(problem.to_string());
                    }
                }
            }
        }
    }
}

/// How the message of a transaction's row begins.
const TRANSACTION: &str = "Number of samples in transaction : ";

struct Reading {
    options: DashboardOptions,
    total: Accumulated,
    labels: Vec<Accumulated>,
    by_label: HashMap<String, usize>,
    other_labels: u64,
    errors: Errors,
    over_time: OverTime,
    problems: Vec<String>,
    problem_count: u64,
}

impl Reading {
    fn new(options: DashboardOptions) -> Self {
        Self {
            options,
            total: Accumulated::new("Total", false, &options),
            labels: Vec::new(),
            by_label: HashMap::new(),
            other_labels: 0,
            errors: Errors::default(),
            over_time: OverTime::default(),
            problems: Vec::new(),
            problem_count: 0,
        }
    }

    fn add(&mut self, row: &Row<'_>) {
        let is_transaction = row.response_message.starts_with(TRANSACTION);
        if is_transaction
            && row
                .response_message
                .starts_with(&format!("{TRANSACTION}0,"))
        {
            return;
        }
        let elapsed = i64::try_from(row.elapsed_ms).unwrap_or(i64::MAX);
        let (start, end) = if self.options.stamps_start {
            (row.time_stamp_ms, row.time_stamp_ms.saturating_add(elapsed))
        } else {
            (row.time_stamp_ms.saturating_sub(elapsed), row.time_stamp_ms)
        };
        match self.by_label.get(row.label) {
            Some(place) => self.labels[*place].add(row, start, end, &self.options),
            None if self.labels.len() < DASHBOARD_LABELS_MAX => {
                let mut fresh = Accumulated::new(row.label, is_transaction, &self.options);
                fresh.add(row, start, end, &self.options);
                self.by_label
                    .insert(row.label.to_owned(), self.labels.len());
                self.labels.push(fresh);
            }
            None => self.other_labels += 1,
        }
        if !is_transaction {
            self.total.add(row, start, end, &self.options);
            self.errors.add(row);
            self.over_time.add(row, end);
        }
    }

    fn finish(mut self) -> Dashboard {
        // APDEX of the total counts transactions too; everything else does not.
        let apdex = self.labels.iter().fold((0, 0, 0), |sum, label| {
            let (satisfied, tolerated, samples) = sum;
            (
                satisfied + label.satisfied,
                tolerated + label.tolerated,
                samples + label.counts.len(),
            )
        });
        (
            self.total.satisfied,
            self.total.tolerated,
            self.total.apdex_samples,
        ) = apdex;
        let spans = self.labels.iter();
        let start_ms = spans.clone().map(|label| label.start_ms).min();
        let end_ms = spans.map(|label| label.end_ms).max();
        let (errors, sampler_errors) = self.errors.finish(self.total.counts.len());
        let (intervals, interval_s) = self.over_time.finish();
        let options = self.options;
        let labels = self.labels.into_iter();
        Dashboard {
            options,
            start_ms: start_ms.unwrap_or_default(),
            end_ms: end_ms.unwrap_or_default(),
            total: self.total.finish(&options),
            labels: labels.map(|label| label.finish(&options)).collect(),
            other_labels: self.other_labels,
            errors,
            sampler_errors,
            intervals,
            interval_s,
            problems: self.problems,
            problem_count: self.problem_count,
        }
    }
}

/// What is added up of a label.
struct Accumulated {
    label: String,
    is_transaction: bool,
    counts: MillisecondCounts,
    window: Window,
    errors: u64,
    sum_ms: u128,
    received_bytes: u128,
    sent_bytes: u128,
    start_ms: i64,
    end_ms: i64,
    satisfied: u64,
    tolerated: u64,
    apdex_samples: u64,
}

impl Accumulated {
    fn new(label: &str, is_transaction: bool, options: &DashboardOptions) -> Self {
        Self {
            label: label.to_owned(),
            is_transaction,
            counts: MillisecondCounts::default(),
            window: Window::new(options.window),
            errors: 0,
            sum_ms: 0,
            received_bytes: 0,
            sent_bytes: 0,
            start_ms: i64::MAX,
            end_ms: i64::MIN,
            satisfied: 0,
            tolerated: 0,
            apdex_samples: 0,
        }
    }

    fn add(&mut self, row: &Row<'_>, start_ms: i64, end_ms: i64, options: &DashboardOptions) {
        self.counts.add(row.elapsed_ms);
        self.window.add(row.elapsed_ms);
        self.errors += u64::from(!row.success);
        self.sum_ms += u128::from(row.elapsed_ms);
        self.received_bytes += u128::from(row.bytes);
        self.sent_bytes += u128::from(row.sent_bytes);
        self.start_ms = self.start_ms.min(start_ms);
        self.end_ms = self.end_ms.max(end_ms);
        self.apdex_samples += 1;
        if row.success && row.elapsed_ms <= options.satisfied_ms {
            self.satisfied += 1;
        } else if row.success && row.elapsed_ms <= options.tolerated_ms {
            self.tolerated += 1;
        }
    }

    fn finish(self, options: &DashboardOptions) -> Statistics {
        let samples = self.counts.len();
        let span_ms = self.end_ms.saturating_sub(self.start_ms).max(0);
        let per_second = |count: f64| {
            if samples == 0 {
                0.0
            } else {
                count / (span_ms as f64 / 1_000.0)
            }
        };
        let share = |count: f64, of: u64| if of == 0 { 0.0 } else { count / of as f64 };
        Statistics {
            label: self.label,
            is_transaction: self.is_transaction,
            samples,
            errors: self.errors,
            mean_ms: share(self.sum_ms as f64, samples),
            min_ms: self.counts.min().unwrap_or_default(),
            max_ms: self.counts.max().unwrap_or_default(),
            full_run: FullRunPercentiles::of(&self.counts, options.percentiles),
            window: self.window.finish(options.percentiles),
            per_second: per_second(samples as f64),
            received_kib_per_second: per_second(self.received_bytes as f64 / 1_024.0),
            sent_kib_per_second: per_second(self.sent_bytes as f64 / 1_024.0),
            apdex: share(
                self.satisfied as f64 + self.tolerated as f64 / 2.0,
                self.apdex_samples,
            ),
        }
    }
}

#[cfg(test)]
mod tests;
