//! The thread groups of the plugins whose users' starts and ends are planned ahead.
//!
//! Source: jmeter-plugins.org, `UltimateThreadGroup.scheduleThread` and
//! `SteppingThreadGroup.scheduleThread` of jpgc-casutg 2.10, and the manual of its concurrency thread group.

use std::time::Duration;

use double11_jmx::document::{Element, Property};
use double11_jmx::template::Template;

use super::USERS_MAX;
use super::schedule::{Place, Schedule, ScheduleError, number, seconds, users};
use crate::compiler::Compiler;
use crate::user::User;

/// Rows of users, each with its own times.
#[derive(Debug)]
pub struct Ultimate {
    /// Users, delay, start-up, hold and shut-down.
    rows: Vec<[Template; 5]>,
}

/// Users in steps.
#[derive(Debug)]
pub struct Stepping {
    count: Template,
    delay: Template,
    start_count: Template,
    start_burst: Template,
    start_period: Template,
    stop_count: Template,
    stop_period: Template,
    hold: Template,
    ramp: Template,
}

/// So many users at a time, reached in steps.
#[derive(Debug)]
pub struct Concurrency {
    target: Template,
    ramp: Template,
    steps: Template,
    hold: Template,
    in_minutes: bool,
}

const TIME: (i64, i64) = (0, 31_557_600);

impl Ultimate {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        let mut rows = Vec::new();
        for (_, row) in element.properties.list("ultimatethreadgroupdata") {
            let Property::List(cells) = row else {
                continue;
            };
            let mut cells = cells.iter().filter_map(|(_, cell)| cell.as_text());
            rows.push([(); 5].map(|()| compiler.template(cells.next().unwrap_or_default())));
        }
        if rows.is_empty() {
            compiler.refuse(element, "its table has no rows");
        }
        Self { rows }
    }

    pub(super) fn schedule(&self, user: &mut User) -> Result<Schedule, ScheduleError> {
        let mut places = Vec::new();
        for [count, delay, start, hold, stop] in &self.rows {
            let count = users(count, user)?;
            let delay = seconds("the initial delay", delay, user, 0)?;
            let start = seconds("the start-up time", start, user, 0)?;
            let hold = seconds("the time to hold the load", hold, user, 0)?;
            let stop = seconds("the shut-down time", stop, user, 0)?;
            let share = |span: Duration, of: u32| {
                let millis = span.as_millis() * u128::from(of) / u128::from(count.max(1));
                Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
            };
            // The first of a row is the last to start and to stop.
            places.extend((1..=count).rev().map(|of| Place {
                begins: delay + share(start, of),
                ends: Some(delay + start + hold + share(stop, of)),
            }));
        }
        Ok(Schedule {
            places,
            ..Schedule::default()
        })
    }
}

impl Stepping {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        let mut property = |name| compiler.property(element, name);
        Self {
            count: property("ThreadGroup.num_threads"),
            delay: property("Threads initial delay"),
            start_count: property("Start users count"),
            start_burst: property("Start users count burst"),
            start_period: property("Start users period"),
            stop_count: property("Stop users count"),
            stop_period: property("Stop users period"),
            hold: property("flighttime"),
            ramp: property("rampUp"),
        }
    }

    pub(super) fn schedule(&self, user: &mut User) -> Result<Schedule, ScheduleError> {
        let all = i64::from(users(&self.count, user)?);
        let mut get = |what, template, range| number(what, template, user, range);
        let counts = (0, USERS_MAX);
        let or_all = |count| if count == 0 { all.max(1) } else { count };
        let delay = 1_000 * get("the initial delay", &self.delay, TIME)?;
        let together = or_all(get("the users to start", &self.start_count, counts)?);
        let stopping = or_all(get("the users to stop", &self.stop_count, counts)?);
        let burst = get("the users to start first", &self.start_burst, counts)?.min(all);
        let burst = if burst == 0 { together } else { burst };
        let period = 1_000 * get("the time between starts", &self.start_period, TIME)?;
        let stop_period = 1_000 * get("the time between stops", &self.stop_period, TIME)?;
        let hold = 1_000 * get("the time to hold the load", &self.hold, TIME)?;
        let ramp = 1_000 * get("the ramp-up time", &self.ramp, TIME)?;
        let step = period + ramp;
        let later = (all - burst).max(0);
        let steps = if all < burst {
            1
        } else {
            (later + together - 1) / together
        };
        let rest = match later % together {
            0 => together,
            rest => rest,
        };
        let all_started = delay + steps * step + ramp / together * rest + hold;
        let places = (0..all).map(|number| {
            let (bucket, size, within) = if number < burst {
                (0, burst, number)
            } else {
                let after = number - burst;
                (1 + after / together, together, after % together)
            };
            Place {
                begins: millis(delay + bucket * step + within * (ramp / size)),
                ends: Some(millis(all_started + stop_period * (number / stopping))),
            }
        });
        Ok(Schedule {
            places: places.collect(),
            ..Schedule::default()
        })
    }
}

impl Concurrency {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        Self {
            target: compiler.property(element, "TargetLevel"),
            ramp: compiler.property(element, "RampUp"),
            steps: compiler.property(element, "Steps"),
            hold: compiler.property(element, "Hold"),
            in_minutes: element.text_or("Unit", "M") == "M",
        }
    }

    pub(super) fn schedule(&self, user: &mut User) -> Result<Schedule, ScheduleError> {
        let unit = if self.in_minutes { 60 } else { 1 };
        let count = users(&self.target, user)?;
        let ramp = unit * seconds("the ramp-up time", &self.ramp, user, 0)?;
        let hold = unit * seconds("the time to hold the load", &self.hold, user, 0)?;
        let steps = number("the ramp-up steps", &self.steps, user, (0, USERS_MAX))?;
        let steps = u32::try_from(steps).unwrap_or(0);
        let places = (0..count).map(|number| {
            let begins = if steps > 0 {
                let step = u64::from(number) * u64::from(steps) / u64::from(count);
                ramp / steps * u32::try_from(step).unwrap_or(0)
            } else {
                ramp / count * number
            };
            Place {
                begins,
                ends: Some(ramp + hold),
            }
        });
        Ok(Schedule {
            places: places.collect(),
            replaces: true,
            ..Schedule::default()
        })
    }
}

fn millis(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::user;

    fn starts_and_ends(schedule: &Schedule) -> Vec<(u128, u128)> {
        let places = schedule.places.iter();
        let times = places.map(|place| {
            let ends = place.ends.unwrap_or_default();
            (place.begins.as_millis(), ends.as_millis())
        });
        times.collect()
    }

    #[test]
    fn rows_of_an_ultimate_group_start_and_stop_by_themselves() {
        let row = |cells: &[&str]| {
            let cells = cells.iter();
            let cells = cells.map(|cell| (String::new(), Property::Text((*cell).to_owned())));
            (String::new(), Property::List(cells.collect()))
        };
        let mut element = Element::new("kg.apc.jmeter.threads.UltimateThreadGroup", "U");
        let rows = vec![
            row(&["2", "1", "4", "10", "2"]),
            row(&["1", "0", "0", "5", "0"]),
        ];
        element
            .properties
            .set("ultimatethreadgroupdata", Property::List(rows));
        let group = Ultimate::compile(&element, &mut Compiler::default());
        assert_eq!(
            starts_and_ends(&group.schedule(&mut user()).unwrap()),
            [(5_000, 17_000), (3_000, 16_000), (0, 5_000)]
        );
    }

    #[test]
    fn a_stepping_group_starts_and_stops_in_steps() {
        let element = Element::new("kg.apc.jmeter.threads.SteppingThreadGroup", "S")
            .with("ThreadGroup.num_threads", "3")
            .with("Start users count", "1")
            .with("Start users period", "1")
            .with("Stop users count", "3")
            .with("flighttime", "1");
        let group = Stepping::compile(&element, &mut Compiler::default());
        assert_eq!(
            starts_and_ends(&group.schedule(&mut user()).unwrap()),
            [(0, 3_000), (1_000, 3_000), (2_000, 3_000)]
        );
    }

    #[test]
    fn a_concurrency_group_reaches_its_target_in_steps() {
        let element = Element::new("ConcurrencyThreadGroup", "C")
            .with("TargetLevel", "4")
            .with("RampUp", "2")
            .with("Steps", "2")
            .with("Hold", "3");
        let group = Concurrency::compile(&element.with("Unit", "S"), &mut Compiler::default());
        assert_eq!(
            starts_and_ends(&group.schedule(&mut user()).unwrap()),
            [(0, 5_000), (0, 5_000), (1_000, 5_000), (1_000, 5_000)]
        );
    }
}
