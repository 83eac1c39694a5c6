//! A whole JTL file as the figures of a run.

use std::io::BufRead;

use self::accumulator::{Accumulator, ROWS_MAX};
use super::reader::{Limits, Problem, ProblemKind, Reader};
use crate::run::{StepSummary, Summary, TimeSeries};

mod accumulator;
mod figures;
mod labels;
mod sparse;
mod windows;

/// The figures of a JTL file, in the form of a run's.
///
/// A JTL knows when a request was sent, not when it was planned. Therefore it has **service times
/// only**: every `response_time` is empty, `verdict_p95_ms` is one of service times, and nothing is
/// known of dropped or late starts. Times are whole milliseconds; one below a millisecond counts as
/// the shortest duration of a [`LatencyHistogram`](crate::histogram::LatencyHistogram), 1 µs.
#[derive(Debug, Clone, PartialEq)]
pub struct JtlSummary {
    /// One phase named `whole`, from the first start to the last end; its steps are the labels in
    /// the order in which they first come. A failure is a row whose `success` is `false`, counted
    /// under its response code. In `verdict_p95_ms` a failed row counts as slower than every other;
    /// where the percentile lies among failed rows it is the longest service time of the label, and
    /// a lower bound. Time to first byte is that of rows that succeeded or have a numeric code.
    /// Availability goes by the second of sending, and by service time.
    pub summary: Summary,
    /// The same by windows of [`Self::window_seconds`], each under the second at which it begins;
    /// second 0 is that of the first start, rounded down to a whole window.
    pub time_series: TimeSeries,
    /// The width of the windows of the time series. One second, unless the file is so long or has
    /// so many labels that it is widened to bound memory.
    pub window_seconds: u32,
    /// The first start, in milliseconds since 1970. `None` without a row.
    pub first_start_unix_ms: Option<i64>,
    /// The last end, in milliseconds since 1970. `None` without a row.
    pub last_end_unix_ms: Option<i64>,
    /// What the two instants and [`TimeSeries::start_unix_ms`] are worth.
    pub time_stamps: TimeStamps,
    /// Rows that were counted, in `summary` or in `controllers`.
    pub rows: u64,
    /// Rows that stand for a transaction controller, by label. They sum up other rows of the file
    /// and are in no other figure, so that nothing is counted twice; unless there are no others
    /// ([`Warning::ControllersOnly`]).
    pub controllers: Vec<StepSummary>,
    /// What the reader of the figures should know.
    pub warnings: Vec<Warning>,
}

/// What the instants of a file mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeStamps {
    /// Milliseconds since 1970-01-01 UTC.
    Unix,
    /// Dates of an unknown time zone, read as if they were UTC.
    LocalDates,
}

/// Something about a file that does not make its figures wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// The writer was stopped in the middle of its last row, which is left out.
    #[error("line {line}: the last row is cut off and left out")]
    CutOff {
        /// The line on which it begins, from 1.
        line: u64,
    },
    /// The header comes again, as in files that were joined; its lines are left out.
    #[error("line {first_line}: the header is repeated ({count} times in all)")]
    RepeatedHeader {
        /// Where it first comes again.
        first_line: u64,
        /// How often.
        count: u64,
    },
    /// There are rows of transaction controllers and no others, so that they are counted as samples.
    #[error("every row is that of a transaction controller; they are counted as samples")]
    ControllersOnly,
    /// There are more labels than are told apart; the rows of the rest are under `(other)`.
    #[error("more labels than are told apart; {rows} rows are counted under `(other)`")]
    LabelsMerged {
        /// Rows under `(other)`.
        rows: u64,
    },
    /// The windows of the time series are wider than a second.
    #[error("the time series has windows of {seconds} s, to bound memory")]
    WideWindows {
        /// Their width.
        seconds: u32,
    },
    /// Time stamps are dates without a time zone.
    #[error("time stamps are dates without a time zone, read as UTC")]
    LocalDates,
    /// Service times are longer than a histogram tells apart, and count as one hour.
    #[error("{rows} rows took longer than an hour and count as an hour")]
    Saturated {
        /// How many.
        rows: u64,
    },
}

/// Reads a JTL file to its end and sums it up, in memory that does not grow with its length.
///
/// Rows may come in any order. Only the columns that count are looked at: `timeStamp` (taken as the
/// start, as `JMeter` writes it unless `sampleresult.timestamp.start=false`), `elapsed`, `label`,
/// `success`, and where they are there `responseCode`, `responseMessage`, `URL`, `Latency` and
/// `SampleCount`. `input` is best buffered by 64 KiB or more.
///
/// A row is that of a transaction controller if its message says "Number of samples in transaction"
/// and it has no address. Parts of a sample have rows of their own, with labels of their own.
///
/// # Errors
/// The first [`Problem`] that is met, fatal or not: figures that lack some rows are not the figures
/// of the file. Tolerated are a last row that is cut off and repetitions of the header, which become
/// [`Warning`]s. [`ProblemKind::HeaderChanged`] where a second header names other columns,
/// [`ProblemKind::Aggregated`] for a row that stands for several samples.
pub fn summarize(input: impl BufRead, limits: Limits) -> Result<JtlSummary, Problem> {
    let mut reader = Reader::with_limits(input, limits)?;
    let mut accumulator = Accumulator::new();
    let mut warnings = Vec::new();
    let mut repeated_headers: Option<(u64, u64)> = None;
    loop {
        let problem = match reader.advance() {
            Ok(false) => break,
            Ok(true) => match reader.glance() {
                Ok(row) if accumulator.rows < ROWS_MAX => {
                    accumulator.record(&row);
                    continue;
                }
                Ok(_) => problem_here(&reader, ProblemKind::TooManyRows(ROWS_MAX)),
                Err(problem) => match reader.repeated_header() {
                    Some(true) => {
                        let (_, count) = repeated_headers.get_or_insert((problem.line, 0));
                        *count += 1;
                        continue;
                    }
                    Some(false) => problem_here(&reader, ProblemKind::HeaderChanged),
                    None => problem,
                },
            },
            Err(problem) => problem,
        };
        if !(reader.is_cut_off() && may_be_cut_off(&problem.kind)) {
            return Err(problem);
        }
        warnings.push(Warning::CutOff { line: problem.line });
        break;
    }
    if let Some((first_line, count)) = repeated_headers {
        warnings.push(Warning::RepeatedHeader { first_line, count });
    }
    Ok(figures::finish(accumulator, warnings))
}

fn problem_here<R: BufRead>(reader: &Reader<R>, kind: ProblemKind) -> Problem {
    Problem {
        line: reader.line(),
        column: None,
        kind,
    }
}

/// Whether the problem can come of the end of a row being absent.
fn may_be_cut_off(kind: &ProblemKind) -> bool {
    matches!(
        kind,
        ProblemKind::FieldCount { .. }
            | ProblemKind::NotANumber(_)
            | ProblemKind::NotABoolean(_)
            | ProblemKind::NotUtf8
            | ProblemKind::UnclosedQuote
            | ProblemKind::Unfinished
    )
}

#[cfg(test)]
mod tests;
