//! `CounterConfig`: a number that goes up with each iteration.

use std::sync::{Mutex, PoisonError};

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::number_format::decimal;
use super::whole_number;
use crate::compiler::Compiler;
use crate::user::{StateId, User};

#[derive(Debug)]
pub(super) struct Counter {
    start: Template,
    end: Template,
    increment: Template,
    format: Template,
    variable: Template,
    per_user: bool,
    reset_with_group: bool,
    own: StateId,
    /// The next number for all users, when they share the counter; none before the first.
    shared: Mutex<Option<i64>>,
}

/// One user's own counter.
#[derive(Debug)]
struct Own {
    next: i64,
    /// The iteration of the thread group that it was last used in.
    iteration: u32,
}

impl Counter {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        Self {
            start: compiler.property(element, "CounterConfig.start"),
            end: compiler.property(element, "CounterConfig.end"),
            increment: compiler.property(element, "CounterConfig.incr"),
            format: compiler.property(element, "CounterConfig.format"),
            variable: compiler.property(element, "CounterConfig.name"),
            per_user: element.is("CounterConfig.per_user", false),
            reset_with_group: element.is("CounterConfig.reset_on_tg_iteration", false),
            own: compiler.state(),
            shared: Mutex::default(),
        }
    }

    pub(super) fn iteration_start(&self, user: &mut User) {
        let start = whole_number(&user.render(&self.start));
        let increment = whole_number(&user.render(&self.increment));
        let end = match &*user.render(&self.end) {
            "" => i64::MAX,
            text => whole_number(text),
        };
        let number = if self.per_user {
            self.next_own(user, (start, increment, end))
        } else {
            let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
            let number = shared.filter(|next| *next <= end).unwrap_or(start);
            *shared = Some(number.wrapping_add(increment));
            number
        };
        let text = match &*user.render(&self.format) {
            "" => number.to_string(),
            format => decimal(format, number).unwrap_or_else(|| number.to_string()),
        };
        let variable = user.render(&self.variable);
        user.variables.set(&variable, text);
    }

    fn next_own(&self, user: &mut User, (start, increment, end): (i64, i64, i64)) -> i64 {
        let iteration = user.iteration;
        let make = || Own {
            next: start,
            iteration: 1,
        };
        let own = user.state(self.own, make);
        if self.reset_with_group && own.iteration != iteration {
            own.next = start;
        }
        own.iteration = iteration;
        let number = own.next;
        let next = number.wrapping_add(increment);
        own.next = if next > end { start } else { next };
        number
    }
}
