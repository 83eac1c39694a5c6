//! A client that asks one thing at a time and looks at the answer.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::harness::now;

/// What counts as fast: far below the time-out of any client.
pub(crate) const FAST: Duration = Duration::from_millis(1_500);

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: bool,
    pub(crate) body: Value,
    pub(crate) took: Duration,
}

fn ask(request: ureq::http::Request<String>) -> Answer {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(20)))
        .build()
        .into();
    let begun = now();
    let mut answer = agent.run(request).unwrap();
    Answer {
        status: answer.status().as_u16(),
        retry_after: answer.headers().contains_key("retry-after"),
        body: answer.body_mut().read_json().unwrap_or_default(),
        took: begun.elapsed(),
    }
}

pub(crate) fn get(target: &str, path: &str) -> Answer {
    let request = ureq::http::Request::get(format!("{target}{path}"));
    ask(request.body(String::new()).unwrap())
}

pub(crate) fn post(target: &str, path: &str, body: &Value) -> Answer {
    let request = ureq::http::Request::post(format!("{target}{path}"))
        .header("content-type", "application/json");
    ask(request.body(body.to_string()).unwrap())
}

/// Orders that are asked for here, written down for the audit in the form of `docs/SCHEMA.md`, section 3.
pub(crate) struct Asked {
    ledger: Mutex<File>,
}

impl Asked {
    pub(crate) fn at(path: &Path) -> Self {
        let mut ledger = File::create_new(path).unwrap();
        writeln!(ledger, "{}", json!({"double11_client_ledger": 1})).unwrap();
        let ledger = Mutex::new(ledger);
        Self { ledger }
    }

    /// One piece of a product.
    pub(crate) fn order(&self, target: &str, product: u32) -> Answer {
        let wanted = json!({"user_id": "7", "items": [{"product_id": product, "quantity": 1}]});
        let sent = micros();
        // A key each, as shoppers have one.
        let key = format!("asked-{sent}");
        let request = ureq::http::Request::post(format!("{target}/api/orders"))
            .header("content-type", "application/json")
            .header("idempotency-key", &key);
        let answer = ask(request.body(wanted.to_string()).unwrap());
        let code = answer.body["code"].as_str();
        let outcome = match answer.status {
            201 => "acknowledged",
            400..500 => "refused",
            503 if code == Some("overloaded") => "refused",
            _ => "unknown",
        };
        let stored = |field: &str| answer.body[field].to_string().trim_matches('"').to_owned();
        let line = json!({
            "kind": "order", "step": "asked", "key": key, "attempt": 1, "phase": "asked",
            "planned": sent, "sent": sent, "end": micros(),
            "outcome": outcome, "status": answer.status, "code": code, "request": wanted,
            "answer": (answer.status == 201)
                .then(|| json!({"order_id": stored("order_id"), "total": stored("total")})),
        });
        writeln!(self.ledger.lock().unwrap(), "{line}").unwrap();
        answer
    }
}

/// Microseconds since the Unix epoch.
#[expect(
    clippy::disallowed_methods,
    reason = "the audit compares with the clocks of other processes"
)]
fn micros() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_micros()).unwrap()
}

pub(crate) fn health(target: &str) -> String {
    let answer = get(target, "/actuator/health");
    answer.body["status"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// Fails unless products can be looked at, and fast.
pub(crate) fn assert_shows_products(target: &str, what: &str) {
    let product = get(target, "/api/products/3");
    assert_eq!(product.status, 200, "{what}: {}", product.body);
    assert!(product.took < FAST, "{what}: {:?}", product.took);
}

/// Fails unless this is a refusal that tells when to come back.
pub(crate) fn assert_refused(refused: &Answer, what: &str) {
    assert_eq!(refused.status, 503, "{what}: {}", refused.body);
    assert!(refused.retry_after, "{what}: {}", refused.body);
}
