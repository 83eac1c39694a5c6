//! Why run directories cannot be merged.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use double11_measure::run::AddError;

use super::list;
use crate::engine::LoadError;
use crate::run_directory::RunDirectoryError;
use crate::shard::Shard;

/// Why run directories cannot be merged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// No directory was named.
    #[error("nothing to merge")]
    Nothing,
    /// A file is not there or cannot be read.
    #[error("`{}` cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is not of the form that a run leaves behind.
    #[error("`{}` is not of the form that a run leaves behind", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// A directory is the result of merging.
    #[error("`{}` was merged already", directory.display())]
    Merged {
        /// The directory.
        directory: PathBuf,
    },
    /// Two directories are not of one run.
    #[error(
        "`{}` and `{}` are not of one run: {what} is {first_value} and {other_value}",
        first.display(),
        other.display()
    )]
    Differs {
        /// What is not the same.
        what: &'static str,
        /// The first directory.
        first: PathBuf,
        /// What it says.
        first_value: String,
        /// The other directory.
        other: PathBuf,
        /// What that says.
        other_value: String,
    },
    /// One shard is there twice.
    #[error("`{}` and `{}` are both shard {shard}", first.display(), second.display())]
    Twice {
        /// The shard.
        shard: Shard,
        /// The first directory.
        first: PathBuf,
        /// The second directory.
        second: PathBuf,
    },
    /// Shards are missing.
    #[error("shard {} is missing", list(missing, *count))]
    Missing {
        /// Their numbers.
        missing: Vec<u32>,
        /// How many shards the run has.
        count: u32,
    },
    /// The shards did not begin together.
    #[error(
        "`{}` began {:.1} s after `{}`; phases of this length allow {:.1} s",
        last.display(),
        apart.as_secs_f64(),
        first.display(),
        limit.as_secs_f64()
    )]
    StartsApart {
        /// The directory of the shard that began first.
        first: PathBuf,
        /// That of the one that began last.
        last: PathBuf,
        /// By how much.
        apart: Duration,
        /// How much is allowed.
        limit: Duration,
    },
    /// The figures of a shard are damaged.
    #[error("`{}`", path.display())]
    Figures {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        #[source]
        source: AddError,
    },
    /// A line of samples or of a ledger is damaged.
    #[error("`{}`, line {line}: {what}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line on which the record begins, from 1.
        line: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// A file of the merged run cannot be written.
    #[error("`{}` could not be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The directory of the merged run cannot take it.
    #[error(transparent)]
    RunDirectory(#[from] RunDirectoryError),
    /// The files that sum up the merged run could not be written.
    #[error(transparent)]
    Files(#[from] LoadError),
}

impl MergeError {
    /// Whether it lies in what is merged, and not in where the result goes.
    pub fn is_input(&self) -> bool {
        !matches!(
            self,
            Self::Write { .. } | Self::RunDirectory(_) | Self::Files(_)
        )
    }
}
