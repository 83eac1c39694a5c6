//! A request that could go on does not count: it waits for nothing but its turn at the processor.
//!
//! Under an overload tasks wait long for their turn, behind the rejection of others. If their requests
//! counted meanwhile, the limit would be full of work that is done, and the store would stand idle while
//! orders are shed. So a request is in process while it runs, and while it waits for the store, the
//! gateway or its client; it leaves when it is woken and comes back when it runs.

use std::fmt;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use super::Permit;

/// A task, and whether its request is among those in process.
struct Shared {
    task: Waker,
    counts: AtomicBool,
    in_flight: Arc<AtomicUsize>,
}

impl Shared {
    /// The request is in process, and has been counted already when it was let in.
    fn take_over(&self) {
        self.counts.store(true, Ordering::Release);
    }

    fn count(&self) {
        if !self.counts.swap(true, Ordering::AcqRel) {
            self.in_flight.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn uncount(&self) {
        if self.counts.swap(false, Ordering::AcqRel) {
            self.in_flight.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.uncount();
        self.task.wake_by_ref();
    }
}

/// The turns of one task, kept for all requests that it answers.
#[derive(Default)]
pub(crate) struct Turns(Option<(Arc<Shared>, Waker)>);

impl fmt::Debug for Turns {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Turns").finish_non_exhaustive()
    }
}

impl Turns {
    /// The request has its turn and counts; the waker that ends that. With its first turn comes the
    /// permit that let it in, whose count becomes the one of the turns.
    pub(super) fn begin(
        &mut self,
        task: &Waker,
        in_flight: &Arc<AtomicUsize>,
        permit: Option<Permit<'_>>,
    ) -> &Waker {
        if let Some((shared, _)) = &self.0
            && !shared.task.will_wake(task)
        {
            shared.uncount();
            self.0 = None;
        }
        let (shared, waker) = self.0.get_or_insert_with(|| {
            let shared = Arc::new(Shared {
                task: task.clone(),
                counts: AtomicBool::new(false),
                in_flight: Arc::clone(in_flight),
            });
            (Arc::clone(&shared), Waker::from(shared))
        });
        match permit {
            Some(permit) => {
                // Its count lives on in the turns.
                let _taken = ManuallyDrop::new(permit);
                shared.take_over();
            }
            None => shared.count(),
        }
        waker
    }

    /// The request is over, however it ended.
    pub(super) fn end(&self) {
        if let Some((shared, _)) = &self.0 {
            shared.uncount();
        }
    }
}
