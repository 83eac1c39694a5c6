//! Users of open models: who takes which arrival.
//!
//! Each thread has its share of a group's arrivals and users of its own to take them, so that nothing
//! is handed from thread to thread but the number of users that are busy.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use double11_load::tasks::{self, Signal};

use super::batch::{GroupRun, Thread};
use super::virtual_user::VirtualUser;
use crate::groups::{Arrivals, Place, USERS_MAX};
use crate::log::Level;

/// The arrivals of a group that one of its threads has.
pub(super) struct ArrivalShare {
    pub(super) group: Arc<GroupRun>,
    pub(super) arrivals: Arrivals,
    /// The number of the thread, and how many there are.
    pub(super) thread: usize,
    pub(super) threads: usize,
}

/// The users of a group on one thread.
#[derive(Debug)]
pub(super) struct Pool {
    /// Users that wait for an arrival.
    idle: RefCell<Vec<Rc<Idle>>>,
    /// Whether there are no more arrivals.
    over: Cell<bool>,
    iterations_max: Option<u32>,
}

#[derive(Debug, Default)]
struct Idle {
    released: Signal,
    claim: RefCell<Option<Claim>>,
}

/// That a user counts among those that are busy, until this is dropped.
#[derive(Debug)]
pub(super) struct Claim(Arc<GroupRun>);

impl Claim {
    /// Nothing when as many are busy as may be.
    fn of(group: &Arc<GroupRun>, users_max: Option<u32>) -> Option<Self> {
        let most = users_max.unwrap_or(u32::try_from(USERS_MAX).unwrap_or(u32::MAX));
        let next = |busy: u32| (busy < most).then_some(busy + 1);
        let claimed = group
            .busy
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        claimed.is_ok().then(|| Self(Arc::clone(group)))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    /// Waits for an arrival, after an iteration of the user who calls; none when it is to end.
    pub(super) async fn next(&self, iterations: u32) -> Option<Claim> {
        let is_through = self.iterations_max.is_some_and(|most| iterations >= most);
        if is_through || self.over.get() {
            return None;
        }
        let own = Rc::new(Idle::default());
        self.idle.borrow_mut().push(Rc::clone(&own));
        let released = own.released.past(0, None).await;
        released.ok()?;
        own.claim.borrow_mut().take()
    }

    /// Lets a user that waits take an arrival; the claim comes back when none waits.
    fn release(&self, claim: Claim) -> Option<Claim> {
        let Some(idle) = self.idle.borrow_mut().pop() else {
            return Some(claim);
        };
        *idle.claim.borrow_mut() = Some(claim);
        idle.released.notify();
        None
    }

    fn close(&self) {
        self.over.set(true);
        for idle in self.idle.borrow_mut().drain(..) {
            idle.released.notify();
        }
    }
}

/// Gives out the arrivals of a share, one after the other, until the last of them or a stop.
pub(super) async fn give_out(share: ArrivalShare, thread: Rc<Thread>) {
    let group = &share.group;
    let Arrivals {
        instants,
        users_max,
        iterations_max,
        until,
        ends,
        ..
    } = share.arrivals;
    let pool = Rc::new(Pool {
        idle: RefCell::default(),
        over: Cell::new(false),
        iterations_max,
    });
    let mut dropped = 0_u64;
    let own = instants.skip(share.thread).step_by(share.threads);
    let own = own.take_while(|at| until.is_none_or(|until| *at < until));
    for at in own {
        let round = tasks::round();
        let due = group.started + at;
        if tasks::sleep_unless_stopping(due).await.is_err() || group.is_over() {
            break;
        }
        if tasks::round() == round {
            // Arrivals that are late must not hold up those that came.
            tasks::yield_now().await;
        }
        let Some(claim) = Claim::of(group, users_max) else {
            dropped += 1;
            continue;
        };
        if let Some(claim) = pool.release(claim) {
            let number = group.created.fetch_add(1, Ordering::Relaxed) + 1;
            let place = Place { begins: at, ends };
            let mut user = VirtualUser::new(Arc::clone(group), number, place, thread.reporter());
            user.take_arrivals(&pool, claim);
            thread.spawn(user);
        }
    }
    if let Some(ends) = ends {
        // The group lasts as long as its schedule, unless the run is stopped.
        let _until_then_or_the_stop = tasks::sleep_unless_stopping(group.started + ends).await;
    }
    pool.close();
    if dropped > 0 {
        let text = format!(
            "{}: {dropped} arrivals were dropped, as every user was busy",
            group.name
        );
        group
            .run
            .log
            .line(Level::Warn, "ArrivalsThreadGroup", &text);
    }
}
