//! A file of values that users read on one after the other.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// The longest line that is read, in bytes.
const LINE_MAX: u64 = 16 << 20;

/// A file that those share who know its key.
#[derive(Debug, Default)]
pub(super) struct CsvFile(Mutex<Option<Opened>>);

/// How lines are read.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) delimiter: Box<str>,
    /// Whether values may stand in quotation marks.
    pub(super) quoted: bool,
    /// Whether the file begins anew at its end.
    pub(super) recycle: bool,
    /// Whether the first line holds no values.
    pub(super) skip_first: bool,
}

/// What a file gives next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Values(Vec<String>),
    /// No more lines; so does a line count that holds nothing, or quotation marks that do not fit.
    End,
    /// The file cannot be opened any more.
    Unreadable,
}

struct Opened {
    path: PathBuf,
    encoding: Option<&'static Encoding>,
    lines: Box<dyn BufRead + Send>,
    header: Option<String>,
}

impl CsvFile {
    /// Opens the file, unless that was done; whoever comes first says with which encoding. The answer
    /// is the header, when it was asked for.
    ///
    /// # Errors
    /// A file, an encoding or a header that is not there.
    pub(super) fn reserve(
        &self,
        path: &Path,
        encoding: &str,
        header: bool,
    ) -> io::Result<Option<String>> {
        let mut file = self.locked();
        if file.is_none() {
            let encoding = match encoding.trim() {
                "" => None,
                name => {
                    Some(Encoding::for_label(name.as_bytes()).ok_or(io::ErrorKind::Unsupported)?)
                }
            };
            let mut opened = Opened {
                path: path.to_owned(),
                encoding,
                lines: lines(path, encoding)?,
                header: None,
            };
            if header {
                opened.header = opened.line()?;
            }
            *file = Some(opened);
        }
        let own = file.as_ref().and_then(|file| file.header.clone());
        if header && own.is_none() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(own)
    }

    /// The values of the next line.
    pub(super) fn next(&self, reading: &Reading) -> Line {
        let mut file = self.locked();
        let Some(file) = file.as_mut() else {
            return Line::Unreadable;
        };
        let Ok(first) = file.record(reading.quoted) else {
            return Line::End;
        };
        let record = match first {
            None if reading.recycle => match file.begin_anew(reading) {
                Ok(record) => record,
                Err(_) => return Line::Unreadable,
            },
            first => first,
        };
        let Some(record) = record else {
            return Line::End;
        };
        let values = if reading.quoted {
            quoted_line(&record, reading.delimiter.chars().next().unwrap_or(','))
        } else {
            Some(split(&record, &reading.delimiter))
        };
        match values {
            Some(values) if !values.is_empty() => Line::Values(values),
            _ => Line::End,
        }
    }

    fn locked(&self) -> MutexGuard<'_, Option<Opened>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Opened {
    fn begin_anew(&mut self, reading: &Reading) -> io::Result<Option<String>> {
        self.lines = lines(&self.path, self.encoding)?;
        if reading.skip_first {
            let _first = self.line()?;
        }
        self.record(reading.quoted)
    }

    /// The next line, or lines where a quoted value goes on; `None` at the end.
    fn record(&mut self, quoted: bool) -> io::Result<Option<String>> {
        let Some(mut record) = self.line()? else {
            return Ok(None);
        };
        while quoted && !record.matches('"').count().is_multiple_of(2) {
            let Some(more) = self.line()? else {
                break;
            };
            record.push('\n');
            record.push_str(&more);
        }
        Ok(Some(record))
    }

    /// The next line without its ending, which is LF, CR or both; `None` at the end.
    fn line(&mut self) -> io::Result<Option<String>> {
        let mut bytes = Vec::new();
        let read = (&mut self.lines)
            .take(LINE_MAX)
            .read_until(b'\n', &mut bytes)?;
        if read == 0 {
            return Ok(None);
        }
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        }
        let encoding = self.encoding.filter(|own| own.is_ascii_compatible());
        let (text, _) = encoding
            .unwrap_or(UTF_8)
            .decode_without_bom_handling(&bytes);
        Ok(Some(text.into_owned()))
    }
}

/// The bytes of a file. Those of UTF-16 are turned into UTF-8 at once, because their line endings
/// are not those of bytes.
fn lines(path: &Path, encoding: Option<&'static Encoding>) -> io::Result<Box<dyn BufRead + Send>> {
    let mut file = BufReader::new(File::open(path)?);
    let start = file.fill_buf()?;
    let detected = match (encoding, start) {
        (None, [0xFE, 0xFF, ..]) => Some(UTF_16BE),
        (None, [0xFF, 0xFE, ..]) => Some(UTF_16LE),
        (None, [0xEF, 0xBB, 0xBF, ..]) => {
            file.consume(3);
            None
        }
        (own, _) => own,
    };
    match detected {
        Some(wide) if !wide.is_ascii_compatible() => {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            let (text, _, _) = wide.decode(&bytes);
            Ok(Box::new(Cursor::new(text.into_owned().into_bytes())))
        }
        _ => Ok(Box::new(file)),
    }
}

/// The values between delimiters. An empty line has none.
fn split(line: &str, delimiter: &str) -> Vec<String> {
    if line.is_empty() {
        return Vec::new();
    }
    line.split(delimiter).map(str::to_owned).collect()
}

/// The values of a line where some may stand in quotation marks; `None` when those do not fit.
/// An empty line has one that is empty.
pub(super) fn quoted_line(line: &str, delimiter: char) -> Option<Vec<String>> {
    let mut values = Vec::new();
    let mut rest = line;
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (value, after) = quoted_value(quoted)?;
            values.push(value);
            rest = match after.strip_prefix(delimiter) {
                Some(next) => next,
                None if after.is_empty() => return Some(values),
                None => return None,
            };
        } else {
            let (value, next) = match rest.split_once(delimiter) {
                Some((value, next)) => (value, Some(next)),
                None => (rest, None),
            };
            if value.contains('"') {
                return None;
            }
            values.push(value.to_owned());
            match next {
                Some(next) => rest = next,
                None => return Some(values),
            }
        }
    }
}

/// A value up to its closing quotation mark, and what follows.
fn quoted_value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"')?;
        value.push_str(before);
        match after.strip_prefix('"') {
            Some(more) => {
                value.push('"');
                rest = more;
            }
            None => return Some((value, after)),
        }
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
