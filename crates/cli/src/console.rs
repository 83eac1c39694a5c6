//! The only place that prints. Standard output carries data, standard error carries talk. A reader
//! that closes its end of the pipe early is no failure.

use std::io::{IsTerminal as _, Write as _};

/// Writes data to standard output.
pub(crate) fn data(text: &str) {
    let mut output = std::io::stdout().lock();
    // Nobody reads on: there is nothing left to do.
    drop(
        output
            .write_all(text.as_bytes())
            .and_then(|()| output.flush()),
    );
}

/// Writes a line of talk to standard error.
pub(crate) fn say(line: &str) {
    let mut output = std::io::stderr().lock();
    drop(writeln!(output, "{line}"));
}

/// Writes the one line of a failure and what to do about it.
pub(crate) fn error(message: &str, hint: Option<&str>) {
    say(&format!("error: {message}"));
    if let Some(hint) = hint {
        say(&format!("\nhint: {hint}"));
    }
}

/// Whether talk goes to a terminal, so that it may be redrawn in place.
pub(crate) fn talks_to_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Columns of the terminal on standard output, or 100 when it is none.
pub(crate) fn width() -> usize {
    rustix::termios::tcgetwinsize(std::io::stdout())
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|columns| *columns >= 40)
        .unwrap_or(100)
}

/// Whether colour is welcome on standard output: a terminal, and `NO_COLOR` is not set.
pub(crate) fn colour() -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "`NO_COLOR` is read here and nowhere else"
    )]
    let unwanted = std::env::var("NO_COLOR").is_ok_and(|value| !value.is_empty());
    !unwanted && std::io::stdout().is_terminal()
}
