//! One user, from its start to its end.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use double11_load::tasks::{self, StopLevel};

use super::arrivals::{Claim, Pool};
use super::batch::GroupRun;
use crate::groups::Place;
use crate::plan::{IterationHook, OnSampleError};
use crate::processors::Next;
use crate::results::Reporter;
use crate::user::User;
use crate::walk::{Iterations, LoopAction, SamplerId, Step, Stop, Walk};

/// The variable that tells whether the last sample was a success.
const LAST_SAMPLE_OK: &str = "JMeterThread.last_sample_ok";
/// How long a user whose controllers find nothing lets others go first.
const PAUSE: Duration = Duration::from_millis(1);

/// A user while it runs.
pub(super) struct VirtualUser {
    pub(super) group: Arc<GroupRun>,
    pub(super) user: User,
    pub(super) walk: Walk,
    pub(super) reporter: Rc<RefCell<Reporter>>,
    /// When it ends at the latest.
    pub(super) ends: Option<Duration>,
    pub(super) running: bool,
    /// What a sampler or a reaction wants of the loops around.
    pub(super) action: Option<LoopAction>,
    /// What the variable of the last sample says.
    last_ok: bool,
    /// The sampler that ran last.
    pub(super) last_sampler: Option<SamplerId>,
    /// Where its iterations come from, when they are arrivals, and the one that it runs.
    arrivals: Option<Rc<Pool>>,
    claim: Option<Claim>,
}

/// Tells elements of iterations.
struct Beginnings<'a>(&'a GroupRun);

impl Iterations for Beginnings<'_> {
    fn user(&mut self, user: &mut User) -> Result<(), Stop> {
        user.iteration += 1;
        let group = self.0.group();
        let plan = &self.0.plan;
        plan.elements.http.iteration_start(user, group.same_user);
        for manager in &group.managers {
            plan.elements.managers[*manager as usize].iteration_start(user, group.same_user);
        }
        Ok(())
    }

    fn data(&mut self, data: u32, user: &mut User) -> Result<(), Stop> {
        let elements = &self.0.plan.elements;
        match elements.hooks[data as usize] {
            IterationHook::Data(number) => {
                match elements.data[number as usize].iteration_start(user) {
                    Next::Continue => Ok(()),
                    Next::StopUser => Err(Stop::User),
                }
            }
            IterationHook::Pre(number) => {
                elements.pre[number as usize].iteration_start(user);
                Ok(())
            }
        }
    }
}

impl VirtualUser {
    pub(super) fn new(
        group: Arc<GroupRun>,
        number: u32,
        place: Place,
        reporter: Rc<RefCell<Reporter>>,
    ) -> Self {
        let mut user = User::new(&group.run, &group.name, group.number, number);
        let suffix = group.group().form.suffix();
        if !suffix.is_empty() {
            let name = format!("{}{suffix} {}-{number}", group.name, group.number);
            user.thread_name = name.into();
        }
        user.variables = group.variables.clone();
        user.variables.set(LAST_SAMPLE_OK, "true");
        let same_user = group.group().same_user.to_string();
        user.variables.set("__jmv_SAME_USER", same_user);
        let walk = Walk::new(&group.group().tree, &mut user);
        Self {
            ends: place.ends.map(|ends| group.started + ends),
            group,
            user,
            walk,
            reporter,
            running: true,
            action: None,
            last_ok: true,
            last_sampler: None,
            arrivals: None,
            claim: None,
        }
    }

    /// Runs an iteration for each arrival that it is given, from the first one on.
    pub(super) fn take_arrivals(&mut self, pool: &Rc<Pool>, first: Claim) {
        self.arrivals = Some(Rc::clone(pool));
        self.claim = Some(first);
    }

    /// When what is under way is cut, if the end of its group does so.
    pub(super) fn cut_at(&self) -> Option<Duration> {
        self.arrivals.as_ref().and(self.ends)
    }

    /// Runs until the user's loop is over, or something ends it.
    pub(super) async fn live(mut self) {
        self.count(true);
        self.group.run.started.fetch_add(1, Ordering::Relaxed);
        if let Err(stop) = self.iterate().await {
            self.stop(stop);
        }
        self.walk.release_all(&self.user);
        self.count(false);
    }

    async fn iterate(&mut self) -> Result<(), Stop> {
        while self.goes_on() {
            let mut next = self.next()?;
            if next.is_none() && !self.walk.is_done() && self.arrivals.is_none() {
                // Nothing is to be done in this round, which must not become a round without end.
                let until = self.user.run.clock.now() + PAUSE;
                if tasks::sleep_unless_stopping(until).await.is_err() {
                    return Ok(());
                }
                self.look_at_clock();
            }
            while self.goes_on()
                && let Some(step) = next
            {
                match &step {
                    Step::Wait(lock) => {
                        lock.free().await;
                        next = self.next()?;
                        continue;
                    }
                    Step::Yield => {
                        let until = self.user.run.clock.now() + PAUSE;
                        if tasks::sleep_unless_stopping(until).await.is_err() {
                            return Ok(());
                        }
                        self.look_at_clock();
                        next = self.next()?;
                        continue;
                    }
                    Step::Sampler(_) | Step::Transaction(_) => {
                        let round = tasks::round();
                        self.process(&step).await;
                        if tasks::round() == round {
                            // It has waited for nothing: the other users of the thread come first.
                            tasks::yield_now().await;
                        }
                    }
                }
                let on_error = self.group.group().on_error;
                let skips = on_error == OnSampleError::NextIteration && !self.last_ok;
                let action = self.action.take();
                let action = if skips {
                    Some(LoopAction::NextOfUser)
                } else {
                    action
                };
                next = if let Some(action) = action {
                    self.end_loops(&step, action);
                    // Ending may have recorded a transaction that failed, which wants no more than this.
                    self.action = None;
                    self.set_last_ok(true);
                    None
                } else {
                    self.next()?
                };
            }
            if self.walk.is_done() || !self.next_turn().await {
                self.running = false;
            }
        }
        Ok(())
    }

    /// Waits for the next arrival; whether there is another iteration.
    async fn next_turn(&mut self) -> bool {
        let Some(pool) = self.arrivals.clone() else {
            return true;
        };
        if !self.goes_on() {
            return false;
        }
        self.claim = None;
        // A user that waits is not active.
        self.count(false);
        self.claim = pool.next(self.user.iteration).await;
        self.count(true);
        self.claim.is_some()
    }

    /// Counts the user among the active ones, or no longer.
    fn count(&self, active: bool) {
        for counter in [&self.group.active, &self.group.run.active] {
            if active {
                counter.fetch_add(1, Ordering::Relaxed);
            } else {
                counter.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    /// What comes next.
    fn next(&mut self) -> Result<Option<Step>, Stop> {
        let group = Arc::clone(&self.group);
        let tree = &group.group().tree;
        let next = self
            .walk
            .next(tree, &mut self.user, &mut Beginnings(&group));
        if self.walk.has_finished() {
            self.record_finished();
        }
        if self.user.trouble.take().is_some() {
            // In JMeter the exception that a controller meets with ends the thread.
            return Err(Stop::User);
        }
        next
    }

    /// Whether nobody wants the user to end.
    pub(super) fn goes_on(&mut self) -> bool {
        self.running &= tasks::stop_level() == StopLevel::Running && !self.group.is_over();
        self.running
    }

    /// Ends the user, or all.
    pub(super) fn stop(&mut self, stop: Stop) {
        self.running = false;
        match stop {
            Stop::User => {}
            Stop::Test => self.group.stop.request(StopLevel::Gracefully),
            Stop::TestNow => self.group.stop.request(StopLevel::Now),
        }
    }

    /// Ends the user when its time is over.
    pub(super) fn look_at_clock(&mut self) {
        if let Some(ends) = self.ends
            && self.user.run.clock.now() >= ends
        {
            self.running = false;
        }
    }

    pub(super) fn set_last_ok(&mut self, ok: bool) {
        if self.last_ok != ok {
            self.last_ok = ok;
            let text = if ok { "true" } else { "false" };
            self.user.variables.set(LAST_SAMPLE_OK, text);
        }
    }
}
