//! The folders and files of a rehearsal.
//!
//! Everything measured lies under `runs/<UTC time>/`; the few files with fixed names in the folder
//! above are replaced one by one, each atomically, and nothing else there is touched.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use double11_units::UnixMicros;
use time::OffsetDateTime;
use time::macros::format_description;

/// Room that a rehearsal needs: stores, samples and metrics of one pair.
const ROOM_BYTES: u64 = 1 << 30;

/// Why the files of a rehearsal cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A folder or file could not be written.
    #[error("`{}` cannot be written", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The disk is too full to begin.
    #[error("`{}` has room for {free} MB, a rehearsal needs {needed} MB", path.display())]
    NoRoom {
        /// The folder.
        path: PathBuf,
        /// What is free, in megabytes.
        free: u64,
        /// What is needed, in megabytes.
        needed: u64,
    },
}

/// The folders of one rehearsal.
#[derive(Clone, Debug)]
pub(crate) struct Folders {
    /// Where the files with fixed names stand.
    pub(crate) out: PathBuf,
    /// Where this rehearsal keeps everything it measured.
    pub(crate) kept: PathBuf,
}

impl Folders {
    /// Makes the folders of a rehearsal that starts now; checks that they can be written and that
    /// there is room.
    pub(crate) fn create(out: &Path, started: UnixMicros) -> Result<Self, FilesError> {
        let runs = out.join("runs");
        create_dir(&runs)?;
        let name = folder_name(started);
        let kept = (1..1_000)
            .map(|attempt| {
                if attempt == 1 {
                    name.clone()
                } else {
                    format!("{name}-{attempt}")
                }
            })
            .map(|name| runs.join(name))
            .find(|folder| !folder.exists())
            .unwrap_or_else(|| runs.join(&name));
        create_dir(&kept)?;
        let stat = rustix::fs::statvfs(&kept).map_err(|error| FilesError::Write {
            path: kept.clone(),
            source: error.into(),
        })?;
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        if free < ROOM_BYTES {
            let megabytes = |bytes: u64| bytes / 1_000_000;
            return Err(FilesError::NoRoom {
                path: kept,
                free: megabytes(free),
                needed: megabytes(ROOM_BYTES),
            });
        }
        Ok(Self {
            out: out.to_owned(),
            kept,
        })
    }

    /// Makes the folder of one run, such as `1-a-baseline`.
    pub(crate) fn run(&self, name: &str) -> Result<PathBuf, FilesError> {
        let folder = self.kept.join(name);
        create_dir(&folder)?;
        Ok(folder)
    }

    /// Replaces a file with a fixed name by a copy of `source`.
    pub(crate) fn publish(&self, source: &Path, name: &str) -> Result<(), FilesError> {
        let target = self.out.join(name);
        let fresh = self.out.join(format!(".{name}.new"));
        std::fs::copy(source, &fresh)
            .and_then(|_| std::fs::rename(&fresh, &target))
            .map_err(|source| FilesError::Write {
                path: target,
                source,
            })
    }

    /// Writes a file of this rehearsal and replaces the one with the fixed name by it.
    pub(crate) fn write_and_publish(&self, name: &str, content: &[u8]) -> Result<(), FilesError> {
        let path = self.kept.join(name);
        std::fs::File::create(&path)
            .and_then(|mut file| file.write_all(content))
            .map_err(|source| FilesError::Write {
                path: path.clone(),
                source,
            })?;
        self.publish(&path, name)
    }
}

fn create_dir(path: &Path) -> Result<(), FilesError> {
    std::fs::create_dir_all(path).map_err(|source| FilesError::Write {
        path: path.to_owned(),
        source,
    })
}

/// `20260102T030405Z`.
fn folder_name(started: UnixMicros) -> String {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    utc(started)
        .format(format)
        .unwrap_or_else(|_| "run".to_owned())
}

/// RFC 3339 with seconds.
pub(crate) fn rfc3339(instant: UnixMicros) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    utc(instant).format(format).unwrap_or_default()
}

fn utc(instant: UnixMicros) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(instant.millis().div_euclid(1_000))
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::{FilesError, Folders, rfc3339};
    use double11_units::UnixMicros;

    const STARTED: UnixMicros = UnixMicros::new(1_767_323_045_600_000);

    #[test]
    fn two_rehearsals_in_one_second_do_not_mix() {
        let out = tempfile::tempdir().unwrap();
        let first = Folders::create(out.path(), STARTED).unwrap();
        let second = Folders::create(out.path(), STARTED).unwrap();
        assert!(
            first.kept.ends_with("runs/20260102T030405Z"),
            "{}",
            first.kept.display()
        );
        assert_ne!(first.kept, second.kept);
        assert_eq!(rfc3339(STARTED), "2026-01-02T03:04:05Z");
    }

    #[test]
    fn only_its_own_names_are_replaced() {
        let out = tempfile::tempdir().unwrap();
        std::fs::write(out.path().join("mine.txt"), "keep").unwrap();
        std::fs::write(out.path().join("report.html"), "old").unwrap();
        let folders = Folders::create(out.path(), STARTED).unwrap();
        folders.write_and_publish("report.html", b"new").unwrap();
        let read = |name: &str| std::fs::read_to_string(out.path().join(name)).unwrap();
        assert_eq!(
            (read("mine.txt").as_str(), read("report.html").as_str()),
            ("keep", "new")
        );
        let mut names: Vec<_> = out
            .path()
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["mine.txt", "report.html", "runs"]);
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let out = tempfile::tempdir().unwrap();
        let blocked = out.path().join("results");
        std::fs::write(&blocked, "a file").unwrap();
        let error = Folders::create(&blocked, STARTED).unwrap_err();
        assert!(matches!(error, FilesError::Write { .. }), "{error:?}");
    }
}
