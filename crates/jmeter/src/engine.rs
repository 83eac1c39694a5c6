//! Puts it together: threads, users on them, and what each user does from its start to its end.
//!
//! [`begin`] fills in what is filled in once, [`run`] runs the thread groups of a plan phase by phase.
//! Users are tasks of worker threads ([`double11_load::tasks`]); a user stays on its thread. What comes of
//! samplers goes to the reporter of the thread, never over a lock.
//!
//! Source: `JMeter`, `StandardJMeterEngine.run` and `JMeterThread`.

mod arrivals;
mod batch;
mod outline;
mod sampling;
mod stop;
mod transactions;
mod virtual_user;

#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::time::Duration;

pub use outline::{Outline, outline};
pub use stop::StopHandle;

use crate::groups::{Phase, ScheduleError};
use crate::plan::{Group, Plan};
use crate::results::Recorder;
use crate::run::Run;
use crate::user::User;

/// Threads that users are spread over at most, unless more are asked for.
pub const WORKERS_MAX: usize = 8;

/// How a plan is run.
#[derive(Debug, Clone, Copy)]
pub struct EngineOptions {
    /// Threads that users are spread over; as many as there are processors when not given, at most
    /// [`WORKERS_MAX`].
    pub workers: Option<usize>,
}

/// Why a plan could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A thread group cannot start.
    #[error("thread group `{group}`")]
    Schedule {
        /// Its name.
        group: String,
        /// Why.
        #[source]
        source: ScheduleError,
    },
    /// A thread, or what it needs, could not be had.
    #[error("a thread for virtual users cannot be run")]
    Thread(#[source] io::Error),
    /// A thread ended in a panic.
    #[error("a thread of virtual users has panicked")]
    Panicked,
}

/// What is known of a run beside its samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Users that began.
    pub users: u32,
    /// Whether it was stopped before its end.
    pub stopped: bool,
    /// From the start to the end.
    pub duration: Duration,
}

/// Threads that users are spread over where nothing is said.
pub fn workers_by_default() -> usize {
    let processors = std::thread::available_parallelism();
    processors
        .map_or(1, std::num::NonZero::get)
        .min(WORKERS_MAX)
}

/// The one who fills in what is filled in once, such as the variables of the plan; its variables are
/// those that all users begin with.
pub fn begin(plan: &Plan, run: &Arc<Run>) -> User {
    let mut user = User::new(run, "", 0, 0);
    let now = run.clock.wall(run.clock.now()).millis().to_string();
    if run.property("START.MS").is_none() {
        run.set_property("START.MS", &now);
    }
    run.set_property("TESTSTART.MS", &now);
    for name in ["START.MS", "START.YMD", "START.HMS", "TESTSTART.MS"] {
        if let Some(value) = run.property(name) {
            user.variables.set(name, value);
        }
    }
    for set in &plan.variables {
        let filled: Vec<(String, String)> = set
            .0
            .iter()
            .map(|(name, value)| {
                let name = user.render(name).into_owned();
                (name, user.render(value).into_owned())
            })
            .collect();
        for (name, value) in filled {
            user.variables.set(&name, value);
        }
    }
    user
}

/// Checks that every thread group can start, before anything is sent.
///
/// # Errors
/// [`EngineError::Schedule`] for the first that cannot.
pub fn check(plan: &Plan, user: &mut User) -> Result<(), EngineError> {
    for group in &plan.groups {
        batch::schedule(group, user)?;
    }
    Ok(())
}

/// Runs a plan to its end.
///
/// # Errors
/// [`EngineError`] when a thread group cannot start, or a thread cannot be run.
pub fn run(
    plan: &Arc<Plan>,
    mut user: User,
    recorder: &mut Recorder,
    stop: &StopHandle,
    options: EngineOptions,
) -> Result<Summary, EngineError> {
    let workers = options.workers.unwrap_or_else(workers_by_default);
    let run = Arc::clone(&user.run);
    let mut batches = batch::Batches {
        plan,
        user: &mut user,
        recorder,
        stop,
        workers: workers.max(1),
    };
    batches.phase(Phase::SetUp)?;
    let stopped_before = stop.is_requested();
    if !stopped_before {
        let _first = run.main_began.set(run.clock.now());
        batches.phase(Phase::Main)?;
        let _first = run.main_ended.set(run.clock.now());
    }
    let stopped = stop.is_requested();
    if !stopped || (!stopped_before && plan.tear_down_on_stop) {
        stop.begin_anew();
        batches.phase(Phase::TearDown)?;
    }
    Ok(Summary {
        users: run.started.load(std::sync::atomic::Ordering::Relaxed),
        stopped,
        duration: run.clock.now(),
    })
}

impl Plan {
    /// The groups of a phase, each with its number in the plan.
    pub(crate) fn groups_of(&self, phase: Phase) -> impl Iterator<Item = (usize, &Group)> {
        let groups = self.groups.iter().enumerate();
        groups.filter(move |(_, group)| group.phase == phase)
    }
}
