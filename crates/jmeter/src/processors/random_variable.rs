//! `RandomVariableConfig`: a random number for each iteration.

use std::sync::{Mutex, PoisonError};

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::number_format::decimal;
use super::whole_number;
use crate::compiler::Compiler;
use crate::java_random::JavaRandom;
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
            seeded: seed.map(JavaRandom::new),
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
