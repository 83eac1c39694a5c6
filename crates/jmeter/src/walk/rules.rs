//! The rules of the controllers, each by its kind.

mod begin;
mod conditions;
mod counts;

use super::state::Own;
use super::{Child, Controller, ControllerId, Iterations, Kind, Step, Stop, Tree, Walk};
use crate::user::User;

/// Rounds without a sampler after which others are let go on. A controller that finds nothing for ever
/// would otherwise hold up all users of its thread.
const ROUNDS_MAX: u32 = 10_000;

/// One look for the next sampler.
pub(super) struct Rules<'a> {
    pub(super) walk: &'a mut Walk,
    pub(super) tree: &'a Tree,
    pub(super) user: &'a mut User,
    iterations: &'a mut dyn Iterations,
}

/// What came of going through a controller once.
enum Turned {
    /// The answer; nothing when the controller is through with this iteration.
    Over(Option<Step>),
    /// Ask the same controller again.
    Again,
}

const THROUGH: Turned = Turned::Over(None);

impl<'a> Rules<'a> {
    pub(super) fn new(
        walk: &'a mut Walk,
        tree: &'a Tree,
        user: &'a mut User,
        iterations: &'a mut dyn Iterations,
    ) -> Self {
        Self {
            walk,
            tree,
            user,
            iterations,
        }
    }

    fn controller(&self, id: ControllerId) -> &'a Controller {
        self.tree.controller(id)
    }

    pub(super) fn iterates(&self, id: ControllerId) -> bool {
        self.controller(id).kind.iterates()
    }

    fn child(&self, id: ControllerId) -> Option<Child> {
        let state = &self.walk.states[id.0 as usize];
        let children = state.children(self.controller(id));
        children.get(state.current).copied()
    }

    fn children_len(&self, id: ControllerId) -> usize {
        let state = &self.walk.states[id.0 as usize];
        state.children(self.controller(id)).len()
    }

    /// What comes next in a controller.
    pub(super) fn next(&mut self, id: ControllerId) -> Result<Option<Step>, Stop> {
        let gathers = matches!(
            self.controller(id).kind,
            Kind::Transaction { parent: false, .. }
        );
        if gathers {
            return self.next_gathered(id);
        }
        loop {
            match self.turn(id)? {
                Turned::Over(step) => {
                    self.show_round(id);
                    return Ok(step);
                }
                Turned::Again if self.tired() => return Ok(Some(Step::Yield)),
                Turned::Again => {}
            }
        }
    }

    /// The same in a transaction that counts its samples. It counts one for each time that it asks
    /// itself, so that a child that had nothing to give is counted with the next one, as in `JMeter`.
    fn next_gathered(&mut self, id: ControllerId) -> Result<Option<Step>, Stop> {
        let mut last = Vec::new();
        loop {
            self.begin_gathered(id);
            last.push(self.walk.state(id).current == self.children_len(id));
            match self.turn(id)? {
                Turned::Over(step @ Some(Step::Wait(_) | Step::Yield)) => return Ok(step),
                Turned::Over(step) => {
                    for last in last.into_iter().rev() {
                        self.count_gathered(id, step.is_none() && last);
                    }
                    return Ok(step);
                }
                Turned::Again if self.tired() => return Ok(Some(Step::Yield)),
                Turned::Again => {}
            }
        }
    }

    fn tired(&mut self) -> bool {
        self.walk.rounds += 1;
        self.walk.rounds > ROUNDS_MAX
    }

    /// Goes through a controller once.
    fn turn(&mut self, id: ControllerId) -> Result<Turned, Stop> {
        match &self.controller(id).kind {
            Kind::Generic
            | Kind::OnceOnly
            | Kind::RandomOrder
            | Kind::Transaction { parent: false, .. } => {}
            Kind::Transaction { parent: true, .. } => return self.turn_parent(id),
            Kind::Loop { forever, .. } => {
                self.show_round(id);
                if self.loop_is_over(id) {
                    if !forever {
                        self.set_done(id);
                    }
                    self.walk.state(id).broken = false;
                    return Ok(THROUGH);
                }
            }
            Kind::If { condition, each } => {
                let asked = *each || self.walk.state(id).first;
                if asked && !self.holds(condition) {
                    self.initialize_children(id);
                    return Ok(self.next_is_none(id));
                }
            }
            Kind::While(condition) => {
                self.show_round(id);
                if self.walk.state(id).first && self.while_is_over(id, condition, false) {
                    self.leave_loop(id);
                    return Ok(THROUGH);
                }
            }
            Kind::ForEach { .. } => {
                self.show_round(id);
                if self.walk.state(id).broken || self.input(id).is_none() {
                    self.walk.state(id).broken = false;
                    self.reinitialize(id);
                    self.reset_rounds(id);
                    return Ok(THROUGH);
                }
            }
            Kind::Switch(selection) => {
                if self.walk.state(id).first {
                    self.walk.state(id).current = self.selected(id, selection);
                }
            }
            Kind::Interleave { .. } | Kind::Random { .. } => {
                if self.walk.state(id).turn().skip_next {
                    self.reinitialize(id);
                    return Ok(THROUGH);
                }
            }
            Kind::Throughput { .. } => {
                if !matches!(self.walk.state(id).own, Own::Throughput(_, true)) {
                    return Ok(THROUGH);
                }
            }
            Kind::Runtime(seconds) => {
                self.begin_time(id);
                if self.time_is_over(id, seconds) {
                    self.reinitialize(id);
                    self.reset_rounds(id);
                    return Ok(THROUGH);
                }
            }
            Kind::Critical(name) => {
                if let Some(lock) = self.take_lock(id, name) {
                    return Ok(Turned::Over(Some(Step::Wait(lock))));
                }
            }
        }
        self.turn_generic(id)
    }

    /// What all controllers do.
    fn turn_generic(&mut self, id: ControllerId) -> Result<Turned, Stop> {
        self.fire_iteration(id)?;
        if self.is_done(id) {
            return Ok(THROUGH);
        }
        if self.children_len(id) == 0 {
            self.set_done(id);
            return Ok(THROUGH);
        }
        let child = self.child(id);
        if self.went_round(id, child) {
            return Ok(THROUGH);
        }
        match child {
            None => Ok(self.next_is_none(id)),
            Some(Child::Sampler(sampler)) => {
                if self.takes_turns(id) {
                    self.walk.state(id).turn().skip_next = true;
                }
                self.increment(id);
                Ok(Turned::Over(Some(Step::Sampler(sampler))))
            }
            Some(Child::Controller(inner)) => match self.next(inner)? {
                None => {
                    self.child_gave_none(id, inner);
                    Ok(Turned::Again)
                }
                Some(step @ (Step::Wait(_) | Step::Yield)) => Ok(Turned::Over(Some(step))),
                Some(step) => {
                    self.child_gave_one(id);
                    Ok(Turned::Over(Some(step)))
                }
            },
        }
    }

    /// A controller has nothing more in this iteration.
    fn next_is_none(&mut self, id: ControllerId) -> Turned {
        match &self.controller(id).kind {
            Kind::OnceOnly => THROUGH,
            Kind::Loop { forever, .. } => {
                self.reinitialize(id);
                if !self.loop_is_over(id) {
                    return Turned::Again;
                }
                if *forever {
                    self.reset_rounds(id);
                } else {
                    self.set_done(id);
                }
                THROUGH
            }
            Kind::While(condition) => {
                self.reinitialize(id);
                if !self.while_is_over(id, condition, true) {
                    return Turned::Again;
                }
                self.leave_loop(id);
                THROUGH
            }
            Kind::ForEach { end, .. } => {
                self.reinitialize(id);
                let rounds = self.walk.state(id).rounds;
                let at_end = end
                    .as_ref()
                    .is_some_and(|end| rounds >= end.value(self.user));
                if !self.walk.state(id).broken && !at_end && self.input(id).is_some() {
                    return Turned::Again;
                }
                self.leave_loop(id);
                THROUGH
            }
            Kind::Interleave { .. } | Kind::Random { .. } => {
                self.reset_current(id);
                Turned::Again
            }
            Kind::Runtime(seconds) => {
                self.reinitialize(id);
                if !self.time_is_over(id, seconds) {
                    return Turned::Again;
                }
                self.reset_rounds(id);
                THROUGH
            }
            _ => {
                self.reinitialize(id);
                THROUGH
            }
        }
    }

    /// A transaction whose samples are parts of it.
    fn turn_parent(&mut self, id: ControllerId) -> Result<Turned, Stop> {
        if self.forget_finished_parent(id) {
            return Ok(THROUGH);
        }
        if self.walk.state(id).first {
            self.begin_parent(id);
        }
        let sub = loop {
            match self.turn_generic(id)? {
                Turned::Over(Some(step @ (Step::Wait(_) | Step::Yield))) => {
                    return Ok(Turned::Over(Some(step)));
                }
                Turned::Over(sub) => break sub,
                Turned::Again if self.tired() => return Ok(Turned::Over(Some(Step::Yield))),
                Turned::Again => {}
            }
        };
        self.set_sub(id, sub);
        Ok(Turned::Over(Some(Step::Transaction(id))))
    }
}
