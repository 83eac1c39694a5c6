//! Beginning: of controllers, of their iterations, and anew.

use super::super::kind::{Count, ThroughputCounts, ThroughputStyle};
use super::super::state::{Own, Turn};
use super::super::{Child, ControllerId, Hook, Kind, Stop};
use super::Rules;

impl Rules<'_> {
    /// A controller as it is before anything ran.
    pub(in super::super) fn initialize(&mut self, id: ControllerId) {
        self.reset_current(id);
        let state = self.walk.state(id);
        state.iterations = 0;
        state.done = false;
        state.first = true;
        self.initialize_children(id);
        match &self.controller(id).kind {
            Kind::RandomOrder => self.reorder(id),
            Kind::ForEach { .. } => self.reset_rounds(id),
            Kind::Interleave {
                across_users: true, ..
            } => {
                let len = self.children_len(id);
                let number = self.user.number.saturating_sub(1) as usize;
                self.walk.state(id).current = number.checked_rem(len).unwrap_or(0);
            }
            _ => {}
        }
    }

    pub(super) fn initialize_children(&mut self, id: ControllerId) {
        for index in 0..self.children_len(id) {
            let state = &self.walk.states[id.0 as usize];
            if let Child::Controller(child) = state.children(self.controller(id))[index] {
                self.initialize(child);
            }
        }
    }

    /// A controller after an iteration.
    pub(in super::super) fn reinitialize(&mut self, id: ControllerId) {
        match &self.controller(id).kind {
            Kind::Loop { .. } | Kind::ForEach { .. } | Kind::Runtime(_) => {
                self.reset_current(id);
                let state = self.walk.state(id);
                state.first = true;
                state.rounds += 1;
            }
            Kind::Interleave { .. } | Kind::Random { .. } => {
                let state = self.walk.state(id);
                state.first = true;
                state.iterations += 1;
                *state.turn() = Turn::new();
            }
            kind => {
                if let Kind::Critical(_) = kind {
                    self.release(id);
                }
                self.reset_current(id);
                let state = self.walk.state(id);
                state.iterations += 1;
                state.first = true;
                if let Kind::RandomOrder = kind {
                    self.reorder(id);
                }
            }
        }
    }

    /// The iteration that a sampler was in is given up.
    pub(in super::super) fn trigger_end_of_loop(&mut self, id: ControllerId) {
        match &self.controller(id).kind {
            Kind::Transaction { parent, .. } => {
                if *parent {
                    self.give_up_parent(id);
                } else {
                    self.give_up_gathered(id);
                }
                self.reinitialize(id);
            }
            Kind::If { .. } => {
                self.initialize_children(id);
                self.reinitialize(id);
            }
            Kind::Loop { .. } | Kind::While(_) | Kind::ForEach { .. } | Kind::Runtime(_) => {
                self.reinitialize(id);
                self.reset_rounds(id);
            }
            _ => self.reinitialize(id),
        }
    }

    pub(in super::super) fn break_loop(&mut self, id: ControllerId) {
        self.reset_current(id);
        self.reset_rounds(id);
        let state = self.walk.state(id);
        state.broken = true;
        state.first = true;
    }

    /// A controller is through for good.
    pub(super) fn set_done(&mut self, id: ControllerId) {
        let state = self.walk.state(id);
        if let Kind::Loop { .. } = self.tree.controller(id).kind {
            state.broken = false;
            state.loops = None;
        }
        state.done = true;
    }

    pub(super) fn leave_loop(&mut self, id: ControllerId) {
        self.walk.state(id).broken = false;
        self.reset_rounds(id);
    }

    pub(super) fn reset_rounds(&mut self, id: ControllerId) {
        let rounds = match &self.controller(id).kind {
            Kind::ForEach { start, .. } => start.value(self.user),
            _ => 0,
        };
        let state = self.walk.state(id);
        state.rounds = rounds;
        state.loops = None;
        match &self.tree.controller(id).kind {
            Kind::While(_) => state.iterations = 0,
            Kind::Runtime(_) => state.own = Own::Runtime(None),
            _ => {}
        }
    }

    pub(super) fn reset_current(&mut self, id: ControllerId) {
        let random = matches!(self.controller(id).kind, Kind::Random { .. });
        let current = if random { self.any_child(id) } else { 0 };
        self.walk.state(id).current = current;
    }

    fn any_child(&mut self, id: ControllerId) -> usize {
        match self.children_len(id) {
            0 => 0,
            len => {
                let drawn = self.user.random.between(0, len as u64 - 1);
                usize::try_from(drawn).unwrap_or(0)
            }
        }
    }

    /// The next child.
    pub(super) fn increment(&mut self, id: ControllerId) {
        match &self.controller(id).kind {
            Kind::Switch(_) => self.walk.state(id).current = usize::MAX,
            Kind::Interleave { .. } | Kind::Random { .. } => {
                let turn = self.walk.state(id).turn();
                turn.skip_next |= turn.returned_one;
                turn.still_same = false;
                self.walk.state(id).current += 1;
                if let Kind::Random { .. } = self.controller(id).kind {
                    self.walk.state(id).current = self.any_child(id);
                }
            }
            _ => self.walk.state(id).current += 1,
        }
    }

    fn reorder(&mut self, id: ControllerId) {
        let controller = self.controller(id);
        for last in (1..self.children_len(id)).rev() {
            let drawn = self.user.random.between(0, last as u64);
            let children = self.walk.state(id).own_children(controller);
            children.swap(last, usize::try_from(drawn).unwrap_or(last));
        }
    }

    /// Tells those who want to know that an iteration begins, if one does.
    pub(super) fn fire_iteration(&mut self, id: ControllerId) -> Result<(), Stop> {
        if !self.walk.state(id).first {
            return Ok(());
        }
        let controller = self.controller(id);
        let iteration = match controller.kind {
            Kind::Loop { .. } | Kind::ForEach { .. } | Kind::Runtime(_) => {
                self.walk.state(id).rounds + 1
            }
            _ => self.walk.state(id).iterations,
        };
        for hook in &controller.hooks {
            match *hook {
                Hook::User => self.iterations.user(self.user)?,
                Hook::Data(data) => self.iterations.data(data, self.user)?,
                Hook::Controller(inner) => self.parent_began(inner, id, iteration),
            }
        }
        self.walk.state(id).first = false;
        Ok(())
    }

    /// What a controller does when the one around it begins an iteration.
    fn parent_began(&mut self, id: ControllerId, around: ControllerId, iteration: i64) {
        match &self.controller(id).kind {
            Kind::OnceOnly => {
                let in_loop = matches!(self.controller(around).kind, Kind::Loop { .. });
                if iteration == i64::from(in_loop) {
                    self.reinitialize(id);
                }
            }
            Kind::Throughput { style, shared } => {
                let runs = if let Some(shared) = shared {
                    let mut counts = shared
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                    self.decide(style, &mut counts)
                } else {
                    let mut counts = self.own_counts(id);
                    let runs = self.decide(style, &mut counts);
                    self.walk.state(id).own = Own::Throughput(counts, runs);
                    runs
                };
                if let Own::Throughput(_, run) = &mut self.walk.state(id).own {
                    *run = runs;
                }
            }
            Kind::Loop { .. } | Kind::While(_) | Kind::ForEach { .. } => {
                self.reinitialize(id);
                self.reset_rounds(id);
            }
            _ => {}
        }
    }

    pub(super) fn own_counts(&mut self, id: ControllerId) -> ThroughputCounts {
        match self.walk.state(id).own {
            Own::Throughput(counts, _) => counts,
            _ => ThroughputCounts::default(),
        }
    }

    fn decide(&mut self, style: &ThroughputStyle, counts: &mut ThroughputCounts) -> bool {
        counts.iteration += 1;
        let runs = match style {
            ThroughputStyle::Times(times) => counts.executions < self.times(times),
            ThroughputStyle::Percent(percent) => {
                let due = (100.0 * counts.executions as f64 + 50.0) / (counts.iteration + 1) as f64;
                due < f64::from(self.percent(percent))
            }
        };
        counts.executions += i64::from(runs);
        runs
    }

    /// The times of a throughput controller; 1 when it is no number.
    pub(super) fn times(&mut self, times: &Count) -> i64 {
        match times {
            Count::Fixed(times) => *times,
            Count::Text(template) => {
                let text = self.user.render(template);
                text.parse::<i32>().map_or(1, i64::from)
            }
        }
    }

    /// The share of a throughput controller; 100 when it is no number.
    pub(super) fn percent(&mut self, percent: &double11_jmx::template::Template) -> f32 {
        self.user.render(percent).trim().parse().unwrap_or(100.0)
    }
}
