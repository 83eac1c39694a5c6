//! The lines of a ledger: JSON objects, the first of which names the format.
//!
//! A last line without a line feed is torn: its writer was stopped in the middle. Whatever it told
//! of was not yet acknowledged, so it is left out and said.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use serde_json::{Map, Value};

use crate::error::AuditError;
use crate::report::LedgerInput;

/// Longest accepted line in bytes; an order of a hundred lines has less than ten thousand.
const LINE_BYTES_MAX: u64 = 1 << 20;
/// The one version of both ledgers.
const LEDGER_VERSION: u64 = 1;

/// A ledger being read.
pub(crate) struct LedgerLines<'path> {
    path: &'path Path,
    reader: BufReader<File>,
    buffer: Vec<u8>,
    line: u64,
    torn_last_line: bool,
}

impl<'path> LedgerLines<'path> {
    /// Opens a ledger whose first line has the field `format`.
    pub(crate) fn open(path: &'path Path, format: &str) -> Result<Self, AuditError> {
        let unreadable = |source| AuditError::LedgerUnreadable {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(unreadable)?;
        let reader = BufReader::with_capacity(1 << 16, file);
        let mut lines = Self {
            path,
            reader,
            buffer: Vec::new(),
            line: 0,
            torn_last_line: false,
        };
        let version = match lines.next_line()? {
            // A writer that was stopped before its first line was whole has told nothing.
            None => {
                lines.torn_last_line = true;
                return Ok(lines);
            }
            Some(text) => serde_json::from_str::<Map<String, Value>>(text)
                .ok()
                .and_then(|header| header.get(format).and_then(Value::as_u64)),
        };
        match version {
            Some(LEDGER_VERSION) => Ok(lines),
            Some(other) => Err(lines.malformed(format!("version {other} is not known"))),
            None => Err(lines.malformed(format!("expected `{{\"{format}\":{LEDGER_VERSION}}}`"))),
        }
    }

    /// The next whole line without its line feed.
    pub(crate) fn next_line(&mut self) -> Result<Option<&str>, AuditError> {
        self.buffer.clear();
        let read = (&mut self.reader)
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut self.buffer)
            .map_err(|source| AuditError::LedgerUnreadable {
                path: self.path.to_owned(),
                source,
            })?;
        if read == 0 {
            return Ok(None);
        }
        if self.buffer.last() != Some(&b'\n') {
            if u64::try_from(read).unwrap_or(u64::MAX) == LINE_BYTES_MAX {
                self.line += 1;
                return Err(self.malformed(format!("longer than {LINE_BYTES_MAX} bytes")));
            }
            self.torn_last_line = true;
            return Ok(None);
        }
        self.line += 1;
        self.buffer.pop();
        match std::str::from_utf8(&self.buffer) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(self.malformed("not UTF-8".to_owned())),
        }
    }

    /// The number of the line that was read last, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// The error that the line read last is not what it should be.
    pub(crate) fn malformed(&self, reason: String) -> AuditError {
        AuditError::LedgerMalformed {
            path: self.path.to_owned(),
            line: self.line,
            reason,
        }
    }

    /// What was read.
    pub(crate) fn into_input(self) -> LedgerInput {
        LedgerInput {
            path: self.path.display().to_string(),
            lines: self.line.saturating_sub(1),
            torn_last_line: self.torn_last_line,
        }
    }
}
