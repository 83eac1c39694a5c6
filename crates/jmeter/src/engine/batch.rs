//! Thread groups that run together, and the threads that carry their users.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use double11_load::tasks::{self, Signal, Stop, StopLevel, Tasks};

use super::arrivals::{self, ArrivalShare};
use super::virtual_user::VirtualUser;
use super::{EngineError, StopHandle};
use crate::groups::{Phase, Place, Schedule};
use crate::plan::{Group, Plan};
use crate::results::{Recorder, Reporter};
use crate::run::Run;
use crate::user::{User, Variables};

/// How often a thread hands over what it has while its users send nothing.
const HAND_OVER: Duration = Duration::from_secs(1);
/// How soon another user takes the place of one that has ended.
const REPLACED_AFTER: Duration = Duration::from_millis(1);

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
    /// Whether another user takes the place of one that ends before its time.
    replaces: bool,
    /// Users that were made beside those that were planned, and those of arrivals that are busy.
    pub(super) created: AtomicU32,
    pub(super) busy: AtomicU32,
    /// Whether an element ended the group.
    over: AtomicBool,
}

/// What one thread is to do.
#[derive(Default)]
struct Share {
    places: Vec<(Arc<GroupRun>, u32, Place)>,
    arrivals: Vec<ArrivalShare>,
}

/// A thread that carries users.
pub(super) struct Thread {
    reporter: Rc<RefCell<Reporter>>,
    /// Tasks that are not through.
    left: Cell<usize>,
    /// Told when there are none.
    over: Signal,
}

impl GroupRun {
    /// Whether an element ended the group.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Ends all users of the group when their samples are over.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

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
        let mut shares: Vec<Share> = Vec::new();
        shares.resize_with(self.workers, Share::default);
        let mut next = 0;
        for (index, number) in groups {
            let (group, schedule) = self.start_group(*index, *number)?;
            for (number, place) in (1..).zip(schedule.places) {
                shares[next]
                    .places
                    .push((Arc::clone(&group), number, place));
                next = (next + 1) % self.workers;
            }
            let Some(arrivals) = schedule.arrivals else {
                continue;
            };
            for (thread, share) in shares.iter_mut().enumerate() {
                share.arrivals.push(ArrivalShare {
                    group: Arc::clone(&group),
                    arrivals: arrivals.clone(),
                    thread,
                    threads: self.workers,
                });
            }
        }
        let clock = self.user.run.clock;
        let stop = self.stop.current();
        let mut threads = Vec::new();
        let mut outcome = Ok(());
        for share in shares {
            if share.is_empty() {
                continue;
            }
            let reporter = self.recorder.reporter();
            let stop = stop.clone();
            let thread = std::thread::Builder::new().name("users".to_owned());
            let thread = thread.spawn(move || work(clock, &stop, reporter, share));
            match thread {
                Ok(thread) => threads.push(thread),
                Err(source) => {
                    // Those that run must not go on without the rest.
                    self.stop.request(StopLevel::Now);
                    outcome = Err(EngineError::Thread(source));
                    break;
                }
            }
        }
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
        let mut schedule = schedule(group, self.user)?;
        let run = Arc::clone(&self.user.run);
        let factor = run.property("timer.factor");
        let started = run.clock.now();
        if let Some(ends) = run.ends.filter(|_| group.phase != Phase::TearDown) {
            schedule.end_by(ends.saturating_sub(started));
        }
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
            replaces: schedule.replaces,
            created: AtomicU32::new(0),
            busy: AtomicU32::new(0),
            over: AtomicBool::new(false),
            run,
        };
        Ok((Arc::new(group_run), schedule))
    }
}

impl Share {
    fn is_empty(&self) -> bool {
        self.places.is_empty() && self.arrivals.is_empty()
    }
}

impl Thread {
    /// Who takes what comes of samplers on this thread.
    pub(super) fn reporter(&self) -> Rc<RefCell<Reporter>> {
        Rc::clone(&self.reporter)
    }

    /// Lets a user live, from within a task.
    pub(super) fn spawn(self: &Rc<Self>, user: VirtualUser) {
        self.left.set(self.left.get() + 1);
        let thread = Rc::clone(self);
        tasks::spawn(async move {
            Box::pin(user.live()).await;
            thread.leave();
        });
    }

    /// A task is through.
    fn leave(&self) {
        self.left.set(self.left.get() - 1);
        if self.left.get() == 0 {
            self.over.notify();
        }
    }
}

/// A user at its place, and those who take it when it ends before its time, where the group wants that.
async fn live(group: &Arc<GroupRun>, number: u32, place: Place, thread: &Rc<Thread>) {
    let ends = place.ends.map(|ends| group.started + ends);
    let mut number = number;
    loop {
        // In a box of its own: a user that has not begun is small.
        let user = VirtualUser::new(Arc::clone(group), number, place, thread.reporter());
        Box::pin(user.live()).await;
        let now = group.run.clock.now();
        let is_early = ends.is_some_and(|ends| now < ends);
        if !(group.replaces && is_early) || group.is_over() {
            return;
        }
        if tasks::sleep_unless_stopping(now + REPLACED_AFTER)
            .await
            .is_err()
        {
            return;
        }
        number = group.planned + group.created.fetch_add(1, Ordering::Relaxed) + 1;
    }
}

/// One thread and its users, until the last of them is through.
fn work(
    clock: double11_load::clock::RunClock,
    stop: &Stop,
    reporter: Reporter,
    share: Share,
) -> std::io::Result<()> {
    let mut tasks = Tasks::new(clock, stop)?;
    let thread = Rc::new(Thread {
        reporter: Rc::new(RefCell::new(reporter)),
        left: Cell::new(share.places.len() + share.arrivals.len()),
        over: Signal::default(),
    });
    for (group, number, place) in share.places {
        let thread = Rc::clone(&thread);
        tasks.spawn(async move {
            let begins = group.started + place.begins;
            let is_due = tasks::sleep_unless_stopping(begins).await.is_ok();
            if is_due && !group.is_over() {
                live(&group, number, place, &thread).await;
            }
            thread.leave();
        });
    }
    for arrivals in share.arrivals {
        let thread = Rc::clone(&thread);
        tasks.spawn(async move {
            arrivals::give_out(arrivals, Rc::clone(&thread)).await;
            thread.leave();
        });
    }
    tasks.spawn(async move {
        loop {
            let until = clock.now() + HAND_OVER;
            if thread.over.past(0, Some(until)).await != Ok(false) {
                return;
            }
            thread.reporter.borrow_mut().flush();
        }
    });
    tasks.run()
}
