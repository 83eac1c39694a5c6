//! A disk that keeps what was synced for sure, and of the rest what chance allows.
//!
//! The promise is the weakest that a program has to live with on Linux:
//!
//! - Content and length of a file are durable when a `fsync` or `fdatasync` of it has returned, as far
//!   as they were written before that call began.
//! - A name (made, removed, changed) is durable when a `fsync` of its *folder* has returned. That is
//!   what POSIX promises; ext4 and XFS make the name of a new file durable with the file.
//! - Of all that was not synced, any sector may have reached the disk, whatever was written before or
//!   after it; a file may have grown without its bytes, which then are zeros. Names change in order,
//!   as in every file system with a journal.
//! - A sync that failed makes nothing durable, and what it covered never will be by a later sync: the
//!   kernel calls those pages clean. What the program reads back still shows them.
//! - A write changes no byte beside its own (SQLite's "powersafe overwrite").
//!
//! Only the power fails; what was durable does not rot.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::record::{Record, SyncTarget};

/// How much of what was not synced reaches the disk, and in which pieces.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fate {
    /// Bytes that a disk writes whole or not at all: 512 or 4,096.
    pub sector_bytes: u64,
    /// The share of unsynced sectors that reach the disk, 0.0..=1.0.
    pub reaches: f64,
}

impl Fate {
    /// Nothing but what was synced.
    pub const ONLY_SYNCED: Self = Self {
        sector_bytes: 512,
        reaches: 0.0,
    };

    /// One of four kinds: nothing reaches the disk, anything in small sectors, anything in large ones,
    /// almost everything.
    pub fn of_seed(seed: u64) -> Self {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let share = random.random_range(0.05..0.95);
        match seed % 4 {
            0 => Self::ONLY_SYNCED,
            1 => Self {
                sector_bytes: 512,
                reaches: share,
            },
            2 => Self {
                sector_bytes: 4_096,
                reaches: share,
            },
            _ => Self {
                sector_bytes: 512,
                reaches: 0.98,
            },
        }
    }
}

/// Something that is not durable yet.
#[derive(Clone, Copy, Debug)]
enum Change<'trace> {
    Write { offset: u64, bytes: &'trace [u8] },
    Resize(u64),
}

/// A file, whatever its name.
#[derive(Debug, Default)]
struct Content<'trace> {
    durable: Vec<u8>,
    /// In the order in which they were made.
    pending: Vec<Change<'trace>>,
    /// How many changes left `pending` so far, so that a sync can say up to which one it reaches.
    resolved: usize,
    /// What the program would read. Not `durable` with `pending`: a failed sync takes changes out of
    /// the latter for good.
    seen: Vec<u8>,
}

#[derive(Clone, Debug)]
enum NameChange {
    Linked(String, usize),
    Unlinked(String),
}

/// A disk under a program whose requests are applied one by one.
#[derive(Debug)]
pub struct Disk<'trace> {
    files: Vec<Content<'trace>>,
    /// Numbers of the running process to positions in `files`.
    numbers: HashMap<u64, usize>,
    names_seen: BTreeMap<String, usize>,
    names_durable: BTreeMap<String, usize>,
    names_pending: Vec<NameChange>,
    names_resolved: usize,
    /// Syncs that began: what they reach, and how many changes they cover.
    syncs: HashMap<u64, (SyncTarget, usize)>,
    fate: Fate,
    random: Pcg64Mcg,
}

impl<'trace> Disk<'trace> {
    /// An empty folder on a disk with this fate; the seed decides what reaches it.
    pub fn new(fate: Fate, seed: u64) -> Self {
        Self {
            files: Vec::new(),
            numbers: HashMap::new(),
            names_seen: BTreeMap::new(),
            names_durable: BTreeMap::new(),
            names_pending: Vec::new(),
            names_resolved: 0,
            syncs: HashMap::new(),
            fate,
            random: Pcg64Mcg::seed_from_u64(seed),
        }
    }

    /// Applies the next record of the trace.
    ///
    /// # Panics
    /// When the record speaks of a file that no record before it opened: the trace has a gap.
    pub fn apply(&mut self, record: &Record<'trace>) {
        match *record {
            Record::Begin => {
                self.numbers.clear();
                self.syncs.clear();
            }
            Record::Opened {
                file,
                created,
                name,
            } => self.open(file, created, name),
            Record::Write {
                file,
                offset,
                bytes,
            } => self.change(file, Change::Write { offset, bytes }),
            Record::Resize { file, length } => self.change(file, Change::Resize(length)),
            Record::SyncBegin { sync, target } => {
                let covered = match target {
                    SyncTarget::File(file) => {
                        let content = &self.files[self.numbers[&file]];
                        content.resolved + content.pending.len()
                    }
                    SyncTarget::Folder => self.names_resolved + self.names_pending.len(),
                };
                self.syncs.insert(sync, (target, covered));
            }
            Record::SyncEnd { sync, succeeded } => {
                if let Some((target, covered)) = self.syncs.remove(&sync) {
                    self.end_sync(target, covered, succeeded);
                }
            }
            Record::Unlink { name } => {
                self.names_seen.remove(name);
                self.names_pending
                    .push(NameChange::Unlinked(name.to_owned()));
            }
            Record::Rename { from, to } => {
                if let Some(position) = self.names_seen.remove(from) {
                    self.names_seen.insert(to.to_owned(), position);
                    self.names_pending
                        .push(NameChange::Linked(to.to_owned(), position));
                    self.names_pending
                        .push(NameChange::Unlinked(from.to_owned()));
                }
            }
        }
    }

    /// What the program reads at this moment, as if the power stayed on.
    pub fn seen(&self) -> Image {
        let files = self
            .names_seen
            .iter()
            .map(|(name, position)| (name.clone(), self.files[*position].seen.clone()))
            .collect();
        Image { files }
    }

    /// What the disk holds if the power fails now. Each call lets chance decide anew.
    pub fn after_power_loss(&mut self) -> Image {
        let mut names = self.names_durable.clone();
        let reached = if self.fate.reaches == 0.0 {
            0
        } else {
            self.random.random_range(0..=self.names_pending.len())
        };
        for change in self.names_pending.iter().take(reached) {
            rename(&mut names, change.clone());
        }
        let mut files = BTreeMap::new();
        for (name, position) in names {
            let content = &self.files[position];
            let mut bytes = content.durable.clone();
            for change in &content.pending {
                apply_by_chance(&mut bytes, *change, self.fate, &mut self.random);
            }
            files.insert(name, bytes);
        }
        Image { files }
    }

    fn open(&mut self, file: u64, created: bool, name: &str) {
        let known = self.names_seen.get(name).copied().filter(|_| !created);
        let position = known.unwrap_or_else(|| {
            self.files.push(Content::default());
            let position = self.files.len() - 1;
            self.names_seen.insert(name.to_owned(), position);
            self.names_pending
                .push(NameChange::Linked(name.to_owned(), position));
            position
        });
        self.numbers.insert(file, position);
    }

    fn change(&mut self, file: u64, change: Change<'trace>) {
        let content = &mut self.files[self.numbers[&file]];
        apply(&mut content.seen, change);
        content.pending.push(change);
    }

    fn end_sync(&mut self, target: SyncTarget, covered: usize, succeeded: bool) {
        match target {
            SyncTarget::File(file) => {
                let content = &mut self.files[self.numbers[&file]];
                let count = covered.saturating_sub(content.resolved);
                content.resolved += count;
                for change in content.pending.drain(..count) {
                    if succeeded {
                        apply(&mut content.durable, change);
                    } else {
                        apply_by_chance(&mut content.durable, change, self.fate, &mut self.random);
                    }
                }
            }
            SyncTarget::Folder if succeeded => {
                let count = covered.saturating_sub(self.names_resolved);
                self.names_resolved += count;
                for change in self.names_pending.drain(..count) {
                    rename(&mut self.names_durable, change);
                }
            }
            SyncTarget::Folder => {}
        }
    }
}

fn rename(names: &mut BTreeMap<String, usize>, change: NameChange) {
    match change {
        NameChange::Linked(name, position) => {
            names.insert(name, position);
        }
        NameChange::Unlinked(name) => {
            names.remove(&name);
        }
    }
}

fn index(offset: u64) -> usize {
    usize::try_from(offset).expect("a test's file fits into memory")
}

/// Makes the file at least `length` long.
fn grow(bytes: &mut Vec<u8>, length: usize) {
    if bytes.len() < length {
        bytes.resize(length, 0);
    }
}

fn put(bytes: &mut Vec<u8>, offset: u64, piece: &[u8]) {
    let start = index(offset);
    let end = start + piece.len();
    grow(bytes, end);
    bytes[start..end].copy_from_slice(piece);
}

fn apply(bytes: &mut Vec<u8>, change: Change<'_>) {
    match change {
        Change::Write {
            offset,
            bytes: piece,
        } => put(bytes, offset, piece),
        Change::Resize(length) => bytes.resize(index(length), 0),
    }
}

/// Applies the sectors of a change that reach the disk. The new length is a thing of its own: it may
/// be there without the bytes.
fn apply_by_chance(bytes: &mut Vec<u8>, change: Change<'_>, fate: Fate, random: &mut Pcg64Mcg) {
    match change {
        Change::Write {
            mut offset,
            bytes: mut rest,
        } => {
            if random.random_bool(fate.reaches) {
                grow(bytes, index(offset) + rest.len());
            }
            while !rest.is_empty() {
                let room = index(fate.sector_bytes - offset % fate.sector_bytes);
                let (piece, behind) = rest.split_at(room.min(rest.len()));
                if random.random_bool(fate.reaches) {
                    put(bytes, offset, piece);
                }
                offset += piece.len() as u64;
                rest = behind;
            }
        }
        Change::Resize(length) => {
            if random.random_bool(fate.reaches) {
                bytes.resize(index(length), 0);
            }
        }
    }
}

/// The files of the folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// Content by name.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Image {
    /// Makes the files in an existing folder.
    ///
    /// # Errors
    /// The system's, when a file cannot be written.
    pub fn write_to(&self, folder: &Path) -> io::Result<()> {
        for (name, bytes) in &self.files {
            std::fs::write(folder.join(name), bytes)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
