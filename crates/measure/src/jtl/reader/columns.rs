//! What the fields of a record mean, by the names in the header.

use std::str::FromStr;

use super::record::Record;
use super::time_stamp::time_stamp;
use super::{Problem, ProblemKind};
use crate::jtl::{HEADER, Row};

/// Columns of [`HEADER`] that a file must have.
const NEEDED: [&str; 4] = ["timeStamp", "elapsed", "label", "success"];

/// Indexes of the known columns in [`HEADER`], in the order in which [`Row`] declares them.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known {
    TimeStamp,
    Elapsed,
    Label,
    ResponseCode,
    ResponseMessage,
    ThreadName,
    DataType,
    Success,
    FailureMessage,
    Bytes,
    SentBytes,
    GroupThreads,
    AllThreads,
    Url,
    Latency,
    IdleTime,
    Connect,
}

/// Where each known column stands in a file.
#[derive(Debug)]
pub(super) struct Columns {
    /// Names as the header has them.
    names: Vec<String>,
    /// The position of each column of [`HEADER`], in its order.
    positions: [Option<usize>; Known::Connect as usize + 1],
}

impl Columns {
    pub(super) fn find<'a>(names: impl Iterator<Item = &'a str>) -> Result<Self, Problem> {
        let names: Vec<String> = names.map(str::to_owned).collect();
        let problem = |column: &str, kind| {
            Err(Problem {
                line: 1,
                column: Some(column.to_owned()),
                kind,
            })
        };
        let mut positions = [None; Known::Connect as usize + 1];
        for (known, position) in HEADER.split(',').zip(&mut positions) {
            let mut found = names.iter().enumerate().filter(|(_, name)| *name == known);
            *position = found.next().map(|(index, _)| index);
            if found.next().is_some() {
                return problem(known, ProblemKind::RepeatedColumn);
            }
        }
        let columns = Self { names, positions };
        if positions.iter().all(Option::is_none) {
            return Err(Problem {
                line: 1,
                column: None,
                kind: ProblemKind::NotAHeader,
            });
        }
        match NEEDED.iter().find(|needed| !columns.has(needed)) {
            Some(missing) => problem(missing, ProblemKind::MissingColumn),
            None => Ok(columns),
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// Where a column of [`HEADER`] stands, if the file has it.
    pub(super) fn position(&self, column: Known) -> Option<usize> {
        self.positions[column as usize]
    }

    /// Where a column of any name stands, if the file has it.
    pub(super) fn position_of(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// The names as the header has them.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The name of the column at a position.
    pub(super) fn name(&self, position: usize) -> Option<String> {
        self.names.get(position).cloned()
    }

    /// Whether the record has as many fields as the header.
    pub(super) fn check_count<R>(&self, record: &Record<R>) -> Result<(), Problem> {
        if record.len() == self.names.len() {
            return Ok(());
        }
        Err(Problem {
            line: record.line(),
            column: None,
            kind: ProblemKind::FieldCount {
                expected: self.names.len(),
                actual: record.len(),
            },
        })
    }

    /// The record as a row.
    pub(super) fn row<'a, R>(&self, record: &'a Record<R>) -> Result<Row<'a>, Problem> {
        self.check_count(record)?;
        let fields = Fields {
            columns: self,
            record,
        };
        Ok(Row {
            time_stamp_ms: fields.instant()?,
            elapsed_ms: fields.number(Known::Elapsed)?,
            label: fields.text(Known::Label)?,
            response_code: fields.text(Known::ResponseCode)?,
            response_message: fields.text(Known::ResponseMessage)?,
            thread_name: fields.text(Known::ThreadName)?,
            data_type: fields.text(Known::DataType)?,
            success: fields.boolean(Known::Success)?,
            failure_message: fields.text(Known::FailureMessage)?,
            bytes: fields.number(Known::Bytes)?,
            sent_bytes: fields.number(Known::SentBytes)?,
            group_threads: fields.number(Known::GroupThreads)?,
            all_threads: fields.number(Known::AllThreads)?,
            url: fields.text(Known::Url)?,
            latency_ms: fields.number(Known::Latency)?,
            idle_ms: fields.number(Known::IdleTime)?,
            connect_ms: fields.number(Known::Connect)?,
        })
    }
}

/// The fields of one record by column.
struct Fields<'c, 'a, R> {
    columns: &'c Columns,
    record: &'a Record<R>,
}

impl<'a, R> Fields<'_, 'a, R> {
    /// The text of a column; empty if the file does not have it.
    fn text(&self, column: Known) -> Result<&'a str, Problem> {
        let Some(position) = self.columns.positions[column as usize] else {
            return Ok("");
        };
        self.record
            .field(position)
            .ok_or_else(|| self.problem(position, ProblemKind::NotUtf8))
    }

    /// The number of a column; 0 if the file does not have it.
    fn number<N: FromStr + Default>(&self, column: Known) -> Result<N, Problem> {
        let Some(position) = self.columns.positions[column as usize] else {
            return Ok(N::default());
        };
        self.text(column)?
            .parse()
            .map_err(|_| self.problem(position, ProblemKind::NotANumber(self.excerpt(position))))
    }

    /// The instant of the row: a number of milliseconds since 1970, or a date.
    fn instant(&self) -> Result<i64, Problem> {
        let text = self.text(Known::TimeStamp)?;
        let position = self.columns.positions[Known::TimeStamp as usize].unwrap_or_default();
        let dated = || time_stamp(text.as_bytes()).map(|(milliseconds, _)| milliseconds);
        let instant = text.parse().ok().or_else(dated);
        instant.ok_or_else(|| {
            self.problem(position, ProblemKind::NotATimeStamp(self.excerpt(position)))
        })
    }

    fn boolean(&self, column: Known) -> Result<bool, Problem> {
        let text = self.text(column)?;
        let position = self.columns.positions[column as usize].unwrap_or_default();
        if text.eq_ignore_ascii_case("true") {
            Ok(true)
        } else if text.eq_ignore_ascii_case("false") {
            Ok(false)
        } else {
            Err(self.problem(position, ProblemKind::NotABoolean(self.excerpt(position))))
        }
    }

    fn problem(&self, position: usize, kind: ProblemKind) -> Problem {
        Problem {
            line: self.record.line(),
            column: self.columns.name(position),
            kind,
        }
    }

    fn excerpt(&self, position: usize) -> String {
        excerpt(self.record.field_bytes(position))
    }
}

/// The start of a field, short enough for a message.
pub(super) fn excerpt(field: &[u8]) -> String {
    const CHARACTERS_MAX: usize = 40;
    String::from_utf8_lossy(field)
        .chars()
        .take(CHARACTERS_MAX)
        .collect()
}
