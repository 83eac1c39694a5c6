//! Thread groups: how many users, when they begin, and when they end.
//!
//! A [`Form`] is what the plan says, with texts still to be filled in; [`Form::schedule`] is made of it
//! when the group starts, by the properties of the run.
//!
//! Source: `JMeter`, `ThreadGroup.start` and `scheduleThread`; for the others the plugins' thread groups.

mod arrivals;
mod open_model;
mod planned;
mod schedule;
mod threads;

use double11_jmx::document::Element;

pub use arrivals::{ArrivalRate, FreeForm};
pub use open_model::OpenModel;
pub use planned::{Concurrency, Stepping, Ultimate};
pub use schedule::{Arrivals, Instants, Place, Schedule, ScheduleError};
pub use threads::Threads;

use crate::compiler::Compiler;
use crate::user::User;
use crate::walk::{Count, Kind};

/// Users that one group may have at most. `JMeter` has no limit but that of its threads.
pub const USERS_MAX: i64 = 1_000_000;

/// When a group runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Before all others.
    SetUp,
    /// The test itself.
    Main,
    /// When all others are over.
    TearDown,
}

/// What a plan says of the users of a group.
#[derive(Debug)]
pub enum Form {
    /// So many, begun evenly over a time.
    Threads(Threads),
    /// Rows of users, each with its own times.
    Ultimate(Ultimate),
    /// Users in steps.
    Stepping(Stepping),
    /// So many at a time.
    Concurrency(Concurrency),
    /// So many arrivals in a time.
    Arrivals(ArrivalRate),
    /// Rows of arrivals.
    FreeForm(FreeForm),
    /// A schedule of arrivals.
    OpenModel(OpenModel),
}

const ULTIMATE: &str = "kg.apc.jmeter.threads.UltimateThreadGroup";
const STEPPING: &str = "kg.apc.jmeter.threads.SteppingThreadGroup";
const CONCURRENCY: &str = "com.blazemeter.jmeter.threads.concurrency.ConcurrencyThreadGroup";
const ARRIVALS: &str = "com.blazemeter.jmeter.threads.arrivals.ArrivalsThreadGroup";
const FREE_FORM: &str = "com.blazemeter.jmeter.threads.arrivals.FreeFormArrivalsThreadGroup";
const OPEN_MODEL: &str = "OpenModelThreadGroup";

/// Whether elements of this class are thread groups.
pub fn is_group(class: &str) -> bool {
    phase(class).is_some()
}

fn phase(class: &str) -> Option<Phase> {
    match class {
        "SetupThreadGroup" => Some(Phase::SetUp),
        "PostThreadGroup" => Some(Phase::TearDown),
        "ThreadGroup" | ULTIMATE | STEPPING | CONCURRENCY | ARRIVALS | FREE_FORM | OPEN_MODEL => {
            Some(Phase::Main)
        }
        _ => None,
    }
}

/// Reads a thread group.
pub fn compile(element: &Element, compiler: &mut Compiler) -> Option<(Phase, Form)> {
    let phase = phase(&element.class)?;
    let form = match element.class.as_str() {
        ULTIMATE => Form::Ultimate(Ultimate::compile(element, compiler)),
        STEPPING => Form::Stepping(Stepping::compile(element, compiler)),
        CONCURRENCY => Form::Concurrency(Concurrency::compile(element, compiler)),
        ARRIVALS => Form::Arrivals(ArrivalRate::compile(element, compiler)),
        FREE_FORM => Form::FreeForm(FreeForm::compile(element, compiler)),
        OPEN_MODEL => Form::OpenModel(OpenModel::compile(element, compiler)),
        _ => Form::Threads(Threads::compile(element, compiler)),
    };
    Some((phase, form))
}

/// Whether each iteration of such a group is an arrival, which the engine counts and no loop does.
pub fn takes_arrivals(class: &str) -> bool {
    matches!(class, ARRIVALS | FREE_FORM | OPEN_MODEL)
}

/// The main loop of a group whose main controller is no loop: it ends when the group does, or after the
/// iterations that a concurrency thread group gives each user.
pub fn main_loop(element: &Element, compiler: &mut Compiler) -> Kind {
    let iterations = compiler.property(element, "Iterations");
    Kind::Loop {
        loops: if iterations.is_empty() {
            Count::Fixed(-1)
        } else {
            Count::new(iterations)
        },
        forever: false,
    }
}

impl Form {
    /// The places of the group's users, filled in by `user`, which is none of them.
    ///
    /// # Errors
    /// [`ScheduleError`] when a number is none, or out of range.
    pub fn schedule(&self, user: &mut User) -> Result<Schedule, ScheduleError> {
        match self {
            Self::Threads(threads) => threads.schedule(user),
            Self::Ultimate(threads) => threads.schedule(user),
            Self::Stepping(threads) => threads.schedule(user),
            Self::Concurrency(threads) => threads.schedule(user),
            Self::Arrivals(arrivals) => arrivals.schedule(user),
            Self::FreeForm(arrivals) => arrivals.schedule(user),
            Self::OpenModel(arrivals) => arrivals.schedule(user),
        }
    }

    /// What stands behind the group's name in the names of its users.
    pub fn suffix(&self) -> &'static str {
        match self {
            Self::Concurrency(_) | Self::Arrivals(_) | Self::FreeForm(_) => "-ThreadStarter",
            _ => "",
        }
    }
}
