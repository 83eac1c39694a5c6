//! One sampler with all that is around it.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use double11_load::tasks;

use super::virtual_user::VirtualUser;
use crate::plan::{OnSampleError, Package};
use crate::processors::OnError;
use crate::results::{Heard, ListenerId};
use crate::sample::{PartThread, SampleResult};
use crate::samplers::{Action, Sampler, Target};
use crate::timers::{Active, Delay};
use crate::user::Trouble;
use crate::walk::{LoopAction, SamplerId, Stop};

impl VirtualUser {
    /// Runs a sampler: pre-processors, timers, the sampler itself, post-processors, assertions,
    /// listeners. What came of it comes back when it is to become a part of a transaction.
    pub(super) async fn execute(
        &mut self,
        sampler: SamplerId,
        in_transaction: bool,
    ) -> Option<SampleResult> {
        let group = Arc::clone(&self.group);
        let package = &group.group().packages[sampler.0 as usize];
        let result = self.sample(package).await;
        self.last_sampler = Some(sampler);
        let mut result = match self.user.trouble.take() {
            None => result?,
            Some(Trouble::StopThread(_)) => {
                self.stop(Stop::User);
                return None;
            }
            Some(Trouble::Failed(_)) => return None,
        };
        self.count_threads(&mut result);
        for number in &package.post {
            group.plan.elements.post[*number as usize].process(&mut self.user, &mut result);
        }
        for number in &package.assertions {
            group.plan.elements.assertions[*number as usize].check(&mut self.user, &mut result);
        }
        self.user.trouble = None;
        self.set_last_ok(result.success);
        if !in_transaction {
            self.record(&result, &package.listeners, true);
        } else if !package.listeners.is_empty() {
            self.record(&result, &package.listeners, false);
        }
        self.walk
            .sample_occurred(&group.group().tree, sampler, &result);
        self.react(&package.reactions, &result);
        self.heed(&result);
        self.keep(result, in_transaction)
    }

    /// Everything up to the answer.
    async fn sample(&mut self, package: &Package) -> Option<SampleResult> {
        let group = Arc::clone(&self.group);
        if let Some(label) = &package.label {
            self.user.sampler = Arc::clone(label);
        }
        self.user.draft = None;
        let mut timeout = None;
        for number in &package.pre {
            let pre = &group.plan.elements.pre[*number as usize];
            pre.process(&mut self.user, &package.sampler, self.ends)
                .await;
            timeout = shorter(timeout, pre.timeout(&mut self.user));
        }
        if !package.timers.is_empty() {
            self.wait(package).await;
        }
        if !self.goes_on() || self.user.trouble.is_some() {
            return None;
        }
        // A HTTP sampler fills in its address before its name.
        if package.label.is_none() && !matches!(package.sampler, Sampler::Http(_)) {
            self.user.sampler = self.user.render(&package.name).as_ref().into();
        }
        if let Sampler::Action(action) = &package.sampler {
            self.act(action);
        }
        let now = self.user.run.clock.now();
        let timed_out = timeout.map(|timeout| now.saturating_add(timeout));
        self.user.cut_at = shorter(timed_out, self.cut_at());
        package.sampler.sample(&mut self.user, self.ends).await
    }

    /// Waits for what all timers in scope want together.
    async fn wait(&mut self, package: &Package) {
        let group = Arc::clone(&self.group);
        let mut total = 0_i64;
        for number in &package.timers {
            let active = self.active();
            let timer = &group.plan.elements.timers[*number as usize];
            total = total.saturating_add(match timer.delay(&mut self.user, active) {
                Delay::Fixed(millis) => millis,
                Delay::Modifiable(millis) => scaled(millis, group.timer_factor),
                Delay::Meeting(meeting) => {
                    meeting.wait(&mut self.user, active, self.ends).await;
                    0
                }
                Delay::Shaping(shaping) => {
                    if shaping.wait(&mut self.user, self.ends).await.is_err() {
                        group.end();
                    }
                    self.look_at_clock();
                    0
                }
            });
        }
        let Ok(total @ 1..) = u64::try_from(total) else {
            return;
        };
        let until = self
            .user
            .run
            .clock
            .now()
            .saturating_add(Duration::from_millis(total));
        if self.ends.is_some_and(|ends| until > ends) {
            self.running = false;
            return;
        }
        // A stop ends the pause, as no sample would come after it.
        if tasks::sleep_unless_stopping(until).await.is_err() {
            self.running = false;
        }
    }

    fn active(&self) -> Active {
        Active {
            all: self.user.run.active(),
            group: self.group.active.load(Ordering::Relaxed),
            group_number: u32::try_from(self.group.index).unwrap_or(u32::MAX),
            group_planned: self.group.planned,
            group_started: self.group.started,
        }
    }

    /// What a flow control action wants but for a pause.
    fn act(&mut self, action: &Action) {
        match action {
            Action::Pause(_) => {}
            Action::Stop {
                target: Target::User,
                ..
            } => self.stop(Stop::User),
            Action::Stop { now: true, .. } => self.stop(Stop::TestNow),
            Action::Stop { now: false, .. } => self.stop(Stop::Test),
            Action::Loop(action) => self.action = Some(*action),
        }
    }

    pub(super) fn count_threads(&self, result: &mut SampleResult) {
        let group = self.group.active.load(Ordering::Relaxed);
        let all = self.user.run.active();
        result.group_threads = group;
        result.all_threads = all;
        for part in &mut result.sub_results {
            part.group_threads = group;
            part.all_threads = all;
            part.thread = PartThread::User;
        }
    }

    /// Hands a sample to listeners, and to those that hear everything.
    pub(super) fn record(&mut self, result: &SampleResult, to: &[ListenerId], everywhere: bool) {
        let heard = Heard {
            thread_name: &self.user.thread_name,
            variables: &self.user.variables,
            listeners: to,
            everywhere,
        };
        self.reporter.borrow_mut().record(result, heard);
    }

    pub(super) fn react(&mut self, reactions: &[u32], result: &SampleResult) {
        let group = Arc::clone(&self.group);
        for number in reactions {
            let reaction = &group.plan.elements.reactions[*number as usize];
            match reaction.react(&mut self.user, result) {
                OnError::Continue => {}
                OnError::StopUser => self.stop(Stop::User),
                OnError::StopTest => self.stop(Stop::Test),
                OnError::StopTestNow => self.stop(Stop::TestNow),
                OnError::NextGroupIteration => self.action = Some(LoopAction::NextOfUser),
                OnError::NextLoopIteration => self.action = Some(LoopAction::NextOfLoop),
                OnError::BreakLoop => self.action = Some(LoopAction::Break),
            }
        }
    }

    /// Does what the thread group says of failed samples.
    fn heed(&mut self, result: &SampleResult) {
        if result.success {
            return;
        }
        match self.group.group().on_error {
            OnSampleError::Continue | OnSampleError::NextIteration => {}
            OnSampleError::StopUser => self.stop(Stop::User),
            OnSampleError::StopTest => self.stop(Stop::Test),
            OnSampleError::StopTestNow => self.stop(Stop::TestNow),
        }
    }

    /// Keeps the result as the one before, if anybody looks at it.
    fn keep(&mut self, result: SampleResult, in_transaction: bool) -> Option<SampleResult> {
        let kept = self.group.plan.elements.keeps_previous;
        match (kept, in_transaction) {
            (false, true) => Some(result),
            (false, false) => None,
            (true, false) => {
                self.user.previous = Some(Rc::new(result));
                None
            }
            (true, true) => {
                self.user.previous = Some(Rc::new(result.clone()));
                Some(result)
            }
        }
    }
}

/// The shorter of two times that need not be there.
fn shorter(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// A delay by the factor of the property `timer.factor`.
fn scaled(millis: i64, factor: f32) -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "what is too long becomes the longest there is"
    )]
    let scaled = (millis as f32 * factor + 0.5).floor() as i64;
    scaled
}
