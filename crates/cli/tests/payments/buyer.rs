//! A buyer who asks a shop, and writes down what each of his writes came to, as the load generator does
//! (docs/SCHEMA.md, section 3).

use std::fs::File;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use double11_store::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::harness::eventually;

/// What every buyer of a test was told, in one file.
#[derive(Clone)]
pub(crate) struct Ledger(Arc<Mutex<File>>);

impl Ledger {
    pub(crate) fn create(path: &Path) -> Self {
        let mut file = File::create(path).unwrap();
        writeln!(file, r#"{{"double11_client_ledger":1}}"#).unwrap();
        Self(Arc::new(Mutex::new(file)))
    }

    fn note(&self, line: &Value) {
        writeln!(self.0.lock().unwrap(), "{line}").unwrap();
    }
}

/// Somebody who asks one shop.
#[derive(Clone)]
pub(crate) struct Buyer {
    port: u16,
    agent: ureq::Agent,
    ledger: Ledger,
}

/// An answer of the shop.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) replayed: bool,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn text(&self, name: &str) -> &str {
        let text = self.body[name].as_str();
        text.unwrap_or_else(|| panic!("no `{name}`: {self:?}"))
    }

    /// What the audit is to believe of a write with this answer.
    fn outcome(&self) -> &'static str {
        match (self.status, self.body["code"].as_str()) {
            (200..=299, _) => "acknowledged",
            (400..=499, _) | (503, Some("overloaded")) => "refused",
            _ => "unknown",
        }
    }
}

impl Buyer {
    pub(crate) fn new(port: u16, ledger: Ledger) -> Self {
        Self {
            port,
            agent: ureq::Agent::config_builder()
                .http_status_as_error(false)
                .timeout_global(Some(Duration::from_secs(40)))
                .build()
                .into(),
            ledger,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        let answered = self.agent.get(self.url(path)).call();
        read(answered.unwrap()).unwrap()
    }

    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.try_post(path, headers, body).unwrap()
    }

    fn try_post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, ureq::Error> {
        let mut request = self.agent.post(self.url(path));
        request = request.content_type("application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request.send(body)?)
    }

    /// A write that goes into the ledger; none when no answer came.
    fn write(&self, kind: &str, key: Option<&str>, request: &Value) -> Option<Answer> {
        let path = format!("/api/{kind}s");
        let key_header: Vec<_> = key
            .map(|key| ("idempotency-key", key))
            .into_iter()
            .collect();
        let sent = SystemClock.now().get();
        let answer = self.try_post(&path, &key_header, &request.to_string());
        let answer = answer.ok();
        let acknowledged = answer
            .as_ref()
            .filter(|answer| answer.outcome() == "acknowledged");
        let told = acknowledged.map(|answer| match kind {
            "order" => json!({
                "order_id": answer.body["order_id"], "total": answer.body["total"].to_string(),
            }),
            _ => json!({
                "payment_id": answer.body["payment_id"], "status": answer.body["status"],
            }),
        });
        self.ledger.note(&json!({
            "kind": kind, "step": kind, "key": key, "attempt": 1, "phase": "test",
            "planned": sent, "sent": sent, "end": SystemClock.now().get(),
            "outcome": answer.as_ref().map_or("unknown", Answer::outcome),
            "status": answer.as_ref().map(|answer| answer.status),
            "code": answer.as_ref().map(|answer| answer.body["code"].clone()),
            "request": request, "answer": told,
        }));
        answer
    }

    /// An order of one piece, and its total.
    pub(crate) fn order(&self) -> (String, f64) {
        let items = json!({"user_id": 7, "items": [{"product_id": 3, "quantity": 1}]});
        let answer = self.write("order", None, &items).unwrap();
        assert_eq!(answer.status, 201, "{answer:?}");
        let total = answer.body["total"].as_f64().unwrap();
        (answer.text("order_id").to_owned(), total)
    }

    pub(crate) fn pay(&self, order_id: &str, amount: f64, key: Option<&str>) -> Answer {
        self.try_pay(order_id, amount, key).unwrap()
    }

    /// The same with a shop that may be killed meanwhile.
    pub(crate) fn try_pay(&self, order_id: &str, amount: f64, key: Option<&str>) -> Option<Answer> {
        self.write("payment", key, &payment(order_id, amount))
    }

    /// Pays and is gone before there is an answer.
    pub(crate) fn pay_and_hang_up(&self, order_id: &str, amount: f64, key: &str) {
        let request = payment(order_id, amount);
        let body = request.to_string();
        let sent = SystemClock.now().get();
        let mut lost = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let text = format!(
            "POST /api/payments HTTP/1.1\r\nhost: s\r\ncontent-type: application/json\r\n\
             idempotency-key: {key}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        lost.write_all(text.as_bytes()).unwrap();
        drop(lost);
        self.ledger.note(&json!({
            "kind": "payment", "step": "payment", "key": key, "attempt": 1, "phase": "test",
            "planned": sent, "sent": sent, "end": SystemClock.now().get(), "outcome": "unknown",
            "status": null, "code": null, "request": request, "answer": null,
        }));
    }

    pub(crate) fn cancel(&self, order_id: &str) -> Answer {
        self.post(&format!("/api/orders/{order_id}/cancel"), &[], "")
    }

    pub(crate) fn view(&self, order_id: &str) -> Value {
        self.get(&format!("/api/orders/{order_id}")).body
    }

    /// The value of a series of the shop's metrics; 0 where it does not exist yet.
    pub(crate) fn metric(&self, series: &str) -> u64 {
        let answered = self.agent.get(self.url("/actuator/prometheus")).call();
        let page = answered.unwrap().body_mut().read_to_string().unwrap();
        let mut lines = page.lines();
        let value = lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.map_or(0, |value| value.parse().unwrap())
    }

    /// Payments that the shop counted as captured since its start.
    pub(crate) fn captures_counted(&self) -> u64 {
        self.metric(r#"ecommerce_payments_total{currency="CNY",gateway="http",status="success"}"#)
    }

    /// Callbacks that the shop believed since its start.
    pub(crate) fn callbacks_heard(&self) -> u64 {
        self.metric(
            "ecommerce_request_duration_seconds_count{\
             endpoint=\"/api/payments/callbacks/{gateway}\",method=\"POST\",status=\"200\"}",
        )
    }

    /// Waits until the shop says this of its gateway.
    pub(crate) fn until_gateway_is(&self, status: &str) {
        eventually(status, Duration::from_secs(20), || {
            let health = self.get("/actuator/health").body;
            health["components"]["gateway"]["status"] == json!(status)
        });
    }
}

fn payment(order_id: &str, amount: f64) -> Value {
    json!({"order_id": order_id, "amount": amount})
}

fn read(mut answer: ureq::http::Response<ureq::Body>) -> Result<Answer, ureq::Error> {
    let text = answer.body_mut().read_to_string()?;
    Ok(Answer {
        status: answer.status().as_u16(),
        replayed: answer.headers().contains_key("idempotent-replayed"),
        body: serde_json::from_str(&text).unwrap(),
    })
}
