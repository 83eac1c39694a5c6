//! Timers: what users wait for before a sampler.
//!
//! The delays of all timers in scope add up, and a user waits once for their sum.
//!
//! Source: `JMeter`, `org.apache.jmeter.timers`.

mod meeting;
mod precise;
mod random;
mod shaping;
mod throughput;

use std::time::Duration;

use double11_jmx::document::Element;
use double11_jmx::template::Template;

pub use meeting::Meeting;
pub use precise::PreciseThroughput;
pub use shaping::{Over, ThroughputShaping};
pub use throughput::{ConstantThroughput, Mode};

use crate::compiler::Compiler;
use crate::user::User;

/// A timer of a plan.
#[derive(Debug)]
pub struct Timer(Kind);

#[derive(Debug)]
enum Kind {
    Constant(Template),
    Uniform { delay: Template, range: Template },
    Gaussian { delay: Template, range: Template },
    Poisson { delay: Template, range: Template },
    Throughput(ConstantThroughput),
    Precise(PreciseThroughput),
    Meeting(Meeting),
    Shaping(ThroughputShaping),
}

const SHAPING: &str = "kg.apc.jmeter.timers.VariableThroughputTimer";

/// What a timer wants.
#[derive(Debug)]
pub enum Delay<'a> {
    /// So many milliseconds; the factor of `timer.factor` applies.
    Modifiable(i64),
    /// So many milliseconds, whatever the factor.
    Fixed(i64),
    /// That others come too.
    Meeting(&'a Meeting),
    /// A turn among those of all users.
    Shaping(&'a ThroughputShaping),
}

/// How many users there are when a timer asks.
#[derive(Debug, Clone, Copy)]
pub struct Active {
    /// In all groups.
    pub all: u32,
    /// In the user's group.
    pub group: u32,
    /// The number of the user's group in the plan.
    pub group_number: u32,
    /// Users that the group was planned to have.
    pub group_planned: u32,
    /// When the group started, on the run's clock.
    pub group_started: Duration,
}

impl Timer {
    /// Reads a timer; `None` when the element is none.
    pub fn compile(element: &Element, compiler: &mut Compiler) -> Option<Self> {
        let delay = "ConstantTimer.delay";
        let range = "RandomTimer.range";
        let kind = match element.class.as_str() {
            "ConstantTimer" => Kind::Constant(compiler.property(element, delay)),
            "UniformRandomTimer" => Kind::Uniform {
                delay: compiler.property(element, delay),
                range: compiler.property(element, range),
            },
            "GaussianRandomTimer" => Kind::Gaussian {
                delay: compiler.property(element, delay),
                range: compiler.property(element, range),
            },
            "PoissonRandomTimer" => Kind::Poisson {
                delay: compiler.property(element, delay),
                range: compiler.property(element, range),
            },
            "ConstantThroughputTimer" => {
                Kind::Throughput(ConstantThroughput::compile(element, compiler))
            }
            "PreciseThroughputTimer" => {
                Kind::Precise(PreciseThroughput::compile(element, compiler))
            }
            SHAPING => Kind::Shaping(ThroughputShaping::compile(element, compiler)),
            "SyncTimer" => Kind::Meeting(Meeting::compile(element, compiler)),
            _ => return None,
        };
        Some(Self(kind))
    }

    /// What it wants before the next sampler.
    pub fn delay(&self, user: &mut User, active: Active) -> Delay<'_> {
        match &self.0 {
            Kind::Constant(delay) => Delay::Fixed(whole(delay, user)),
            Kind::Uniform { delay, range } => {
                let range = decimal(range, user);
                let delay = whole(delay, user);
                Delay::Modifiable(random::uniform(&mut user.random, delay, range))
            }
            Kind::Gaussian { delay, range } => {
                let range = decimal(range, user);
                let delay = whole(delay, user);
                Delay::Modifiable(random::gaussian(&mut user.random, delay, range))
            }
            Kind::Poisson { delay, range } => {
                let range = decimal(range, user);
                let delay = whole(delay, user);
                Delay::Modifiable(random::poisson(&mut user.random, delay, range))
            }
            Kind::Throughput(timer) => Delay::Fixed(timer.delay(user, active)),
            Kind::Precise(timer) => Delay::Fixed(timer.delay(user, active)),
            Kind::Meeting(meeting) => Delay::Meeting(meeting),
            Kind::Shaping(shaping) => Delay::Shaping(shaping),
        }
    }
}

/// A whole number of milliseconds; what is none is 0.
fn whole(template: &Template, user: &mut User) -> i64 {
    user.render(template).parse().unwrap_or(0)
}

/// A number; what is none is 0.
fn decimal(template: &Template, user: &mut User) -> f64 {
    user.render(template).trim().parse().unwrap_or(0.0)
}
