//! Controllers: which sampler comes next.
//!
//! A [`Tree`] is what one thread group holds, the same for all its users; a [`Walk`] is where one user
//! stands in it. [`Walk::next`] is pure but for the variables and locks that controllers use; it waits
//! for nothing: a critical section that is held by another user comes back as [`Step::Wait`], and the
//! same call is made again when the lock was let go.
//!
//! Every rule here is that of the controllers of `JMeter`: when a controller counts as exhausted, when
//! one is taken out of its parent for good, and which of them begin anew when their parent does.
//!
//! Source: `JMeter`, `org.apache.jmeter.control`.

mod kind;
mod lock;
mod next;
mod rules;
mod state;
mod transaction;

#[cfg(test)]
mod tests;

pub use crate::functions::expression::Condition;
pub use kind::{Controller, Count, Kind, ThroughputCounts, ThroughputStyle};
pub use lock::{Lock, Locked};
pub use transaction::FinishedTransaction;

use double11_jmx::template::Template;

use crate::user::User;
use state::State;

/// The controllers and samplers of one thread group.
#[derive(Debug, Default)]
pub struct Tree {
    /// The controllers; the first is the main loop of the group.
    pub controllers: Vec<Controller>,
    /// The samplers' names and places.
    pub samplers: Vec<Leaf>,
}

/// The place of a sampler in the tree.
#[derive(Debug)]
pub struct Leaf {
    /// Its name.
    pub name: Template,
    /// The controller that it stands in.
    pub parent: ControllerId,
}

/// Number of a controller in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ControllerId(pub u32);

/// Number of a sampler in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SamplerId(pub u32);

/// What stands in a controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Child {
    /// A controller.
    Controller(ControllerId),
    /// A sampler.
    Sampler(SamplerId),
}

/// Somebody who is told that a controller begins an iteration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hook {
    /// The user itself, whose iterations are those of the main loop.
    User,
    /// A controller in it.
    Controller(ControllerId),
    /// A config element or pre-processor, by its number in the plan.
    Data(u32),
}

/// What a user does next.
#[derive(Debug, Clone)]
pub enum Step {
    /// A sampler.
    Sampler(SamplerId),
    /// What stands in a transaction that makes a sample of its own, or its end.
    Transaction(ControllerId),
    /// To wait for a lock and to ask again.
    Wait(std::sync::Arc<Lock>),
    /// To let others go on and to ask again: nothing was found in many rounds.
    Yield,
}

/// Why a user does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// It ends.
    User,
    /// All end when their samples are over.
    Test,
    /// All end at once.
    TestNow,
}

/// What is told of iterations that begin.
pub trait Iterations {
    /// An iteration of the main loop begins.
    ///
    /// # Errors
    /// When the user, or the test, ends with it.
    fn user(&mut self, user: &mut User) -> Result<(), Stop>;

    /// An iteration of the controller begins in which element number `data` stands.
    ///
    /// # Errors
    /// When the user, or the test, ends with it.
    fn data(&mut self, data: u32, user: &mut User) -> Result<(), Stop>;
}

/// Where a user stands in a tree.
#[derive(Debug)]
pub struct Walk {
    states: Vec<State>,
    /// Transactions without a parent sample that are over.
    finished: Vec<FinishedTransaction>,
    /// Rounds of controllers since the last sampler.
    rounds: u32,
    /// Whether any transaction is in the tree that makes rows without being a parent.
    gathers: bool,
}

/// What to do with the loops that a sampler stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoopAction {
    /// The next iteration of the main loop.
    NextOfUser,
    /// The next iteration of the nearest loop.
    NextOfLoop,
    /// Leave the nearest loop.
    Break,
}

impl Tree {
    fn controller(&self, id: ControllerId) -> &Controller {
        &self.controllers[id.0 as usize]
    }

    /// The controllers that a sampler stands in, from the nearest to the main loop.
    pub fn ancestors(&self, sampler: SamplerId) -> impl Iterator<Item = ControllerId> {
        let first = Some(self.samplers[sampler.0 as usize].parent);
        std::iter::successors(first, |id| self.controller(*id).parent)
    }

    fn ancestors_of_controller(
        &self,
        controller: ControllerId,
    ) -> impl Iterator<Item = ControllerId> {
        std::iter::successors(self.controller(controller).parent, |id| {
            self.controller(*id).parent
        })
    }
}

impl Walk {
    /// A user that begins.
    pub fn new(tree: &Tree, user: &mut User) -> Self {
        let gathers = tree
            .controllers
            .iter()
            .any(|controller| matches!(controller.kind, Kind::Transaction { parent: false, .. }));
        let mut walk = Self {
            states: tree.controllers.iter().map(State::new).collect(),
            finished: Vec::new(),
            rounds: 0,
            gathers,
        };
        // JMeter fills in the names of transactions once when a thread is made, which functions that
        // count take note of.
        for controller in &tree.controllers {
            if let Kind::Transaction { .. } = controller.kind {
                drop(user.render(&controller.name));
            }
        }
        walk.initialize(tree, user, ControllerId(0));
        walk
    }

    /// Whether the main loop is over.
    pub fn is_done(&self) -> bool {
        self.states[0].done
    }

    /// Transactions without a parent sample that are over since the last call.
    pub fn finished(&mut self) -> std::vec::Drain<'_, FinishedTransaction> {
        self.finished.drain(..)
    }

    /// Whether there may be transactions that are over.
    pub fn has_finished(&self) -> bool {
        !self.finished.is_empty()
    }

    fn state(&mut self, id: ControllerId) -> &mut State {
        &mut self.states[id.0 as usize]
    }
}
