//! Which payments are in process here, so that a twin can wait for the first, the resolver keeps its
//! hands off attempts that are being charged, and a callback finds who waits for its word.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use double11_store::{Fingerprint, GatewayAnswer, PreparePayment};
use double11_units::{AttemptId, IdempotencyKey, OrderId};
use tokio::sync::watch;

use super::Paid;

type Answers = watch::Receiver<Option<Paid>>;

/// What makes two requests twins. The user of the scope is the order's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Twins {
    order_id: OrderId,
    key: IdempotencyKey,
    fingerprint: Fingerprint,
}

/// Payments in process.
#[derive(Debug)]
pub(super) struct Joins {
    state: Arc<Mutex<State>>,
}

/// What the lock protects: both maps change in short, separate steps.
#[derive(Debug, Default)]
struct State {
    by_key: HashMap<Twins, Answers>,
    /// The way to whoever works on an attempt.
    working: HashMap<AttemptId, watch::Sender<Option<GatewayAnswer>>>,
}

/// What a request is to do.
pub(super) enum Role {
    /// Pay, and answer through the entry.
    First(Entry),
    /// Wait for the answer of the first.
    Twin(Answers),
}

impl Joins {
    pub(super) fn new() -> Self {
        Self {
            state: Arc::new(Mutex::new(State::default())),
        }
    }

    pub(super) fn enter(&self, command: &PreparePayment) -> Role {
        let (sender, receiver) = watch::channel(None);
        let twins = command.key.as_ref().map(|claimed| Twins {
            order_id: command.order_id,
            key: claimed.key.clone(),
            fingerprint: claimed.fingerprint,
        });
        if let Some(twins) = &twins {
            let mut state = lock(&self.state);
            if let Some(first) = state.by_key.get(twins) {
                return Role::Twin(first.clone());
            }
            state.by_key.insert(twins.clone(), receiver);
        }
        Role::First(Entry {
            state: Arc::clone(&self.state),
            twins,
            sender,
        })
    }

    /// Marks an attempt as being charged until the guard is dropped.
    pub(super) fn work_on(&self, attempt_id: AttemptId) -> Working {
        let (sender, told) = watch::channel(None);
        lock(&self.state).working.insert(attempt_id, sender);
        Working {
            state: Arc::clone(&self.state),
            attempt_id,
            told,
        }
    }

    pub(super) fn is_working_on(&self, attempt_id: AttemptId) -> bool {
        lock(&self.state).working.contains_key(&attempt_id)
    }

    /// Tells whoever works on an attempt what the gateway said of it.
    pub(super) fn tell(&self, attempt_id: AttemptId, answer: GatewayAnswer) {
        if let Some(working) = lock(&self.state).working.get(&attempt_id) {
            working.send_replace(Some(answer));
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A first request in process. Dropped without an answer (a panic), its twins learn that it is lost.
#[derive(Debug)]
pub(super) struct Entry {
    state: Arc<Mutex<State>>,
    twins: Option<Twins>,
    sender: watch::Sender<Option<Paid>>,
}

impl Entry {
    pub(super) fn answer(self, paid: &Paid) {
        // Only twins wait for it.
        self.sender.send_if_modified(|answer| {
            *answer = Some(paid.clone());
            true
        });
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(twins) = &self.twins {
            lock(&self.state).by_key.remove(twins);
        }
    }
}

/// An attempt that is being charged.
#[derive(Debug)]
pub(super) struct Working {
    state: Arc<Mutex<State>>,
    attempt_id: AttemptId,
    told: watch::Receiver<Option<GatewayAnswer>>,
}

impl Working {
    /// Waits for what a callback says of the attempt; for ever, when none comes.
    pub(super) async fn told(&mut self) -> GatewayAnswer {
        if let Ok(told) = self.told.wait_for(Option::is_some).await
            && let Some(answer) = *told
        {
            return answer;
        }
        std::future::pending().await
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        lock(&self.state).working.remove(&self.attempt_id);
    }
}
