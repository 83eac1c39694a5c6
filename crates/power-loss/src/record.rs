//! The trace: what a program asked of the files in one folder, in order.
//!
//! A record is its length (`u32`), its kind (`u8`) and its fields, all little-endian. The program may
//! be killed while it writes one, so that a torn record at the end is no error.

/// One thing that the program asked of the watched folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record<'trace> {
    /// A process begins; the file numbers of the one before mean nothing any more.
    Begin,
    /// The process opened a file that it had not opened before.
    Opened {
        /// The number by which this process calls the file from now on.
        file: u64,
        /// Whether the call made the file.
        created: bool,
        /// The file's name in the folder.
        name: &'trace str,
    },
    /// Bytes were written.
    Write {
        /// The file.
        file: u64,
        /// Where the first byte went.
        offset: u64,
        /// What was written.
        bytes: &'trace [u8],
    },
    /// A file was cut or grown.
    Resize {
        /// The file.
        file: u64,
        /// Its new length in bytes.
        length: u64,
    },
    /// A sync began.
    SyncBegin {
        /// Number of the sync within its process.
        sync: u64,
        /// What is synced.
        target: SyncTarget,
    },
    /// A sync ended; one that the kill interrupted has no such record.
    SyncEnd {
        /// Number of the sync within its process.
        sync: u64,
        /// Whether it succeeded.
        succeeded: bool,
    },
    /// A name was removed.
    Unlink {
        /// The name.
        name: &'trace str,
    },
    /// A name was changed.
    Rename {
        /// The old name.
        from: &'trace str,
        /// The new name; a file that had it loses it.
        to: &'trace str,
    },
}

/// What a sync makes durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SyncTarget {
    /// Content and length of a file.
    File(u64),
    /// The names in the folder.
    Folder,
}

/// Why a trace cannot be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the trace holds no record at byte {at}")]
pub struct TraceError {
    /// Where the bad record begins.
    pub at: usize,
}

const BEGIN: u8 = 0;
const OPENED: u8 = 1;
const WRITE: u8 = 2;
const RESIZE: u8 = 3;
const SYNC_FILE: u8 = 4;
const SYNC_FOLDER: u8 = 5;
const SYNC_END: u8 = 6;
const UNLINK: u8 = 7;
const RENAME: u8 = 8;

impl Record<'_> {
    /// Appends the record to `trace`.
    ///
    /// # Panics
    /// When one write is longer than 4 GiB, which no system call takes.
    pub fn encode(&self, trace: &mut Vec<u8>) {
        let start = trace.len();
        trace.extend_from_slice(&[0; 4]);
        match *self {
            Self::Begin => trace.push(BEGIN),
            Self::Opened {
                file,
                created,
                name,
            } => {
                trace.push(OPENED);
                trace.extend_from_slice(&file.to_le_bytes());
                trace.push(u8::from(created));
                trace.extend_from_slice(name.as_bytes());
            }
            Self::Write {
                file,
                offset,
                bytes,
            } => {
                trace.push(WRITE);
                trace.extend_from_slice(&file.to_le_bytes());
                trace.extend_from_slice(&offset.to_le_bytes());
                trace.extend_from_slice(bytes);
            }
            Self::Resize { file, length } => {
                trace.push(RESIZE);
                trace.extend_from_slice(&file.to_le_bytes());
                trace.extend_from_slice(&length.to_le_bytes());
            }
            Self::SyncBegin { sync, target } => match target {
                SyncTarget::File(file) => {
                    trace.push(SYNC_FILE);
                    trace.extend_from_slice(&sync.to_le_bytes());
                    trace.extend_from_slice(&file.to_le_bytes());
                }
                SyncTarget::Folder => {
                    trace.push(SYNC_FOLDER);
                    trace.extend_from_slice(&sync.to_le_bytes());
                }
            },
            Self::SyncEnd { sync, succeeded } => {
                trace.push(SYNC_END);
                trace.extend_from_slice(&sync.to_le_bytes());
                trace.push(u8::from(succeeded));
            }
            Self::Unlink { name } => {
                trace.push(UNLINK);
                trace.extend_from_slice(name.as_bytes());
            }
            Self::Rename { from, to } => {
                trace.push(RENAME);
                trace.extend_from_slice(from.as_bytes());
                // No file name contains a slash.
                trace.push(b'/');
                trace.extend_from_slice(to.as_bytes());
            }
        }
        let length = u32::try_from(trace.len() - start - 4).expect("one call writes less");
        if let Some(head) = trace.get_mut(start..start + 4) {
            head.copy_from_slice(&length.to_le_bytes());
        }
    }
}

/// The whole records of a trace, in order; a torn one at the end is left out.
///
/// # Errors
/// [`TraceError`] where a whole record makes no sense.
pub fn records(trace: &[u8]) -> Result<Vec<Record<'_>>, TraceError> {
    let mut records = Vec::new();
    let mut rest = trace;
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        let Some((body, behind)) = behind.split_at_checked(length) else {
            break;
        };
        let at = trace.len() - rest.len();
        records.push(decode(body).ok_or(TraceError { at })?);
        rest = behind;
    }
    Ok(records)
}

fn decode(body: &[u8]) -> Option<Record<'_>> {
    let (kind, mut fields) = body.split_first()?;
    let fields = &mut fields;
    let record = match *kind {
        BEGIN => Record::Begin,
        OPENED => Record::Opened {
            file: number(fields)?,
            created: flag(fields)?,
            name: text(fields)?,
        },
        WRITE => Record::Write {
            file: number(fields)?,
            offset: number(fields)?,
            bytes: std::mem::take(fields),
        },
        RESIZE => Record::Resize {
            file: number(fields)?,
            length: number(fields)?,
        },
        SYNC_FILE => Record::SyncBegin {
            sync: number(fields)?,
            target: SyncTarget::File(number(fields)?),
        },
        SYNC_FOLDER => Record::SyncBegin {
            sync: number(fields)?,
            target: SyncTarget::Folder,
        },
        SYNC_END => Record::SyncEnd {
            sync: number(fields)?,
            succeeded: flag(fields)?,
        },
        UNLINK => Record::Unlink {
            name: text(fields)?,
        },
        RENAME => {
            let (from, to) = text(fields)?.split_once('/')?;
            Record::Rename { from, to }
        }
        _ => return None,
    };
    fields.is_empty().then_some(record)
}

fn number(fields: &mut &[u8]) -> Option<u64> {
    let (number, rest) = fields.split_first_chunk::<8>()?;
    *fields = rest;
    Some(u64::from_le_bytes(*number))
}

fn flag(fields: &mut &[u8]) -> Option<bool> {
    let (flag, rest) = fields.split_first()?;
    *fields = rest;
    Some(*flag != 0)
}

fn text<'trace>(fields: &mut &'trace [u8]) -> Option<&'trace str> {
    std::str::from_utf8(std::mem::take(fields)).ok()
}

#[cfg(test)]
mod tests {
    use super::{Record, SyncTarget, TraceError, records};

    #[test]
    fn what_is_written_is_read() {
        let written = [
            Record::Begin,
            Record::Opened {
                file: 1,
                created: true,
                name: "shop.db",
            },
            Record::Write {
                file: 1,
                offset: 4_096,
                bytes: b"page",
            },
            Record::Resize { file: 1, length: 7 },
            Record::SyncBegin {
                sync: 1,
                target: SyncTarget::File(1),
            },
            Record::SyncBegin {
                sync: 2,
                target: SyncTarget::Folder,
            },
            Record::SyncEnd {
                sync: 1,
                succeeded: false,
            },
            Record::Unlink { name: "old" },
            Record::Rename {
                from: "new",
                to: "old",
            },
        ];
        let mut trace = Vec::new();
        let mut ends = Vec::new();
        for record in &written {
            record.encode(&mut trace);
            ends.push(trace.len());
        }
        for length in 0..=trace.len() {
            let whole = ends.iter().filter(|end| **end <= length).count();
            assert_eq!(records(&trace[..length]).unwrap(), written[..whole]);
        }
    }

    #[test]
    fn nonsense_is_located() {
        let mut trace = Vec::new();
        Record::Begin.encode(&mut trace);
        trace.extend_from_slice(&[1, 0, 0, 0, 99]);
        assert_eq!(records(&trace), Err(TraceError { at: 5 }));
    }
}
