//! Loops that count, and children that take turns.

use super::super::kind::ThroughputStyle;
use super::super::{Child, ControllerId, Kind};
use super::Rules;

impl Rules<'_> {
    pub(super) fn loop_is_over(&mut self, id: ControllerId) -> bool {
        let Kind::Loop { loops, .. } = &self.controller(id).kind else {
            return false;
        };
        let known = self.walk.state(id).loops.filter(|loops| *loops > 0);
        let loops = known.unwrap_or_else(|| loops.value(self.user));
        let state = self.walk.state(id);
        state.loops = Some(loops);
        state.broken || (loops > -1 && state.rounds >= loops)
    }

    /// Puts the round of a loop into its variable.
    pub(super) fn show_round(&mut self, id: ControllerId) {
        let controller = self.controller(id);
        let state = self.walk.state(id);
        let round = match controller.kind {
            Kind::Loop { .. } | Kind::ForEach { .. } => state.rounds,
            Kind::While(_) => state.iterations,
            _ => return,
        };
        if state.shown == Some(round) {
            return;
        }
        state.shown = Some(round);
        let name = self.user.render(&controller.name);
        let variable = format!("__jm__{name}__idx");
        self.user.variables.set(&variable, round.to_string());
    }

    pub(super) fn takes_turns(&self, id: ControllerId) -> bool {
        matches!(
            self.controller(id).kind,
            Kind::Interleave { .. } | Kind::Random { .. }
        )
    }

    fn by_sampler(&self, id: ControllerId) -> bool {
        match self.controller(id).kind {
            Kind::Interleave { by_sampler, .. } | Kind::Random { by_sampler } => by_sampler,
            _ => false,
        }
    }

    /// Whether a controller that takes turns came back to where its search began.
    pub(super) fn went_round(&mut self, id: ControllerId, child: Option<Child>) -> bool {
        if !self.takes_turns(id) {
            return false;
        }
        let turn = self.walk.state(id).turn();
        if turn.search_start.is_none() {
            turn.search_start = child;
            return false;
        }
        let round = turn.search_start == child && !turn.still_same;
        if round {
            self.reinitialize(id);
        }
        round
    }

    pub(super) fn child_gave_one(&mut self, id: ControllerId) {
        if !self.takes_turns(id) {
            return;
        }
        let by_sampler = self.by_sampler(id);
        let turn = self.walk.state(id).turn();
        turn.returned_one = true;
        if by_sampler {
            self.increment(id);
            self.walk.state(id).turn().skip_next = true;
        } else {
            turn.search_start = None;
        }
    }

    pub(super) fn child_gave_none(&mut self, id: ControllerId, child: ControllerId) {
        if self.is_done(child) {
            let controller = self.controller(id);
            let state = self.walk.state(id);
            let current = state.current;
            let children = state.own_children(controller);
            if current < children.len() {
                children.remove(current);
            }
        } else if !self.takes_turns(id) || !self.by_sampler(id) {
            self.increment(id);
        }
    }

    /// Whether a throughput controller will never run again.
    pub(super) fn throughput_is_done(&mut self, id: ControllerId) -> bool {
        let len = self.children_len(id);
        if len == 0 {
            return true;
        }
        let Kind::Throughput { style, shared } = &self.controller(id).kind else {
            return false;
        };
        match style {
            ThroughputStyle::Times(times) => {
                let times = self.times(times);
                let executions = match shared {
                    Some(shared) => {
                        let counts = shared.lock();
                        counts
                            .unwrap_or_else(std::sync::PoisonError::into_inner)
                            .executions
                    }
                    None => self.own_counts(id).executions,
                };
                times == 0 || (executions >= times && self.walk.state(id).current >= len)
            }
            ThroughputStyle::Percent(percent) => self.percent(percent) == 0.0,
        }
    }
}
