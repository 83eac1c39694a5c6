//! Waking tasks from other threads.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;

use mio::{Registry, Waker};

use super::event_loop::{self, REMOTE};

/// The side of a loop that other threads see.
#[derive(Debug)]
pub(super) struct Remote {
    /// Who was woken since the loop last looked.
    woken: Mutex<Woken>,
    waker: Waker,
}

#[derive(Debug, Default)]
struct Woken {
    tasks: Vec<usize>,
    everybody: bool,
}

/// Wakes one task.
#[derive(Debug)]
pub(super) struct TaskWaker {
    task: usize,
    remote: Arc<Remote>,
}

impl Remote {
    pub(super) fn new(registry: &Registry) -> io::Result<Self> {
        Ok(Self {
            woken: Mutex::default(),
            waker: Waker::new(registry, REMOTE)?,
        })
    }

    /// Wakes every task of the loop.
    pub(super) fn wake_everybody(&self) {
        self.wake(|woken| woken.everybody = true);
    }

    /// Moves the woken tasks to those that are ready; whether everybody was woken.
    pub(super) fn take(&self, ready: &mut VecDeque<usize>) -> bool {
        let mut woken = self.lock();
        ready.extend(woken.tasks.drain(..));
        std::mem::take(&mut woken.everybody)
    }

    fn wake(&self, note: impl FnOnce(&mut Woken)) {
        let mut woken = self.lock();
        let is_first = woken.tasks.is_empty() && !woken.everybody;
        note(&mut woken);
        drop(woken);
        if is_first {
            // It fails only when the loop is gone, and with it whoever would have to be woken.
            drop(self.waker.wake());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Woken> {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TaskWaker {
    pub(super) fn new(task: usize, remote: &Arc<Remote>) -> Self {
        let remote = Arc::clone(remote);
        Self { task, remote }
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let is_here = event_loop::if_running(|event_loop| {
            let is_own = Arc::ptr_eq(event_loop.remote(), &self.remote);
            if is_own {
                event_loop.make_ready(self.task);
            }
            is_own
        });
        if !is_here {
            self.remote.wake(|woken| woken.tasks.push(self.task));
        }
    }
}
