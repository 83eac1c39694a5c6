//! The throughput shaping timer of the plugins: samples a second by rows of rate, rate and duration.
//!
//! Each second has as many turns as the rate says that holds at its beginning, evenly spread; users take
//! them one after the other, and a turn that is late is made up for within its second only. When the rows
//! are over, the thread group ends. The plugin's seconds begin anywhere; these begin with the first user
//! that asks.
//!
//! Source: jmeter-plugins.org, `VariableThroughputTimer` of jpgc-tst 2.5.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use double11_jmx::document::{Element, Property};
use double11_jmx::template::Template;
use double11_load::tasks;

use crate::compiler::Compiler;
use crate::log::Level;
use crate::user::User;

/// The name of the property, and of the list in a plan, that has the rows.
const PROFILE: &str = "load_profile";
/// Rows of a profile in a property at most.
const ROWS_MAX: usize = 100_000;

/// The throughput shaping timer.
#[derive(Debug)]
pub struct ThroughputShaping {
    name: Template,
    /// Rate, rate and duration in seconds, as the plan has them.
    rows: Vec<[Template; 3]>,
    shape: Mutex<Shape>,
}

/// What all users share.
#[derive(Debug, Default)]
struct Shape {
    rows: Option<Vec<Row>>,
    /// When the first user asked.
    begun: Duration,
    /// The second whose turns are given out, from the first user on.
    second: u64,
    /// Turns of it that were given out.
    taken: u64,
    /// Users that wait for their turn.
    waiting: u64,
}

/// A rate that goes over into another one.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Row {
    from: f64,
    to: f64,
    seconds: f64,
}

/// What comes of asking for a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// At this instant of the run's clock.
    At(Duration),
    /// None is left: the rows are over at this instant.
    OverAt(Duration),
}

/// The rows of a profile are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Over;

impl ThroughputShaping {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        compiler.enter(element);
        let mut rows = Vec::new();
        for (_, row) in element.properties.list(PROFILE) {
            if let Property::List(cells) = row {
                let mut cells = cells.iter().filter_map(|(_, cell)| cell.as_text());
                rows.push([(); 3].map(|()| compiler.template(cells.next().unwrap_or_default())));
            }
        }
        Self {
            name: compiler.template(&element.name),
            rows,
            shape: Mutex::default(),
        }
    }

    /// Waits for the user's turn, until `ends` at the latest.
    ///
    /// # Errors
    /// [`Over`] when the rows are over: the user's thread group ends.
    pub async fn wait(&self, user: &mut User, ends: Option<Duration>) -> Result<(), Over> {
        let now = user.run.clock.now();
        let turn = self.turn(user, now);
        let (Turn::At(at) | Turn::OverAt(at)) = turn;
        if at > now {
            let until = ends.map_or(at, |ends| ends.min(at));
            // Whoever is stopped meanwhile sends nothing any more.
            let _until_then_or_the_stop = tasks::sleep_unless_stopping(until).await;
        }
        self.lock().waiting -= 1;
        match turn {
            Turn::At(_) => Ok(()),
            Turn::OverAt(_) if ends.is_some_and(|ends| ends < at) => Ok(()),
            Turn::OverAt(_) => Err(Over),
        }
    }

    fn turn(&self, user: &mut User, now: Duration) -> Turn {
        // Filled in before the lock is taken: functions may take their time.
        let rows = if self.lock().rows.is_none() {
            Some(self.filled_in(user))
        } else {
            None
        };
        let mut shape = self.lock();
        if shape.rows.is_none() {
            shape.begun = now;
            shape.rows = rows;
        }
        shape.waiting += 1;
        let before = (shape.second, shape.taken);
        let turn = shape.turn(now);
        if shape.second != before.0 || before.1 == 0 {
            let told = (shape.rate().max(0.0), shape.waiting, before.1);
            let seconds: f64 = shape.rows.iter().flatten().map(|row| row.seconds).sum();
            drop(shape);
            self.tell(user, seconds, told);
        }
        turn
    }

    /// Sets the properties that functions of the plugins read.
    fn tell(&self, user: &mut User, seconds: f64, (rate, waiting, taken): (f64, u64, u64)) {
        let name = user.render(&self.name).into_owned();
        for (what, value) in [
            ("totalDuration", seconds.to_string()),
            ("cntDelayed", waiting.to_string()),
            ("cntSent", taken.to_string()),
            ("rps", rate.to_string()),
        ] {
            user.run.set_property(&format!("{name}_{what}"), &value);
        }
    }

    /// The rows of the property, if there is one, or else those of the plan.
    fn filled_in(&self, user: &mut User) -> Vec<Row> {
        let name = user.render(&self.name).into_owned();
        let own = user.run.property(&format!("{name}.{PROFILE}"));
        let own = own.filter(|own| !own.is_empty());
        let given = own.or_else(|| user.run.property(PROFILE));
        if let Some(given) = given.filter(|given| !given.is_empty()) {
            let (rows, wrong) = profile(&given);
            for wrong in wrong {
                let text = format!("Wrong load chunk {wrong} will be ignored");
                user.run
                    .log
                    .line(Level::Warn, "VariableThroughputTimer", &text);
            }
            return rows;
        }
        let rows = self.rows.iter().map(|[from, to, seconds]| {
            let mut number = |template| super::decimal(template, user);
            Row {
                from: number(from),
                to: number(to),
                seconds: number(seconds).trunc(),
            }
        });
        rows.collect()
    }

    // What it guards changes in one step; nothing waits with it held.
    fn lock(&self) -> std::sync::MutexGuard<'_, Shape> {
        self.shape.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shape {
    /// The next turn that is not past.
    fn turn(&mut self, now: Duration) -> Turn {
        let gone = now.saturating_sub(self.begun);
        if gone.as_secs() > self.second {
            self.second = gone.as_secs();
            self.taken = 0;
        }
        loop {
            let rate = self.rate();
            let start = self.begun + Duration::from_secs(self.second);
            if rate < 0.0 {
                return Turn::OverAt(start);
            }
            // Even at no rate at all each second has its first turn, as in the plugin.
            let within = if self.taken == 0 {
                0.0
            } else {
                self.taken as f64 / rate
            };
            if within < 1.0 {
                self.taken += 1;
                return Turn::At((start + Duration::from_secs_f64(within)).max(now));
            }
            self.second += 1;
            self.taken = 0;
        }
    }

    /// The rate of the second; less than zero when the rows are over.
    fn rate(&self) -> f64 {
        let mut at = self.second as f64;
        for row in self.rows.iter().flatten() {
            if at <= row.seconds {
                let share = if row.seconds > 0.0 {
                    at / row.seconds
                } else {
                    0.0
                };
                return row.from + share * (row.to - row.from);
            }
            at -= row.seconds;
        }
        -1.0
    }
}

/// Reads `const(10,30s) line(10,100,1m) step(5,25,5,1h)`; the rows, and what of it is wrong.
fn profile(text: &str) -> (Vec<Row>, Vec<String>) {
    let mut rows = Vec::new();
    let mut wrong = Vec::new();
    for chunk in text.split(')').filter(|chunk| !chunk.trim().is_empty()) {
        if chunk_rows(chunk, &mut rows).is_none() {
            wrong.push(chunk.trim().to_owned());
        }
    }
    (rows, wrong)
}

fn chunk_rows(chunk: &str, rows: &mut Vec<Row>) -> Option<()> {
    let parts: Vec<&str> = chunk.split(['(', ',']).map(str::trim).collect();
    let whole = |index: usize| parts.get(index)?.parse::<i32>().ok();
    let time = |index: usize| seconds(parts.get(index)?);
    let row = |from: i32, to: i32, seconds| Row {
        from: f64::from(from),
        to: f64::from(to),
        seconds,
    };
    match parts.first()?.to_ascii_lowercase().as_str() {
        "const" => rows.push(row(whole(1)?, whole(1)?, time(2)?)),
        "line" => rows.push(row(whole(1)?, whole(2)?, time(3)?)),
        "step" => {
            let (from, to, seconds) = (whole(1)?, whole(2)?, time(4)?);
            let step = usize::try_from(whole(3)?).ok().filter(|step| *step > 0)?;
            // Downwards the last one is left out, as in the plugin.
            let rates: Vec<i32> = if from > to {
                (to + 1..=from).rev().step_by(step).take(ROWS_MAX).collect()
            } else {
                (from..=to).step_by(step).take(ROWS_MAX).collect()
            };
            rows.extend(rates.into_iter().map(|rate| row(rate, rate, seconds)));
        }
        _ => return None,
    }
    Some(())
}

/// Seconds out of `90`, `90s` or `1h30m`.
fn seconds(text: &str) -> Option<f64> {
    let mut total = 0.0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit());
        let (digits, after) = rest.split_at(end.unwrap_or(rest.len()));
        let number: f64 = digits.parse().ok()?;
        let mut unit = after.chars();
        total += number
            * match unit.next().map(|unit| unit.to_ascii_lowercase()) {
                None | Some('s') => 1.0,
                Some('m') => 60.0,
                Some('h') => 3_600.0,
                Some('d') => 86_400.0,
                Some(_) => return None,
            };
        rest = unit.as_str().trim_start();
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn row(from: f64, to: f64, seconds: f64) -> Row {
        Row { from, to, seconds }
    }

    fn millis(turn: Turn) -> (bool, u128) {
        match turn {
            Turn::At(at) => (true, at.as_millis()),
            Turn::OverAt(at) => (false, at.as_millis()),
        }
    }

    #[test]
    fn turns_are_spread_over_each_second_until_the_rows_are_over() {
        let mut shape = Shape {
            rows: Some(vec![row(2.0, 4.0, 1.0)]),
            ..Shape::default()
        };
        let now = Duration::ZERO;
        let turns: Vec<_> = (0..7).map(|_| millis(shape.turn(now))).collect();
        // The rate at the beginning is 2; that of the second in which the row ends is 4.
        let expected = [0, 500, 1_000, 1_250, 1_500, 1_750];
        let expected = expected.map(|at| (true, at));
        assert_eq!(turns[..6], expected);
        assert_eq!(turns[6], (false, 2_000));
    }

    #[test]
    fn turns_that_are_late_are_made_up_for_within_their_second() {
        let mut shape = Shape {
            rows: Some(vec![row(4.0, 4.0, 10.0)]),
            ..Shape::default()
        };
        let at = |ms| Duration::from_millis(ms);
        assert_eq!(millis(shape.turn(at(0))), (true, 0));
        assert_eq!(millis(shape.turn(at(900))), (true, 900));
        assert_eq!(millis(shape.turn(at(910))), (true, 910));
        assert_eq!(millis(shape.turn(at(2_300))), (true, 2_300));
        assert_eq!(millis(shape.turn(at(2_300))), (true, 2_300));
        assert_eq!(millis(shape.turn(at(2_300))), (true, 2_500));
    }

    #[test]
    fn no_rate_is_one_turn_a_second() {
        let mut shape = Shape {
            rows: Some(vec![row(0.0, 0.0, 5.0)]),
            ..Shape::default()
        };
        let turns = [(); 3].map(|()| millis(shape.turn(Duration::ZERO)));
        assert_eq!(turns, [(true, 0), (true, 1_000), (true, 2_000)]);
    }

    #[test]
    fn profiles_of_properties_are_read() {
        let check = |text: &str, expected: &[Row], wrong: &[&str]| {
            let (rows, found) = profile(text);
            assert_eq!(rows, expected, "{text}");
            assert_eq!(found, wrong, "{text}");
        };
        check(
            "const(10, 30s) line(1,100,1m)",
            &[row(10.0, 10.0, 30.0), row(1.0, 100.0, 60.0)],
            &[],
        );
        check(
            "step(5,15,5,1h30m)",
            &[
                row(5.0, 5.0, 5_400.0),
                row(10.0, 10.0, 5_400.0),
                row(15.0, 15.0, 5_400.0),
            ],
            &[],
        );
        check(
            "step(3,1,1,9)",
            &[row(3.0, 3.0, 9.0), row(2.0, 2.0, 9.0)],
            &[],
        );
        check(
            "sine(1,2) const(x,1) const(1,5s)",
            &[row(1.0, 1.0, 5.0)],
            &["sine(1,2", "const(x,1"],
        );
        check("step(1,5,0,1s)", &[], &["step(1,5,0,1s"]);
    }
}
