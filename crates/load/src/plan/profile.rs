//! Load profiles: when shoppers come.
//!
//! A profile has a base, which is a number of arrivals a second or of virtual users, and a shape that
//! multiplies it: a list of phases, or the twenty-four hours of a day, of which either all are walked
//! through or one is picked. [`Plan::traffic`](super::Plan::traffic) turns a profile and what the
//! caller wants otherwise into the load model and the phases of a run.

use std::fmt;
use std::time::Duration;

use crate::engine::LoadModel;
use crate::schedule::{Phase, Ramp, Rate, Spread};

/// Hours of a day.
pub const HOURS: usize = 24;
/// Length of an hour at the time scale 1.
const HOUR: Duration = Duration::from_hours(1);
/// How long a run of a plan without a profile lasts when nobody says so.
const DURATION_DEFAULT: Duration = Duration::from_secs(30);

/// When shoppers come.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// What the factors multiply.
    pub base: Base,
    /// How arrivals are spread (open model).
    pub spread: Spread,
    /// How many times faster than in the file time passes; above 0. Rates are not changed by it.
    pub time_scale: f64,
    /// The factors over time.
    pub shape: Shape,
}

/// What the factors of a profile multiply.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Base {
    /// Visits per second (open model).
    Visits(f64),
    /// Requests per second if every one succeeds (open model).
    Requests(f64),
    /// Virtual users (closed model). Their number is the same throughout a run.
    Users(u32),
}

/// The factors of a profile over time.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// One phase after the other.
    Phases(Vec<ProfilePhase>),
    /// The hours of a day. The multipliers are of arrivals: of visits, not of requests.
    Hours {
        /// Of each hour, from midnight.
        multipliers: [f64; HOURS],
        /// Hours with a multiplier above it behave as at the peak; none does when `None`.
        peak_above: Option<f64>,
        /// The one hour that is walked through; all of them when `None`.
        hour: Option<usize>,
    },
}

/// A phase of a profile.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfilePhase {
    /// Its name in the figures.
    pub name: String,
    /// Its length at the time scale 1.
    pub duration: Duration,
    /// What the base is multiplied by, at its start and its end.
    pub factor: Ramp,
    /// Whether shoppers behave as at the peak.
    pub peak: bool,
    /// Whether its figures count.
    pub measured: bool,
}

/// What the caller wants in place of a profile's own values. `None` leaves the profile as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProfileOverrides {
    /// Requests per second at the factor 1; makes the model open. They are divided by the requests of
    /// a visit to get the visits: of one at the peak in a phase at the peak. The hours of a day
    /// multiply visits, so that there the divisor is always the requests of a visit in normal times.
    pub rate: Option<f64>,
    /// Virtual users at the factor 1, before the multiplier of a picked hour; makes the model closed.
    pub users: Option<u32>,
    /// Length of the whole, without the ramp; phases keep their proportions.
    pub duration: Option<Duration>,
    /// Length of a ramp from zero before the first phase, which is not measured.
    pub ramp: Option<Duration>,
    /// The one hour to walk through, 0 to 23.
    pub hour: Option<u32>,
    /// How many times faster than in the file time passes, in place of the profile's own scale.
    pub time_scale: Option<f64>,
    /// Behave as at the peak throughout; only for a plan without a profile.
    pub peak: bool,
}

/// The load model and the phases of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Traffic {
    /// Whether shoppers come by the clock or wait for answers.
    pub model: LoadModel,
    /// The stretches of the run, one after the other.
    pub phases: Vec<Phase>,
}

/// Why a plan and its overrides give no traffic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// Nobody says how many shoppers come.
    #[error("the plan has no load profile: say a rate or a number of users")]
    NoPace,
    /// An override does not go together with the profile or with another one.
    #[error("`{option}`: {reason}")]
    Option {
        /// The override: `rate`, `users`, `duration`, `ramp`, `hour`, `time-scale` or `peak`.
        option: &'static str,
        /// Why, and what is accepted.
        reason: String,
    },
}

impl Profile {
    /// The length of a run by this profile, in time that really passes.
    pub fn duration(&self) -> Duration {
        let whole = match &self.shape {
            Shape::Phases(phases) => phases.iter().map(|phase| phase.duration).sum(),
            Shape::Hours { hour: Some(_), .. } => HOUR,
            Shape::Hours { hour: None, .. } => HOUR * 24,
        };
        scaled(whole, self.time_scale)
    }
}

/// In words, such as `18 visits/s x the hour's multiplier, a day in 180 s`.
impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.base {
            Base::Visits(rate) => write!(f, "{rate} visits/s")?,
            Base::Requests(rate) => write!(f, "{rate} requests/s")?,
            Base::Users(users) => write!(f, "{users} virtual users")?,
        }
        let seconds = self.duration().as_secs_f64();
        match &self.shape {
            Shape::Phases(phases) => {
                let names: Vec<&str> = phases.iter().map(|phase| phase.name.as_str()).collect();
                write!(f, " through {} in {seconds} s", names.join(", "))
            }
            Shape::Hours { hour: None, .. } => {
                write!(f, " x the hour's multiplier, a day in {seconds} s")
            }
            Shape::Hours {
                hour: Some(hour),
                multipliers,
                ..
            } => {
                let multiplier = multipliers.get(*hour).copied().unwrap_or_default();
                write!(
                    f,
                    " x {multiplier}, the multiplier of hour {hour}, in {seconds} s"
                )
            }
        }
    }
}

/// The traffic of a profile and its overrides, for a plan with this many requests a visit in normal
/// times.
pub(super) fn traffic(
    profile: Option<&Profile>,
    overrides: &ProfileOverrides,
    requests_per_visit: f64,
) -> Result<Traffic, ProfileError> {
    let mut profile = match profile {
        Some(_) if overrides.peak => {
            return refuse("peak", "the plan's profile says when it is the peak");
        }
        Some(profile) => profile.clone(),
        None => steady(overrides)?,
    };
    override_pace(&mut profile, overrides)?;
    override_time(&mut profile, overrides)?;
    if let (Base::Users(_), Some(reason)) = (profile.base, against_users(&profile.shape)) {
        return refuse("users", reason);
    }
    let mut phases = phases(&profile, requests_per_visit);
    if let (Some(duration), [only]) = (overrides.duration, phases.as_mut_slice()) {
        // Without the rounding of the scale, so that the last arrivals stay what they are.
        only.duration = duration;
    }
    let model = match profile.base {
        Base::Users(users) => LoadModel::Closed {
            users: users_of(users, &profile.shape)?,
        },
        Base::Visits(_) | Base::Requests(_) => LoadModel::Open {
            spread: profile.spread,
        },
    };
    if let Some(length) = overrides.ramp.filter(|length| !length.is_zero()) {
        let ramp = ramp(length, &phases)?;
        phases.insert(0, ramp);
    }
    Ok(Traffic { model, phases })
}

/// A length at another time scale. One that no run can have is left to the engine to refuse.
fn scaled(length: Duration, time_scale: f64) -> Duration {
    Duration::try_from_secs_f64(length.as_secs_f64() / time_scale).unwrap_or(Duration::MAX)
}

fn refuse<T>(option: &'static str, reason: impl Into<String>) -> Result<T, ProfileError> {
    Err(ProfileError::Option {
        option,
        reason: reason.into(),
    })
}

/// What a plan without a profile is run by.
fn steady(overrides: &ProfileOverrides) -> Result<Profile, ProfileError> {
    if overrides.time_scale.is_some() {
        return refuse(
            "time-scale",
            "the plan has no profile whose time it could change",
        );
    }
    let base = match (overrides.rate, overrides.users) {
        (Some(rate), _) => Base::Requests(rate),
        (None, Some(users)) => Base::Users(users),
        (None, None) => return Err(ProfileError::NoPace),
    };
    let steady = ProfilePhase {
        name: "steady".to_owned(),
        duration: DURATION_DEFAULT,
        factor: Ramp::constant(1.0),
        peak: overrides.peak,
        measured: true,
    };
    Ok(Profile {
        base,
        spread: Spread::Poisson,
        time_scale: 1.0,
        shape: Shape::Phases(vec![steady]),
    })
}

fn override_pace(profile: &mut Profile, overrides: &ProfileOverrides) -> Result<(), ProfileError> {
    match (overrides.rate, overrides.users) {
        (Some(_), Some(_)) => return refuse("users", "not together with a rate"),
        (Some(rate), None) if !(rate.is_finite() && rate >= 0.0) => {
            return refuse("rate", "a rate is a number of requests per second from 0");
        }
        (Some(rate), None) => profile.base = Base::Requests(rate),
        (None, Some(0)) => return refuse("users", "at least 1"),
        (None, Some(users)) => profile.base = Base::Users(users),
        (None, None) => {}
    }
    Ok(())
}

fn override_time(profile: &mut Profile, overrides: &ProfileOverrides) -> Result<(), ProfileError> {
    if let Some(wanted) = overrides.hour {
        let Shape::Hours { hour, .. } = &mut profile.shape else {
            return refuse("hour", "the plan's profile has no hours to pick from");
        };
        match usize::try_from(wanted) {
            Ok(wanted) if wanted < HOURS => *hour = Some(wanted),
            _ => return refuse("hour", "an hour is from 0 to 23"),
        }
    }
    match (overrides.time_scale, overrides.duration) {
        (Some(_), Some(_)) => {
            return refuse(
                "time-scale",
                "not together with a duration, which sets the scale",
            );
        }
        (Some(scale), None) if !(scale.is_finite() && scale > 0.0) => {
            return refuse("time-scale", "a number above 0");
        }
        (Some(scale), None) => profile.time_scale = scale,
        (None, Some(duration)) if duration.is_zero() => {
            return refuse("duration", "longer than 0");
        }
        (None, Some(duration)) => {
            profile.time_scale *= profile.duration().as_secs_f64() / duration.as_secs_f64();
        }
        (None, None) => {}
    }
    Ok(())
}

/// Why virtual users cannot follow a shape.
fn against_users(shape: &Shape) -> Option<&'static str> {
    let is_one = |factor: Ramp| factor == Ramp::constant(1.0);
    match shape {
        Shape::Hours { hour: None, .. } => Some(
            "the number of virtual users is the same throughout a run and cannot follow a day: pick \
             one hour, or give a rate",
        ),
        Shape::Phases(phases) if !phases.iter().all(|phase| is_one(phase.factor)) => Some(
            "the number of virtual users is the same throughout a run and cannot follow the factors \
             of the profile's phases: give a rate",
        ),
        Shape::Hours { .. } | Shape::Phases(_) => None,
    }
}

/// Virtual users in the hour that was picked, rounded to a whole number.
fn users_of(base: u32, shape: &Shape) -> Result<usize, ProfileError> {
    let factor = match shape {
        Shape::Hours {
            multipliers,
            hour: Some(hour),
            ..
        } => multipliers.get(*hour).copied().unwrap_or_default(),
        Shape::Hours { .. } | Shape::Phases(_) => 1.0,
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative; a float cast saturates, and the engine bounds the number"
    )]
    let users = (f64::from(base) * factor).round() as usize;
    if users == 0 {
        return refuse("hour", "nobody comes in this hour");
    }
    Ok(users)
}

fn phases(profile: &Profile, requests_per_visit: f64) -> Vec<Phase> {
    match &profile.shape {
        Shape::Phases(phases) => phases
            .iter()
            .map(|phase| {
                let duration = scaled(phase.duration, profile.time_scale);
                let rate = rate(profile.base, phase.factor);
                made(&phase.name, (duration, rate), phase.peak, phase.measured)
            })
            .collect(),
        Shape::Hours {
            multipliers,
            peak_above,
            hour,
        } => {
            let duration = scaled(HOUR, profile.time_scale);
            // The multipliers are of arrivals. As requests they would be divided by the requests of
            // a visit, which are others at the peak, and the arrivals would not be in proportion.
            let base = match profile.base {
                Base::Requests(rate) => Base::Visits(rate / requests_per_visit),
                base => base,
            };
            let hours = multipliers.iter().enumerate();
            let walked = hours.filter(|(number, _)| hour.is_none_or(|hour| hour == *number));
            walked
                .map(|(number, multiplier)| {
                    let rate = rate(base, Ramp::constant(*multiplier));
                    let peak = peak_above.is_some_and(|above| *multiplier > above);
                    made(&format!("hour_{number:02}"), (duration, rate), peak, true)
                })
                .collect()
        }
    }
}

fn rate(base: Base, factor: Ramp) -> Option<Rate> {
    match base {
        Base::Visits(rate) => Some(Rate::Visits(factor.scaled(rate))),
        Base::Requests(rate) => Some(Rate::Requests(factor.scaled(rate))),
        Base::Users(_) => None,
    }
}

fn made(
    name: &str,
    (duration, rate): (Duration, Option<Rate>),
    peak: bool,
    measured: bool,
) -> Phase {
    Phase {
        name: name.to_owned(),
        duration,
        rate,
        peak,
        measured,
        samples_file: None,
    }
}

/// The ramp up to the rate that the first phase begins with.
fn ramp(length: Duration, phases: &[Phase]) -> Result<Phase, ProfileError> {
    const NAME: &str = "ramp";
    if phases.iter().any(|phase| phase.name == NAME) {
        return refuse("ramp", "the plan's profile has a phase `ramp` already");
    }
    let up_to = |rate: Ramp| Ramp {
        from: 0.0,
        to: rate.from,
    };
    let first = phases.first();
    let rate = match first.and_then(|first| first.rate) {
        Some(Rate::Visits(rate)) => Rate::Visits(up_to(rate)),
        Some(Rate::Requests(rate)) => Rate::Requests(up_to(rate)),
        None => return refuse("ramp", "virtual users have no rate that could rise"),
    };
    let peak = first.is_some_and(|first| first.peak);
    Ok(made(NAME, (length, Some(rate)), peak, false))
}

#[cfg(test)]
mod tests;
