//! The sandbox gateway's ledger file: JSON lines, appended and synced, read back at the start.
//! The form is that of `docs/SCHEMA.md`, section 2.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use double11_units::{AttemptId, Money, UnixMicros};

const FIRST_LINE: &str = "{\"double11_gateway_ledger\":1}\n";

/// Why a ledger could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file could not be opened, read, cut or synced.
    #[error("cannot use the gateway ledger `{path}`")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another process holds the file.
    #[error("the gateway ledger `{path}` is in use by another process")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A line before the last one cannot be read.
    #[error("line {line} of the gateway ledger `{path}` is not an event of format 1")]
    BadLine {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
    },
}

/// What the ledger says of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Captured { refunded: bool },
    Declined,
    Voided,
}

/// Something that happened, as a line of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Charge {
        attempt_id: AttemptId,
        amount: Money,
        captured: bool,
    },
    Refund {
        attempt_id: AttemptId,
        amount: Money,
    },
    Void {
        attempt_id: AttemptId,
    },
}

impl Event {
    /// Appends the line of this event.
    pub(super) fn write(self, at: UnixMicros, lines: &mut Vec<u8>) {
        let at = at.get();
        let written = match self {
            Self::Charge {
                attempt_id,
                amount,
                captured,
            } => {
                let currency = amount.currency().code();
                let result = if captured { "captured" } else { "declined" };
                writeln!(
                    lines,
                    "{{\"event\":\"charge\",\"attempt_id\":\"{attempt_id}\",\"amount\":\"{amount}\",\
                     \"currency\":\"{currency}\",\"result\":\"{result}\",\"at\":{at}}}"
                )
            }
            Self::Refund { attempt_id, amount } => {
                let currency = amount.currency().code();
                writeln!(
                    lines,
                    "{{\"event\":\"refund\",\"attempt_id\":\"{attempt_id}\",\"amount\":\"{amount}\",\
                     \"currency\":\"{currency}\",\"at\":{at}}}"
                )
            }
            Self::Void { attempt_id } => {
                writeln!(
                    lines,
                    "{{\"event\":\"void\",\"attempt_id\":\"{attempt_id}\",\"at\":{at}}}"
                )
            }
        };
        debug_assert!(written.is_ok(), "writing to memory does not fail");
    }
}

/// The opened file and what it says.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) file: File,
    pub(super) entries: HashMap<AttemptId, Entry>,
}

impl Ledger {
    /// Opens or makes the file, cuts a torn last line off and reads the rest.
    pub(super) fn open(path: &Path) -> Result<Self, LedgerError> {
        let failed = |source| LedgerError::Io {
            path: path.to_owned(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(LedgerError::InUse {
                    path: path.to_owned(),
                });
            }
            Err(std::fs::TryLockError::Error(source)) => return Err(failed(source)),
        }
        let (entries, good_bytes) = read(&file, path)?;
        file.set_len(good_bytes).map_err(failed)?;
        file.seek(SeekFrom::Start(good_bytes)).map_err(failed)?;
        if good_bytes == 0 {
            file.write_all(FIRST_LINE.as_bytes()).map_err(failed)?;
        }
        file.sync_all().map_err(failed)?;
        sync_folder(path).map_err(failed)?;
        Ok(Self { file, entries })
    }
}

/// Makes the file's name durable too: a synced file without a directory entry is lost.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

/// Every event, and the length of the file up to the end of its last good line.
fn read(file: &File, path: &Path) -> Result<(HashMap<AttemptId, Entry>, u64), LedgerError> {
    let failed = |source| LedgerError::Io {
        path: path.to_owned(),
        source,
    };
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut entries = HashMap::new();
    let (mut good_bytes, mut line_number) = (0_u64, 0_u64);
    let mut line = Vec::new();
    let mut bad_line = None;
    loop {
        line.clear();
        let bytes = reader.read_until(b'\n', &mut line).map_err(failed)?;
        if bytes == 0 {
            return Ok((entries, good_bytes));
        }
        // A bad line may only be the last one: it was being written when the process died.
        if let Some(line) = bad_line {
            return Err(LedgerError::BadLine {
                path: path.to_owned(),
                line,
            });
        }
        line_number += 1;
        let whole = line.ends_with(b"\n");
        let understood = if line_number == 1 {
            line == FIRST_LINE.as_bytes()
        } else {
            whole && apply(&line, &mut entries).is_some()
        };
        if understood {
            good_bytes += bytes as u64;
        } else if line_number == 1 && !FIRST_LINE.as_bytes().starts_with(&line) {
            return Err(LedgerError::BadLine {
                path: path.to_owned(),
                line: 1,
            });
        } else {
            bad_line = Some(line_number);
        }
    }
}

#[derive(serde::Deserialize)]
struct EventLine<'line> {
    event: &'line str,
    attempt_id: &'line str,
    result: Option<&'line str>,
}

fn apply(line: &[u8], entries: &mut HashMap<AttemptId, Entry>) -> Option<()> {
    let event: EventLine<'_> = serde_json::from_slice(line).ok()?;
    let attempt_id = AttemptId::parse(event.attempt_id).ok()?;
    let entry = match (event.event, event.result) {
        ("charge", Some("captured")) => Entry::Captured { refunded: false },
        ("charge", Some("declined")) => Entry::Declined,
        ("refund", None) => Entry::Captured { refunded: true },
        ("void", None) => Entry::Voided,
        _ => return None,
    };
    entries.insert(attempt_id, entry);
    Some(())
}
