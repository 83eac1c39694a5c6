//! Samplers within transactions, and the ends of transactions.

use std::sync::Arc;

use super::virtual_user::VirtualUser;
use crate::sample::SampleResult;
use crate::walk::{ControllerId, LoopAction, Step};

impl VirtualUser {
    /// Does one step: runs a sampler, or ends a transaction.
    pub(super) async fn process(&mut self, step: &Step) {
        if let Step::Sampler(sampler) = step {
            drop(self.execute(*sampler, false).await);
            self.look_at_clock();
            return;
        }
        let (transactions, sampler) = self.walk.resolve(step);
        let mut inner = None;
        if let Some(sampler) = sampler {
            inner = self.execute(sampler, true).await;
        }
        self.look_at_clock();
        // From the innermost outwards: a part is added, and what is over becomes a part itself.
        for (depth, id) in transactions.iter().enumerate().rev() {
            let Some(transaction) = self.walk.parent_sample(*id) else {
                continue;
            };
            if let Some(part) = inner.take() {
                transaction.add(part);
            }
            let done = transaction.is_done();
            if done || !self.running {
                let outermost = depth == 0;
                inner = self.end_transaction(*id, outermost);
            }
        }
    }

    /// Checks and records a transaction.
    fn end_transaction(&mut self, id: ControllerId, outermost: bool) -> Option<SampleResult> {
        let group = Arc::clone(&self.group);
        let package = group.group().transactions[id.0 as usize].as_ref()?;
        let mut result = self.walk.parent_sample(id)?.take()?;
        self.count_threads(&mut result);
        for number in &package.assertions {
            group.plan.elements.assertions[*number as usize].check(&mut self.user, &mut result);
        }
        self.user.trouble = None;
        self.set_last_ok(result.success);
        if !outermost {
            return Some(result);
        }
        self.record(&result, &package.listeners, true);
        self.walk
            .transaction_occurred(&group.group().tree, id, &result);
        self.react(&package.reactions, &result);
        None
    }

    /// Leaves or continues the loops around a sampler. Transactions that are given up with it are
    /// recorded all the same.
    pub(super) fn end_loops(&mut self, step: &Step, action: LoopAction) {
        let (transactions, sampler) = self.walk.resolve(step);
        let sampler = sampler.or(self.last_sampler);
        let group = Arc::clone(&self.group);
        if let Some(sampler) = sampler {
            let tree = &group.group().tree;
            self.walk.end_loops(tree, &mut self.user, sampler, action);
        }
        if self.walk.has_finished() {
            self.record_finished();
        }
        if let Some(outermost) = transactions.first() {
            self.end_transaction(*outermost, true);
        }
        for id in transactions {
            self.walk.forget_if_done(id);
        }
    }

    /// Records transactions without parent samples that are over.
    pub(super) fn record_finished(&mut self) {
        let finished: Vec<_> = self.walk.finished().collect();
        let group = Arc::clone(&self.group);
        // Without a sampler before it a transaction has nobody who would hear of it.
        let Some(sampler) = self.last_sampler else {
            return;
        };
        let package = &group.group().packages[sampler.0 as usize];
        for finished in finished {
            let own_name = Arc::clone(&self.user.thread_name);
            if finished.empty {
                self.user.thread_name = "".into();
            }
            self.record(&finished.result, &package.listeners_in_scope, true);
            self.user.thread_name = own_name;
        }
    }
}
