//! When each user of a group begins and ends.

use std::time::Duration;

use double11_jmx::template::Template;

use super::USERS_MAX;
use crate::user::User;

/// The places of a group's users.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schedule {
    /// One for each user, in the order of their numbers.
    pub places: Vec<Place>,
}

/// When a user begins and ends, from the start of its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// When it begins.
    pub begins: Duration,
    /// When it ends; none when its loop says.
    pub ends: Option<Duration>,
}

/// Why a group cannot start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// A text is no number of the accepted range.
    #[error("{what} is `{text}`: give a whole number from {min} to {max}")]
    Number {
        /// What it is.
        what: &'static str,
        /// The text, filled in.
        text: String,
        /// The smallest that is accepted.
        min: i64,
        /// The largest that is accepted.
        max: i64,
    },
}

/// A number, filled in; an empty text is 0.
pub(super) fn number(
    what: &'static str,
    template: &Template,
    user: &mut User,
    (min, max): (i64, i64),
) -> Result<i64, ScheduleError> {
    let text = user.render(template);
    let trimmed = text.trim();
    let number = if trimmed.is_empty() {
        Some(0)
    } else {
        trimmed.parse().ok()
    };
    match number {
        Some(number) if (min..=max).contains(&number) => Ok(number),
        _ => Err(ScheduleError::Number {
            what,
            text: text.into_owned(),
            min,
            max,
        }),
    }
}

/// A number of users.
pub(super) fn users(template: &Template, user: &mut User) -> Result<u32, ScheduleError> {
    let users = number("the number of threads", template, user, (0, USERS_MAX))?;
    Ok(u32::try_from(users).unwrap_or(0))
}

/// Seconds; those of a hundred years are the most.
pub(super) fn seconds(
    what: &'static str,
    template: &Template,
    user: &mut User,
    min: i64,
) -> Result<Duration, ScheduleError> {
    let seconds = number(what, template, user, (min, 3_155_760_000))?;
    Ok(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}
