//! One request of every row of the budget at one shop, and what each of them sent.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::fleet::Listening;
use crate::harness::{PROGRAM, Server, both, eventually, pause, run};
use crate::traffic::{Sent, Traffic, Window};

const CALLBACK: &str = "POST /api/payments/callbacks/http";
/// What shop and gateway share.
const SECRET: &str = "a secret of shop and gateway";
/// Pieces of each product: plenty, which decides how stock is taken.
const PIECES: u32 = 990;
/// Most pieces of a line.
const LINE_MAX: u32 = 99;

/// A shop that is asked, and what it sent meanwhile.
struct Asked<'traffic> {
    traffic: &'traffic mut Traffic,
    target: String,
    agent: ureq::Agent,
    /// By the name of the row.
    windows: Vec<(&'static str, Window)>,
}

struct Answer {
    status: u16,
    body: Value,
}

impl Answer {
    fn text(&self, name: &str) -> String {
        let text = self.body[name].as_str();
        text.unwrap_or_else(|| panic!("{}", self.body)).to_owned()
    }
}

impl Asked<'_> {
    fn ask(&self, line: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.target))
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let text = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let mut answer = self.agent.run(request.body(text).unwrap()).unwrap();
        let status = answer.status().as_u16();
        let text = answer.body_mut().read_to_string().unwrap();
        let body = serde_json::from_str(&text).unwrap_or_default();
        Answer { status, body }
    }

    /// A request of a row.
    fn row(
        &mut self,
        row: &'static str,
        line: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let from = self.traffic.now();
        let answer = self.ask(line, headers, body);
        let to = self.traffic.now();
        self.windows.push((row, (from, to)));
        answer
    }

    /// A request of a row, which has to end so.
    fn expect(&mut self, row: &'static str, line: &str, body: &Value, status: u16) -> Answer {
        let answer = self.row(row, line, &[], body);
        assert_eq!(answer.status, status, "{row}: {}", answer.body);
        answer
    }

    /// One request of every row. What is asked for has not been asked for before, or in the pass before.
    fn pass(&mut self, pass: &Pass) {
        self.products(pass);
        self.carts(pass);
        self.orders(pass);
        self.payments(pass);
        for line in [
            "GET /actuator/health",
            "GET /actuator/prometheus",
            "GET /openapi.json",
        ] {
            self.expect(line, line, &Value::Null, 200);
        }
    }

    fn products(&mut self, pass: &Pass) {
        let product = format!("GET /api/products/{}", pass.product(0));
        for (row, line) in [
            ("GET /api/products/random", "GET /api/products/random"),
            ("GET /api/products/{product_id}", &product),
            ("GET /api/products", "GET /api/products?limit=20"),
            (
                "GET /api/products?category=",
                "GET /api/products?category=%E6%95%B8%E7%A2%BC&after=3",
            ),
            ("GET /api/search", "GET /api/search?q=%E6%89%8B%E6%A9%9F"),
        ] {
            self.expect(row, line, &Value::Null, 200);
        }
    }

    fn carts(&mut self, pass: &Pass) {
        let first = json!({"product_id": pass.product(1), "quantity": 1});
        let made = self.expect("POST /api/cart: a new one", "POST /api/cart", &first, 201);
        let cart = made.text("cart_id");
        let second = json!({"product_id": pass.product(2), "quantity": 1, "cart_id": cart});
        let row = "POST /api/cart: one more line";
        self.expect(row, "POST /api/cart", &second, 201);
        if pass.is_cold {
            // Carts only: what else is there belongs to the background.
            self.traffic.cache.command(&["FLUSHALL"]).unwrap();
        }
        let read = format!("GET /api/cart/{cart}");
        self.expect("GET /api/cart/{cart_id}", &read, &Value::Null, 200);
        let remove = format!("DELETE /api/cart/{cart}/items/{}", pass.product(2));
        let row = "DELETE /api/cart/{cart_id}/items/{product_id}";
        self.expect(row, &remove, &Value::Null, 200);
        let order = json!({"user_id": 7, "cart_id": cart});
        self.expect("POST /api/orders: a cart", "POST /api/orders", &order, 201);
    }

    fn orders(&mut self, pass: &Pass) {
        let line = "POST /api/orders";
        let items =
            [3, 4, 5].map(|place| json!({"product_id": pass.product(place), "quantity": 1}));
        let order = json!({"user_id": 7, "items": items});
        let key = [("idempotency-key", pass.name)];
        for (row, status) in [
            ("POST /api/orders: three lines, a key", 201),
            ("POST /api/orders: the same again", 201),
        ] {
            let answer = self.row(row, line, &key, &order);
            assert_eq!(answer.status, status, "{row}: {}", answer.body);
        }
        // For a second after a key that was claimed already, a shop looks keys up before it claims them.
        pause(Duration::from_millis(1_500));
        let order = order_of(pass.product(6), 1);
        let placed = self.expect("POST /api/orders: one line, no key", line, &order, 201);
        if pass.takes_all {
            for _ in 0..PIECES / LINE_MAX {
                let taken = self.ask(line, &[], &order_of(pass.scarce, LINE_MAX));
                assert_eq!(taken.status, 201, "{}", taken.body);
            }
        }
        let order = order_of(pass.scarce, 1);
        let row = "POST /api/orders: sold out, a key";
        let refused = self.row(row, line, &[("idempotency-key", "none left")], &order);
        assert_eq!(refused.status, 409, "{row}: {}", refused.body);
        let row = "POST /api/orders: sold out, no key";
        self.expect(row, line, &order, 409);
        let id = placed.text("order_id");
        let read = format!("GET /api/orders/{id}");
        self.expect("GET /api/orders/{order_id}", &read, &Value::Null, 200);
        let cancel = format!("POST /api/orders/{id}/cancel");
        let row = "POST /api/orders/{order_id}/cancel";
        self.expect(row, &cancel, &Value::Null, 200);
    }

    /// An order, its id and its total.
    fn order(&self, pass: &Pass) -> (String, f64) {
        let order = self.ask("POST /api/orders", &[], &order_of(pass.product(7), 1));
        assert_eq!(order.status, 201, "{}", order.body);
        (
            order.text("order_id"),
            order.body["total"].as_f64().unwrap(),
        )
    }

    /// Pays until the gateway, which answers every other attempt, is in this mood; a row for the last one.
    fn pay(&mut self, pass: &Pass, row: &'static str, part: Option<f64>, status: u16) -> Paid {
        for _ in 0..40 {
            let (order_id, total) = self.order(pass);
            let body = json!({"order_id": order_id, "amount": part.unwrap_or(total)});
            let key = part.is_none().then_some(("idempotency-key", &*order_id));
            let headers: Vec<_> = key.into_iter().collect();
            let answer = self.row(row, "POST /api/payments", &headers, &body);
            let told = json!({
                "attempt_id": answer.text("payment_id"), "order_id": order_id,
                "result": "captured", "amount": body["amount"], "currency": "CNY",
            });
            if answer.status == status {
                return Paid {
                    order_id,
                    body,
                    told,
                };
            }
            self.windows.pop();
            // Otherwise the shop asks for it later, in the midst of another row.
            let signature = [("double11-signature", &*sign(&told.to_string()))];
            assert_eq!(self.ask(CALLBACK, &signature, &told).status, 200);
        }
        panic!("{row}: the gateway is never in this mood");
    }

    fn payments(&mut self, pass: &Pass) {
        let whole = self.pay(pass, "POST /api/payments: the whole, a key", None, 201);
        let row = "POST /api/payments: the same again";
        let key = [("idempotency-key", &*whole.order_id)];
        let again = self.row(row, "POST /api/payments", &key, &whole.body);
        assert_eq!(again.status, 201, "{}", again.body);
        let part = self.pay(pass, "POST /api/payments: a part, no key", Some(1.0), 201);
        let cancel = format!("POST /api/orders/{}/cancel", part.order_id);
        let row = "POST /api/orders/{order_id}/cancel: paid in part";
        self.expect(row, &cancel, &Value::Null, 200);
        let read = format!("GET /api/orders/{}", part.order_id);
        eventually("the refund", Duration::from_secs(10), || {
            self.ask(&read, &[], &Value::Null).body["payments"][0]["refund"] == "done"
        });
        let row = "POST /api/payments: no answer of the gateway";
        let silent = self.pay(pass, row, None, 202);
        for row in [
            "POST /api/payments/callbacks/{gateway}: news",
            "POST /api/payments/callbacks/{gateway}: again",
        ] {
            let signature = [("double11-signature", &*sign(&silent.told.to_string()))];
            let heard = self.row(row, CALLBACK, &signature, &silent.told);
            assert_eq!(heard.status, 200, "{}", heard.body);
        }
    }
}

/// A payment that was made.
struct Paid {
    order_id: String,
    body: Value,
    /// What its callback says.
    told: Value,
}

fn order_of(product: i64, pieces: u32) -> Value {
    json!({"user_id": 7, "items": [{"product_id": product, "quantity": pieces}]})
}

fn sign(body: &str) -> String {
    use double11_store::Clock as _;
    let secret = double11_gateway::signature::Secret::new(SECRET.as_bytes()).unwrap();
    secret.sign(double11_store::SystemClock.now(), body.as_bytes())
}

/// One request of every row.
struct Pass {
    /// A key of its own.
    name: &'static str,
    /// The first of its products.
    first: i64,
    /// A product that is sold out.
    scarce: i64,
    /// Whether this pass sells it out.
    takes_all: bool,
    /// Whether the cache is emptied before a cart is read.
    is_cold: bool,
}

impl Pass {
    const fn product(&self, place: i64) -> i64 {
        self.first + place
    }
}

/// First one that loads scripts, prepares statements and makes connections; then one with products that the
/// shop has not sold yet, and the same again.
const PASSES: [Pass; 3] = [
    Pass {
        name: "first",
        first: 10,
        scarce: 1,
        takes_all: true,
        is_cold: false,
    },
    Pass {
        name: "cold",
        first: 30,
        scarce: 2,
        takes_all: true,
        is_cold: true,
    },
    Pass {
        name: "warm",
        first: 30,
        scarce: 2,
        takes_all: false,
        is_cold: false,
    },
];

/// A request and what it sent, with the logs of it.
pub(crate) type Measured = (&'static str, Sent, String);

/// What was measured of a shop.
pub(crate) struct Shop {
    pub(crate) cold: Vec<Measured>,
    pub(crate) warm: Vec<Measured>,
    pub(crate) rounds: BTreeMap<&'static str, BTreeSet<[usize; 2]>>,
}

/// Asks a shop of this variant.
pub(crate) fn measure(traffic: &mut Traffic, variant: &str) -> Shop {
    let folder = tempfile::tempdir().unwrap();
    let (shop, _gateway) = start(traffic, variant, folder.path());
    let from = traffic.now();
    let [_first, cold, warm] = PASSES.map(|pass| {
        let mut asked = Asked {
            traffic,
            target: shop.target.clone(),
            agent: ureq::Agent::config_builder()
                .http_status_as_error(false)
                .timeout_global(Some(Duration::from_secs(20)))
                .build()
                .into(),
            windows: Vec::new(),
        };
        asked.pass(&pass);
        asked.windows
    });
    let to = traffic.now();
    assert!(shop.terminate().success());
    let by_connection = variant == "baseline";
    let count = |windows: &[(&'static str, Window)]| {
        let spans: Vec<_> = windows.iter().map(|(_, window)| *window).collect();
        let sent = traffic.within(&spans, by_connection);
        let rows = windows.iter().zip(sent);
        rows.map(|((row, window), sent)| (*row, sent, traffic.text(*window)))
            .collect()
    };
    Shop {
        cold: count(&cold),
        warm: count(&warm),
        rounds: traffic.rounds((from, to), by_connection),
    }
}

fn start(traffic: &Traffic, variant: &str, folder: &Path) -> (Server, Listening) {
    let store = traffic.database.create_database(variant).unwrap();
    let migrated = run(["migrate", "--store", &store]);
    assert!(migrated.status.success(), "{}", both(&migrated));
    let gateway = gateway(folder);
    let mut command = Command::new(PROGRAM);
    command
        .args(["serve", "--variant", variant, "--addr", "127.0.0.1:0"])
        .args(["--products", "100", "--stock", &PIECES.to_string()])
        // Whoever comes second finds everything prepared.
        .args(["--pool-size", "1"])
        .args(["--gateway", &gateway.target, "--gateway-deadline", "150ms"])
        .env("DOUBLE11_GATEWAY_SECRET", SECRET)
        .env("DOUBLE11_STORE", &store)
        .env(
            "DOUBLE11_CACHE",
            format!("{}?prefix={variant}:", traffic.cache.url()),
        );
    let shop = Server::spawn(&mut command, folder.join("shop.log"));
    (shop, gateway)
}

/// One that answers every other attempt in time, which its id decides.
fn gateway(folder: &Path) -> Listening {
    let mut command = Command::new(PROGRAM);
    command
        .args(["gateway", "--addr", "127.0.0.1:0", "--no-answer", "0.5"])
        .arg("--ledger")
        .arg(folder.join("gateway.ledger"))
        .env("DOUBLE11_GATEWAY_SECRET", SECRET);
    Listening::start(&mut command, &folder.join("gateway.log"))
}
