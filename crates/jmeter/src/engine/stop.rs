//! Ending a run from anywhere.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use double11_load::tasks::{Stop, StopLevel};

/// Stops a run. Copies of a handle stop the same one.
#[derive(Debug, Clone, Default)]
pub struct StopHandle(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    level: StopLevel,
    /// Stops the users that are running.
    current: Stop,
}

impl Default for State {
    fn default() -> Self {
        Self {
            level: StopLevel::Running,
            current: Stop::default(),
        }
    }
}

impl StopHandle {
    /// Stops the run: gracefully, so that samples that are under way may end, or at once.
    pub fn request(&self, level: StopLevel) {
        let mut state = self.state();
        state.level = state.level.max(level);
        state.current.request(level);
    }

    /// Whether the run is being stopped.
    pub fn is_requested(&self) -> bool {
        self.state().level != StopLevel::Running
    }

    /// What stops the users that begin now.
    pub(super) fn current(&self) -> Stop {
        self.state().current.clone()
    }

    /// Users that begin from now on run, although those before were stopped.
    pub(super) fn begin_anew(&self) {
        *self.state() = State::default();
    }

    // What it guards are two fields that are set together; nothing waits with it held.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
