//! What the terminal is like, and what its user wants of it.

use std::io::IsTerminal as _;

use clap::ValueEnum;

/// One of the two streams that are printed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    /// Standard output.
    Data,
    /// Standard error.
    Talk,
}

/// Characters that fit on the terminal; at least one each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColourChoice {
    /// On a terminal, unless the environment has `NO_COLOR` or a dumb terminal.
    #[default]
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// The variables of the environment that concern the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is the presence of one variable"
)]
pub(super) struct Environment {
    /// `NO_COLOR`. Source: <https://no-color.org>.
    pub(super) wants_no_colour: bool,
    /// `CLICOLOR_FORCE`. Source: <https://bixense.com/clicolors>.
    pub(super) forces_colour: bool,
    /// `TERM=dumb`: no cursor, no colours.
    pub(super) is_dumb: bool,
    /// The locale's characters, by `LC_ALL`, else `LC_CTYPE`, else `LANG`.
    pub(super) is_utf8: bool,
}

impl Environment {
    pub(super) fn read() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the variables of the terminal are read here and nowhere else"
        )]
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
        let locale = locale.unwrap_or_default().to_ascii_lowercase();
        Self {
            wants_no_colour: set("NO_COLOR").is_some(),
            forces_colour: set("CLICOLOR_FORCE").is_some_and(|value| value != "0"),
            is_dumb: set("TERM").is_some_and(|value| value == "dumb"),
            is_utf8: locale.contains("utf-8") || locale.contains("utf8"),
        }
    }
}

impl ColourChoice {
    /// Whether colours are used on a stream that is a terminal or is none.
    pub(super) fn colourful(self, is_terminal: bool, environment: Environment) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if environment.wants_no_colour => false,
            Self::Auto if environment.forces_colour => true,
            Self::Auto => is_terminal && !environment.is_dumb,
        }
    }
}

/// The size of the terminal that a stream is; `None` when it is none.
pub(super) fn size(stream: Stream) -> Option<Size> {
    let size = match stream {
        Stream::Data if std::io::stdout().is_terminal() => {
            rustix::termios::tcgetwinsize(std::io::stdout())
        }
        Stream::Talk if std::io::stderr().is_terminal() => {
            rustix::termios::tcgetwinsize(std::io::stderr())
        }
        _ => return None,
    };
    let known = |count: u16, usual: usize| match usize::from(count) {
        // A terminal behind a serial line or a script does not know its size.
        0 => usual,
        count => count,
    };
    let (columns, rows) = size.map_or((0, 0), |size| (size.ws_col, size.ws_row));
    Some(Size {
        columns: known(columns, 80),
        rows: known(rows, 24),
    })
}

#[cfg(test)]
mod tests {
    use super::{ColourChoice, Environment};

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::from_variables(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn colours_follow_the_command_line_then_the_environment_then_the_terminal() {
        use ColourChoice::{Always, Auto, Never};
        let check =
            |choice: ColourChoice, variables: &[(&str, &str)], [piped, terminal]: [bool; 2]| {
                let environment = environment(variables);
                let actual =
                    [false, true].map(|is_terminal| choice.colourful(is_terminal, environment));
                assert_eq!(actual, [piped, terminal], "{choice:?} {variables:?}");
            };
        check(Auto, &[], [false, true]);
        check(Auto, &[("NO_COLOR", "")], [false, true]);
        check(Auto, &[("NO_COLOR", "1")], [false, false]);
        check(Auto, &[("TERM", "dumb")], [false, false]);
        check(Auto, &[("CLICOLOR_FORCE", "1")], [true, true]);
        check(Auto, &[("CLICOLOR_FORCE", "0")], [false, true]);
        check(
            Auto,
            &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")],
            [false, false],
        );
        check(Always, &[("NO_COLOR", "1")], [true, true]);
        check(Never, &[("CLICOLOR_FORCE", "1")], [false, false]);
    }

    #[test]
    fn the_first_locale_that_is_set_decides() {
        let check = |variables: &[(&str, &str)], expected: bool| {
            assert_eq!(environment(variables).is_utf8, expected, "{variables:?}");
        };
        check(&[], false);
        check(&[("LANG", "zh_TW.UTF-8")], true);
        check(&[("LC_CTYPE", "C.utf8")], true);
        check(&[("LC_ALL", "C"), ("LANG", "zh_TW.UTF-8")], false);
        check(&[("LC_ALL", ""), ("LANG", "en_US.UTF-8")], true);
        check(&[("LANG", "zh_TW.Big5")], false);
    }
}
