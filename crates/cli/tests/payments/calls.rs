//! What a test asks in the gateway's name, and what it asks at once.

use std::sync::{Arc, Barrier};

use double11_gateway::signature::Secret;
use double11_store::{Clock as _, SystemClock};
use double11_units::UnixMicros;
use serde_json::{Value, json};

use crate::buyer::{Answer, Buyer};

/// The answers of as many threads as there are requests, all of which begin at the same instant.
pub(crate) fn at_once<T: Send + 'static>(
    requests: Vec<impl FnOnce() -> T + Send + 'static>,
) -> Vec<T> {
    let start = Arc::new(Barrier::new(requests.len()));
    let threads: Vec<_> = requests
        .into_iter()
        .map(|request| {
            let start = Arc::clone(&start);
            std::thread::spawn(move || {
                start.wait();
                request()
            })
        })
        .collect();
    threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect()
}

/// A callback about the only payment of an order.
#[derive(Clone)]
pub(crate) struct Call {
    /// Whoever calls the shop.
    pub(crate) at: Buyer,
    body: Value,
}

impl Call {
    pub(crate) fn of(buyer: &Buyer, order_id: &str, result: &str) -> Self {
        let view = buyer.view(order_id);
        let payment = &view["payments"][0];
        let body = json!({
            "attempt_id": payment["payment_id"], "order_id": order_id, "result": result,
            "amount": payment["amount"], "currency": "CNY",
        });
        Self {
            at: buyer.clone(),
            body,
        }
    }

    pub(crate) fn with_amount(&self, amount: &str) -> Self {
        let mut call = self.clone();
        call.body["amount"] = json!(amount);
        call
    }

    pub(crate) fn signed(&self, secret: &str, seconds_ago: i64) -> Answer {
        let body = self.body.to_string();
        let at = UnixMicros::new(SystemClock.now().get() - seconds_ago * 1_000_000);
        let secret = Secret::new(secret.as_bytes()).unwrap();
        let signature = secret.sign(at, body.as_bytes());
        let headers = [("double11-signature", &*signature)];
        self.at.post(PATH, &headers, &body)
    }

    pub(crate) fn unsigned(&self) -> Answer {
        self.at.post(PATH, &[], &self.body.to_string())
    }
}

const PATH: &str = "/api/payments/callbacks/http";
