//! SQL by the command-line client, as the server's root user.

use std::process::{Command, Stdio};

use crate::{ServerError, tools};

/// Runs statements and gives what they print: a line a row, tabs between the columns.
pub(crate) fn run(port: u16, statements: &str) -> Result<String, ServerError> {
    let program = "mariadb";
    let output = Command::new(tools::find(program)?)
        .args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1"])
        .args([&format!("--port={port}"), "--user=root"])
        .args(["--connect-timeout=5", "--batch", "--skip-column-names"])
        .arg(format!("--execute={statements}"))
        .stdin(Stdio::null())
        .output()
        .map_err(|source| ServerError::NotRun { program, source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned());
    }
    Err(ServerError::Failed {
        program,
        said: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}
