//! Why a server could not be had.

use std::io;
use std::time::Duration;

/// Why a server could not be started, or did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The program is not on this machine.
    #[error("`{program}` is not installed, run scripts/install-test-tools.sh")]
    Missing {
        /// Its name.
        program: &'static str,
    },
    /// The program is there but could not be run.
    #[error("`{program}` could not be run")]
    NotRun {
        /// Its name.
        program: &'static str,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The program ended, or did not answer in time.
    #[error("`{program}` did not answer within {waited:?}; the end of its log:\n{log}")]
    NotReady {
        /// Its name.
        program: &'static str,
        /// How long was waited.
        waited: Duration,
        /// The last lines of what it said.
        log: String,
    },
    /// The program ran and failed.
    #[error("`{program}` failed: {said}")]
    Failed {
        /// Its name.
        program: &'static str,
        /// What it said.
        said: String,
    },
    /// This machine gave no folder or no port.
    #[error("no {what} to be had")]
    Machine {
        /// What was asked for.
        what: &'static str,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}
