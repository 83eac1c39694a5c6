//! Thread groups that run together, and the threads that carry their users.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use double11_load::tasks::{self, Signal, Stop, Tasks};

use super::virtual_user::VirtualUser;
use super::{EngineError, StopHandle};
use crate::groups::{Phase, Place, Schedule};
use crate::plan::{Group, Plan};
use crate::results::{Recorder, Reporter};
use crate::run::Run;
use crate::user::{User, Variables};

/// How often a thread hands over what it has while its users send nothing.
const HAND_OVER: Duration = Duration::from_secs(1);

/// Runs thread groups, all at once or one after the other.
pub(super) struct Batches<'a> {
    pub(super) plan: &'a Arc<Plan>,
    pub(super) user: &'a mut User,
    pub(super) recorder: &'a mut Recorder,
    pub(super) stop: &'a StopHandle,
    pub(super) workers: usize,
}

/// A thread group while it runs.
#[derive(Debug)]
pub(super) struct GroupRun {
    pub(super) plan: Arc<Plan>,
    pub(super) run: Arc<Run>,
    /// Its number in the plan, from 0.
    pub(super) index: usize,
    /// Its number in its phase, from 1.
    pub(super) number: u32,
    pub(super) name: Arc<str>,
    /// Users that are running.
    pub(super) active: AtomicU32,
    /// Users that it was planned to have.
    pub(super) planned: u32,
    /// When it started.
    pub(super) started: Duration,
    pub(super) variables: Variables,
    pub(super) timer_factor: f32,
    pub(super) stop: StopHandle,
}

impl GroupRun {
    pub(super) fn group(&self) -> &Group {
        &self.plan.groups[self.index]
    }
}

/// The places of a group's users.
pub(super) fn schedule(group: &Group, user: &mut User) -> Result<Schedule, EngineError> {
    let schedule = group.form.schedule(user);
    schedule.map_err(|source| EngineError::Schedule {
        group: user.render(&group.name).into_owned(),
        source,
    })
}

impl Batches<'_> {
    /// Runs all groups of a phase.
    pub(super) fn phase(&mut self, phase: Phase) -> Result<(), EngineError> {
        let indices: Vec<usize> = self.plan.groups_of(phase).map(|(index, _)| index).collect();
        let numbered: Vec<(usize, u32)> = indices.into_iter().zip(1..).collect();
        let size = if self.plan.serialized {
            1
        } else {
            numbered.len().max(1)
        };
        for groups in numbered.chunks(size) {
            if self.stop.is_requested() {
                break;
            }
            self.batch(groups)?;
        }
        Ok(())
    }

    fn batch(&mut self, groups: &[(usize, u32)]) -> Result<(), EngineError> {
        let mut shares: Vec<Vec<(Arc<GroupRun>, u32, Place)>> = Vec::new();
        shares.resize_with(self.workers, Vec::new);
        let mut next = 0;
        for (index, number) in groups {
            let (group, schedule) = self.start_group(*index, *number)?;
            for (number, place) in (1..).zip(schedule.places) {
                shares[next].push((Arc::clone(&group), number, place));
                next = (next + 1) % self.workers;
            }
        }
        let clock = self.user.run.clock;
        let stop = self.stop.current();
        let mut threads = Vec::new();
        for share in shares {
            if share.is_empty() {
                continue;
            }
            let reporter = self.recorder.reporter();
            let stop = stop.clone();
            let thread = std::thread::Builder::new().name("users".to_owned());
            let thread = thread.spawn(move || work(clock, &stop, reporter, share));
            threads.push(thread.map_err(EngineError::Thread)?);
        }
        let mut outcome = Ok(());
        for thread in threads {
            let ended = thread.join().map_err(|_| EngineError::Panicked);
            outcome = outcome.and(ended.and_then(|ended| ended.map_err(EngineError::Thread)));
        }
        outcome
    }

    fn start_group(
        &mut self,
        index: usize,
        number: u32,
    ) -> Result<(Arc<GroupRun>, Schedule), EngineError> {
        let group = &self.plan.groups[index];
        let schedule = schedule(group, self.user)?;
        let run = Arc::clone(&self.user.run);
        let factor = run.property("timer.factor");
        let started = run.clock.now();
        let group_run = GroupRun {
            plan: Arc::clone(self.plan),
            index,
            number,
            name: self.user.render(&group.name).as_ref().into(),
            active: AtomicU32::new(0),
            planned: u32::try_from(schedule.places.len()).unwrap_or(u32::MAX),
            started,
            variables: self.user.variables.clone(),
            timer_factor: factor
                .and_then(|text| text.trim().parse().ok())
                .unwrap_or(1.0),
            stop: self.stop.clone(),
            run,
        };
        Ok((Arc::new(group_run), schedule))
    }
}

/// One thread and its users, until the last of them is through.
fn work(
    clock: double11_load::clock::RunClock,
    stop: &Stop,
    reporter: Reporter,
    share: Vec<(Arc<GroupRun>, u32, Place)>,
) -> std::io::Result<()> {
    let mut tasks = Tasks::new(clock, stop)?;
    let reporter = Rc::new(RefCell::new(reporter));
    let over = Signal::default();
    let left = Rc::new(std::cell::Cell::new(share.len()));
    for (group, number, place) in share {
        let reporter = Rc::clone(&reporter);
        let left = Rc::clone(&left);
        let over = over.clone();
        tasks.spawn(async move {
            let begins = group.started + place.begins;
            if tasks::sleep_unless_stopping(begins).await.is_ok() {
                // In a box of its own: a user that has not begun is small.
                let user = VirtualUser::new(group, number, place, reporter);
                Box::pin(user.live()).await;
            }
            left.set(left.get() - 1);
            if left.get() == 0 {
                over.notify();
            }
        });
    }
    let waiting = Rc::clone(&reporter);
    tasks.spawn(async move {
        loop {
            let until = clock.now() + HAND_OVER;
            if over.past(0, Some(until)).await != Ok(false) {
                return;
            }
            waiting.borrow_mut().flush();
        }
    });
    tasks.run()
}
