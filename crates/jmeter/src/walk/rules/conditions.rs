//! Conditions, selections and variables that controllers look at.

use std::sync::Arc;

use double11_jmx::template::Template;

use super::super::state::Own;
use super::super::{Child, ControllerId, Kind, Lock};
use super::Rules;
use crate::walk::{Condition, Count};

/// The variable that tells whether the last sample was a success.
const LAST_SAMPLE_OK: &str = "JMeterThread.last_sample_ok";

impl Rules<'_> {
    pub(super) fn holds(&mut self, condition: &Condition) -> bool {
        condition.holds(self.user)
    }

    pub(super) fn while_is_over(
        &mut self,
        id: ControllerId,
        condition: &Template,
        at_end: bool,
    ) -> bool {
        if self.walk.state(id).broken {
            return true;
        }
        let text = self.user.render(condition);
        let text = text.trim();
        if (at_end && text.is_empty()) || text.eq_ignore_ascii_case("LAST") {
            let last = self.user.variables.get(LAST_SAMPLE_OK);
            last.is_some_and(|last| last.eq_ignore_ascii_case("false"))
        } else {
            text.eq_ignore_ascii_case("false")
        }
    }

    /// The variable that a for-each controller is at, if there is one.
    pub(super) fn input(&mut self, id: ControllerId) -> Option<Arc<str>> {
        let Kind::ForEach {
            input, separator, ..
        } = &self.controller(id).kind
        else {
            return None;
        };
        let mut name = self.user.render(input).into_owned();
        if *separator {
            name.push('_');
        }
        name.push_str(&(self.walk.state(id).rounds + 1).to_string());
        self.user.variables.get(&name).map(Arc::from)
    }

    /// Whether a controller is through for good.
    pub(super) fn is_done(&mut self, id: ControllerId) -> bool {
        let done = self.walk.state(id).done;
        match &self.controller(id).kind {
            Kind::If { .. } => false,
            Kind::ForEach { output, end, .. } => {
                let rounds = self.walk.state(id).rounds;
                if let Some(end) = end
                    && rounds >= end.value(self.user)
                {
                    return true;
                }
                let Some(value) = self.input(id) else {
                    return done;
                };
                let name = self.user.render(output);
                self.user.variables.set(&name, value);
                false
            }
            Kind::Runtime(seconds) => {
                seconds.value(self.user) <= 0 || self.children_len(id) == 0 || done
            }
            Kind::Throughput { .. } => self.throughput_is_done(id),
            _ => done,
        }
    }

    /// The child that a switch controller chooses.
    pub(super) fn selected(&mut self, id: ControllerId, selection: &Template) -> usize {
        let text = self.user.render(selection);
        let text = text.trim();
        if text.is_empty() {
            return 0;
        }
        let len = self.children_len(id);
        if text.chars().all(char::is_numeric)
            && let Ok(number) = text.parse::<i32>()
        {
            let number = usize::try_from(number).unwrap_or(usize::MAX);
            return if number < len { number } else { 0 };
        }
        let mut default = usize::MAX;
        for index in 0..len {
            let state = &self.walk.states[id.0 as usize];
            let name = match state.children(self.controller(id))[index] {
                Child::Controller(child) => &self.controller(child).name,
                Child::Sampler(child) => &self.tree.samplers[child.0 as usize].name,
            };
            let name = self.user.render(name);
            if name == text {
                return index;
            }
            if name.eq_ignore_ascii_case("default") {
                default = index;
            }
        }
        default
    }

    pub(super) fn begin_time(&mut self, id: ControllerId) {
        let now = self.user.run.clock.now();
        let state = self.walk.state(id);
        if !matches!(state.own, Own::Runtime(Some(_))) {
            state.own = Own::Runtime(Some(now));
        }
    }

    pub(super) fn time_is_over(&mut self, id: ControllerId, seconds: &Count) -> bool {
        let now = self.user.run.clock.now();
        let begun = match self.walk.state(id).own {
            Own::Runtime(Some(begun)) => begun,
            _ => now,
        };
        let passed = i64::try_from(now.saturating_sub(begun).as_secs()).unwrap_or(i64::MAX);
        passed >= seconds.value(self.user)
    }

    /// Takes the lock of a critical section; the lock if somebody else holds it.
    pub(super) fn take_lock(&mut self, id: ControllerId, name: &Template) -> Option<Arc<Lock>> {
        if !self.walk.state(id).first {
            return None;
        }
        let name = self.user.render(name);
        if name.is_empty() {
            return None;
        }
        let lock = match &self.walk.state(id).own {
            Own::Lock(Some(lock)) => Arc::clone(lock),
            _ => self.user.run.named(format!("critical section {name}")),
        };
        if lock.take(&self.user.thread_name) {
            self.walk.state(id).own = Own::Lock(Some(lock));
            return None;
        }
        Some(lock)
    }

    /// Lets the lock of a critical section go.
    pub(super) fn release(&mut self, id: ControllerId) {
        if let Own::Lock(Some(lock)) =
            std::mem::replace(&mut self.walk.state(id).own, Own::Lock(None))
        {
            lock.release(&self.user.thread_name);
        }
    }
}

impl super::super::Walk {
    /// Lets go what a user that ends still holds.
    pub fn release_all(&mut self, user: &crate::user::User) {
        for state in &mut self.states {
            if let Own::Lock(Some(lock)) = std::mem::replace(&mut state.own, Own::Nothing) {
                while lock.is_held_by(&user.thread_name) {
                    lock.release(&user.thread_name);
                }
            }
        }
    }
}
