//! Ends connections that wait for their next request: too long, or while the shop shuts down.
//!
//! A patrol walks past all connections a few times within the time they may idle. So a request costs
//! a few stores and a lock of its own connection, for which nobody else is waiting, and no timer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval_at};

/// How an idle connection is woken. Only the patrol ever contends for the lock.
type Waker = Mutex<Option<std::task::Waker>>;

/// Rounds within the time that a connection may idle; the time is exact to one of them.
const ROUNDS: u32 = 16;
/// Stands for the round in which a connection became idle while it is not idle.
const NEVER: u32 = u32::MAX;

/// Walks past the connections of a listener.
#[derive(Debug)]
pub(super) struct Patrol {
    period: Duration,
    round: AtomicU32,
    is_stopping: AtomicBool,
    next_id: AtomicU64,
    /// Held to come, to go, and for the time of a walk.
    posts: Mutex<HashMap<u64, Arc<Post>>>,
}

/// What the patrol sees of a connection.
#[derive(Debug)]
struct Post {
    idle_since: AtomicU32,
    is_sent_home: AtomicBool,
    waker: Waker,
}

/// A connection's place on the patrol's way.
#[derive(Debug)]
pub(super) struct Place<'patrol> {
    patrol: &'patrol Patrol,
    id: u64,
    post: Arc<Post>,
}

impl Patrol {
    pub(super) fn new(idle_timeout: Duration) -> Self {
        Self {
            period: (idle_timeout / ROUNDS).max(Duration::from_millis(1)),
            round: AtomicU32::new(0),
            is_stopping: AtomicBool::new(false),
            next_id: AtomicU64::new(0),
            posts: Mutex::default(),
        }
    }

    /// When to walk.
    pub(super) fn rounds(&self) -> Interval {
        let mut rounds = interval_at(tokio::time::Instant::now() + self.period, self.period);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        rounds
    }

    /// Ends the connections that have idled for too long.
    pub(super) fn walk(&self) {
        let round = self.round.fetch_add(1, Ordering::Relaxed) + 1;
        for post in self.posts().values() {
            let since = post.idle_since.load(Ordering::Relaxed);
            // One round more, since the first may have been short.
            if since != NEVER && round.wrapping_sub(since) > ROUNDS {
                post.send_home();
            }
        }
    }

    /// Ends idle connections from now on, and the others after their answer.
    pub(super) fn stop(&self) {
        self.is_stopping.store(true, Ordering::SeqCst);
        for post in self.posts().values() {
            post.wake();
        }
    }

    /// A place for a new connection.
    pub(super) fn post(&self) -> Place<'_> {
        let post = Arc::new(Post {
            idle_since: AtomicU32::new(NEVER),
            is_sent_home: AtomicBool::new(false),
            waker: Waker::default(),
        });
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        self.posts().insert(id, Arc::clone(&post));
        Place {
            patrol: self,
            id,
            post,
        }
    }

    fn posts(&self) -> MutexGuard<'_, HashMap<u64, Arc<Post>>> {
        self.posts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Post {
    fn send_home(&self) {
        self.is_sent_home.store(true, Ordering::SeqCst);
        self.wake();
    }

    fn wake(&self) {
        let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waker) = &*waker {
            waker.wake_by_ref();
        }
    }
}

impl Place<'_> {
    /// Waits for `arrival` as an idle connection does; none when the patrol ended it. What arrived
    /// goes before.
    pub(super) async fn idle<T>(
        &self,
        mut arrival: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Option<T> {
        let post = &*self.post;
        let round = self.patrol.round.load(Ordering::Relaxed);
        post.is_sent_home.store(false, Ordering::Relaxed);
        post.idle_since.store(round, Ordering::Relaxed);
        let arrived = std::future::poll_fn(|context| {
            if let Poll::Ready(arrived) = arrival(context) {
                return Poll::Ready(Some(arrived));
            }
            // The waker first: whoever sends home after it wakes it.
            let mut waker = post.waker.lock().unwrap_or_else(PoisonError::into_inner);
            match &mut *waker {
                Some(waker) => waker.clone_from(context.waker()),
                None => *waker = Some(context.waker().clone()),
            }
            drop(waker);
            if self.is_stopping() || post.is_sent_home.load(Ordering::SeqCst) {
                return Poll::Ready(None);
            }
            Poll::Pending
        })
        .await;
        post.idle_since.store(NEVER, Ordering::Relaxed);
        arrived
    }

    /// The shop shuts down: this answer is the last.
    pub(super) fn is_stopping(&self) -> bool {
        self.patrol.is_stopping.load(Ordering::SeqCst)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.patrol.posts().remove(&self.id);
    }
}
