//! How the next sampler is found.

use super::rules::Rules;
use super::{ControllerId, Iterations, LoopAction, SamplerId, Step, Stop, Tree, Walk};
use crate::user::User;

impl Walk {
    /// What the user does next; nothing at the end of a run of the main loop, after which
    /// [`Walk::is_done`] tells whether it was the last.
    ///
    /// # Errors
    /// When the user, or the test, ends here.
    pub fn next(
        &mut self,
        tree: &Tree,
        user: &mut User,
        iterations: &mut dyn Iterations,
    ) -> Result<Option<Step>, Stop> {
        self.rounds = 0;
        let mut rules = Rules::new(self, tree, user, iterations);
        rules.next(ControllerId(0))
    }

    /// Leaves or continues the loops around a sampler.
    pub fn end_loops(
        &mut self,
        tree: &Tree,
        user: &mut User,
        sampler: SamplerId,
        action: LoopAction,
    ) {
        let around: Vec<ControllerId> = tree.ancestors(sampler).collect();
        let mut nobody = Nobody;
        let mut rules = Rules::new(self, tree, user, &mut nobody);
        for id in around {
            let main = id == ControllerId(0);
            if main || (action != LoopAction::NextOfUser && rules.iterates(id)) {
                match action {
                    LoopAction::Break => rules.break_loop(id),
                    _ => rules.reinitialize(id),
                }
                break;
            }
            rules.trigger_end_of_loop(id);
        }
    }

    /// The sampler that a step leads to, and the transactions around it that make samples of their
    /// own, the outermost first. No sampler: the last of them is over.
    pub fn resolve(&mut self, step: &Step) -> (Vec<ControllerId>, Option<SamplerId>) {
        let mut transactions = Vec::new();
        let mut step = step.clone();
        loop {
            match step {
                Step::Sampler(sampler) => return (transactions, Some(sampler)),
                Step::Transaction(id) => {
                    transactions.push(id);
                    match self.parent_sample(id).and_then(|sample| sample.sub.clone()) {
                        Some(inner) => step = inner,
                        None => return (transactions, None),
                    }
                }
                Step::Wait(_) | Step::Yield => return (transactions, None),
            }
        }
    }

    pub(super) fn initialize(&mut self, tree: &Tree, user: &mut User, id: ControllerId) {
        Rules::new(self, tree, user, &mut Nobody).initialize(id);
    }
}

/// Nobody is told of iterations: none begins.
struct Nobody;

impl Iterations for Nobody {
    fn user(&mut self, _: &mut User) -> Result<(), Stop> {
        Ok(())
    }

    fn data(&mut self, _: u32, _: &mut User) -> Result<(), Stop> {
        Ok(())
    }
}
