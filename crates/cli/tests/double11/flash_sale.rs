//! Two thousand shoppers want one hundred pieces.
//!
//! The client is this test's own: it retries with the same key after an unknown or shed answer, as a
//! shopper's app would, and keeps the ledger that the audit reads.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{Server, audit, failed_checks, seeds, settle, store_path};

const SHOPPERS: u32 = 2_000;
const UNITS: i64 = 100;
/// Tries of one shopper before it gives up; each waits longer than the one before.
const TRIES: u32 = 30;

#[expect(
    clippy::disallowed_methods,
    reason = "the ledger holds wall-clock times"
)]
fn unix_micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_micros()).unwrap()
}

/// One request on a connection of its own; none when no whole answer came.
async fn post(authority: &str, path: &str, key: &str, body: &Value) -> Option<(u16, Value)> {
    let exchange = async {
        let mut stream = TcpStream::connect(authority).await.ok()?;
        let body = body.to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nIdempotency-Key: {key}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.ok()?;
        stream.write_all(body.as_bytes()).await.ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok()?;
        let text = String::from_utf8(answer).ok()?;
        let status: u16 = text.get(9..12)?.parse().ok()?;
        let body = text.split_once("\r\n\r\n")?.1;
        Some((status, serde_json::from_str(body).ok()?))
    };
    tokio::time::timeout(Duration::from_secs(10), exchange)
        .await
        .ok()
        .flatten()
}

/// A line of the client's ledger, as `docs/SCHEMA.md` has it.
struct Write {
    kind: &'static str,
    key: String,
    attempt: u32,
    sent: u64,
    request: Value,
}

impl Write {
    fn line(&self, answer: Option<&(u16, Value)>) -> String {
        let (outcome, status, code, fields) = match answer {
            Some((status @ (201 | 202), body)) => (
                "acknowledged",
                Some(*status),
                Value::Null,
                self.fields(body),
            ),
            Some((status, body)) => {
                let code = body["code"].clone();
                let refused = *status < 500 || code == "overloaded";
                (
                    if refused { "refused" } else { "unknown" },
                    Some(*status),
                    code,
                    Value::Null,
                )
            }
            None => ("unknown", None, Value::Null, Value::Null),
        };
        json!({
            "kind": self.kind, "step": self.kind, "key": self.key, "attempt": self.attempt,
            "phase": "flash", "planned": self.sent, "sent": self.sent, "end": unix_micros(),
            "outcome": outcome, "status": status, "code": code,
            "request": self.request, "answer": fields,
        })
        .to_string()
    }

    fn fields(&self, body: &Value) -> Value {
        if self.kind == "order" {
            json!({"order_id": body["order_id"], "total": decimal(&body["total"])})
        } else {
            json!({"payment_id": body["payment_id"], "status": body["status"]})
        }
    }
}

/// A JSON amount as text with two places.
fn decimal(amount: &Value) -> String {
    format!("{:.2}", amount.as_f64().unwrap())
}

/// Sends one write until its outcome is definite, and notes every try.
async fn insist(
    authority: &str,
    path: &str,
    mut write: Write,
    ledger: &Mutex<String>,
) -> Option<(u16, Value)> {
    for attempt in 1..=TRIES {
        write.attempt = attempt;
        write.sent = unix_micros();
        let answer = post(authority, path, &write.key, &write.request).await;
        writeln!(ledger.lock().unwrap(), "{}", write.line(answer.as_ref())).unwrap();
        match answer {
            // Not known yet: 202 is a payment whose outcome the shop itself does not know.
            Some((status, _)) if status >= 500 || status == 202 => {}
            None => {}
            // The payment that was asked for again is still in process.
            Some((409, body)) if body["code"] == "payment_processing" => {}
            definite => return definite,
        }
        tokio::time::sleep(Duration::from_millis(u64::from(attempt) * 40)).await;
    }
    None
}

/// What every shopper of a sale knows.
struct Shopping {
    authority: String,
    seed: u64,
    /// Whether every second buyer pays. Not where stock is wrong on purpose: there the tables refuse
    /// to sell what was never reserved, and the payments could not settle.
    pays: bool,
    ledger: Mutex<String>,
}

/// One shopper: orders one piece, clicks twice now and then, pays now and then.
async fn shop(shopping: Arc<Shopping>, shopper: u32) -> bool {
    let Shopping {
        authority,
        seed,
        pays,
        ledger,
    } = &*shopping;
    let order = |key: String| Write {
        kind: "order",
        key,
        attempt: 0,
        sent: 0,
        request: json!({"user_id": shopper, "items": [{"product_id": 1, "quantity": 1}]}),
    };
    let key = format!("order-{seed}-{shopper}");
    let first = insist(authority, "/api/orders", order(key.clone()), ledger);
    let answer = if shopper.is_multiple_of(5) {
        let second = insist(authority, "/api/orders", order(key), ledger);
        let (first, second) = tokio::join!(first, second);
        if let (Some((201, one)), Some((201, other))) = (&first, &second) {
            assert_eq!(one, other, "a double click must get one answer");
        }
        first.or(second)
    } else {
        first.await
    };
    let Some((201, body)) = answer else {
        return false;
    };
    if *pays && shopper.is_multiple_of(2) {
        let payment = Write {
            kind: "payment",
            key: format!("payment-{seed}-{shopper}"),
            attempt: 0,
            sent: 0,
            request: json!({"order_id": body["order_id"], "amount": body["total"]}),
        };
        let paid = insist(authority, "/api/payments", payment, ledger).await;
        assert!(matches!(paid, Some((201, _))), "{paid:?}");
    }
    true
}

/// Runs the sale and tells how many shoppers hold an order.
fn sale(server: &Server, seed: u64, pays: bool, ledger_path: &Path) -> usize {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let shopping = Arc::new(Shopping {
        authority: server.authority().to_owned(),
        seed,
        pays,
        ledger: Mutex::new("{\"double11_client_ledger\":1}\n".to_owned()),
    });
    let winners = runtime.block_on(async {
        let shoppers: Vec<_> = (0..SHOPPERS)
            .map(|shopper| tokio::spawn(shop(Arc::clone(&shopping), shopper)))
            .collect();
        let mut winners = 0;
        for shopper in shoppers {
            winners += usize::from(shopper.await.unwrap());
        }
        winners
    });
    std::fs::write(ledger_path, shopping.ledger.lock().unwrap().as_str()).unwrap();
    winners
}

struct Sale {
    winners: usize,
    taken: i64,
    audited: bool,
    report: Value,
}

fn hold(variant: &str, seed: u64, extra: &[&str]) -> Sale {
    let folder = tempfile::tempdir().unwrap();
    let units = UNITS.to_string();
    let mut arguments = vec!["--variant", variant, "--products", "10", "--stock", &units];
    arguments.extend(extra);
    let server = Server::start(folder.path(), &arguments);
    let ledger = folder.path().join("client-ledger.jsonl");
    let pays = extra.is_empty();
    let winners = sale(&server, seed, pays, &ledger);
    settle(folder.path());
    assert!(server.terminate().success());
    let store = rusqlite::Connection::open(store_path(folder.path())).unwrap();
    let taken = store
        .query_row(
            "SELECT reserved + sold FROM stock WHERE product_id = 1",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let (audited, report) = audit(folder.path(), &[ledger]);
    Sale {
        winners,
        taken,
        audited,
        report,
    }
}

fn sells_exactly_the_stock(variant: &str) {
    let seeds = seeds(2, 10);
    for seed in seeds.clone() {
        let sale = hold(variant, seed, &[]);
        assert_eq!((sale.winners, sale.taken), (100, UNITS), "seed {seed}");
        assert!(
            sale.audited,
            "seed {seed}: {:?}\n{:#}",
            failed_checks(&sale.report),
            sale.report
        );
    }
    let count = seeds.clone().count();
    println!(
        "soak: flash_sale_{variant}: {count} of {count} seeds ({}..={}): 2,000 shoppers, exactly \
         100 pieces",
        seeds.start(),
        seeds.end()
    );
}

#[test]
fn flash_sale_baseline() {
    sells_exactly_the_stock("baseline");
}

#[test]
fn flash_sale_tuned() {
    sells_exactly_the_stock("tuned");
}

#[test]
fn flash_sale_optimized() {
    sells_exactly_the_stock("optimized");
}

/// Stock that is read without a lock oversells, and the audit says so, with every seed.
#[test]
fn the_audit_catches_the_wrong_stock_policy() {
    for seed in 1..=5 {
        let sale = hold("baseline", seed, &["--read-then-write-stock"]);
        assert!(
            !sale.audited,
            "seed {seed}: {} winners, but the audit is clean",
            sale.winners
        );
        let failed = failed_checks(&sale.report);
        assert!(
            failed
                .iter()
                .any(|check| check.contains("oversell") || check.contains("reserved")),
            "seed {seed}: {failed:?}"
        );
        assert!(sale.winners > 100, "seed {seed}: nothing was oversold");
    }
    println!("soak: wrong_stock_policy: 5 of 5 seeds (1..=5): caught by the audit");
}
