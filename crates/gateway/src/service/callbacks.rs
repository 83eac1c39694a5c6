//! Tells the shop of outcomes by signed requests, again and again until it has heard.
//!
//! What waits to be told is in memory only: after a crash the shop asks for the status, as it does for
//! every outcome that it did not hear. What is told twice or late does no harm there.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use double11_store::Clock;
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::CONTENT_TYPE;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::fate::Fate;
use crate::signature::{HEADER, Secret};
use crate::transport::{AddressError, Sender, parse_address, send, sender};
use crate::{Charge, ChargeResult, wire};

/// Outcomes that may wait to be told; of more the shop learns by asking.
const WAITING_MAX: usize = 10_000;
/// Requests at a time.
const AT_A_TIME: usize = 64;
/// How often an outcome is told to a shop that does not hear.
const TRIES: u32 = 6;
/// The wait before the second try; it doubles with every further one, to 16 s before the last.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest that the shop may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where outcomes are told.
#[derive(Clone, Debug)]
pub struct CallbackSettings {
    /// The shop's `/api/payments/callbacks/NAME`, with scheme and host.
    pub url: String,
    /// What signs them.
    pub secret: Secret,
    /// Certificate authorities besides the public ones, in PEM.
    pub extra_roots: Option<Vec<u8>>,
    /// How late those are that are told late.
    pub late_by: Duration,
}

/// Tells outcomes. Its tasks end with it.
pub(super) struct Callbacks {
    teller: Arc<Teller>,
    tasks: Mutex<JoinSet<()>>,
    hurry: watch::Sender<bool>,
}

struct Teller {
    url: String,
    secret: Secret,
    sender: Sender,
    clock: Arc<dyn Clock>,
    turns: Semaphore,
    late_by: Duration,
    /// Outcomes that the shop was not told of.
    untold: AtomicUsize,
}

impl Callbacks {
    pub(super) fn new(
        settings: CallbackSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AddressError> {
        let teller = Teller {
            url: parse_address(&settings.url)?,
            secret: settings.secret,
            sender: sender(settings.extra_roots.as_deref(), AT_A_TIME)?,
            clock,
            turns: Semaphore::new(AT_A_TIME),
            late_by: settings.late_by,
            untold: AtomicUsize::new(0),
        };
        Ok(Self {
            teller: Arc::new(teller),
            tasks: Mutex::new(JoinSet::new()),
            hurry: watch::Sender::new(false),
        })
    }

    /// Tells an outcome from now on, in the background.
    pub(super) fn tell(&self, charge: Charge, result: ChargeResult, fate: Fate) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        if tasks.len() >= WAITING_MAX {
            self.teller.untold.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(
                payment.id = charge.attempt_id.get(),
                "too many callbacks wait; the shop has to ask for this one"
            );
            return;
        }
        let body = wire::callback(charge, result, self.teller.clock.now());
        let (teller, hurry) = (Arc::clone(&self.teller), self.hurry.subscribe());
        tasks.spawn(async move { teller.tell(body.to_string().into(), fate, hurry).await });
    }

    /// Tells at once what waits, for at most `deadline`; answers how many outcomes were not told.
    pub(super) async fn finish(&self, deadline: Duration) -> usize {
        self.hurry.send_replace(true);
        let mut tasks =
            std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let all = async { while tasks.join_next().await.is_some() {} };
        let cut = match tokio::time::timeout(deadline, all).await {
            Ok(()) => 0,
            Err(_) => tasks.len(),
        };
        tasks.shutdown().await;
        cut + self.teller.untold.load(Ordering::Relaxed)
    }
}

impl Teller {
    async fn tell(&self, body: Bytes, fate: Fate, mut hurry: watch::Receiver<bool>) {
        if fate.is_called_back_late {
            wait(self.late_by, &mut hurry).await;
        }
        let mut tried = 1;
        while !self.is_heard(&body).await {
            if tried == TRIES || *hurry.borrow() {
                self.untold.fetch_add(1, Ordering::Relaxed);
                return;
            }
            wait(PAUSE * 2_u32.pow(tried - 1), &mut hurry).await;
            tried += 1;
        }
        if let Some(gap) = fate.called_back_again_after {
            wait(gap, &mut hurry).await;
            self.is_heard(&body).await;
        }
    }

    /// Tells once; whether there is no use in telling again.
    async fn is_heard(&self, body: &Bytes) -> bool {
        // The semaphore is never closed.
        let _turn = self.turns.acquire().await;
        let request = Request::post(&self.url)
            .header(CONTENT_TYPE, "application/json")
            .header(HEADER, self.secret.sign(self.clock.now(), body))
            .body(Full::new(body.clone()));
        let request = request.expect("invariant: the address is a URL");
        match tokio::time::timeout(TIMEOUT, send(&self.sender, request)).await {
            Ok(Ok((200..=299, _))) => true,
            // It was heard and refused; the same words will be refused again.
            Ok(Ok((status @ (400..=407 | 409..=428 | 430..=499), _))) => {
                tracing::warn!(status, "the shop refused a callback");
                true
            }
            Ok(Ok((status, _))) => {
                tracing::debug!(status, "the shop could not take a callback");
                false
            }
            Ok(Err(error)) => {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "the shop cannot be called back"
                );
                false
            }
            Err(_) => false,
        }
    }
}

/// Waits, unless there is a hurry.
async fn wait(span: Duration, hurry: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = tokio::time::sleep(span) => {}
        // An error says that nobody can call for a hurry any more: the owner is gone, and this task
        // with it.
        _ = hurry.wait_for(|hurry| *hurry) => {}
    }
}

impl std::fmt::Debug for Callbacks {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Callbacks")
            .field("url", &self.teller.url)
            .finish_non_exhaustive()
    }
}
