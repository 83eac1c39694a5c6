//! A gateway that is asked over HTTP, in the protocol of `docs/PAYMENTS.md`.
//!
//! Nothing is asked twice once it may have been sent: whatever fails then leaves the outcome unknown,
//! and the caller asks for the status. Only a connection that does not come about is tried again for a
//! moment, so that a gateway which is being restarted costs nobody his order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use double11_store::Clock;
use double11_units::{AttemptId, Currency, Money, OrderId};
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::signature::{self, Secret};
use crate::transport::{AddressError, SendError, Sender, parse_address, send, sender};
use crate::{
    Charge, ChargeResult, Gateway, GatewayError, GatewayReply, Health, KnownAttempt, wire,
};

/// How often a connection is tried that does not come about.
const CONNECT_TRIES: u32 = 4;
/// The wait before it is tried again, times the number of the try: 600 ms in all.
const CONNECT_PAUSE: Duration = Duration::from_millis(100);
/// Questions without an answer in a row after which the gateway counts as down.
const FAILURES_MAX: u32 = 3;

/// How a gateway is reached.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Where it is, such as `https://pay.example`.
    pub url: String,
    /// What it is called in metrics, in the store and in the path of its callbacks.
    pub name: &'static str,
    /// What signs the questions; none for a gateway that believes everybody.
    pub secret: Option<Secret>,
    /// Certificate authorities besides the public ones, in PEM.
    pub extra_roots: Option<Vec<u8>>,
    /// Questions at a time; more wait, within `timeout`.
    pub in_flight_max: usize,
    /// The longest that a question may take, its wait for a turn included.
    pub timeout: Duration,
}

/// A gateway that is asked over HTTP.
#[derive(Clone)]
pub struct HttpGateway(Arc<Inner>);

struct Inner {
    name: &'static str,
    address: String,
    secret: Option<Secret>,
    sender: Sender,
    clock: Arc<dyn Clock>,
    turns: Semaphore,
    timeout: Duration,
    /// Questions in a row that had no answer.
    failures: AtomicU32,
}

/// What status and body of an answer say; none for words that are not of the protocol.
type Understood<T> = Option<Result<T, GatewayError>>;

/// A question, before it is signed.
struct Question {
    method: &'static str,
    path: String,
    body: Bytes,
}

impl HttpGateway {
    /// Prepares the client; nothing is sent yet.
    ///
    /// # Errors
    /// [`AddressError`] when the address or the certificates cannot be used.
    pub fn new(settings: HttpSettings, clock: Arc<dyn Clock>) -> Result<Self, AddressError> {
        let in_flight_max = settings.in_flight_max.clamp(1, Semaphore::MAX_PERMITS);
        Ok(Self(Arc::new(Inner {
            name: settings.name,
            address: parse_address(&settings.url)?,
            secret: settings.secret,
            sender: sender(settings.extra_roots.as_deref(), in_flight_max)?,
            clock,
            turns: Semaphore::new(in_flight_max),
            timeout: settings.timeout,
            failures: AtomicU32::new(0),
        })))
    }

    /// Asks, and reads the answer by `understand`, which gives none for words it does not know.
    fn ask<T: Send + 'static>(
        &self,
        question: Question,
        understand: fn(u16, &[u8]) -> Understood<T>,
    ) -> GatewayReply<T> {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let answered = tokio::time::timeout(inner.timeout, inner.ask(&question)).await;
            let understood = match &answered {
                Ok(Ok((status, body))) => understand(*status, body),
                Ok(Err(_)) | Err(_) => None,
            };
            if let Some(understood) = understood {
                inner.failures.store(0, Ordering::Release);
                return understood;
            }
            // Far from the end of its range: a store at the first answer begins anew.
            inner.failures.fetch_add(1, Ordering::AcqRel);
            let (path, gateway) = (&question.path, inner.name);
            match answered {
                Ok(Ok((status, _))) => {
                    tracing::warn!(gateway, path, status, "the gateway's answer is no answer");
                }
                Ok(Err(error)) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(gateway, path, error, "the gateway cannot be asked");
                }
                Err(_) => tracing::warn!(gateway, path, "the gateway did not answer in time"),
            }
            Err(GatewayError::OutcomeUnknown)
        })
    }
}

impl Inner {
    async fn ask(&self, question: &Question) -> Result<(u16, Bytes), SendError> {
        // The semaphore is never closed.
        let _turn = self.turns.acquire().await;
        let mut tried = 1;
        loop {
            match send(&self.sender, self.request(question)).await {
                Err(SendError::NotSent(_)) if tried < CONNECT_TRIES => {
                    tokio::time::sleep(CONNECT_PAUSE * tried).await;
                    tried += 1;
                }
                answered => return answered,
            }
        }
    }

    fn request(&self, question: &Question) -> Request<Full<Bytes>> {
        let Question { method, path, body } = question;
        let mut request = Request::builder()
            .method(*method)
            .uri([&self.address, path.as_str()].concat())
            .header(CONTENT_TYPE, "application/json");
        if let Some(secret) = &self.secret {
            let message = signature::request_message(method, path, body);
            request = request.header(signature::HEADER, secret.sign(self.clock.now(), &message));
        }
        request
            .body(Full::new(body.clone()))
            .expect("invariant: the address is a URL, and paths are digits and letters")
    }
}

impl Gateway for HttpGateway {
    fn name(&self) -> &'static str {
        self.0.name
    }

    fn health(&self) -> Health {
        if self.0.failures.load(Ordering::Acquire) >= FAILURES_MAX {
            Health::Down("it does not answer")
        } else {
            Health::Up
        }
    }

    fn charge(&self, charge: Charge) -> GatewayReply<ChargeResult> {
        let question = Question {
            method: "PUT",
            path: wire::charge_path(charge.attempt_id),
            body: wire::charge(charge).to_string().into(),
        };
        self.ask(question, |status, body| {
            let answer: Answer<'_> = serde_json::from_slice(body).ok()?;
            if answer.is_other_charge(status) {
                return Some(Err(GatewayError::OtherCharge));
            }
            let result = answer.result.filter(|_| status == 200)?;
            ChargeResult::from_name(result).map(Ok)
        })
    }

    fn status(&self, attempt_id: AttemptId) -> GatewayReply<KnownAttempt> {
        let question = Question {
            method: "GET",
            path: wire::charge_path(attempt_id),
            body: Bytes::new(),
        };
        self.ask(question, known)
    }

    fn void(&self, attempt_id: AttemptId) -> GatewayReply<KnownAttempt> {
        let question = Question {
            method: "POST",
            path: wire::charge_path(attempt_id) + "/void",
            body: Bytes::from_static(b"{}"),
        };
        self.ask(question, known)
    }

    fn refund(&self, attempt_id: AttemptId, amount: Money) -> GatewayReply<()> {
        let question = Question {
            method: "POST",
            path: wire::charge_path(attempt_id) + "/refund",
            body: json!({
                "amount": amount.to_string(),
                "currency": amount.currency().code(),
            })
            .to_string()
            .into(),
        };
        self.ask(question, |status, body| {
            let answer: Answer<'_> = serde_json::from_slice(body).ok()?;
            match (status, answer.refunded, answer.code) {
                (200, Some(true), _) => Some(Ok(())),
                (409, _, Some("not_captured")) => Some(Err(GatewayError::NotCaptured)),
                _ if answer.is_other_charge(status) => Some(Err(GatewayError::OtherCharge)),
                _ => None,
            }
        })
    }
}

/// What an answer may say; only words of the protocol count, so that a page of some proxy in between
/// is never taken for "never heard of it".
#[derive(Deserialize)]
struct Answer<'body> {
    result: Option<&'body str>,
    refunded: Option<bool>,
    code: Option<&'body str>,
}

/// What an answer to a question about an attempt may say; the rest of other answers is read by nobody,
/// so that its form cannot spoil them.
#[derive(Deserialize)]
struct KnownAnswer<'body> {
    status: Option<serde_json::Value>,
    order_id: Option<&'body str>,
    amount: Option<&'body str>,
    currency: Option<&'body str>,
}

impl Answer<'_> {
    fn is_other_charge(&self, status: u16) -> bool {
        status == 409 && self.code == Some("other_charge")
    }
}

/// Order and amount may be left out; what is there has to be understood.
fn known(status: u16, body: &[u8]) -> Understood<KnownAttempt> {
    let answer: KnownAnswer<'_> = serde_json::from_slice(body).ok()?;
    let name = answer.status.filter(|_| status == 200)?;
    let order_id = answer.order_id.map(OrderId::parse).transpose().ok()?;
    let amount = match answer.amount.zip(answer.currency) {
        Some((amount, code)) => Some(Money::parse(amount, Currency::from_code(code)?).ok()?),
        None => None,
    };
    Some(Ok(KnownAttempt {
        status: wire::status_from_name(name.as_str()?)?,
        order_id,
        amount,
    }))
}

impl std::fmt::Debug for HttpGateway {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("HttpGateway")
            .field("name", &self.0.name)
            .field("address", &self.0.address)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
