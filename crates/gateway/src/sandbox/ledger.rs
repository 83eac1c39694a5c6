//! The sandbox gateway's ledger file: JSON lines, appended and synced, read back at the start.
//! The form is that of `docs/SCHEMA.md`, section 2.
//!
//! Lines that share a sync may be torn anywhere when the power fails: a disk writes sectors in any
//! order, and a sector that it did not write reads as zeros. Each line therefore says how much of the
//! file had been synced before it. What is bad behind that was never answered to anybody and is cut
//! off; what is bad before it is damage.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use double11_units::{AttemptId, Currency, Money, OrderId, UnixMicros};

use crate::Charge;

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
    /// A line that was synced cannot be read.
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
pub(super) struct Entry {
    pub(super) fate: Fate,
    /// The order that was to be paid; ledgers of older versions do not say it, and a void has none.
    pub(super) order_id: Option<OrderId>,
    /// What was asked for.
    pub(super) amount: Option<Money>,
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Captured { refunded: bool },
    Declined,
    Voided,
}

impl Entry {
    /// An attempt that was never charged.
    pub(super) const VOIDED: Self = Self {
        fate: Fate::Voided,
        order_id: None,
        amount: None,
    };
}

/// Something that happened, as a line of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Charge {
        charge: Charge,
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
    /// Appends the line of this event. `synced` is the length of the file that is durable.
    pub(super) fn write(self, at: UnixMicros, synced: u64, lines: &mut Vec<u8>) {
        let at = at.get();
        let written = match self {
            Self::Charge { charge, captured } => {
                let Charge {
                    attempt_id,
                    order_id,
                    amount,
                } = charge;
                let currency = amount.currency().code();
                let result = if captured { "captured" } else { "declined" };
                writeln!(
                    lines,
                    "{{\"event\":\"charge\",\"attempt_id\":\"{attempt_id}\",\"order_id\":\"{order_id}\",\
                     \"amount\":\"{amount}\",\"currency\":\"{currency}\",\"result\":\"{result}\",\"at\":{at},\"synced\":{synced}}}"
                )
            }
            Self::Refund { attempt_id, amount } => {
                let currency = amount.currency().code();
                writeln!(
                    lines,
                    "{{\"event\":\"refund\",\"attempt_id\":\"{attempt_id}\",\"amount\":\"{amount}\",\
                     \"currency\":\"{currency}\",\"at\":{at},\"synced\":{synced}}}"
                )
            }
            Self::Void { attempt_id } => {
                writeln!(
                    lines,
                    "{{\"event\":\"void\",\"attempt_id\":\"{attempt_id}\",\"at\":{at},\"synced\":{synced}}}"
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
    /// Bytes from the beginning that are durable.
    pub(super) synced: u64,
}

impl Ledger {
    /// Opens or makes the file, cuts off what was torn and reads the rest.
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
        let Content {
            entries,
            good_bytes,
            synced_bytes,
            unsynced,
        } = read(&file, path)?;
        file.set_len(good_bytes).map_err(failed)?;
        // These may not be on the disk although they were read: after a failed sync the kernel calls
        // such pages clean, and no later sync would write them. It may also drop them at any time, so
        // that a second look could find something else than what was understood.
        file.write_all_at(&unsynced, synced_bytes).map_err(failed)?;
        let mut synced = file.seek(SeekFrom::Start(good_bytes)).map_err(failed)?;
        if good_bytes == 0 {
            file.write_all(FIRST_LINE.as_bytes()).map_err(failed)?;
            synced = FIRST_LINE.len() as u64;
        }
        file.sync_all().map_err(failed)?;
        sync_folder(path).map_err(failed)?;
        Ok(Self {
            file,
            entries,
            synced,
        })
    }

    /// Appends lines and waits until they are durable.
    pub(super) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        self.file.write_all(lines)?;
        self.file.sync_data()?;
        self.synced += lines.len() as u64;
        Ok(())
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

/// What the file holds.
struct Content {
    entries: HashMap<AttemptId, Entry>,
    /// Up to the end of the last line that counts.
    good_bytes: u64,
    /// The most that a line knew to be durable; 0 when none says.
    synced_bytes: u64,
    /// The bytes from there up to `good_bytes`.
    unsynced: Vec<u8>,
}

impl Content {
    /// What the ledger says of an attempt after an event: order and amount are those of its charge, whatever
    /// a refund says or leaves out.
    fn after(&self, (attempt_id, entry): (AttemptId, Entry)) -> (AttemptId, Entry) {
        let before = self.entries.get(&attempt_id);
        let order_id = before.and_then(|it| it.order_id).or(entry.order_id);
        let amount = before.and_then(|it| it.amount).or(entry.amount);
        let entry = Entry {
            order_id,
            amount,
            ..entry
        };
        (attempt_id, entry)
    }

    /// A line said that so much of the file is durable: no less than any line before it said.
    fn is_durable(&mut self, bytes: u64) {
        let more = usize::try_from(bytes - self.synced_bytes).unwrap_or(usize::MAX);
        self.unsynced.drain(..more.min(self.unsynced.len()));
        self.synced_bytes = bytes;
    }
}

/// The first line that cannot be read.
struct BadLine {
    number: u64,
    start: u64,
}

/// Reads up to what was torn.
fn read(file: &File, path: &Path) -> Result<Content, LedgerError> {
    let failed = |source| LedgerError::Io {
        path: path.to_owned(),
        source,
    };
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut content = Content {
        entries: HashMap::new(),
        good_bytes: 0,
        synced_bytes: 0,
        unsynced: Vec::new(),
    };
    let (mut start, mut number) = (0_u64, 0_u64);
    // What is durable only grows, and it begins with the first line: a line that says otherwise is
    // damaged, and what it says must not decide what is torn.
    let least = FIRST_LINE.len() as u64;
    let mut line = Vec::new();
    let mut torn: Option<BadLine> = None;
    loop {
        line.clear();
        let bytes = reader.read_until(b'\n', &mut line).map_err(failed)? as u64;
        if bytes == 0 {
            return Ok(content);
        }
        number += 1;
        match understand(&line, number) {
            Some(found) => {
                let possible = content.synced_bytes.max(least)..=start;
                if found.synced.is_some_and(|says| !possible.contains(&says)) {
                    return Err(bad_line(path, number));
                }
                let durable = found.synced.unwrap_or(start);
                if let Some(bad) = torn.as_ref().filter(|bad| bad.start < durable) {
                    return Err(bad_line(path, bad.number));
                }
                if let Some(bytes) = found.synced {
                    content.is_durable(bytes);
                }
                if torn.is_none() {
                    content
                        .entries
                        .extend(found.event.map(|event| content.after(event)));
                    content.good_bytes = start + bytes;
                    content.unsynced.extend_from_slice(&line);
                }
            }
            None if may_be_torn(&line, number) => {
                torn.get_or_insert(BadLine { number, start });
            }
            None => return Err(bad_line(path, number)),
        }
        start += bytes;
    }
}

fn bad_line(path: &Path, line: u64) -> LedgerError {
    LedgerError::BadLine {
        path: path.to_owned(),
        line,
    }
}

/// Whether the power could have failed while this was written: a sector that is not there reads as
/// zeros, and the end may be missing. A whole line without zeros was written, and so perhaps answered.
fn may_be_torn(line: &[u8], number: u64) -> bool {
    if number > 1 {
        return !line.ends_with(b"\n") || line.contains(&0);
    }
    let whole = FIRST_LINE.as_bytes();
    let mut pairs = line.iter().zip(whole);
    line.len() <= whole.len() && pairs.all(|(found, written)| found == written || *found == 0)
}

/// What a line says.
struct Understood {
    event: Option<(AttemptId, Entry)>,
    synced: Option<u64>,
}

fn understand(line: &[u8], number: u64) -> Option<Understood> {
    if number == 1 {
        let nothing = Understood {
            event: None,
            synced: None,
        };
        return (line == FIRST_LINE.as_bytes()).then_some(nothing);
    }
    let event: EventLine<'_> = serde_json::from_slice(line.strip_suffix(b"\n")?).ok()?;
    let attempt_id = AttemptId::parse(event.attempt_id).ok()?;
    let fate = match (event.event, event.result) {
        ("charge", Some("captured")) => Fate::Captured { refunded: false },
        ("charge", Some("declined")) => Fate::Declined,
        ("refund", None) => Fate::Captured { refunded: true },
        ("void", None) => Fate::Voided,
        _ => return None,
    };
    let entry = Entry {
        fate,
        order_id: event.order_id().ok()?,
        amount: event.amount().ok()?,
    };
    Some(Understood {
        event: Some((attempt_id, entry)),
        synced: event.synced,
    })
}

#[derive(serde::Deserialize)]
struct EventLine<'line> {
    event: &'line str,
    attempt_id: &'line str,
    order_id: Option<&'line str>,
    amount: Option<&'line str>,
    currency: Option<&'line str>,
    result: Option<&'line str>,
    synced: Option<u64>,
}

/// What a line says cannot be read.
struct Unreadable;

impl EventLine<'_> {
    fn order_id(&self) -> Result<Option<OrderId>, Unreadable> {
        let parsed = self.order_id.map(OrderId::parse).transpose();
        parsed.map_err(|_| Unreadable)
    }

    fn amount(&self) -> Result<Option<Money>, Unreadable> {
        let Some((amount, code)) = self.amount.zip(self.currency) else {
            return Ok(None);
        };
        let currency = Currency::from_code(code).ok_or(Unreadable)?;
        let amount = Money::parse(amount, currency).map_err(|_| Unreadable)?;
        Ok(Some(amount))
    }
}

#[cfg(test)]
mod tests;
