//! Splitting a stream into records and fields: the CSV grammar, and nothing of what fields mean.

use std::io::{self, BufRead, Read as _};
use std::ops::Range;

use memchr::{memchr, memchr_iter};

use super::ProblemKind;
use super::xml::{self, Xml};

/// The byte order mark that some editors put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// One record at a time, in buffers that are used again for the next.
#[derive(Debug)]
pub(super) struct Record<R> {
    input: R,
    bytes_max: usize,
    delimiter: u8,
    /// Raw bytes of the line last read, with its line break.
    line: Vec<u8>,
    /// Fields that had to be unquoted, one after the other.
    unquoted: Vec<u8>,
    /// Where each field lies in `unquoted`, or in `line` if the record has no quote.
    fields: Vec<Range<usize>>,
    has_quotes: bool,
    /// Whether the line last read ended with a line break.
    line_is_whole: bool,
    /// Line on which the record begins, from 1.
    first_line: u64,
    next_line: u64,
    /// Where the reader stands in a file of the XML form.
    xml: Option<Box<Xml>>,
    /// The fields of that form that the file has.
    xml_fields: Vec<usize>,
}

/// Why a record cannot be read.
#[derive(Debug)]
pub(super) enum RecordError {
    Io(io::Error),
    TooLong {
        limit: usize,
        field: usize,
    },
    UnclosedQuote {
        field: usize,
    },
    AfterQuote {
        field: usize,
    },
    /// XML that is not that of result files.
    NotResults,
    /// The file ends within a tag or a sample.
    Unfinished,
    /// The file declares a document type.
    DocumentType,
    /// What is written is no XML.
    Markup(String),
}

impl RecordError {
    /// The index of the field in which it happened.
    pub(super) fn field(&self) -> Option<usize> {
        match self {
            Self::Io(_)
            | Self::NotResults
            | Self::Unfinished
            | Self::DocumentType
            | Self::Markup(_) => None,
            Self::TooLong { field, .. }
            | Self::UnclosedQuote { field }
            | Self::AfterQuote { field } => Some(*field),
        }
    }

    pub(super) fn into_kind(self) -> ProblemKind {
        match self {
            Self::Io(error) => ProblemKind::Io(error),
            Self::TooLong { limit, .. } => ProblemKind::TooLong(limit),
            Self::UnclosedQuote { .. } => ProblemKind::UnclosedQuote,
            Self::AfterQuote { .. } => ProblemKind::AfterQuote,
            Self::NotResults => ProblemKind::NotResults,
            Self::Unfinished => ProblemKind::Unfinished,
            Self::DocumentType => ProblemKind::DocumentType,
            Self::Markup(why) => ProblemKind::Markup(why),
        }
    }
}

/// Where in the grammar a byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    /// A quote inside a quoted field: its end, or the first of a doubled one.
    QuoteInQuoted,
    /// Something else follows the closing quote; kept, and reported at the end of the record.
    AfterQuote,
}

impl<R> Record<R> {
    pub(super) fn new(input: R, bytes_max: usize) -> Self {
        Self {
            input,
            bytes_max,
            delimiter: b',',
            line: Vec::new(),
            unquoted: Vec::new(),
            fields: Vec::new(),
            has_quotes: false,
            line_is_whole: true,
            first_line: 1,
            next_line: 1,
            xml: None,
            xml_fields: Vec::new(),
        }
    }

    pub(super) fn line(&self) -> u64 {
        self.first_line
    }

    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// How many fields the record has.
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// The bytes of a field.
    pub(super) fn field_bytes(&self, index: usize) -> &[u8] {
        self.fields
            .get(index)
            .and_then(|range| self.bytes().get(range.clone()))
            .unwrap_or_default()
    }

    /// Whether every field is UTF-8.
    pub(super) fn is_utf8(&self) -> bool {
        std::str::from_utf8(self.bytes()).is_ok()
    }

    /// Whether the input ends without a line break in the line last read.
    pub(super) fn is_cut_off(&self) -> bool {
        match &self.xml {
            Some(xml) => xml.is_cut_off(),
            None => !self.line_is_whole,
        }
    }

    /// What the ranges of the fields point into.
    fn bytes(&self) -> &[u8] {
        if self.has_quotes {
            &self.unquoted
        } else {
            &self.line
        }
    }

    /// A field as text; `None` if there is none or it is not UTF-8.
    pub(super) fn field(&self, index: usize) -> Option<&str> {
        self.fields.get(index)?;
        std::str::from_utf8(self.field_bytes(index)).ok()
    }
}

impl<R: BufRead> Record<R> {
    /// Whether the input begins as XML does; then the names of the fields that its samples have.
    pub(super) fn read_xml_names(&mut self) -> Result<Option<Vec<&'static str>>, RecordError> {
        let start = self.input.fill_buf().map_err(RecordError::Io)?;
        let unmarked = start.strip_prefix(BYTE_ORDER_MARK);
        let is_marked = unmarked.is_some();
        let text = unmarked.unwrap_or(start).trim_ascii_start();
        if text.first() != Some(&b'<') {
            return Ok(None);
        }
        if is_marked {
            self.input.consume(BYTE_ORDER_MARK.len());
        }
        let mut xml = Box::new(Xml::new());
        let found = xml.first(&mut self.input, self.bytes_max);
        self.first_line = xml.line();
        let has = found?;
        let is_there = |place: &usize| has.is_none_or(|has| has[*place]);
        self.xml_fields = (0..xml::NAMES.len()).filter(is_there).collect();
        self.xml = Some(xml);
        let names = self.xml_fields.iter().map(|place| xml::NAMES[*place].0);
        Ok(Some(names.collect()))
    }

    /// Reads the next sample of the XML form as the fields of a record.
    fn read_sample(&mut self, mut xml: Box<Xml>) -> Result<bool, RecordError> {
        let next = xml.next(&mut self.input, self.bytes_max);
        self.first_line = xml.line();
        self.xml = Some(xml);
        let Some(sample) = next? else {
            return Ok(false);
        };
        self.first_line = sample.line;
        self.fields.clear();
        self.unquoted.clear();
        self.has_quotes = true;
        for place in &self.xml_fields {
            let start = self.unquoted.len();
            let field = sample.fields[*place].as_deref();
            let field = field.unwrap_or_else(|| xml::absent(*place));
            self.unquoted.extend_from_slice(field.as_bytes());
            self.fields.push(start..self.unquoted.len());
        }
        Ok(true)
    }

    /// Reads the first record and guesses the delimiter from it: the first character that can be
    /// in no column name. `false` if there is none.
    pub(super) fn read_header(&mut self) -> Result<bool, RecordError> {
        if !self.read_line(0, 0)? {
            return Ok(false);
        }
        if self.line.starts_with(BYTE_ORDER_MARK) {
            self.line.drain(..BYTE_ORDER_MARK.len());
        }
        let in_name = |byte: &u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'"' | b' ' | b'\r' | b'\n')
        };
        if let Some(&delimiter) = self.line.iter().find(|byte| !in_name(byte)) {
            self.delimiter = delimiter;
        }
        self.split()?;
        Ok(true)
    }

    /// Reads the next record, skipping blank lines. `false` at the end of the input.
    pub(super) fn read(&mut self) -> Result<bool, RecordError> {
        if let Some(xml) = self.xml.take() {
            return self.read_sample(xml);
        }
        loop {
            if !self.read_line(0, 0)? {
                return Ok(false);
            }
            if !matches!(self.line.as_slice(), b"\n" | b"\r\n") {
                self.split()?;
                return Ok(true);
            }
        }
    }

    /// Reads one line into `line`; `used` bytes of the record were read before it, up to `field`.
    fn read_line(&mut self, used: usize, field: usize) -> Result<bool, RecordError> {
        self.line.clear();
        if used == 0 {
            self.first_line = self.next_line;
        }
        let room = self.bytes_max.saturating_sub(used);
        let read = (&mut self.input)
            .take(room as u64 + 1)
            .read_until(b'\n', &mut self.line)
            .map_err(RecordError::Io)?;
        if read > room {
            let before = self
                .line
                .split(|&byte| byte == self.delimiter)
                .skip(1)
                .count();
            let field = if used == 0 { before } else { field };
            return Err(RecordError::TooLong {
                limit: self.bytes_max,
                field,
            });
        }
        self.next_line += 1;
        if read > 0 {
            self.line_is_whole = self.line.ends_with(b"\n");
        }
        Ok(read > 0)
    }

    fn split(&mut self) -> Result<(), RecordError> {
        self.fields.clear();
        self.has_quotes = memchr(b'"', &self.line).is_some();
        if self.has_quotes {
            return self.split_quoted();
        }
        let end = without_line_break(&self.line).len();
        let mut start = 0;
        for index in memchr_iter(self.delimiter, &self.line[..end]) {
            self.fields.push(start..index);
            start = index + 1;
        }
        self.fields.push(start..end);
        Ok(())
    }

    /// The slow way, for a record with quotes: unquotes into a buffer of its own, reading further
    /// lines while a quoted field is open.
    fn split_quoted(&mut self) -> Result<(), RecordError> {
        self.unquoted.clear();
        let mut state = State::FieldStart;
        let mut start = 0;
        let mut used = self.line.len();
        let mut after_quote = None;
        loop {
            let text_end = without_line_break(&self.line).len();
            for (index, &byte) in self.line.iter().enumerate() {
                if index >= text_end && state != State::Quoted {
                    break;
                }
                if byte == self.delimiter && state != State::Quoted {
                    self.fields.push(start..self.unquoted.len());
                    start = self.unquoted.len();
                    state = State::FieldStart;
                    continue;
                }
                let (next, kept) = step(state, byte);
                if kept {
                    self.unquoted.push(byte);
                }
                if next == State::AfterQuote {
                    after_quote.get_or_insert(self.fields.len());
                }
                state = next;
            }
            if state != State::Quoted {
                break;
            }
            if !self.read_line(used, self.fields.len())? {
                return Err(RecordError::UnclosedQuote {
                    field: self.fields.len(),
                });
            }
            used += self.line.len();
        }
        self.fields.push(start..self.unquoted.len());
        after_quote.map_or(Ok(()), |field| Err(RecordError::AfterQuote { field }))
    }
}

/// The state after a byte that is no delimiter, and whether the byte belongs to the field.
fn step(state: State, byte: u8) -> (State, bool) {
    match (state, byte) {
        (State::FieldStart, b'"') => (State::Quoted, false),
        (State::FieldStart | State::Plain, _) => (State::Plain, true),
        (State::Quoted, b'"') => (State::QuoteInQuoted, false),
        (State::QuoteInQuoted, b'"') | (State::Quoted, _) => (State::Quoted, true),
        (State::QuoteInQuoted | State::AfterQuote, _) => (State::AfterQuote, true),
    }
}

fn without_line_break(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}
