//! What extractors do with what they found: which match, which variables.

use std::fmt::Write as _;

use crate::user::User;

/// Which of the matches is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// One of them by chance.
    Any,
    /// This one, from 1.
    Number(usize),
    /// All of them, each in variables of its own.
    All,
}

impl Wanted {
    /// By the number that plans have: zero, one from 1, or less than zero.
    pub(super) fn numbered(number: i64) -> Self {
        match usize::try_from(number) {
            Ok(0) => Self::Any,
            Ok(number) => Self::Number(number),
            Err(_) => Self::All,
        }
    }

    /// The place of the wanted one among so many; `None` when there is none.
    pub(super) fn place(self, matches: usize, user: &mut User) -> Option<usize> {
        match self {
            Self::Any if matches == 0 => None,
            Self::Any => {
                let place = user.random.between(0, matches as u64 - 1);
                usize::try_from(place).ok()
            }
            Self::Number(number) => (number <= matches).then(|| number - 1),
            Self::All => None,
        }
    }
}

/// A name with endings, made without a text for each.
#[derive(Debug)]
pub(super) struct Name {
    text: String,
    base: usize,
}

impl Name {
    pub(super) fn new(base: &str) -> Self {
        let mut text = String::with_capacity(base.len() + 12);
        text.push_str(base);
        Self {
            text,
            base: base.len(),
        }
    }

    /// The name itself.
    pub(super) fn base(&mut self) -> &str {
        self.text.truncate(self.base);
        &self.text
    }

    /// The name with an ending.
    pub(super) fn with(&mut self, ending: impl std::fmt::Display) -> &str {
        self.text.truncate(self.base);
        // Writing into a text cannot fail.
        let _written = write!(self.text, "{ending}");
        &self.text
    }
}

/// The number in a variable `…_matchNr`, which is taken away; zero when there is none. Matches are variables
/// each, so that there are no more of them than variables, whatever the text says.
pub(super) fn take_count(name: &mut Name, user: &mut User) -> usize {
    let variable = name.with("_matchNr");
    let Some(count) = user.variables.get(variable) else {
        return 0;
    };
    let count: usize = count.parse().unwrap_or_default();
    user.variables.remove(variable);
    count.min(user.variables.len())
}
