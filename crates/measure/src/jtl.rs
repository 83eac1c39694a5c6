//! `JMeter`'s result file (JTL), in its default CSV form and in the XML form.
//!
//! Writes rows as `JMeter` 5.6 does with its default settings and reads whatever `JMeter` itself may
//! have written: any order of columns, another delimiter, quoted fields with delimiters and line
//! breaks, or the XML form. `JMeter`'s words are kept here and nowhere else: `elapsed` is the service time and
//! `Latency` the time to first byte. [`summarize`] turns a file of any length into the figures of a
//! run, [`Dashboard`] into those of `JMeter`'s dashboard. Writing the XML form is deliberately absent.
//!
//! Source: `JMeter` 5.6, `CSVSaveService` and the "CSV log format" of its user's manual.

mod dashboard;
mod reader;
mod summary;
mod writer;

pub use dashboard::{
    DASHBOARD_LABELS_MAX, Dashboard, DashboardOptions, ErrorCount, FullRunPercentiles, Interval,
    SamplerErrors, Statistics, WindowPercentiles,
};
pub use reader::{Delimiter, Limits, Problem, ProblemKind, Read, Reader};
pub use summary::{JtlSummary, TimeStamps, Warning, summarize};
pub use writer::{RowForm, write_row};

/// The header line of `JMeter` 5.6's default columns, without a line break.
pub const HEADER: &str = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,grpThreads,allThreads,URL,Latency,IdleTime,Connect";

/// One line of a JTL file, in the order of [`HEADER`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Row<'a> {
    /// When the request was sent, in milliseconds since 1970-01-01 UTC.
    pub time_stamp_ms: i64,
    /// The service time in milliseconds.
    pub elapsed_ms: u64,
    /// The step.
    pub label: &'a str,
    /// The status code, or a text such as `Non HTTP response code: java.net.ConnectException`.
    pub response_code: &'a str,
    /// The reason phrase or the text of the exception.
    pub response_message: &'a str,
    /// The thread, for example `Thread Group 1-1`.
    pub thread_name: &'a str,
    /// `text`, `bin` or empty.
    pub data_type: &'a str,
    /// Whether the sample counts as successful.
    pub success: bool,
    /// The message of the assertion that failed.
    pub failure_message: &'a str,
    /// Bytes received.
    pub bytes: u64,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Active threads of the thread group.
    pub group_threads: u32,
    /// Active threads in all.
    pub all_threads: u32,
    /// The address requested, or `null`.
    pub url: &'a str,
    /// Time to first byte in milliseconds.
    pub latency_ms: u64,
    /// Time not spent sampling, in milliseconds.
    pub idle_ms: u64,
    /// Time to connect in milliseconds.
    pub connect_ms: u64,
}

#[cfg(test)]
mod tests;
