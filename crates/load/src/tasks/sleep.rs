//! Pauses.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::event_loop::{self, Timer};
use super::stop::{StopLevel, Stopped};

/// Waits until an instant of the run's clock. [`Stopped`] when the run is stopped at once meanwhile; a
/// graceful stop lets the pause end.
pub fn sleep_until(at: Duration) -> impl Future<Output = Result<(), Stopped>> {
    Sleep::new(at, StopLevel::Now)
}

/// The same, ended by any stop.
pub fn sleep_unless_stopping(at: Duration) -> impl Future<Output = Result<(), Stopped>> {
    Sleep::new(at, StopLevel::Gracefully)
}

/// Lets other tasks have their turn.
pub fn yield_now() -> YieldNow {
    YieldNow { has_yielded: false }
}

#[derive(Debug)]
pub(super) struct Sleep {
    at: Duration,
    /// The level that ends it early.
    cut_at: StopLevel,
    /// From the first poll on.
    timer: Option<Timer>,
}

/// See [`yield_now`].
#[derive(Debug)]
pub struct YieldNow {
    has_yielded: bool,
}

impl Sleep {
    pub(super) fn new(at: Duration, cut_at: StopLevel) -> Self {
        Self {
            at,
            cut_at,
            timer: None,
        }
    }
}

impl Future for Sleep {
    type Output = Result<(), Stopped>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let over = event_loop::current(|event_loop| {
            if event_loop.has_fired(self.at) {
                return Poll::Ready(Ok(()));
            }
            if event_loop.stop_level() >= self.cut_at {
                return Poll::Ready(Err(Stopped));
            }
            Poll::Pending
        });
        if over.is_pending() && self.timer.is_none() {
            self.timer = Some(event_loop::wake_at(self.at));
        }
        over
    }
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.has_yielded {
            return Poll::Ready(());
        }
        self.has_yielded = true;
        event_loop::current(super::event_loop::EventLoop::make_current_ready);
        Poll::Pending
    }
}
