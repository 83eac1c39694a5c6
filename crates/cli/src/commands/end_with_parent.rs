//! `double11 end-with-parent`, hidden: becomes another program, such as the Prometheus of a rehearsal, that gets
//! the signal TERM when the process that started it ends, however it ends.

use std::io::ErrorKind;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::Context as _;

use crate::arguments::EndWithParent;
use crate::exit::{CommandResult, Exit, Failure};
use crate::machine;

pub(crate) fn run(arguments: &EndWithParent) -> CommandResult {
    machine::end_with_parent().map_err(Failure::environment)?;
    // The wish outlives the change of program (prctl(2)), and the process keeps its id.
    let error = Command::new(&arguments.program)
        .args(&arguments.arguments)
        .exec();
    if error.kind() == ErrorKind::NotFound {
        return Ok(Exit::NotFound);
    }
    let failed = Err(error).with_context(|| format!("starting `{}`", arguments.program.display()));
    failed.map_err(Failure::environment)
}
