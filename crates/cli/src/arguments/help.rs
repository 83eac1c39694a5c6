//! How the command line is read and how its help looks.

use std::ffi::OsString;

use anstyle::AnsiColor;
use clap::builder::Styles;
use clap::{ColorChoice, CommandFactory as _, FromArgMatches as _, ValueEnum as _};

use super::Arguments;
use crate::console::ColourChoice;

/// What stands below the list of commands.
pub(super) const FIRST_TRY: &str = "\
First try:
  double11 rehearse --quick            # three minutes, then see results/

Examples:
  double11 serve                       # a shop on http://127.0.0.1:8080
  double11 load funnel --target http://127.0.0.1:8080 --rate 100
  double11 load --help                 # all options of a command

Exit codes:
  0 done, 1 a target, the audit or the cross-check failed, 2 wrong usage,
  3 the environment failed, 4 cannot judge, 130 interrupted";

/// The colours of the help.
pub(super) const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Reads a command line, the program's name included. `--color` is obeyed in help and refusals too.
pub(crate) fn parse(words: &[OsString]) -> Result<Arguments, clap::Error> {
    let mut command = Arguments::command().color(colour_of(words));
    let matches = command.try_get_matches_from_mut(words)?;
    Arguments::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// What the words say of colours, before they are understood.
fn colour_of(words: &[OsString]) -> ColorChoice {
    let word = |index: usize| words.get(index).and_then(|word| word.to_str());
    let found = (1..words.len()).rev().find_map(|index| match word(index)? {
        "--color" => word(index + 1),
        other => other.strip_prefix("--color="),
    });
    match found.and_then(|value| ColourChoice::from_str(value, false).ok()) {
        Some(ColourChoice::Always) => ColorChoice::Always,
        Some(ColourChoice::Never) => ColorChoice::Never,
        Some(ColourChoice::Auto) | None => ColorChoice::Auto,
    }
}

#[cfg(test)]
mod tests;
