//! Reading rows one at a time, whatever their columns and delimiter.

use std::error::Error;
use std::fmt;
use std::io::{self, BufRead};

use super::{HEADER, Row};

mod columns;
mod glance;
mod record;
mod time_stamp;
mod xml;

pub(super) use glance::Glance;

use columns::Columns;
use glance::GlanceColumns;
use record::{Record, RecordError};

/// Bounds on what a file may make the reader hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest record (a row, with all line breaks inside its quotes), in bytes.
    pub record_bytes: usize,
}

impl Default for Limits {
    /// One mebibyte: far above what `JMeter` writes by default, and far below what hurts.
    fn default() -> Self {
        Self {
            record_bytes: 1 << 20,
        }
    }
}

/// The character between two fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiter(pub u8);

/// What is wrong with a file, and where.
#[derive(Debug)]
pub struct Problem {
    /// The line on which the record begins, from 1.
    pub line: u64,
    /// The column by its name in the header, where the problem belongs to one.
    pub column: Option<String>,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What can be wrong with a JTL file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The file cannot be read further.
    #[error("cannot read")]
    Io(#[source] io::Error),
    /// The file is empty.
    #[error("the file is empty, expected the header of a JTL file")]
    Empty,
    /// The first line is neither a header nor a row in the default columns.
    #[error("expected the header of a JTL file (columns such as `timeStamp` and `elapsed`)")]
    NotAHeader,
    /// XML that is not that of result files.
    #[error("this is XML, but not that of a JTL file, whose root is `testResults`")]
    NotResults,
    /// An XML file ends within a sample.
    #[error("the file ends within a sample")]
    Unfinished,
    /// An XML file declares a document type, and may define entities there.
    #[error("a document type, which JTL files do not have")]
    DocumentType,
    /// What stands there is no XML.
    #[error("not the XML of a JTL file: {0}")]
    Markup(String),
    /// A column without which nothing can be said is not in the header.
    #[error("the column is missing")]
    MissingColumn,
    /// The header names a column twice.
    #[error("the column is there twice")]
    RepeatedColumn,
    /// A row with another number of fields than the header.
    #[error("{actual} fields, expected {expected}")]
    FieldCount {
        /// Fields in the header.
        expected: usize,
        /// Fields in the row.
        actual: usize,
    },
    /// A field that should be a whole number is not, or is out of range.
    #[error("`{0}` is not a whole number in range")]
    NotANumber(String),
    /// A time stamp is neither a number of milliseconds since 1970 nor a date that is understood, or
    /// lies outside the years 1970 to 2105.
    #[error(
        "`{0}` is neither a number of milliseconds since 1970 nor a date such as \
         `2024/11/11 00:00:00.000` (`jmeter.save.saveservice.timestamp_format=ms`)"
    )]
    NotATimeStamp(String),
    /// The row stands for more than one sample, whose times it does not tell.
    #[error("the row stands for {0} samples, expected one row for each")]
    Aggregated(u64),
    /// A second header names other columns than the first: files of two forms in one.
    #[error("a second header, with other columns than the first")]
    HeaderChanged,
    /// More rows than a summary counts.
    #[error("more than {0} rows")]
    TooManyRows(u64),
    /// A field that should be `true` or `false` is neither.
    #[error("`{0}` is neither `true` nor `false`")]
    NotABoolean(String),
    /// The field is not UTF-8.
    #[error("not valid UTF-8")]
    NotUtf8,
    /// Characters follow a closing quote.
    #[error("characters between a closing quote and the next delimiter")]
    AfterQuote,
    /// The file ends inside a quoted field.
    #[error("the file ends inside a quoted field")]
    UnclosedQuote,
    /// A record is longer than [`Limits::record_bytes`].
    #[error("longer than the limit of {0} bytes")]
    TooLong(usize),
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}", self.line)?;
        if let Some(column) = &self.column {
            write!(formatter, ", column `{column}`")?;
        }
        write!(formatter, ": {}", self.kind)
    }
}

impl Error for Problem {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.kind.source()
    }
}

impl Problem {
    /// Whether the reader cannot go on after it: it has lost its place, or never found one.
    pub fn is_fatal(&self) -> bool {
        matches!(
            self.kind,
            ProblemKind::Io(_)
                | ProblemKind::Empty
                | ProblemKind::NotAHeader
                | ProblemKind::NotResults
                | ProblemKind::Unfinished
                | ProblemKind::DocumentType
                | ProblemKind::Markup(_)
                | ProblemKind::MissingColumn
                | ProblemKind::RepeatedColumn
                | ProblemKind::UnclosedQuote
                | ProblemKind::TooLong(_)
                | ProblemKind::HeaderChanged
                | ProblemKind::TooManyRows(_)
        )
    }
}

/// Reads a JTL file row by row, holding one record at a time.
///
/// Columns are found by their names in the header; unknown ones are skipped. `timeStamp`, `elapsed`,
/// `label` and `success` must be there; a number of an absent column is 0 and a text is empty, which
/// [`Reader::has_column`] tells apart. A file without a header is read in the columns of
/// [`HEADER`](super::HEADER) if its first line has that many fields and begins with a number. Of a file
/// in the XML form every sample is a row, and its attributes are the columns; a sample comes after those
/// that stand within it.
#[derive(Debug)]
pub struct Reader<R> {
    record: Record<R>,
    columns: Columns,
    glance_columns: GlanceColumns,
    /// The first record is a row that is still to be handed out.
    first_is_row: bool,
    finished: bool,
}

impl<R: BufRead> Reader<R> {
    /// Reads the header, guessing the delimiter from it, with the default [`Limits`].
    ///
    /// # Errors
    /// A fatal [`Problem`] where the header is missing or lacks a needed column.
    pub fn new(input: R) -> Result<Self, Problem> {
        Self::with_limits(input, Limits::default())
    }

    /// As [`Self::new`], with other limits.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_limits(input: R, limits: Limits) -> Result<Self, Problem> {
        let mut record = Record::new(input, limits.record_bytes);
        let names = record.read_xml_names();
        if let Some(names) = names.map_err(|error| located(&record, None, error))? {
            return Ok(Self::of(record, Columns::find(names.into_iter())?, false));
        }
        if !record
            .read_header()
            .map_err(|error| located(&record, None, error))?
        {
            return Err(Problem {
                line: 1,
                column: None,
                kind: ProblemKind::Empty,
            });
        }
        let first_is_row = record
            .field(0)
            .is_some_and(|field| field.parse::<i64>().is_ok())
            && record.len() == HEADER.split(',').count();
        let columns = if first_is_row {
            Columns::find(HEADER.split(','))
        } else {
            Columns::find((0..record.len()).map(|index| record.field(index).unwrap_or("").trim()))
        }?;
        Ok(Self::of(record, columns, first_is_row))
    }

    fn of(record: Record<R>, columns: Columns, first_is_row: bool) -> Self {
        Self {
            record,
            glance_columns: GlanceColumns::of(&columns),
            columns,
            first_is_row,
            finished: false,
        }
    }

    /// The delimiter in use.
    pub fn delimiter(&self) -> Delimiter {
        Delimiter(self.record.delimiter())
    }

    /// Whether the file has the column of this name.
    pub fn has_column(&self, name: &str) -> bool {
        self.columns.has(name)
    }

    /// The next row, or `None` at the end of the file. Blank lines are skipped.
    ///
    /// # Errors
    /// A [`Problem`] in this row. If it [is not fatal](Problem::is_fatal) the next call goes on with
    /// the row after it; after a fatal one the file counts as finished.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, Problem> {
        if self.advance()? {
            self.columns.row(&self.record).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Reads the next record without looking at its fields. `false` at the end of the file.
    pub(super) fn advance(&mut self) -> Result<bool, Problem> {
        if self.finished {
            return Ok(false);
        }
        if std::mem::take(&mut self.first_is_row) {
            return Ok(true);
        }
        match self.record.read() {
            Ok(read) => {
                self.finished = !read;
                Ok(read)
            }
            Err(error) => {
                let column = error.field().and_then(|field| self.columns.name(field));
                let problem = located(&self.record, column, error);
                self.finished = problem.is_fatal();
                Err(problem)
            }
        }
    }

    /// What a summary needs of the current record.
    pub(super) fn glance(&self) -> Result<Glance<'_>, Problem> {
        self.glance_columns.glance(&self.columns, &self.record)
    }

    /// The line on which the current record begins.
    pub(super) fn line(&self) -> u64 {
        self.record.line()
    }

    /// Whether the file ends in the middle of the current line.
    pub(super) fn is_cut_off(&self) -> bool {
        self.record.is_cut_off()
    }

    /// Whether the current record is a header, and if so whether it is the file's own.
    pub(super) fn repeated_header(&self) -> Option<bool> {
        let names = self.columns.names();
        let fields = (0..self.record.len()).map(|index| self.record.field(index).unwrap_or(""));
        if names
            .iter()
            .map(String::as_str)
            .eq(fields.clone().map(str::trim))
        {
            return Some(true);
        }
        let has = |name: &str| fields.clone().any(|field| field.trim() == name);
        (has("timeStamp") && has("elapsed")).then_some(false)
    }

    /// Hands every row to `each` and returns how many there were, with the problems that were met:
    /// at most `problems_max` of them in full, and the number of all.
    pub fn for_each(mut self, problems_max: usize, mut each: impl FnMut(&Row<'_>)) -> Read {
        let mut read = Read::default();
        loop {
            match self.next_row() {
                Ok(Some(row)) => {
                    read.rows += 1;
                    each(&row);
                }
                Ok(None) => return read,
                Err(problem) => {
                    read.problem_count += 1;
                    if read.problems.len() < problems_max || problem.is_fatal() {
                        read.problems.push(problem);
                    }
                }
            }
        }
    }
}

/// What [`Reader::for_each`] read.
#[derive(Debug, Default)]
pub struct Read {
    /// Rows handed out.
    pub rows: u64,
    /// The first problems, and a fatal one in any case.
    pub problems: Vec<Problem>,
    /// How many problems there were in all.
    pub problem_count: u64,
}

fn located<R>(record: &Record<R>, column: Option<String>, error: RecordError) -> Problem {
    Problem {
        line: record.line(),
        column,
        kind: error.into_kind(),
    }
}
