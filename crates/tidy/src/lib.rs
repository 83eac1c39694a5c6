//! Checks of the workspace itself: which crate may depend on which, what third-party code may be
//! linked, and what may stand in a tracked file.
//!
//! The checks are plain functions from text to [`Finding`]s, so that a planted fault proves that
//! each of them can fail; `tests/workspace.rs` applies them to the workspace as it is. Nothing of
//! Double11 depends on this crate, and this crate knows nothing of what Double11 does.

pub mod edges;
pub mod licence;
pub mod metadata;
pub mod supply;
pub mod text;

use std::fmt;

pub use metadata::{Dependency, DependencyKind, MetadataError, Package, Workspace};
pub use supply::{Policy, PolicyError};
pub use text::SourceFile;

/// One thing that must be mended before the checks pass.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where: a crate, a package with its version, or a file with its line.
    pub place: String,
    /// What is wrong there, and what would be right.
    pub problem: String,
}

impl Finding {
    pub(crate) fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            problem: problem.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.problem)
    }
}
