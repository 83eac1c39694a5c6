//! The thread groups of the plugins that keep up a rate of arrivals.
//!
//! An arrival is one iteration. A user that is through with one takes the next arrival; when none is
//! free another one begins, unless there are as many as the plan allows: then the arrival is dropped.
//!
//! Source: jmeter-plugins.org, `ArrivalsThreadStarter` and `FreeFormArrivalsThreadStarter` of
//! jpgc-casutg 2.10.

use std::time::Duration;

use double11_jmx::document::{Element, Property};
use double11_jmx::template::Template;

use super::schedule::{Arrivals, Instants, Schedule, ScheduleError, Source, decimal, number};
use crate::compiler::Compiler;
use crate::user::User;

/// How long nothing is done when the rate is zero, in seconds.
const IDLE: f64 = 0.2;

/// A rate that is reached in a time, in steps or evenly, and held.
#[derive(Debug)]
pub struct ArrivalRate {
    target: Template,
    ramp: Template,
    steps: Template,
    hold: Template,
    limits: Limits,
}

/// Rows of rates.
#[derive(Debug)]
pub struct FreeForm {
    /// Rate at the start, rate at the end, duration.
    rows: Vec<[Template; 3]>,
    limits: Limits,
}

/// What both kinds have.
#[derive(Debug)]
struct Limits {
    in_minutes: bool,
    /// Users at a time at most.
    concurrency: Template,
    /// Arrivals in all at most.
    arrivals: Template,
    /// Iterations of one user at most.
    iterations: Template,
}

/// When arrivals are due.
#[derive(Debug, Clone)]
pub(super) struct Rolling {
    shape: Shape,
    /// When the next one is due, in seconds.
    at: f64,
    /// Arrivals so far.
    count: u64,
    count_max: Option<u64>,
}

/// Rates by time, in arrivals a second and seconds.
#[derive(Debug, Clone)]
enum Shape {
    Ramp {
        target: f64,
        ramp: f64,
        steps: f64,
        hold: f64,
    },
    Rows(Vec<[f64; 3]>),
}

impl Limits {
    fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        Self {
            in_minutes: element.text_or("Unit", "M") == "M",
            concurrency: compiler.property(element, "ConcurrencyLimit"),
            arrivals: compiler.property(element, "ArrivalsLimit"),
            iterations: compiler.property(element, "Iterations"),
        }
    }

    /// Seconds in the unit of the group.
    fn unit(&self) -> f64 {
        if self.in_minutes { 60.0 } else { 1.0 }
    }

    fn schedule(&self, shape: Shape, user: &mut User) -> Result<Schedule, ScheduleError> {
        let most = (0, i64::from(i32::MAX));
        let users = number("the concurrency limit", &self.concurrency, user, most)?;
        let count = number("the limit of arrivals", &self.arrivals, user, most)?;
        let iterations = number("the limit of iterations", &self.iterations, user, most)?;
        let (rise, length) = shape.extent();
        let rolling = Rolling {
            shape,
            at: 0.0,
            count: 0,
            count_max: u64::try_from(count).ok().filter(|count| *count > 0),
        };
        Ok(Schedule {
            arrivals: Some(Arrivals {
                instants: Instants(Source::Rolling(rolling)),
                users_max: u32::try_from(users).ok().filter(|users| *users > 0),
                iterations_max: u32::try_from(iterations).ok().filter(|most| *most > 0),
                rise,
                length,
                until: None,
                ends: None,
            }),
            ..Schedule::default()
        })
    }
}

impl ArrivalRate {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        Self {
            target: compiler.template(element.text_or("TargetLevel", "1")),
            ramp: compiler.property(element, "RampUp"),
            steps: compiler.property(element, "Steps"),
            hold: compiler.property(element, "Hold"),
            limits: Limits::compile(element, compiler),
        }
    }

    pub(super) fn schedule(&self, user: &mut User) -> Result<Schedule, ScheduleError> {
        let unit = self.limits.unit();
        let steps = number("the ramp-up steps", &self.steps, user, (0, 1_000_000))?;
        let shape = Shape::Ramp {
            target: decimal("the target rate", &self.target, user)?.trunc() / unit,
            ramp: (decimal("the ramp-up time", &self.ramp, user)? * unit).round(),
            steps: steps as f64,
            hold: (decimal("the time to hold the rate", &self.hold, user)? * unit).round(),
        };
        self.limits.schedule(shape, user)
    }
}

impl FreeForm {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        compiler.enter(element);
        let mut rows = Vec::new();
        for (_, row) in element.properties.list("Schedule") {
            if let Property::List(cells) = row {
                let mut cells = cells.iter().filter_map(|(_, cell)| cell.as_text());
                rows.push([(); 3].map(|()| compiler.template(cells.next().unwrap_or_default())));
            }
        }
        if rows.is_empty() {
            compiler.refuse(element, "its schedule has no rows");
        }
        Self {
            rows,
            limits: Limits::compile(element, compiler),
        }
    }

    pub(super) fn schedule(&self, user: &mut User) -> Result<Schedule, ScheduleError> {
        let unit = self.limits.unit();
        let mut rows = Vec::new();
        for [from, to, duration] in &self.rows {
            rows.push([
                decimal("the rate at the start of a row", from, user)? / unit,
                decimal("the rate at the end of a row", to, user)? / unit,
                decimal("the duration of a row", duration, user)? * unit,
            ]);
        }
        self.limits.schedule(Shape::Rows(rows), user)
    }
}

impl Rolling {
    /// When the next arrival is due; none when there are no more.
    pub(super) fn next(&mut self) -> Option<Duration> {
        if self.count_max.is_some_and(|most| self.count >= most) {
            return None;
        }
        let rate = loop {
            match self.shape.rate(self.at, self.count) {
                Some(rate) if rate > 0.0 => break rate,
                Some(_) => self.at += IDLE,
                None => return None,
            }
        };
        let due = self.at;
        self.at += 1.0 / rate;
        self.count += 1;
        Duration::try_from_secs_f64(due).ok()
    }
}

impl Shape {
    /// How long the rate rises towards the one that is held, and how long arrivals come.
    fn extent(&self) -> (Duration, Duration) {
        let (rise, length) = match self {
            Self::Ramp { ramp, hold, .. } => (*ramp, ramp + hold),
            Self::Rows(rows) => {
                let offset = |offset: f64, [.., duration]: &[f64; 3]| (offset + duration).trunc();
                (0.0, rows.iter().fold(0.0, offset))
            }
        };
        let time = |seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        (time(rise), time(length))
    }

    /// The rate at a time, after so many arrivals; none when the schedule is over.
    fn rate(&self, at: f64, count: u64) -> Option<f64> {
        match self {
            Self::Ramp {
                target,
                ramp,
                steps,
                hold,
            } => {
                if at >= ramp + hold {
                    None
                } else if *ramp <= 0.0 || at > *ramp {
                    Some(*target)
                } else if *steps > 0.0 {
                    let step = (at / (ramp / steps)).floor() + 1.0;
                    Some(target / steps * step)
                } else {
                    let slope = target / ramp;
                    Some(slope * (2.0 * count as f64 / slope).sqrt())
                }
            }
            Self::Rows(rows) => {
                let mut offset = 0.0_f64;
                for [from, to, duration] in rows {
                    let progress = (at - offset) / duration;
                    // Whole seconds, as in the plugin.
                    offset = (offset + duration).trunc();
                    if at <= offset {
                        return Some(from + progress * (to - from));
                    }
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::user;

    fn millis(schedule: Schedule) -> Vec<u128> {
        let instants = schedule.arrivals.unwrap().instants;
        instants.map(|at| at.as_millis()).collect()
    }

    fn rate(target: &str, ramp: &str, steps: &str, hold: &str) -> Vec<u128> {
        let element = Element::new("ArrivalsThreadGroup", "A")
            .with("TargetLevel", target)
            .with("RampUp", ramp)
            .with("Steps", steps)
            .with("Hold", hold)
            .with("Unit", "S");
        let group = ArrivalRate::compile(&element, &mut Compiler::default());
        millis(group.schedule(&mut user()).unwrap())
    }

    #[test]
    fn arrivals_follow_the_rate() {
        assert_eq!(rate("5", "0", "", "1"), [0, 200, 400, 600, 800]);
        // Two steps of one second: 2 a second, then 4.
        assert_eq!(
            rate("4", "2", "2", "0"),
            [0, 500, 1_000, 1_250, 1_500, 1_750]
        );
        assert_eq!(rate("0", "0", "", "1"), [0_u128; 0]);
    }

    #[test]
    fn rows_are_gone_through_one_after_the_other() {
        let row = |cells: [&str; 3]| {
            let cells = cells.map(|cell| (String::new(), Property::Text(cell.to_owned())));
            (String::new(), Property::List(cells.to_vec()))
        };
        let rows = vec![row(["2", "2", "1"]), row(["4", "4", "1"])];
        let mut element = Element::new("FreeFormArrivalsThreadGroup", "F").with("Unit", "S");
        element.properties.set("Schedule", Property::List(rows));
        let group = FreeForm::compile(&element, &mut Compiler::default());
        assert_eq!(
            millis(group.schedule(&mut user()).unwrap()),
            [0, 500, 1_000, 1_500, 1_750, 2_000]
        );
    }

    #[test]
    fn limits_are_kept() {
        let element = Element::new("ArrivalsThreadGroup", "A")
            .with("TargetLevel", "60")
            .with("Hold", "1")
            .with("ArrivalsLimit", "3")
            .with("ConcurrencyLimit", "7");
        let group = ArrivalRate::compile(&element, &mut Compiler::default());
        let schedule = group.schedule(&mut user()).unwrap();
        let arrivals = schedule.arrivals.as_ref().unwrap();
        assert_eq!(arrivals.users_max, Some(7));
        assert_eq!(
            (arrivals.rise, arrivals.length),
            (Duration::ZERO, Duration::from_mins(1))
        );
        assert_eq!(millis(schedule), [0, 1_000, 2_000]);
    }
}
