//! Why a run cannot begin, or could not be kept.

use std::path::PathBuf;

use crate::plan::PlanError;
use crate::run_directory::RunDirectoryError;
use crate::transport::{TargetError, TlsError};

/// Why a run cannot begin, or could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// An option is out of its range, or two do not go together.
    #[error("`{option}`: {reason}")]
    Option {
        /// The option.
        option: &'static str,
        /// What is accepted.
        reason: String,
    },
    /// The plan cannot be used.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The target is wrong, unknown or does not answer.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The run directory cannot be used.
    #[error(transparent)]
    RunDirectory(#[from] RunDirectoryError),
    /// Fewer descriptors are allowed than connections were asked for.
    #[error(
        "{wanted} descriptors are needed for {connections} connections, but the limit is {limit}"
    )]
    Descriptors {
        /// Connections asked for.
        connections: usize,
        /// Descriptors needed.
        wanted: u64,
        /// The hard limit.
        limit: u64,
    },
    /// The operating system refused a thread, an event loop or a timer.
    #[error("the operating system refused {what}")]
    System {
        /// What was asked of it.
        what: &'static str,
        /// Its answer.
        source: std::io::Error,
    },
    /// A file of the run directory could not be written while the run went on.
    #[error("`{path}` could not be written")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The instant at which the run was to begin had passed when everything was ready.
    #[error("the start was missed by {:.1} s", .by.as_secs_f64())]
    StartMissed {
        /// How long ago it was.
        by: std::time::Duration,
    },
    /// The run was asked to stop while it waited for its start; nothing was sent.
    #[error("stopped before the start")]
    StoppedBeforeStart,
    /// A worker thread panicked; what it had measured until then may be incomplete.
    #[error("a worker thread of the load engine panicked")]
    Worker,
}
