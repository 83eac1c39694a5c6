//! Transactions: what they gather of the samples within them.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

use super::rules::Rules;
use super::state::Own;
use super::{ControllerId, Kind, SamplerId, Step, Tree, Walk};
use crate::sample::{Code, SampleResult};
use crate::user::User;

/// A transaction whose samples are parts of it.
#[derive(Debug)]
pub struct ParentSample {
    /// The sample.
    pub result: SampleResult,
    /// What of it is to be done next; nothing when it is over.
    pub(super) sub: Option<Step>,
    done: bool,
    /// Whether its sample was handed over when it was over.
    taken: bool,
    calls: u32,
    failing: u32,
    total: Duration,
    timers: bool,
}

/// A transaction that makes a row beside its samples.
#[derive(Debug)]
pub(super) struct Gathered {
    result: SampleResult,
    calls: u32,
    failing: u32,
    /// Samples that came of it; calls count some of them twice.
    heard: u32,
    pause: Duration,
    previous_end: Duration,
    timers: bool,
}

/// A transaction without a parent sample that is over.
#[derive(Debug)]
pub struct FinishedTransaction {
    /// Its controller.
    pub controller: ControllerId,
    /// Its row.
    pub result: SampleResult,
    /// Whether no sample was in it; `JMeter` does not say then whose it is.
    pub empty: bool,
}

/// The message of a transaction, by which result files tell them from samplers.
fn message(calls: u32, failing: u32) -> Cow<'static, str> {
    let mut text = String::with_capacity(80);
    let _infallible = write!(
        text,
        "Number of samples in transaction : {calls}, number of failing samples : {failing}"
    );
    Cow::Owned(text)
}

impl ParentSample {
    /// Takes a part in.
    pub fn add(&mut self, part: SampleResult) {
        self.calls += 1;
        if self.failing == 0 {
            self.result.code = part.code.clone();
        }
        if !part.success {
            self.result.success = false;
            self.failing += 1;
        }
        self.total += part.elapsed();
        self.result.connect += part.connect;
        let result = &mut self.result;
        result.end = result.end.max(part.end);
        result.bytes += part.bytes;
        result.sent_bytes += part.sent_bytes;
        result.header_bytes += part.header_bytes;
        result.body_bytes += part.body_bytes;
        result.sub_results.push(part);
    }

    fn finish(&mut self, now: Duration) {
        self.done = true;
        self.sub = None;
        let result = &mut self.result;
        result.message = message(self.calls, self.failing);
        if result.success {
            result.code = Code::Status(200);
        }
        if !self.timers {
            result.end = now;
            result.idle = now.saturating_sub(result.start).saturating_sub(self.total);
        }
    }

    /// The sample, to be recorded; one that is not over goes on with what it has. Nothing when it was
    /// over already the time before.
    pub fn take(&mut self) -> Option<SampleResult> {
        if self.taken {
            return None;
        }
        if self.done {
            self.taken = true;
            Some(std::mem::take(&mut self.result))
        } else {
            Some(self.result.clone())
        }
    }

    /// Whether it is over.
    pub fn is_done(&self) -> bool {
        self.done
    }
}

impl Walk {
    /// The sample of a transaction that is under way.
    pub fn parent_sample(&mut self, id: ControllerId) -> Option<&mut ParentSample> {
        match &mut self.state(id).own {
            Own::Parent(sample) => sample.as_deref_mut(),
            _ => None,
        }
    }

    /// Lets a transaction begin anew that was given up.
    pub fn forget_if_done(&mut self, id: ControllerId) {
        if self.parent_sample(id).is_some_and(|own| own.done) {
            self.state(id).own = Own::Parent(None);
        }
    }

    /// Tells the transactions around a sampler, those without a parent sample, what came of it.
    pub fn sample_occurred(&mut self, tree: &Tree, sampler: SamplerId, result: &SampleResult) {
        if self.gathers {
            let around = tree.ancestors(sampler);
            self.gather(tree, around, result);
        }
    }

    /// The same for a transaction that is a sample of its own.
    pub fn transaction_occurred(&mut self, tree: &Tree, id: ControllerId, result: &SampleResult) {
        if self.gathers {
            let around = tree.ancestors_of_controller(id);
            self.gather(tree, around, result);
        }
    }

    /// A sample is shown only to those transactions that do not get it as a part of another one.
    fn gather(
        &mut self,
        tree: &Tree,
        around: impl Iterator<Item = ControllerId>,
        result: &SampleResult,
    ) {
        for id in around {
            match &mut self.state(id).own {
                Own::Gathered(Some(gathered)) => gathered.add(result),
                _ if matches!(
                    tree.controller(id).kind,
                    Kind::Transaction { parent: true, .. }
                ) =>
                {
                    return;
                }
                _ => {}
            }
        }
    }
}

impl Gathered {
    fn add(&mut self, sample: &SampleResult) {
        self.heard += 1;
        let result = &mut self.result;
        result.bytes += sample.bytes;
        result.sent_bytes += sample.sent_bytes;
        if !self.timers {
            let began = sample.end.saturating_sub(sample.elapsed());
            self.pause += began.saturating_sub(self.previous_end);
            self.previous_end = sample.end;
        }
        if !sample.success {
            result.success = false;
            self.failing += 1;
        }
        result.all_threads = sample.all_threads;
        result.group_threads = sample.group_threads;
        result.latency += sample.latency;
        result.connect += sample.connect;
    }
}

fn begin(user: &mut User, label: std::sync::Arc<str>) -> SampleResult {
    let now = user.run.clock.now();
    SampleResult {
        label,
        start: now,
        end: now,
        success: true,
        is_transaction: true,
        ..SampleResult::default()
    }
}

impl Rules<'_> {
    fn label(&mut self, id: ControllerId) -> std::sync::Arc<str> {
        let name = &self.tree.controller(id).name;
        self.user.render(name).as_ref().into()
    }

    fn timers(&self, id: ControllerId) -> bool {
        matches!(
            self.tree.controller(id).kind,
            Kind::Transaction { timers: true, .. }
        )
    }

    pub(super) fn begin_gathered(&mut self, id: ControllerId) {
        if !self.walk.state(id).first {
            return;
        }
        let label = self.label(id);
        let timers = self.timers(id);
        let result = begin(self.user, label);
        self.walk.state(id).own = Own::Gathered(Some(Box::new(Gathered {
            previous_end: result.start,
            result,
            calls: 0,
            failing: 0,
            heard: 0,
            pause: Duration::ZERO,
            timers,
        })));
    }

    /// Counts a sampler, or ends the transaction.
    pub(super) fn count_gathered(&mut self, id: ControllerId, over: bool) {
        let now = self.user.run.clock.now();
        let Own::Gathered(slot) = &mut self.walk.state(id).own else {
            return;
        };
        if !over {
            if let Some(gathered) = slot {
                gathered.calls += 1;
            }
            return;
        }
        if let Some(mut gathered) = slot.take() {
            if !gathered.timers {
                gathered.pause += now.saturating_sub(gathered.previous_end);
            }
            if gathered.result.success {
                gathered.result.code = Code::Status(200);
            }
            self.finish_gathered(id, *gathered, now);
        }
    }

    /// The iteration is given up: the row says whether the last sample was a success.
    pub(super) fn give_up_gathered(&mut self, id: ControllerId) {
        let now = self.user.run.clock.now();
        let ok = self.user.variables.get("JMeterThread.last_sample_ok") == Some("true");
        let Own::Gathered(slot) = &mut self.walk.state(id).own else {
            return;
        };
        if let Some(mut gathered) = slot.take() {
            gathered.result.success = ok;
            self.finish_gathered(id, *gathered, now);
        }
    }

    fn finish_gathered(&mut self, controller: ControllerId, gathered: Gathered, now: Duration) {
        let mut result = gathered.result;
        result.idle = gathered.pause;
        result.end = now;
        result.message = message(gathered.calls, gathered.failing);
        let finished = FinishedTransaction {
            controller,
            result,
            empty: gathered.heard == 0,
        };
        self.walk.finished.push(finished);
    }

    pub(super) fn begin_parent(&mut self, id: ControllerId) {
        let label = self.label(id);
        let timers = self.timers(id);
        let result = begin(self.user, label);
        self.walk.state(id).own = Own::Parent(Some(Box::new(ParentSample {
            result,
            sub: None,
            done: false,
            taken: false,
            calls: 0,
            failing: 0,
            total: Duration::ZERO,
            timers,
        })));
    }

    /// Forgets a transaction that was over; whether it was.
    pub(super) fn forget_finished_parent(&mut self, id: ControllerId) -> bool {
        let done = self.walk.parent_sample(id).is_some_and(|own| own.done);
        if done {
            self.walk.state(id).own = Own::Parent(None);
        }
        done
    }

    pub(super) fn set_sub(&mut self, id: ControllerId, sub: Option<Step>) {
        let now = self.user.run.clock.now();
        if let Some(sample) = self.walk.parent_sample(id) {
            if sub.is_none() {
                sample.finish(now);
            }
            sample.sub = sub;
        }
    }

    /// The iteration is given up: what stands in it is taken over, and it is over.
    ///
    /// The sample stays until it was recorded; the next turn of the controller begins a new one.
    pub(super) fn give_up_parent(&mut self, id: ControllerId) {
        let now = self.user.run.clock.now();
        let sub = self.walk.parent_sample(id).and_then(|own| own.sub.clone());
        let inner = match sub {
            Some(Step::Transaction(inner)) => self.walk.parent_sample(inner),
            _ => None,
        };
        let part = inner.filter(|inner| !inner.taken);
        let part = part.map(|inner| inner.result.clone());
        if let Some(sample) = self.walk.parent_sample(id).filter(|own| !own.taken) {
            if let Some(part) = part {
                sample.add(part);
            }
            sample.finish(now);
        }
    }
}
