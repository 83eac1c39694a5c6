//! The precise throughput timer: a given number of samples in a given time, at random instants.
//!
//! All users of a thread group draw their turns from one list, that of the first such timer they met.
//! Turns are drawn evenly over a span and then sorted, which makes of them a Poisson process of which
//! exactly the wanted number falls into the span.
//!
//! Source: `JMeter` 5.5, `PreciseThroughputTimer.delay` and `ConstantPoissonProcessGenerator`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::{Active, decimal, whole};
use crate::compiler::Compiler;
use crate::java_random::JavaRandom;
use crate::user::User;

/// Turns that are drawn at once at most; of more, a shorter span is drawn.
const TURNS_MAX: f64 = 1_000_000.0;
/// Throughputs that differ by less are the same.
const PRECISION: f64 = 0.000_01;

/// The precise throughput timer.
#[derive(Debug)]
pub struct PreciseThroughput {
    throughput: Template,
    /// Seconds that the throughput is for.
    period: Template,
    /// Seconds within which the number of samples is exact.
    duration: Template,
    batch_size: Template,
    seed: Template,
}

/// The turns of the thread groups, by their numbers.
#[derive(Debug, Default)]
struct Groups(Mutex<HashMap<u32, Turns>>);

/// The turns of one group, in seconds since its start.
#[derive(Debug)]
struct Turns {
    random: JavaRandom,
    /// The next ones, the last to come first.
    next: Vec<f64>,
    /// Where the turns end that are drawn.
    drawn_until: f64,
    throughput: f64,
    /// The turn that the batch shares, and how many of it are left.
    batch: (f64, i64),
}

impl PreciseThroughput {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        let mut read = |name, default| {
            compiler.enter(element);
            compiler.template(element.text_or(name, default))
        };
        Self {
            throughput: read("throughput", "100"),
            period: read("throughputPeriod", "3600"),
            duration: read("duration", "3600"),
            batch_size: read("batchSize", "1"),
            seed: read("randomSeed", "0"),
        }
    }

    /// How many milliseconds are left until the user's turn.
    pub(super) fn delay(&self, user: &mut User, active: Active) -> i64 {
        let throughput = decimal(&self.throughput, user) / decimal(&self.period, user);
        if !throughput.is_finite() || throughput <= 0.0 {
            // No turn ever comes.
            return i64::MAX;
        }
        let duration = decimal(&self.duration, user).max(1.0);
        let batch_size = whole(&self.batch_size, user).max(1);
        let seed = match whole(&self.seed, user) {
            0 => user.random.bits().cast_signed(),
            seed => seed,
        };
        let groups: Arc<Groups> = user.run.named("PreciseThroughputTimer".to_owned());
        let mut groups = groups.0.lock().unwrap_or_else(PoisonError::into_inner);
        let turns = groups.entry(active.group_number);
        let turns = turns.or_insert_with(|| Turns::new(seed));
        let turn = turns.next(throughput, duration, batch_size);
        drop(groups);
        let gone = user.run.clock.now().saturating_sub(active.group_started);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "what is too long becomes the longest there is"
        )]
        let left = ((turn - gone.as_secs_f64()) * 1_000.0) as i64;
        left.max(0)
    }
}

impl Turns {
    fn new(seed: i64) -> Self {
        Self {
            random: JavaRandom::new(seed),
            next: Vec::new(),
            drawn_until: 0.0,
            throughput: 0.0,
            batch: (0.0, 0),
        }
    }

    /// The next turn; `batch_size` users in a row share one.
    fn next(&mut self, throughput: f64, duration: f64, batch_size: i64) -> f64 {
        let changed = (throughput - self.throughput).abs() >= PRECISION;
        if self.batch.1 > 0 && !changed {
            self.batch.1 -= 1;
            return self.batch.0;
        }
        if self.next.is_empty() || changed {
            self.throughput = throughput;
            self.draw(throughput / batch_size as f64, duration);
        }
        let turn = self.next.pop().unwrap_or(self.drawn_until);
        self.batch = (turn, batch_size - 1);
        turn
    }

    fn draw(&mut self, per_second: f64, duration: f64) {
        let span = duration.min((TURNS_MAX / per_second).max(1.0));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of turns of at most a million, or of one second"
        )]
        let count = (per_second * span).ceil() as usize;
        self.next.clear();
        for _ in 0..count {
            let at = self.drawn_until + self.random.unit() * span;
            self.next.push(at);
        }
        self.next.sort_by(|one, other| other.total_cmp(one));
        self.drawn_until += span;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(throughput: f64, duration: f64, batch_size: i64, count: usize) -> Vec<f64> {
        let mut turns = Turns::new(7);
        let turns = (0..count).map(|_| turns.next(throughput, duration, batch_size));
        turns.collect()
    }

    #[test]
    fn each_span_has_exactly_its_number_of_turns() {
        let drawn = turns(20.0, 2.0, 1, 120);
        assert!(drawn.is_sorted());
        for (span, drawn) in drawn.chunks(40).enumerate() {
            let (from, to) = (2.0 * span as f64, 2.0 * (span + 1) as f64);
            assert!(drawn.iter().all(|at| (from..to).contains(at)), "{drawn:?}");
        }
        assert_eq!(drawn, turns(20.0, 2.0, 1, 120), "by the seed");
    }

    #[test]
    fn a_batch_shares_a_turn() {
        let drawn = turns(6.0, 2.0, 3, 12);
        for batch in drawn.chunks(3) {
            assert!((batch[0] - batch[2]).abs() < f64::EPSILON, "{drawn:?}");
        }
        assert!(drawn[2] < drawn[3] && drawn[11] < 2.0, "{drawn:?}");
    }

    #[test]
    fn another_throughput_draws_anew() {
        let mut turns = Turns::new(7);
        assert!(turns.next(1.0, 10.0, 1) < 10.0);
        assert!(turns.next(100.0, 10.0, 1) >= 10.0);
    }

    #[test]
    fn a_flood_is_drawn_in_pieces() {
        let mut turns = Turns::new(7);
        turns.next(10_000.0, 3_600.0, 1);
        assert_eq!(turns.next.len(), 999_999);
        assert!((turns.drawn_until - 100.0).abs() < 1e-9);
    }
}
