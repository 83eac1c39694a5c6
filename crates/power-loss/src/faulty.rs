//! A disk that is full or slow under a program, for as long as a test wants.
//!
//! Nothing is written down here: it is for programs that keep many files in many folders and have a way of
//! their own to survive a power failure, such as database servers.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::watch;

/// Names the folder below which the disk is faulty, an absolute path without symbolic links.
pub const FOLDER: &str = "FAULTY_DISK_FOLDER";
/// Names a file that need not exist; it says what is wrong with the disk now.
pub const CONDITION: &str = "FAULTY_DISK_CONDITION";

/// What a full disk still takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// No file grows; what a file has already is overwritten. So it is on ext4 and XFS.
    Growth,
    /// Nothing is written at all, as on a file system that never overwrites, such as Btrfs and ZFS, or on a volume
    /// that was promised more space than there is.
    Everything,
}

impl Full {
    const fn word(self) -> &'static str {
        match self {
            Self::Growth => "growth",
            Self::Everything => "everything",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Growth, Self::Everything]
            .into_iter()
            .find(|full| full.word() == word)
    }
}

/// What is wrong with the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Writes that need space fail with `ENOSPC`.
    Full(Full),
    /// Every sync takes this much longer, in whole milliseconds.
    Slow(Duration),
}

impl Condition {
    fn line(self) -> String {
        match self {
            Self::Full(full) => format!("full {}", full.word()),
            Self::Slow(by) => format!("slow {}", by.as_millis()),
        }
    }

    /// What the text of a condition file says; nothing is wrong where it says nothing that is known.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim_end().split_once(' ')? {
            ("full", word) => Full::parse(word).map(Self::Full),
            ("slow", by) => by.parse().ok().map(Duration::from_millis).map(Self::Slow),
            _ => None,
        }
    }
}

/// The switch of a disk that can be made faulty.
#[derive(Debug)]
pub struct FaultyDisk {
    library: PathBuf,
    condition: PathBuf,
}

impl FaultyDisk {
    /// A disk in good order; its switch is a file in `outside`.
    ///
    /// # Errors
    /// The system's, when the folder is not there or when the library was not built: the package of the
    /// test has to name `double11-power-loss-shim` among what its tests need.
    pub fn new(outside: &Path) -> io::Result<Self> {
        Ok(Self {
            library: watch::library()?,
            condition: outside.canonicalize()?.join("disk.condition"),
        })
    }

    /// The variables of a program for which everything below `folder` lies on this disk. The folder need not be
    /// there yet; its path has no symbolic links.
    pub fn environment(&self, folder: &Path) -> Vec<(OsString, OsString)> {
        vec![
            ("LD_PRELOAD".into(), self.library.clone().into()),
            (FOLDER.into(), folder.as_os_str().to_owned()),
            (CONDITION.into(), self.condition.clone().into()),
        ]
    }

    /// From now on this is wrong with the disk, and nothing else.
    ///
    /// # Errors
    /// The system's, when the switch cannot be written.
    pub fn fall_into(&self, condition: Condition) -> io::Result<()> {
        let fresh = self.condition.with_extension("fresh");
        std::fs::write(&fresh, condition.line())?;
        // At once, so that no call reads half of it.
        std::fs::rename(fresh, &self.condition)
    }

    /// From now on nothing is wrong.
    ///
    /// # Errors
    /// The system's, when the switch cannot be removed, or when nothing was wrong.
    pub fn mend(&self) -> io::Result<()> {
        std::fs::remove_file(&self.condition)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Condition, Full};

    #[test]
    fn conditions_are_read_as_they_are_written() {
        for condition in [
            Condition::Full(Full::Growth),
            Condition::Full(Full::Everything),
            Condition::Slow(Duration::from_millis(40)),
        ] {
            assert_eq!(Condition::parse(&condition.line()), Some(condition));
        }
        for text in ["", "full", "full of water", "slow", "slow x", "growth full"] {
            assert_eq!(Condition::parse(text), None, "{text:?}");
        }
    }
}
