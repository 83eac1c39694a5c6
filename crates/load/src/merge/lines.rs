//! Merging files of lines, samples or ledgers, by time and without holding more than a line of each.
//!
//! A generator writes its lines about in the order in which requests end. The next line is always the
//! one of those at hand that ended first, and the lines of one file keep their order: the result is as
//! ordered as its parts are.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use double11_measure::jtl;
use serde::Deserialize;

use super::MergeError;
use crate::engine::LEDGER_FIRST_LINE;

/// Bytes that are read from a file at a time, of up to [`SHARDS_MAX`](crate::shard::SHARDS_MAX) files.
const READ_BYTES: usize = 1 << 16;
/// The longest record.
const RECORD_BYTES_MAX: usize = 1 << 20;

/// What the lines of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Rows of a JTL file as the engine writes them, which may have line breaks within quotes.
    Samples,
    /// Lines of a client ledger.
    Ledger,
}

/// What is needed of a line of the client ledger.
#[derive(Deserialize)]
struct LedgerLine {
    /// In microseconds since the Unix epoch.
    end: i64,
}

/// A file that is being read.
struct Source<'a> {
    path: &'a Path,
    form: Form,
    reader: BufReader<File>,
    /// The record at hand, with its line break.
    record: Vec<u8>,
    /// The line on which it begins, and how many it has.
    line: u64,
    lines: u64,
}

impl Form {
    fn first_line(self) -> Vec<u8> {
        match self {
            Self::Samples => format!("{}\n", jtl::HEADER).into_bytes(),
            Self::Ledger => LEDGER_FIRST_LINE.to_vec(),
        }
    }

    /// When the request of a record ended, in the form's own unit; `None` when it does not say.
    fn end(self, record: &[u8]) -> Option<i64> {
        match self {
            Self::Samples => {
                let mut fields = record.split(|byte| *byte == b',');
                let mut number = || {
                    std::str::from_utf8(fields.next()?)
                        .ok()?
                        .parse::<i64>()
                        .ok()
                };
                number()?.checked_add(number()?)
            }
            Self::Ledger => {
                let line: LedgerLine = serde_json::from_slice(record).ok()?;
                Some(line.end)
            }
        }
    }
}

/// Merges files into one.
pub(super) fn merge(paths: &[PathBuf], form: Form, output: &Path) -> Result<(), MergeError> {
    let mut sources = Vec::with_capacity(paths.len());
    for path in paths {
        sources.push(Source::open(path, form)?);
    }
    let unwritable = |source| MergeError::Write {
        path: output.to_owned(),
        source,
    };
    let file = File::create(output).map_err(unwritable)?;
    let mut writer = BufWriter::with_capacity(READ_BYTES, file);
    writer.write_all(&form.first_line()).map_err(unwritable)?;
    // The earliest first, and of equal ones that of the first shard.
    let mut heads = BinaryHeap::with_capacity(sources.len());
    for (index, source) in sources.iter_mut().enumerate() {
        heads.extend(source.advance()?.map(|end| Reverse((end, index))));
    }
    while let Some(Reverse((_, index))) = heads.pop() {
        let Some(source) = sources.get_mut(index) else {
            break;
        };
        writer.write_all(&source.record).map_err(unwritable)?;
        heads.extend(source.advance()?.map(|end| Reverse((end, index))));
    }
    writer.flush().map_err(unwritable)
}

impl<'a> Source<'a> {
    fn open(path: &'a Path, form: Form) -> Result<Self, MergeError> {
        let file = File::open(path).map_err(|source| MergeError::Read {
            path: path.to_owned(),
            source,
        })?;
        let mut source = Self {
            path,
            form,
            reader: BufReader::with_capacity(READ_BYTES, file),
            record: Vec::new(),
            line: 1,
            lines: 0,
        };
        source.read_line()?;
        if source.record != form.first_line() {
            return Err(source.wrong(match form {
                Form::Samples => "not the header of a sample file of a run",
                Form::Ledger => "not the first line of a client ledger",
            }));
        }
        Ok(source)
    }

    /// Reads the next record; when its request ended, or `None` after the last one.
    fn advance(&mut self) -> Result<Option<i64>, MergeError> {
        self.record.clear();
        self.line += self.lines;
        self.lines = 0;
        loop {
            let is_over = self.read_line()? == 0;
            if is_over && self.record.is_empty() {
                return Ok(None);
            }
            if is_over || !self.record.ends_with(b"\n") {
                let what = if self.record.len() < RECORD_BYTES_MAX {
                    "the file is cut off here"
                } else {
                    "longer than a line may be"
                };
                return Err(self.wrong(what));
            }
            let bytes = self.record.iter();
            let is_quoted = bytes.fold(false, |is_quoted, byte| is_quoted ^ (*byte == b'"'));
            if self.form == Form::Ledger || !is_quoted {
                break;
            }
        }
        let end = self.form.end(&self.record);
        let what = match self.form {
            Form::Samples => "does not begin with a time stamp and an elapsed time",
            Form::Ledger => "not a line of a client ledger",
        };
        end.map_or_else(|| Err(self.wrong(what)), |end| Ok(Some(end)))
    }

    /// Appends the next line to the record, as far as it may be long; how many bytes that were.
    fn read_line(&mut self) -> Result<usize, MergeError> {
        let room = RECORD_BYTES_MAX.saturating_sub(self.record.len());
        let room = u64::try_from(room).unwrap_or(u64::MAX);
        let read = self
            .reader
            .by_ref()
            .take(room)
            .read_until(b'\n', &mut self.record);
        self.lines += 1;
        read.map_err(|source| MergeError::Read {
            path: self.path.to_owned(),
            source,
        })
    }

    fn wrong(&self, what: &'static str) -> MergeError {
        MergeError::Line {
            path: self.path.to_owned(),
            line: self.line,
            what,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(form: Form, bodies: &[String]) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let first_line = String::from_utf8(form.first_line()).unwrap();
        let paths = bodies.iter().enumerate().map(|(index, body)| {
            let path = folder.path().join(index.to_string());
            std::fs::write(&path, first_line.clone() + body).unwrap();
            path
        });
        let paths: Vec<PathBuf> = paths.collect();
        let output = folder.path().join("merged");
        merge(&paths, form, &output).map_err(|error| error.to_string())?;
        let text = std::fs::read_to_string(output).unwrap();
        Ok(text.strip_prefix(&first_line).unwrap().to_owned())
    }

    fn row(sent: u64, elapsed: u64, message: &str) -> String {
        format!("{sent},{elapsed},get,200,OK,double11 1-1,text,true,{message},1,1,1,1,null,1,0,0\n")
    }

    #[test]
    fn rows_come_in_the_order_of_their_ends() {
        let broken = row(20, 1, "\"a \"\"b\"\"\n1,2\"");
        let files = [
            row(10, 5, "") + &broken + &row(50, 1, ""),
            String::new(),
            row(10, 1, "") + &row(5, 15, "") + &row(9, 60, ""),
        ];
        let expected = [
            row(10, 1, ""),
            row(10, 5, ""),
            row(5, 15, ""),
            broken,
            row(50, 1, ""),
            row(9, 60, ""),
        ];
        assert_eq!(merged(Form::Samples, &files).unwrap(), expected.concat());
        let alone = [row(30, 1, "") + &row(10, 1, "")];
        assert_eq!(merged(Form::Samples, &alone).unwrap(), alone[0]);
    }

    #[test]
    fn ledgers_come_in_the_order_of_their_ends() {
        let line = |end: u64| format!("{{\"kind\":\"order\",\"end\":{end}}}\n");
        let files = [line(1) + &line(4), line(2) + &line(3)];
        let merged = merged(Form::Ledger, &files).unwrap();
        assert_eq!(merged, line(1) + &line(2) + &line(3) + &line(4));
    }

    #[test]
    fn damage_is_refused_with_its_line() {
        let good = row(1, 1, "\"\n\"");
        for (form, body, said) in [
            (
                Form::Samples,
                "x".to_owned(),
                "line 2: the file is cut off here",
            ),
            (
                Form::Samples,
                good.clone() + "a,b\n",
                "line 4: does not begin with a time stamp",
            ),
            (
                Form::Samples,
                good.clone() + &"x".repeat(RECORD_BYTES_MAX + 5),
                "line 4: longer than a line may be",
            ),
            (
                Form::Samples,
                good + "1,1,\"open\n",
                "line 4: the file is cut off here",
            ),
            (
                Form::Ledger,
                "{\"end\":\"x\"}\n".to_owned(),
                "line 2: not a line of a client ledger",
            ),
        ] {
            let error = merged(form, &[body]).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("foreign.jtl");
        std::fs::write(&path, "timeStamp,elapsed,label\n").unwrap();
        let error = merge(&[path], Form::Samples, &folder.path().join("out")).unwrap_err();
        assert!(
            error.to_string().contains("line 1: not the header"),
            "{error}"
        );
    }
}
