//! The arguments of the hidden `end-with-parent`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

/// Hidden: another program in place of this one, which ends when its parent does.
#[derive(Debug, Args)]
pub(crate) struct EndWithParent {
    /// The program; a bare name is looked for on the path.
    pub(crate) program: PathBuf,
    /// What it is called with.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) arguments: Vec<OsString>,
}
