//! The directory that a run is kept in.
//!
//! `samples.jtl` (or one sample file for each name the phases give), `summary.json`, `tallies.json`,
//! `timeseries.json`, `client-ledger.jsonl` and `run.json`. While a run goes on the directory also holds a file that only
//! takes up space: it is given back when the disk is full, so that what was measured can still be
//! summed up.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate, statvfs};
use rustix::io::Errno;
use serde::Serialize;

pub use crate::engine::{RunManifest, read_manifest};

/// Names of the files of a run; sample files besides end in [`SAMPLES_ENDING`] and are not removed by
/// a later run.
pub const SUMMARY: &str = "summary.json";
/// See [`SUMMARY`]. The counts and histograms that the summary was computed from, to be added up.
pub const TALLIES: &str = "tallies.json";
/// See [`SUMMARY`].
pub const TIME_SERIES: &str = "timeseries.json";
/// See [`SUMMARY`].
pub const LEDGER: &str = "client-ledger.jsonl";
/// See [`SUMMARY`].
pub const RUN: &str = "run.json";
/// The sample file of phases that name no other.
pub const SAMPLES: &str = "samples.jtl";
/// What every sample file's name ends in.
pub const SAMPLES_ENDING: &str = ".jtl";

/// What the plan of a run said while it went on, where plans say anything.
pub const PLAN_LOG: &str = "jmeter.log";

const RESERVE: &str = ".reserve";
const RESERVE_BYTES: u64 = 4 * 1024 * 1024;
/// Space that a run of any size is refused without.
const SPACE_BYTES_MIN: u64 = 8 * 1024 * 1024;

/// A directory that a run may write into.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
}

/// Why a directory cannot take a run.
#[derive(Debug, thiserror::Error)]
pub enum RunDirectoryError {
    /// It holds something already.
    #[error("`{path}` is not empty")]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// It exists and is not a directory.
    #[error("`{path}` is not a directory")]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
    /// The operating system refused to make it or to write into it.
    #[error("`{path}` cannot be written to")]
    Unwritable {
        /// The directory or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The disk has too little room for the run.
    #[error("`{path}` has {available} bytes free, but the run may need {needed}")]
    Space {
        /// The directory.
        path: PathBuf,
        /// Bytes free.
        available: u64,
        /// Bytes needed.
        needed: u64,
    },
}

impl RunDirectory {
    /// Makes the directory, or takes an empty one. With `force` one that holds something is taken as
    /// well; files of an earlier run in it are removed, anything else is left alone.
    ///
    /// # Errors
    /// [`RunDirectoryError`], of every kind but [`RunDirectoryError::Space`].
    pub fn create(path: &Path, force: bool) -> Result<Self, RunDirectoryError> {
        let unwritable = |path: &Path| {
            let path = path.to_owned();
            move |source| RunDirectoryError::Unwritable { path, source }
        };
        match fs::metadata(path) {
            Ok(metadata) if !metadata.is_dir() => {
                return Err(RunDirectoryError::NotADirectory {
                    path: path.to_owned(),
                });
            }
            Ok(_) => {}
            Err(_) => fs::create_dir_all(path).map_err(unwritable(path))?,
        }
        for entry in fs::read_dir(path).map_err(unwritable(path))? {
            let entry = entry.map_err(unwritable(path))?;
            if !force {
                return Err(RunDirectoryError::NotEmpty {
                    path: path.to_owned(),
                });
            }
            let name = entry.file_name();
            if name.to_str().is_some_and(is_own_file) {
                fs::remove_file(entry.path()).map_err(unwritable(&entry.path()))?;
            }
        }
        let directory = Self {
            path: path.to_owned(),
        };
        let probe = directory.path.join(RESERVE);
        File::create(&probe).map_err(unwritable(path))?;
        fs::remove_file(&probe).map_err(unwritable(&probe))?;
        Ok(directory)
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Checks that there is room for `expected` bytes and takes up the space that is given back when
    /// the disk is full.
    pub(crate) fn reserve(&self, expected: u64) -> Result<(), RunDirectoryError> {
        let unwritable = |source: Errno| RunDirectoryError::Unwritable {
            path: self.path.clone(),
            source: source.into(),
        };
        let space = statvfs(&self.path).map_err(unwritable)?;
        let available = space.f_bavail.saturating_mul(space.f_frsize);
        let needed = expected.saturating_add(RESERVE_BYTES).max(SPACE_BYTES_MIN);
        if available < needed {
            return Err(RunDirectoryError::Space {
                path: self.path.clone(),
                available,
                needed,
            });
        }
        let path = self.file(RESERVE);
        let file = File::create(&path).map_err(|source| RunDirectoryError::Unwritable {
            path: path.clone(),
            source,
        })?;
        match fallocate(&file, FallocateFlags::empty(), 0, RESERVE_BYTES) {
            Err(error) if error != Errno::OPNOTSUPP => Err(unwritable(error)),
            // A file system without this call goes without the reserve.
            _ => Ok(()),
        }
    }

    /// Gives the reserved space back.
    pub(crate) fn release(&self) {
        // Without the file there is nothing to give back.
        drop(fs::remove_file(self.file(RESERVE)));
    }

    /// Writes a JSON file, whole or not at all.
    pub(crate) fn write_json(&self, name: &str, value: &impl Serialize) -> io::Result<()> {
        let partial = self.file(&format!(".{name}.partial"));
        let written = File::create(&partial).and_then(|file| {
            let mut writer = io::BufWriter::new(file);
            serde_json::to_writer_pretty(&mut writer, value)?;
            writer.write_all(b"\n")?;
            writer.flush()
        });
        let kept = written.and_then(|()| fs::rename(&partial, self.file(name)));
        if kept.is_err() {
            // The first error is the one to tell of.
            drop(fs::remove_file(&partial));
        }
        kept
    }
}

fn is_own_file(name: &str) -> bool {
    const OWN: [&str; 9] = [
        SUMMARY,
        TALLIES,
        TIME_SERIES,
        LEDGER,
        RUN,
        RESERVE,
        "metrics.json",
        "samples.jtl",
        PLAN_LOG,
    ];
    let partial = name
        .strip_prefix('.')
        .and_then(|name| name.strip_suffix(".partial"));
    OWN.contains(&partial.unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_directory_is_taken_and_a_full_one_refused() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        let directory = RunDirectory::create(&path, false).unwrap();
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0, "the probe is gone");
        directory.write_json(SUMMARY, &[1, 2]).unwrap();
        assert_eq!(
            fs::read_to_string(directory.file(SUMMARY)).unwrap(),
            "[\n  1,\n  2\n]\n"
        );
        let error = RunDirectory::create(&path, false).unwrap_err();
        assert!(
            matches!(error, RunDirectoryError::NotEmpty { .. }),
            "{error}"
        );
    }

    #[test]
    fn force_removes_an_earlier_run_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let own = [
            "summary.json",
            "samples.jtl",
            ".run.json.partial",
            ".reserve",
        ];
        // Sample files of other names may be somebody's JMeter results.
        let foreign = ["notes.txt", "peak.jtl"];
        for name in own.iter().chain(&foreign) {
            fs::write(parent.path().join(name), "x").unwrap();
        }
        RunDirectory::create(parent.path(), true).unwrap();
        let mut left: Vec<_> = fs::read_dir(parent.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort_unstable();
        assert_eq!(left, foreign);
    }

    #[test]
    fn what_is_no_directory_and_what_cannot_be_written_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        fs::write(&file, "x").unwrap();
        let error = RunDirectory::create(&file, true).unwrap_err();
        assert!(
            matches!(error, RunDirectoryError::NotADirectory { .. }),
            "{error}"
        );
        // Nobody, not even root, can make a directory in /proc.
        let error = RunDirectory::create(Path::new("/proc/double11/run"), false).unwrap_err();
        assert!(
            matches!(error, RunDirectoryError::Unwritable { .. }),
            "{error}"
        );
        let error = RunDirectory::create(&file.join("below"), false).unwrap_err();
        assert!(
            matches!(error, RunDirectoryError::Unwritable { .. }),
            "{error}"
        );
    }

    #[test]
    fn a_run_that_does_not_fit_is_refused_at_the_start() {
        let parent = tempfile::tempdir().unwrap();
        let directory = RunDirectory::create(parent.path(), false).unwrap();
        let error = directory.reserve(u64::MAX / 2).unwrap_err();
        assert!(matches!(error, RunDirectoryError::Space { .. }), "{error}");
        directory.reserve(1_000).unwrap();
        assert!(directory.file(RESERVE).exists());
        directory.release();
        assert!(!directory.file(RESERVE).exists());
    }
}
