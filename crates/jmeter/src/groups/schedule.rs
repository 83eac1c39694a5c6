//! When each user of a group begins and ends.

use std::time::Duration;

use double11_jmx::template::Template;

use super::USERS_MAX;
use super::arrivals::Rolling;
use super::open_model::Generator;
use crate::user::User;

/// The places of a group's users, or when others are to arrive.
#[derive(Debug, Clone, Default)]
pub struct Schedule {
    /// One for each user, in the order of their numbers.
    pub places: Vec<Place>,
    /// Whether another user takes the place of one that ends before its time.
    pub replaces: bool,
    /// What the users of an open model follow instead.
    pub arrivals: Option<Arrivals>,
}

/// When iterations begin, whoever runs them.
#[derive(Debug, Clone)]
pub struct Arrivals {
    /// When each begins.
    pub instants: Instants,
    /// Users at a time at most; an arrival that finds none free is dropped.
    pub users_max: Option<u32>,
    /// Iterations of one user at most; a user that is through with one takes the next arrival.
    pub iterations_max: Option<u32>,
    /// How long the rate rises.
    pub rise: Duration,
    /// When the last one begins at the latest, from the start of the group.
    pub length: Duration,
    /// When no more begin, if the run ends before the schedule.
    pub until: Option<Duration>,
    /// When the group ends, from its start, whatever is under way then.
    pub ends: Option<Duration>,
}

/// Instants from the start of a group, one after the other.
#[derive(Debug, Clone)]
pub struct Instants(pub(super) Source);

/// Where instants come from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// A rate that is kept up.
    Rolling(Rolling),
    /// The schedule of an open model.
    Open(Generator),
}

impl Iterator for Instants {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        match &mut self.0 {
            Source::Rolling(rolling) => rolling.next(),
            Source::Open(generator) => generator.next(),
        }
    }
}

impl Schedule {
    /// Ends all users then at the latest; those that would begin later are left out. Of arrivals, whose
    /// users end with their iteration, none begins later.
    pub(crate) fn end_by(&mut self, latest: Duration) {
        if let Some(arrivals) = &mut self.arrivals
            && arrivals.length > latest
        {
            arrivals.length = latest;
            arrivals.until = Some(latest);
            // What the schedule would cut later ends by itself.
            arrivals.ends = arrivals.ends.filter(|ends| *ends <= latest);
        }
        self.places.retain(|place| place.begins < latest);
        for place in &mut self.places {
            place.ends = Some(place.ends.map_or(latest, |ends| ends.min(latest)));
        }
    }
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
    /// A text is no number that is not negative.
    #[error("{what} is `{text}`: give a number from 0")]
    Decimal {
        /// What it is.
        what: &'static str,
        /// The text, filled in.
        text: String,
    },
    /// A schedule cannot be read.
    #[error("the schedule `{text}`: {reason}")]
    Text {
        /// The text, filled in.
        text: String,
        /// What is wrong with it.
        reason: String,
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

/// A number from 0 that need not be whole, filled in; an empty text is 0.
pub(super) fn decimal(
    what: &'static str,
    template: &Template,
    user: &mut User,
) -> Result<f64, ScheduleError> {
    let text = user.render(template);
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Ok(0.0);
    }
    match trimmed.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => Err(ScheduleError::Decimal {
            what,
            text: text.into_owned(),
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
