//! The sandbox as an HTTP service of its own, with the misfortunes that real gateways have: answers that
//! do not come, callbacks that come late or twice. The protocol is that of `docs/PAYMENTS.md`.
//!
//! From the outside in: `serve` bounds connections and ends in good order; `Service::answer` reads,
//! checks the signature and finds what is asked for; the sandbox decides and makes it durable. A
//! charge that was asked for goes on when its client hangs up.

mod answer;
mod callbacks;
mod fate;

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use double11_store::Clock;
use double11_units::AttemptId;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::task::JoinSet;

use crate::signature::{self, Secret};
use crate::transport::AddressError;
use crate::{
    Charge, ChargeResult, Gateway, GatewayError, Health, KnownAttempt, SandboxGateway, wire,
};
use answer::{Answer, Refusal};
use callbacks::Callbacks;
use fate::{ANSWER_LATE_BY, Answered, Fate};

pub use callbacks::CallbackSettings;
pub use fate::Shares;

/// Connections at a time; more wait in the listener's backlog.
const CONNECTIONS_MAX: usize = 1_024;
/// The longest that a connection may take for its next head.
const HEAD_TIMEOUT: Duration = Duration::from_mins(1);
/// The longest that a body may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest body, in bytes.
const BODY_BYTES_MAX: usize = 16 * 1024;
/// The pause after the system refused to accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long the end waits for answers that are under way, and then for callbacks.
const DRAIN_DEADLINE: Duration = Duration::from_secs(5);
/// How long a connection is held open that is never answered.
const HOLD_MAX: Duration = Duration::from_mins(1);

/// How the service behaves.
#[derive(Clone, Debug)]
pub struct ServiceSettings {
    /// What requests must be signed with; none believes everybody.
    pub secret: Option<Secret>,
    /// Where outcomes are told besides the answer; none tells nobody.
    pub callbacks: Option<CallbackSettings>,
    /// What befalls attempts.
    pub shares: Shares,
    /// The seed of what befalls them.
    pub seed: u64,
}

/// The sandbox, ready to be served.
pub struct Service {
    sandbox: SandboxGateway,
    secret: Option<Secret>,
    callbacks: Option<Callbacks>,
    shares: Shares,
    seed: u64,
    clock: Arc<dyn Clock>,
    /// Charges that are being made, whether or not somebody still waits for them.
    charges: Mutex<JoinSet<()>>,
    /// Told at the end to those that would hold a connection for ever.
    stopping: watch::Sender<bool>,
}

/// What an end had to leave undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndReport {
    /// Connections that were cut off.
    pub connections_cut: usize,
    /// Outcomes that the shop was not told of since the start; it has to ask for them.
    pub callbacks_untold: usize,
}

/// A connection is ended without a word.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("no answer, as it was asked for")]
struct Silence;

impl Service {
    /// Puts the service in front of a sandbox.
    ///
    /// # Errors
    /// [`AddressError`] when callbacks cannot be sent where they should be.
    pub fn new(
        sandbox: SandboxGateway,
        settings: ServiceSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AddressError> {
        let callbacks = settings
            .callbacks
            .map(|settings| Callbacks::new(settings, Arc::clone(&clock)))
            .transpose()?;
        Ok(Self {
            sandbox,
            secret: settings.secret,
            callbacks,
            shares: settings.shares,
            seed: settings.seed,
            clock,
            charges: Mutex::new(JoinSet::new()),
            stopping: watch::Sender::new(false),
        })
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Answer, Silence> {
        let (head, body) = request.into_parts();
        match self.find(&head, body).await {
            Ok((place, body)) => self.do_at(place, &head.method, &body).await,
            Err(refusal) => Ok(refusal.answer()),
        }
    }

    /// What a request is for, with its body, once it is believed.
    async fn find(&self, head: &Parts, body: Incoming) -> Result<(Place, Bytes), Refusal> {
        let body = read(body).await?;
        let path = head.uri.path();
        let place = Place::of(path)?;
        let Some(secret) = self.secret.as_ref().filter(|_| place != Place::Health) else {
            return Ok((place, body));
        };
        let given = head.headers.get(signature::HEADER);
        let given = given.ok_or(answer::INVALID_SIGNATURE)?;
        let message = signature::request_message(head.method.as_str(), path, &body);
        secret
            .verify(given.as_bytes(), self.clock.now(), &message)
            .map_err(|error| answer::INVALID_SIGNATURE.because(error.to_string()))?;
        Ok((place, body))
    }

    async fn do_at(
        self: &Arc<Self>,
        place: Place,
        method: &Method,
        body: &[u8],
    ) -> Result<Answer, Silence> {
        Ok(match (place, method) {
            (Place::Health, &Method::GET) => self.health(),
            (Place::Charge(attempt_id), &Method::PUT) => {
                return self.charge(attempt_id, body).await;
            }
            (Place::Charge(attempt_id), &Method::GET) => {
                status(attempt_id, self.sandbox.status(attempt_id).await)
            }
            (Place::Void(attempt_id), &Method::POST) => {
                status(attempt_id, self.sandbox.void(attempt_id).await)
            }
            (Place::Refund(attempt_id), &Method::POST) => self.refund(attempt_id, body).await,
            (Place::Charge(_), _) => answer::wrong_method("GET, PUT"),
            (Place::Void(_) | Place::Refund(_), _) => answer::wrong_method("POST"),
            (Place::Health, _) => answer::wrong_method("GET"),
        })
    }

    fn health(&self) -> Answer {
        match self.sandbox.health() {
            Health::Up => answer::health(None),
            Health::Down(why) => answer::health(Some(why)),
        }
    }

    /// Charges, and answers as the attempt's fate will have it.
    async fn charge(
        self: &Arc<Self>,
        attempt_id: AttemptId,
        body: &[u8],
    ) -> Result<Answer, Silence> {
        let charge = match charge_of(attempt_id, body) {
            Ok(charge) => charge,
            Err(refusal) => return Ok(refusal.answer()),
        };
        let fate = Fate::of(attempt_id, self.seed, self.shares);
        let charged = self.start(charge, fate);
        match fate.answered {
            Answered::AtOnce => {}
            Answered::Late => self.hold(ANSWER_LATE_BY).await?,
            Answered::Never => {
                self.hold(HOLD_MAX).await?;
                return Err(Silence);
            }
        }
        Ok(match charged.await {
            Ok(Ok(result)) => answer::ok(&json!({
                "attempt_id": attempt_id.to_string(),
                "result": result.name(),
            })),
            Ok(Err(GatewayError::OtherCharge)) => Refusal::from(answer::OTHER_CHARGE).answer(),
            Ok(Err(_)) | Err(_) => Refusal::from(answer::OUTCOME_UNKNOWN).answer(),
        })
    }

    /// Charges in the background: what was asked for happens, whether or not somebody waits for it.
    fn start(
        self: &Arc<Self>,
        charge: Charge,
        fate: Fate,
    ) -> oneshot::Receiver<Result<ChargeResult, GatewayError>> {
        let (sender, receiver) = oneshot::channel();
        let service = Arc::clone(self);
        let mut charges = self.charges.lock().unwrap_or_else(PoisonError::into_inner);
        while charges.try_join_next().is_some() {}
        charges.spawn(async move {
            let charged = service.sandbox.charge(charge).await;
            if let (Ok(result), Some(callbacks)) = (charged, &service.callbacks) {
                callbacks.tell(charge, result, fate);
            }
            if sender.send(charged).is_err() {
                tracing::debug!("nobody waits for the answer of a charge any more");
            }
        });
        receiver
    }

    /// Keeps the client waiting; silence when the service ends meanwhile.
    async fn hold(&self, span: Duration) -> Result<(), Silence> {
        let mut stopping = self.stopping.subscribe();
        tokio::select! {
            () = tokio::time::sleep(span) => Ok(()),
            _ = stopping.wait_for(|stopping| *stopping) => Err(Silence),
        }
    }

    async fn refund(&self, attempt_id: AttemptId, body: &[u8]) -> Answer {
        let amount = match asked(body).and_then(|asked| asked.amount().map_err(invalid)) {
            Ok(amount) => amount,
            Err(refusal) => return refusal.answer(),
        };
        match self.sandbox.refund(attempt_id, amount).await {
            Ok(()) => answer::ok(&json!({
                "attempt_id": attempt_id.to_string(),
                "refunded": true,
            })),
            Err(GatewayError::NotCaptured) => Refusal::from(answer::NOT_CAPTURED).answer(),
            Err(GatewayError::OtherCharge) => Refusal::from(answer::OTHER_CHARGE).answer(),
            Err(GatewayError::OutcomeUnknown) => Refusal::from(answer::OUTCOME_UNKNOWN).answer(),
        }
    }

    /// Ends what goes on in the background; the number of outcomes that the shop was not told of.
    async fn finish(&self) -> usize {
        let mut charges =
            std::mem::take(&mut *self.charges.lock().unwrap_or_else(PoisonError::into_inner));
        let all = async { while charges.join_next().await.is_some() {} };
        // What is not done by then is found in the ledger, or was never begun.
        drop(tokio::time::timeout(DRAIN_DEADLINE, all).await);
        charges.shutdown().await;
        match &self.callbacks {
            Some(callbacks) => callbacks.finish(DRAIN_DEADLINE).await,
            None => 0,
        }
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Service")
            .field("sandbox", &self.sandbox)
            .field("callbacks", &self.callbacks)
            .finish_non_exhaustive()
    }
}

/// What a path is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Health,
    Charge(AttemptId),
    Void(AttemptId),
    Refund(AttemptId),
}

impl Place {
    fn of(path: &str) -> Result<Self, Refusal> {
        if path == "/v1/health" {
            return Ok(Self::Health);
        }
        let rest = path.strip_prefix("/v1/charges/");
        let rest = rest.ok_or(answer::NOT_FOUND)?;
        let (attempt_id, action) = rest.split_once('/').unwrap_or((rest, ""));
        let attempt_id = AttemptId::parse(attempt_id)
            .map_err(|_| invalid("the attempt's id is not a number from 1"))?;
        match action {
            "" if !rest.ends_with('/') => Ok(Self::Charge(attempt_id)),
            "void" => Ok(Self::Void(attempt_id)),
            "refund" => Ok(Self::Refund(attempt_id)),
            _ => Err(answer::NOT_FOUND.into()),
        }
    }
}

fn status(attempt_id: AttemptId, known: Result<KnownAttempt, GatewayError>) -> Answer {
    match known {
        Ok(known) => answer::ok(&wire::known(attempt_id, known)),
        Err(_) => Refusal::from(answer::OUTCOME_UNKNOWN).answer(),
    }
}

async fn read(body: Incoming) -> Result<Bytes, Refusal> {
    let whole = Limited::new(body, BODY_BYTES_MAX).collect();
    match tokio::time::timeout(BODY_TIMEOUT, whole).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(answer::BODY_TOO_LARGE.into()),
        Ok(Err(_)) => Err(invalid("the body broke off")),
        Err(_) => Err(answer::REQUEST_TIMEOUT.into()),
    }
}

fn invalid(detail: &str) -> Refusal {
    answer::INVALID_REQUEST.because(detail)
}

fn asked(body: &[u8]) -> Result<wire::Asked, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        let kind = match error.classify() {
            serde_json::error::Category::Data => answer::INVALID_REQUEST,
            _ => answer::MALFORMED_JSON,
        };
        kind.because(error.to_string())
    })
}

fn charge_of(attempt_id: AttemptId, body: &[u8]) -> Result<Charge, Refusal> {
    let asked = asked(body)?;
    Ok(Charge {
        attempt_id,
        order_id: asked.order_id().map_err(invalid)?,
        amount: asked.amount().map_err(invalid)?,
    })
}

/// Serves until `stop`, then finishes what is under way and closes the ledger.
pub async fn serve(
    listener: TcpListener,
    service: Service,
    stop: impl Future<Output = ()>,
) -> EndReport {
    let service = Arc::new(service);
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &places) => {
                let Some((stream, place)) = accepted else { continue };
                let service = Arc::clone(&service);
                let answering = service_fn(move |request| Arc::clone(&service).answer(request));
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(HEAD_TIMEOUT)
                    .serve_connection(TokioIo::new(stream), answering);
                let watched = graceful.watch(connection);
                connections.spawn(async move {
                    if let Err(error) = watched.await {
                        let error = &error as &dyn std::error::Error;
                        tracing::debug!(error, "a connection broke");
                    }
                    drop(place);
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    service.stopping.send_replace(true);
    let drained = tokio::time::timeout(DRAIN_DEADLINE, async {
        graceful.shutdown().await;
        while connections.join_next().await.is_some() {}
    });
    let connections_cut = match drained.await {
        Ok(()) => 0,
        Err(_) => connections.len(),
    };
    connections.shutdown().await;
    EndReport {
        connections_cut,
        callbacks_untold: service.finish().await,
    }
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => {
            if let Err(error) = stream.set_nodelay(true) {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(error, "small answers may wait a moment");
            }
            Some((stream, place))
        }
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a connection could not be accepted"
            );
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}
