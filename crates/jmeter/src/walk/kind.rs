//! What controllers there are, and what they say.

use std::sync::Mutex;

use double11_jmx::template::Template;

use super::{Child, ControllerId, Hook};
use crate::user::User;
use crate::walk::Condition;

/// A controller of a tree.
#[derive(Debug)]
pub struct Controller {
    /// What it does.
    pub kind: Kind,
    /// Its name.
    pub name: Template,
    /// What stands in it.
    pub children: Vec<Child>,
    /// The controller that it stands in; none for the main loop.
    pub parent: Option<ControllerId>,
    /// Who is told of its iterations, in the order of telling.
    pub hooks: Vec<Hook>,
}

/// What a controller does.
#[derive(Debug)]
pub enum Kind {
    /// One after the other; also what stands for modules, includes and recordings.
    Generic,
    /// So many times.
    Loop {
        /// How many times; -1 is for ever.
        loops: Count,
        /// Whether it may be entered again when it is through.
        forever: bool,
    },
    /// Once for each user, or once for each run of a loop around it.
    OnceOnly,
    /// If something holds.
    If {
        /// What is to hold.
        condition: Condition,
        /// Whether it is asked before each of what stands in it.
        each: bool,
    },
    /// While something holds: a text that is not `false`, or `LAST`, or nothing.
    While(Template),
    /// For each of a row of variables.
    ForEach {
        /// The variables' name before the number.
        input: Template,
        /// The variable that is set.
        output: Template,
        /// Where to begin, less one.
        start: Count,
        /// Where to end.
        end: Option<Count>,
        /// Whether `_` stands before the number.
        separator: bool,
    },
    /// One, by number or name.
    Switch(Template),
    /// One in each iteration, in turn.
    Interleave {
        /// Whether controllers in it are gone through one sampler at a time.
        by_sampler: bool,
        /// Whether users begin at different ones.
        across_users: bool,
    },
    /// One in each iteration, at random.
    Random {
        /// Whether controllers in it are gone through one sampler at a time.
        by_sampler: bool,
    },
    /// All, in random order.
    RandomOrder,
    /// So many times, or in such a share of the iterations.
    Throughput {
        /// Times or share.
        style: ThroughputStyle,
        /// Counts of all users together; none when each counts for itself.
        shared: Option<Mutex<ThroughputCounts>>,
    },
    /// One row in the results for all that stands in it.
    Transaction {
        /// Whether its samples become parts of it.
        parent: bool,
        /// Whether timers count.
        timers: bool,
    },
    /// For so many seconds.
    Runtime(Count),
    /// One user at a time among those with the same lock.
    Critical(Template),
}

/// A number that may have to be filled in.
#[derive(Debug)]
pub enum Count {
    /// Known.
    Fixed(i64),
    /// To be filled in; what is no number is 0.
    Text(Template),
}

/// When a throughput controller lets its children run.
#[derive(Debug)]
pub enum ThroughputStyle {
    /// So many times.
    Times(Count),
    /// In so many of a hundred iterations.
    Percent(Template),
}

/// Counts of a throughput controller.
#[derive(Debug, Clone, Copy)]
pub struct ThroughputCounts {
    /// How often it ran.
    pub executions: i64,
    /// Iterations, less one.
    pub iteration: i64,
}

impl Default for ThroughputCounts {
    fn default() -> Self {
        Self {
            executions: 0,
            iteration: -1,
        }
    }
}

impl Count {
    /// A number, or a text that is filled in to give one.
    pub fn new(template: Template) -> Self {
        match template.literal() {
            Some(text) => Self::Fixed(number(text)),
            None => Self::Text(template),
        }
    }

    /// The number.
    pub fn value(&self, user: &mut User) -> i64 {
        match self {
            Self::Fixed(number) => *number,
            Self::Text(template) => number(&user.render(template)),
        }
    }
}

/// A whole number as `JMeter` reads one of a property: what is none is 0.
fn number(text: &str) -> i64 {
    text.parse::<i32>().map_or(0, i64::from)
}

impl Kind {
    /// Whether loops can be broken or continued here.
    pub(super) fn iterates(&self) -> bool {
        matches!(
            self,
            Self::Loop { .. } | Self::While(_) | Self::ForEach { .. }
        )
    }
}
