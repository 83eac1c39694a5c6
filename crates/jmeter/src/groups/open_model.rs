//! The open model thread group: a schedule such as `rate(1/s) random_arrivals(1 min) rate(5/s)`.
//!
//! Each arrival is a user of its own that runs one iteration; there may be any number at a time. Samples
//! that are under way when the schedule ends are cut.
//!
//! Source: `JMeter` 5.5, `org.apache.jmeter.threads.openmodel`: `OpenModelThreadGroup`,
//! `ThreadScheduleProcessGenerator`, `EvenArrivalsRamp` and `PoissonArrivalsRamp`.

mod parser;

use std::time::Duration;

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::schedule::{Arrivals, Instants, Schedule, ScheduleError, Source};
use crate::compiler::Compiler;
use crate::java_random::JavaRandom;
use crate::user::User;
use parser::{Spread, Step};

/// Arrivals of one step at most.
const ARRIVALS_MAX: f64 = 50_000_000.0;

/// The open model thread group.
#[derive(Debug)]
pub struct OpenModel {
    schedule: Template,
    seed: Template,
}

/// When arrivals are due.
#[derive(Debug, Clone)]
pub(super) struct Generator {
    steps: Vec<Step>,
    random: JavaRandom,
    /// The step that comes next.
    position: usize,
    /// Arrivals a second at the start of the next step.
    rate: f64,
    /// When the step that is under way began, and how long it takes, in seconds.
    begun: f64,
    duration: f64,
    under_way: UnderWay,
}

/// The step that arrivals come from.
#[derive(Debug, Clone)]
enum UnderWay {
    /// Evenly: how many came, how many there are, the rate at the start, and its change a second.
    Even {
        next: u64,
        count: u64,
        rate: f64,
        acceleration: f64,
    },
    /// Drawn, the last to come first.
    Drawn(Vec<f64>),
}

impl OpenModel {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        let schedule = compiler.property(element, "OpenModelThreadGroup.schedule");
        if let Some(text) = schedule.literal()
            && let Err(reason) = parser::steps(text)
        {
            compiler.refuse(element, format!("the schedule `{text}`: {reason}"));
        }
        Self {
            schedule,
            seed: compiler.property(element, "OpenModelThreadGroup.random_seed"),
        }
    }

    pub(super) fn schedule(&self, user: &mut User) -> Result<Schedule, ScheduleError> {
        let text = user.render(&self.schedule).into_owned();
        let steps = parser::steps(&text);
        let steps = steps.map_err(|reason| ScheduleError::Text { text, reason })?;
        let seed = match user.render(&self.seed).trim().parse() {
            Ok(0) | Err(_) => user.random.bits().cast_signed(),
            Ok(seed) => seed,
        };
        let seconds: f64 = steps.iter().map(Step::seconds).sum();
        let ends = Duration::try_from_secs_f64(seconds).ok();
        let generator = Generator::new(steps, seed);
        Ok(Schedule {
            arrivals: Some(Arrivals {
                instants: Instants(Source::Open(generator)),
                users_max: None,
                iterations_max: Some(1),
                rise: Duration::ZERO,
                length: ends.unwrap_or(Duration::MAX),
                until: None,
                ends,
            }),
            ..Schedule::default()
        })
    }
}

impl Generator {
    fn new(steps: Vec<Step>, seed: i64) -> Self {
        Self {
            steps,
            random: JavaRandom::new(seed),
            position: 0,
            rate: 0.0,
            begun: 0.0,
            duration: 0.0,
            under_way: UnderWay::Drawn(Vec::new()),
        }
    }

    /// When the next arrival is due; none when there are no more.
    pub(super) fn next(&mut self) -> Option<Duration> {
        loop {
            if let Some(at) = self.under_way.next() {
                return Duration::try_from_secs_f64(self.begun + at).ok();
            }
            self.begun += self.duration;
            self.duration = 0.0;
            let (spread, seconds) = self.next_arrivals()?;
            self.duration = seconds;
            // A rate right behind the step is the one that it ends with.
            let end = match self.steps.get(self.position) {
                Some(Step::Rate(rate)) => *rate,
                _ => self.rate,
            };
            self.under_way = match spread {
                Spread::Even => UnderWay::even(self.rate, end, seconds),
                Spread::Random => UnderWay::drawn(self.rate, end, seconds, &mut self.random),
            };
        }
    }

    fn next_arrivals(&mut self) -> Option<(Spread, f64)> {
        loop {
            let step = *self.steps.get(self.position)?;
            self.position += 1;
            match step {
                Step::Rate(rate) => self.rate = rate,
                Step::Arrivals(spread, seconds) => return Some((spread, seconds)),
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of arrivals that is bounded"
)]
fn count(arrivals: f64) -> u64 {
    arrivals.clamp(0.0, ARRIVALS_MAX) as u64
}

impl UnderWay {
    fn even(begin: f64, end: f64, seconds: f64) -> Self {
        let mean = f64::midpoint(begin, end);
        let is_level = (end - begin).abs() < 0.0001 * mean;
        Self::Even {
            next: 0,
            count: count(mean * seconds),
            rate: if is_level { mean } else { begin },
            acceleration: if is_level {
                0.0
            } else {
                (end - begin) / seconds
            },
        }
    }

    fn drawn(begin: f64, end: f64, seconds: f64, random: &mut JavaRandom) -> Self {
        let all = count(f64::midpoint(begin, end) * seconds);
        let level = count(begin.min(end) * seconds).min(all);
        let mut drawn: Vec<f64> = (0..level).map(|_| random.unit() * seconds).collect();
        if (begin - end).abs() > 0.0 {
            // What is above the lower rate grows from nothing, or shrinks to it.
            drawn.extend((level..all).map(|_| {
                let share = random.unit().sqrt();
                let share = if begin > end { 1.0 - share } else { share };
                share * seconds
            }));
        }
        drawn.sort_by(|one, other| other.total_cmp(one));
        Self::Drawn(drawn)
    }

    /// The next arrival, in seconds since the start of the step.
    fn next(&mut self) -> Option<f64> {
        match self {
            Self::Drawn(drawn) => drawn.pop(),
            Self::Even { next, count, .. } if next == count => None,
            Self::Even {
                next,
                rate,
                acceleration,
                ..
            } => {
                let number = *next as f64;
                *next += 1;
                Some(if *next == 1 {
                    0.0
                } else if acceleration.abs() > 0.0 {
                    // The n-th arrival is where n = rate·t + acceleration·t²/2.
                    let root = (*rate * *rate + 2.0 * *acceleration * number)
                        .max(0.0)
                        .sqrt();
                    (root - *rate) / *acceleration
                } else {
                    number / *rate
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::user;

    fn schedule(text: &str) -> Result<Schedule, ScheduleError> {
        let element = Element::new("OpenModelThreadGroup", "O")
            .with("OpenModelThreadGroup.schedule", text)
            .with("OpenModelThreadGroup.random_seed", "7");
        OpenModel::compile(&element, &mut Compiler::default()).schedule(&mut user())
    }

    fn millis(text: &str) -> (Vec<u128>, u128) {
        let arrivals = schedule(text).unwrap().arrivals.unwrap();
        let all = arrivals.instants.map(|at| at.as_millis()).collect();
        (all, arrivals.ends.unwrap().as_millis())
    }

    #[test]
    fn even_arrivals_follow_the_rates() {
        let check = |text: &str, expected: &[u128], ends: u128| {
            assert_eq!(millis(text), (expected.to_vec(), ends), "{text}");
        };
        check(
            "rate(4/sec) even_arrivals(1 sec) pause(500 ms)",
            &[0, 250, 500, 750],
            1_500,
        );
        // From 0 to 4 a second within two: the n-th arrives after the root of n seconds.
        check(
            "rate(0) even_arrivals(2 s) rate(4/s)",
            &[0, 1_000, 1_414, 1_732],
            2_000,
        );
        check(
            "rate(60/min) even_arrivals(2 s) even_arrivals(1 s) rate(3/s)",
            &[0, 1_000, 2_000, 2_618],
            3_000,
        );
        check("rate(5/s) pause(1 s)", &[], 1_000);
        check("2", &[0, 500], 3_601_000);
        check("", &[], 0);
    }

    #[test]
    fn random_arrivals_are_as_many_as_the_rates_say() {
        let (drawn, ends) = millis("rate(10/s) random_arrivals(10 s) rate(30/s)");
        assert_eq!((drawn.len(), ends), (200, 10_000));
        assert!(drawn.is_sorted() && drawn.iter().all(|at| *at < 10_000));
        let late = drawn.iter().filter(|at| **at >= 5_000).count();
        assert!((105..145).contains(&late), "{late} of about 125");
        assert_eq!(
            drawn,
            millis("rate(10/s) random_arrivals(10 s) rate(30/s)").0
        );
    }

    #[test]
    fn a_schedule_that_cannot_be_read_is_refused() {
        let error = schedule("rate(1/parsec)").unwrap_err();
        assert!(error.to_string().contains("rate(1/parsec)"), "{error}");
    }
}
