//! What a plan will do, as far as it can be told before it runs.

use std::time::Duration;

use super::{EngineError, batch};
use crate::groups::{Phase, Place, USERS_MAX};
use crate::plan::{Group, Plan};
use crate::user::User;
use crate::walk::Kind;

/// What a plan will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Whether something is set up before.
    pub sets_up: bool,
    /// Users that run at a time, at most; those that set up and tear down left out.
    pub users: u32,
    /// Whether there are groups whose users begin as arrivals come, as many as it takes.
    pub has_arrivals: bool,
    /// When the last of them begins, from the start of the first; `None` where groups run one after the
    /// other, of which only the first begins at a known time.
    pub last_begins: Option<Duration>,
    /// When the last of them is told to end; `None` where their loops say.
    pub ends: Option<Duration>,
    /// The groups of which nothing says when they end.
    pub endless: Vec<String>,
}

/// Draws up what a plan will do; texts are filled in once more when it runs.
///
/// # Errors
/// [`EngineError::Schedule`] for the first group that cannot start.
pub fn outline(plan: &Plan, user: &mut User) -> Result<Outline, EngineError> {
    let mut outline = Outline {
        sets_up: plan.groups_of(Phase::SetUp).next().is_some(),
        users: 0,
        has_arrivals: false,
        last_begins: Some(Duration::ZERO),
        ends: Some(Duration::ZERO),
        endless: Vec::new(),
    };
    let is_serial = plan.serialized && plan.groups_of(Phase::Main).count() > 1;
    for group in &plan.groups {
        let schedule = batch::schedule(group, user)?;
        let bounded = schedule.places.iter().all(|place| place.ends.is_some());
        if !bounded && group.phase != Phase::TearDown && is_endless(group, user) {
            let name = user.render(&group.name).into_owned();
            outline.endless.push(name);
        }
        if group.phase != Phase::Main {
            continue;
        }
        outline.has_arrivals |= schedule.arrivals.is_some();
        let (users, begins, ends) = match &schedule.arrivals {
            Some(arrivals) => {
                let users = arrivals.users_max;
                let users = users.unwrap_or(u32::try_from(USERS_MAX).unwrap_or(u32::MAX));
                (users, Some(arrivals.rise), Some(arrivals.length))
            }
            None => of_places(&schedule.places, bounded),
        };
        if is_serial {
            outline.users = outline.users.max(users);
            outline.last_begins = None;
            let ends = outline.ends.zip(ends);
            outline.ends = ends.map(|(sum, own)| sum.saturating_add(own));
        } else {
            outline.users = outline.users.saturating_add(users);
            outline.last_begins = outline.last_begins.max(begins);
            outline.ends = outline.ends.zip(ends).map(|(last, own)| last.max(own));
        }
    }
    Ok(outline)
}

/// How many users have these places, when the last of them begins, and when the last ends, if that is known.
fn of_places(places: &[Place], bounded: bool) -> (u32, Option<Duration>, Option<Duration>) {
    let users = u32::try_from(places.len()).unwrap_or(u32::MAX);
    let begins = places.iter().map(|place| place.begins).max();
    let ends = places.iter().map(|place| place.ends).max();
    let ends = match ends {
        Some(last) => last.filter(|_| bounded),
        None => Some(Duration::ZERO),
    };
    (users, begins, ends)
}

/// Whether a loop of the group goes on for ever. What conditions and scripts end is taken to end.
fn is_endless(group: &Group, user: &mut User) -> bool {
    let mut controllers = group.tree.controllers.iter().enumerate();
    controllers.any(|(number, controller)| match &controller.kind {
        Kind::Loop { loops, forever } => {
            // The main loop of a group that may be entered again always is.
            loops.value(user) < 0 || (number == 0 && *forever)
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::path::Path;
    use std::sync::Arc;

    use double11_jmx::document::Element;

    use super::*;
    use crate::engine::begin;
    use crate::plan::tests::{group, plan, sampler};
    use crate::run::Run;

    fn of(groups: Vec<Element>) -> Outline {
        let plan = plan(groups);
        let run = Run::new(Path::new("."), HashMap::new(), 1);
        let mut user = begin(&plan, &Arc::new(run));
        outline(&plan, &mut user).unwrap()
    }

    fn group_of(loops: &str, users: &str, ramp: &str, duration: &str) -> Element {
        let group = group(loops, vec![sampler("A")])
            .with("ThreadGroup.num_threads", users)
            .with("ThreadGroup.ramp_time", ramp);
        if duration.is_empty() {
            return group;
        }
        group
            .with("ThreadGroup.scheduler", "true")
            .with("ThreadGroup.duration", duration)
    }

    #[test]
    fn an_outline_has_the_rise_the_end_and_what_has_none() {
        let seconds = Duration::from_secs;
        let bounded = of(vec![group_of("-1", "10", "5", "60")]);
        assert_eq!((bounded.users, bounded.sets_up), (10, false));
        assert_eq!(bounded.last_begins, Some(Duration::from_millis(4_500)));
        assert_eq!(bounded.ends, Some(seconds(60)));
        assert!(bounded.endless.is_empty());
        let looped = of(vec![
            group_of("3", "2", "0", ""),
            group_of("-1", "1", "0", "9"),
        ]);
        assert_eq!((looped.users, looped.ends), (3, None));
        assert!(looped.endless.is_empty(), "three rounds are an end");
        let rate = Element::new(
            "com.blazemeter.jmeter.threads.arrivals.ArrivalsThreadGroup",
            "A",
        );
        let rate = rate
            .with("TargetLevel", "5")
            .with("RampUp", "2")
            .with("Hold", "10")
            .with("Unit", "S");
        let arrivals = of(vec![rate.clone().with("ConcurrencyLimit", "7")]);
        assert_eq!((arrivals.users, arrivals.has_arrivals), (7, true));
        assert_eq!(arrivals.last_begins, Some(seconds(2)));
        assert_eq!(arrivals.ends, Some(seconds(12)));
        assert!(arrivals.endless.is_empty());
        assert_eq!(of(vec![rate]).users, 1_000_000, "as many as it takes");
        let endless = of(vec![group_of("-1", "2", "0", "")]);
        assert_eq!(endless.endless.len(), 1);
        let none = of(vec![group_of("-1", "0", "0", "")]);
        assert_eq!((none.users, none.ends), (0, Some(Duration::ZERO)));
    }
}
