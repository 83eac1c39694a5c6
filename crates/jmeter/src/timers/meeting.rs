//! Users that wait until so many of them are there.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use double11_jmx::document::Element;
use double11_jmx::template::Template;
use double11_load::tasks;

use super::{Active, whole};
use crate::compiler::Compiler;
use crate::user::User;

/// The synchronizing timer: a barrier that all users of a run share.
#[derive(Debug)]
pub struct Meeting {
    size: Template,
    timeout_ms: Template,
    hall: Mutex<Hall>,
}

/// Who is there.
#[derive(Debug, Default)]
struct Hall {
    /// Parties that went on; who waits for one of them knows its number.
    parties: u64,
    present: u64,
    waiting: Vec<Waker>,
}

impl Meeting {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        Self {
            size: compiler.property(element, "groupSize"),
            timeout_ms: compiler.property(element, "timeoutInMs"),
            hall: Mutex::default(),
        }
    }

    /// Waits until as many users are there as the timer says; until `ends` at the latest, and no longer
    /// than its time-out, after which all who wait go on.
    pub async fn wait(&self, user: &mut User, active: Active, ends: Option<Duration>) {
        let size = match whole(&self.size, user) {
            0 => u64::from(active.group_planned),
            size => match u64::try_from(size) {
                Ok(size) => size,
                Err(_) => return,
            },
        };
        let now = user.run.clock.now();
        let timeout = u64::try_from(whole(&self.timeout_ms, user)).ok();
        let timeout = timeout.filter(|timeout| *timeout > 0);
        let until = timeout.map(|timeout| now + Duration::from_millis(timeout));
        let until = match (until, ends) {
            (Some(until), Some(ends)) => Some(until.min(ends)),
            (until, ends) => until.or(ends),
        };
        let Some(party) = self.enter(size) else {
            return;
        };
        let gone_on = Party {
            meeting: self,
            party,
        };
        let Some(until) = until else {
            gone_on.await;
            return;
        };
        // Whoever waits too long lets all others go too, as a barrier that breaks does.
        let mut gone_on = std::pin::pin!(gone_on);
        let mut sleep = std::pin::pin!(tasks::sleep_unless_stopping(until));
        std::future::poll_fn(|context| {
            if gone_on.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            sleep.as_mut().poll(context).map(|_| self.leave(party))
        })
        .await;
    }

    /// The party that the user waits for; none when it is complete with it.
    fn enter(&self, size: u64) -> Option<u64> {
        let mut hall = self.hall();
        hall.present += 1;
        if hall.present >= size {
            hall.go_on();
            return None;
        }
        Some(hall.parties)
    }

    fn leave(&self, party: u64) {
        let mut hall = self.hall();
        if hall.parties == party {
            hall.go_on();
        }
    }

    // What it guards changes in one step; nothing waits with it held.
    fn hall(&self) -> MutexGuard<'_, Hall> {
        self.hall.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hall {
    fn go_on(&mut self) {
        self.parties += 1;
        self.present = 0;
        for waker in self.waiting.drain(..) {
            waker.wake();
        }
    }
}

/// Waits until a party went on, or the run is being stopped.
struct Party<'a> {
    meeting: &'a Meeting,
    party: u64,
}

impl Future for Party<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut hall = self.meeting.hall();
        let stopping = tasks::stop_level() != tasks::StopLevel::Running;
        if hall.parties != self.party || stopping {
            return Poll::Ready(());
        }
        if !hall
            .waiting
            .iter()
            .any(|own| own.will_wake(context.waker()))
        {
            hall.waiting.push(context.waker().clone());
        }
        Poll::Pending
    }
}
