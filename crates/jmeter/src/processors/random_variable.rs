//! `RandomVariableConfig`: a random number for each iteration.

use std::sync::{Mutex, PoisonError};

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::number_format::decimal;
use super::whole_number;
use crate::compiler::Compiler;
use crate::user::{StateId, User};

#[derive(Debug)]
pub(super) struct RandomVariable {
    minimum: Template,
    maximum: Template,
    variable: Template,
    format: Template,
    seed: Template,
    per_user: bool,
    own: StateId,
    /// The numbers of all users, when they share them; none before the first.
    shared: Mutex<Option<Numbers>>,
}

/// Random numbers of a range; without a seed they are the user's.
#[derive(Debug, Clone)]
struct Numbers {
    minimum: i64,
    /// How many there are to choose from; none when the range is empty.
    range: Option<i32>,
    seeded: Option<JavaRandom>,
}

/// The generator of `java.util.Random`, so that a seed gives the numbers that it gives there.
#[derive(Debug, Clone)]
struct JavaRandom(u64);

impl RandomVariable {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        Self {
            minimum: compiler.property(element, "minimumValue"),
            maximum: compiler.property(element, "maximumValue"),
            variable: compiler.property(element, "variableName"),
            format: compiler.property(element, "outputFormat"),
            seed: compiler.property(element, "randomSeed"),
            per_user: element.is("perThread", false),
            own: compiler.state(),
            shared: Mutex::default(),
        }
    }

    pub(super) fn iteration_start(&self, user: &mut User) {
        let number = if self.per_user {
            let own = user.state::<Option<Numbers>>(self.own, || None).take();
            let mut numbers = own.unwrap_or_else(|| self.numbers(user));
            let number = numbers.next(user);
            *user.state::<Option<Numbers>>(self.own, || None) = Some(numbers);
            number
        } else {
            let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
            shared.get_or_insert_with(|| self.numbers(user)).next(user)
        };
        let Some(number) = number else {
            return;
        };
        let text = match &*user.render(&self.format) {
            "" => number.to_string(),
            format => decimal(format, number).unwrap_or_else(|| number.to_string()),
        };
        let variable = user.render(&self.variable);
        user.variables.set(&variable, text);
    }

    fn numbers(&self, user: &mut User) -> Numbers {
        let minimum = whole_number(&user.render(&self.minimum));
        let maximum = whole_number(&user.render(&self.maximum));
        let range = (minimum <= maximum).then(|| {
            let range = i128::from(maximum) - i128::from(minimum) + 1;
            i32::try_from(range).unwrap_or(i32::MAX)
        });
        let seed = user.render(&self.seed).parse().ok();
        Numbers {
            minimum,
            range,
            seeded: seed.map(JavaRandom::seeded),
        }
    }
}

impl Numbers {
    fn next(&mut self, user: &mut User) -> Option<i64> {
        let range = self.range?;
        let offset = if let Some(seeded) = &mut self.seeded {
            i64::from(seeded.below(range))
        } else {
            let most = u64::from(range.unsigned_abs()) - 1;
            i64::try_from(user.random.between(0, most)).unwrap_or_default()
        };
        Some(self.minimum.wrapping_add(offset))
    }
}

impl JavaRandom {
    /// Source: the documentation of `java.util.Random`, `setSeed`.
    fn seeded(seed: i64) -> Self {
        Self((seed.cast_unsigned() ^ 0x5_DEEC_E66D) & ((1 << 48) - 1))
    }

    /// The next 31 bits. Source: the same, `next`.
    fn bits(&mut self) -> i32 {
        self.0 = self.0.wrapping_mul(0x5_DEEC_E66D).wrapping_add(0xB) & ((1 << 48) - 1);
        i32::try_from(self.0 >> 17).unwrap_or_default()
    }

    /// A number from zero up to `bound`, which is greater than zero. Source: the same, `nextInt`.
    fn below(&mut self, bound: i32) -> i32 {
        if bound & bound.wrapping_neg() == bound {
            let scaled = (i64::from(bound) * i64::from(self.bits())) >> 31;
            return i32::try_from(scaled).unwrap_or_default();
        }
        loop {
            let bits = self.bits();
            let number = bits % bound;
            if bits.wrapping_sub(number).wrapping_add(bound - 1) >= 0 {
                return number;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::JavaRandom;

    #[test]
    fn a_seed_gives_the_numbers_of_java() {
        let mut random = JavaRandom::seeded(42);
        let numbers: Vec<i32> = (0..5).map(|_| random.below(100)).collect();
        assert_eq!(numbers, [30, 63, 48, 84, 70]);
    }
}
