//! The ordinary thread group, also to set up and to tear down.

use std::time::Duration;

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::schedule::{Place, Schedule, ScheduleError, seconds, users};
use crate::compiler::Compiler;
use crate::user::User;

/// So many users, begun evenly over a time.
#[derive(Debug)]
pub struct Threads {
    count: Template,
    ramp: Template,
    scheduled: bool,
    duration: Template,
    delay: Template,
}

impl Threads {
    /// Reads the numbers of a thread group.
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        Self {
            count: compiler.property(element, "ThreadGroup.num_threads"),
            ramp: compiler.property(element, "ThreadGroup.ramp_time"),
            scheduled: element.is("ThreadGroup.scheduler", false),
            duration: compiler.property(element, "ThreadGroup.duration"),
            delay: compiler.property(element, "ThreadGroup.delay"),
        }
    }

    pub(super) fn schedule(&self, user: &mut User) -> Result<Schedule, ScheduleError> {
        let count = users(&self.count, user)?;
        let ramp = seconds("the ramp-up time", &self.ramp, user, 0)?;
        let mut delay = Duration::ZERO;
        let mut ends = None;
        if self.scheduled {
            delay = seconds("the delay before the start", &self.delay, user, 0)?;
            ends = Some(delay + seconds("the duration", &self.duration, user, 1)?);
        }
        let step = step(ramp, count);
        let places = (0..count).map(|number| Place {
            begins: delay + step * number,
            ends,
        });
        Ok(Schedule {
            places: places.collect(),
            ..Schedule::default()
        })
    }
}

/// From one user's start to the next, in whole milliseconds, rounded as a Java `float` is.
fn step(ramp: Duration, count: u32) -> Duration {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a time of at most a hundred years in milliseconds, as a float has it"
    )]
    let step = (ramp.as_millis() as f32 / count.max(1) as f32 + 0.5).floor() as u64;
    Duration::from_millis(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_even_in_whole_milliseconds() {
        let check = |ramp, count, expected| {
            let step = step(Duration::from_secs(ramp), count);
            assert_eq!(step, Duration::from_millis(expected), "{ramp} s, {count}");
        };
        check(300, 1_000, 300);
        check(1, 3, 333);
        check(2, 3, 667);
        check(0, 5, 0);
        check(1, 0, 1_000);
        check(5, 1, 5_000);
    }
}
