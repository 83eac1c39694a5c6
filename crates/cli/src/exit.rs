//! How the program ends: the documented exit codes, and one line with a hint on failure.

use std::process::ExitCode;

use crate::console;

/// The documented exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything asked for was done and held.
    Done,
    /// Finished, but a threshold, the audit or a cross-check failed.
    Failed,
    /// Wrong usage or configuration.
    Usage,
    /// The environment or the program itself failed.
    Environment,
    /// The figures cannot be judged: not comparable, generator-limited.
    CannotJudge,
    /// Interrupted by the user.
    Interrupted,
    /// Only of the hidden `end-with-parent`: the other program is not there, as shells say it.
    NotFound,
}

impl Exit {
    const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Environment => 3,
            Self::CannotJudge => 4,
            Self::Interrupted => 130,
            Self::NotFound => 127,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command could not be finished, with what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    error: anyhow::Error,
    hint: Option<String>,
}

/// What every command ends with.
pub(crate) type CommandResult = Result<Exit, Failure>;

impl Failure {
    /// Wrong usage or configuration: exit code 2.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit: Exit::Usage,
            error: error.into(),
            hint: None,
        }
    }

    /// The environment or the program failed: exit code 3.
    pub(crate) fn environment(error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit: Exit::Environment,
            error: error.into(),
            hint: None,
        }
    }

    /// With a line that says what to do.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Prints the failure as one line with its causes and a hint.
pub(crate) fn report(failure: &Failure) -> ExitCode {
    console::error(&format!("{:#}", failure.error), failure.hint.as_deref());
    failure.exit.into()
}

/// Help and version go to standard output; wrong arguments are exit code 2.
pub(crate) fn refused_arguments(refusal: &clap::Error) -> ExitCode {
    let exit = if refusal.use_stderr() {
        Exit::Usage
    } else {
        Exit::Done
    };
    // A closed pipe while printing help is success.
    drop(refusal.print());
    exit.into()
}
