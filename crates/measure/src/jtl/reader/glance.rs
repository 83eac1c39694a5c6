//! The few fields of a record that a summary counts, without the cost of the others.

use super::columns::{Columns, Known, excerpt};
use super::record::Record;
use super::time_stamp::{time_stamp, whole_number};
use super::{Problem, ProblemKind};

/// How the message of a row that stands for a transaction controller begins, after which come the
/// number of its samples and of those that failed.
/// Source: `JMeter` 5.6, `TransactionController` and `report/core/Sample`.
const CONTROLLER_MESSAGE: &[u8] = b"Number of samples in transaction : ";

/// What a summary needs of a row.
#[derive(Debug, Clone, Copy)]
pub(in crate::jtl) struct Glance<'a> {
    /// When the request was sent, in milliseconds since 1970.
    pub(in crate::jtl) start_ms: i64,
    /// The time stamp was a date.
    pub(in crate::jtl) is_date: bool,
    pub(in crate::jtl) elapsed_ms: u64,
    pub(in crate::jtl) label: &'a [u8],
    /// Empty if the file does not have it.
    pub(in crate::jtl) response_code: &'a [u8],
    pub(in crate::jtl) success: bool,
    /// `None` if the file does not have it.
    pub(in crate::jtl) latency_ms: Option<u64>,
    /// The row sums up other rows.
    pub(in crate::jtl) is_controller: bool,
}

/// Where the fields of a [`Glance`] stand.
#[derive(Debug)]
pub(super) struct GlanceColumns {
    time_stamp: Option<usize>,
    elapsed: Option<usize>,
    label: Option<usize>,
    response_code: Option<usize>,
    response_message: Option<usize>,
    success: Option<usize>,
    url: Option<usize>,
    latency: Option<usize>,
    sample_count: Option<usize>,
}

impl GlanceColumns {
    pub(super) fn of(columns: &Columns) -> Self {
        Self {
            time_stamp: columns.position(Known::TimeStamp),
            elapsed: columns.position(Known::Elapsed),
            label: columns.position(Known::Label),
            response_code: columns.position(Known::ResponseCode),
            response_message: columns.position(Known::ResponseMessage),
            success: columns.position(Known::Success),
            url: columns.position(Known::Url),
            latency: columns.position(Known::Latency),
            sample_count: columns.position_of("SampleCount"),
        }
    }

    pub(super) fn glance<'a, R>(
        &self,
        columns: &Columns,
        record: &'a Record<R>,
    ) -> Result<Glance<'a>, Problem> {
        columns.check_count(record)?;
        if !record.is_utf8() {
            let position = (0..record.len()).find(|&index| record.field(index).is_none());
            return Err(problem(columns, record, position, ProblemKind::NotUtf8));
        }
        let text = |position: Option<usize>| position.map(|index| record.field_bytes(index));
        let number = |position: Option<usize>| match text(position) {
            None => Ok(None),
            Some(field) => whole_number(field).map(Some).ok_or_else(|| {
                let kind = ProblemKind::NotANumber(excerpt(field));
                problem(columns, record, position, kind)
            }),
        };
        let instant = text(self.time_stamp).unwrap_or_default();
        let (start_ms, is_date) = time_stamp(instant).ok_or_else(|| {
            let kind = ProblemKind::NotATimeStamp(excerpt(instant));
            problem(columns, record, self.time_stamp, kind)
        })?;
        let success = text(self.success).unwrap_or_default();
        let success = if success.eq_ignore_ascii_case(b"true") {
            true
        } else if success.eq_ignore_ascii_case(b"false") {
            false
        } else {
            let kind = ProblemKind::NotABoolean(excerpt(success));
            return Err(problem(columns, record, self.success, kind));
        };
        let is_controller = text(self.response_message)
            .is_some_and(|message| message.starts_with(CONTROLLER_MESSAGE))
            && matches!(text(self.url), None | Some(b"" | b"null"));
        if let Some(samples) = number(self.sample_count)?
            && samples > 1
            && !is_controller
        {
            let kind = ProblemKind::Aggregated(samples);
            return Err(problem(columns, record, self.sample_count, kind));
        }
        Ok(Glance {
            start_ms,
            is_date,
            elapsed_ms: number(self.elapsed)?.unwrap_or_default(),
            label: text(self.label).unwrap_or_default(),
            response_code: text(self.response_code).unwrap_or_default(),
            success,
            latency_ms: number(self.latency)?,
            is_controller,
        })
    }
}

fn problem<R>(
    columns: &Columns,
    record: &Record<R>,
    position: Option<usize>,
    kind: ProblemKind,
) -> Problem {
    Problem {
        line: record.line(),
        column: position.and_then(|position| columns.name(position)),
        kind,
    }
}
