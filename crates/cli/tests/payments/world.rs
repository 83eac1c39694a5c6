//! Shops on one store, their gateway, and how all of it stands in the end.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::buyer::{Buyer, Ledger};
use crate::harness::{PROGRAM, Server, both, eventually, free_port};
use crate::stores::{Kind, Store};

/// What shop and gateway share.
pub(crate) const SECRET: &str = "a secret of shop and gateway";
/// Pieces of each product at the beginning.
const PIECES: i64 = 100;

/// A gateway that runs as a process of its own; killed when dropped.
struct Gateway {
    child: Child,
}

impl Gateway {
    fn start(folder: &Path, port: u16, arguments: &[String]) -> Self {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.join("gateway.log"))
            .unwrap();
        let mut child = Command::new(PROGRAM)
            .arg("gateway")
            .arg("--ledger")
            .arg(ledger_path(folder))
            .args(["--addr", &format!("127.0.0.1:{port}")])
            .arg("--gateway-secret-file")
            .arg(secret_path(folder))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let listens = lines.any(|line| line.starts_with("listening on "));
        let gateway = Self { child };
        assert!(
            listens,
            "the gateway did not start: {}",
            std::fs::read_to_string(folder.join("gateway.log")).unwrap()
        );
        gateway
    }

    /// `kill -9`.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end; whether it did so in good order.
    fn terminate(mut self) -> bool {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        self.child.wait().unwrap().success()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

/// The gateway's ledger.
pub(crate) fn ledger_path(folder: &Path) -> PathBuf {
    folder.join("gateway.ledger")
}

fn secret_path(folder: &Path) -> PathBuf {
    folder.join("secret.txt")
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// How shops and gateway are started.
#[derive(Clone, Copy)]
pub(crate) struct Setup<'words> {
    pub(crate) shops: usize,
    /// Options of each shop.
    pub(crate) shop: &'words [&'words str],
    /// Options of the gateway.
    pub(crate) gateway: &'words [&'words str],
    /// Whether the gateway calls the first shop back.
    pub(crate) calls_back: bool,
}

impl Setup<'static> {
    /// One shop and a gateway that does what it is asked.
    pub(crate) const PLAIN: Self = Self {
        shops: 1,
        shop: &[],
        gateway: &[],
        calls_back: false,
    };
}

/// How an order is to stand in the end.
#[derive(Clone, Debug)]
pub(crate) struct Stands {
    pub(crate) order_id: String,
    pub(crate) state: &'static str,
    /// The state of each of its attempts and, where there is a refund, of that behind a plus; sorted.
    pub(crate) attempts: Vec<&'static str>,
}

impl Stands {
    pub(crate) fn new(order_id: &str, state: &'static str, attempts: &[&'static str]) -> Self {
        Self {
            order_id: order_id.to_owned(),
            state,
            attempts: attempts.to_vec(),
        }
    }
}

/// What the store knows of an attempt.
#[derive(Debug)]
struct Attempt {
    order_id: String,
    /// As in [`Stands`].
    state: String,
    amount: i64,
}

impl Attempt {
    fn took_money(&self) -> bool {
        self.state.starts_with("captured") || self.state.starts_with("late")
    }

    fn is_refunded(&self) -> bool {
        self.state.ends_with("+done")
    }
}

/// Shops and their gateway.
pub(crate) struct World {
    store: Store,
    gateway: Option<Gateway>,
    gateway_port: u16,
    gateway_arguments: Vec<String>,
    shops: Vec<Option<Server>>,
    ports: Vec<u16>,
    shop_arguments: Vec<String>,
    ledger: Ledger,
    pub(crate) folder: tempfile::TempDir,
}

impl World {
    /// Starts everything; none, said aloud, where the store's server is missing.
    pub(crate) fn start(kind: Kind, setup: Setup<'_>) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::make(kind, folder.path())?;
        // With the line end that an editor leaves.
        std::fs::write(secret_path(folder.path()), format!("{SECRET}\n")).unwrap();
        let ports: Vec<u16> = (0..setup.shops).map(|_| free_port()).collect();
        let mut gateway_arguments = owned(setup.gateway);
        if setup.calls_back {
            gateway_arguments.extend(["--callbacks".to_owned(), callbacks_of(ports[0])]);
        }
        let mut world = Self {
            store,
            gateway: None,
            gateway_port: free_port(),
            gateway_arguments,
            shops: ports.iter().map(|_| None).collect(),
            ports,
            shop_arguments: owned(setup.shop),
            ledger: Ledger::create(&folder.path().join("client-ledger.jsonl")),
            folder,
        };
        world.start_gateway();
        for shop in 0..setup.shops {
            world.start_shop(shop);
        }
        Some(world)
    }

    pub(crate) fn start_gateway(&mut self) {
        let folder = self.folder.path();
        let arguments = &self.gateway_arguments;
        self.gateway = Some(Gateway::start(folder, self.gateway_port, arguments));
    }

    pub(crate) fn kill_gateway(&mut self) {
        self.gateway.take().unwrap().kill();
    }

    pub(crate) fn start_shop(&mut self, shop: usize) {
        let mut command = Command::new(PROGRAM);
        command
            .args(["serve", "--products", "100"])
            .args(["--stock", &PIECES.to_string()])
            .args(["--addr", &format!("127.0.0.1:{}", self.ports[shop])])
            .args([
                "--gateway",
                &format!("http://127.0.0.1:{}", self.gateway_port),
            ])
            .arg("--gateway-secret-file")
            .arg(secret_path(self.folder.path()))
            .args(&self.shop_arguments)
            // Addresses with passwords do not belong on a command line.
            .env("DOUBLE11_STORE", self.store.url());
        if let Some(cache) = self.store.cache() {
            command.env("DOUBLE11_CACHE", cache);
        }
        let log = self.folder.path().join(format!("shop-{shop}.log"));
        self.shops[shop] = Some(Server::spawn(&mut command, log));
    }

    pub(crate) fn kill_shop(&mut self, shop: usize) {
        self.shops[shop].take().unwrap().kill();
    }

    /// Somebody who buys at the first shop.
    pub(crate) fn buyer(&self) -> Buyer {
        self.buyer_at(0)
    }

    pub(crate) fn buyer_at(&self, shop: usize) -> Buyer {
        Buyer::new(self.ports[shop], self.ledger.clone())
    }

    /// The lines of the gateway's ledger that hold this text.
    pub(crate) fn in_ledger(&self, text: &str) -> usize {
        let lines = self.gateway_lines();
        lines.iter().filter(|line| line.contains(text)).count()
    }

    /// Waits until the gateway has charged this often.
    pub(crate) fn until_charged(&self, times: usize) {
        eventually("the charges", Duration::from_secs(10), || {
            self.in_ledger("\"charge\"") == times
        });
    }

    fn gateway_lines(&self) -> Vec<String> {
        let ledger = File::open(ledger_path(self.folder.path())).unwrap();
        let lines = BufReader::new(ledger).lines();
        lines.map_while(Result::ok).collect()
    }

    /// Waits until no attempt is processing and no refund is pending.
    pub(crate) fn settle(&self) {
        eventually("settling", Duration::from_secs(30), || {
            let open = self.store.rows(
                "SELECT (SELECT COUNT(*) FROM payments WHERE state = 'processing') \
                 + (SELECT COUNT(*) FROM refunds WHERE state = 'pending')",
            );
            open == [["0"]]
        });
    }

    /// Waits until nothing is open, holds everything against what is expected of every order that there
    /// is, ends all programs in good order, and audits.
    pub(crate) fn end(mut self, expected: &[Stands]) {
        self.settle();
        let attempts = self.attempts();
        self.orders_are(expected, &attempts);
        self.stock_is(expected);
        self.gateway_agrees(&attempts);
        let captured = attempts.values().filter(|attempt| attempt.took_money());
        let captured = captured.count() as u64;
        let buyers = (0..self.ports.len()).map(|shop| self.buyer_at(shop));
        let counted: u64 = buyers.map(|buyer| buyer.captures_counted()).sum();
        assert_eq!(counted, captured, "each capture is counted once");
        for shop in &mut self.shops {
            assert!(shop.take().unwrap().terminate().success());
        }
        let in_good_order = self.gateway.take().unwrap().terminate();
        assert!(in_good_order, "the gateway ends in good order");
        self.audit();
    }

    /// The attempts of the store by their ids.
    fn attempts(&self) -> BTreeMap<String, Attempt> {
        let rows = self.store.rows(
            "SELECT p.attempt_id, p.order_id, p.state, COALESCE(r.state, ''), p.amount \
             FROM payments p LEFT JOIN refunds r \
             ON r.order_id = p.order_id AND r.attempt_id = p.attempt_id",
        );
        let attempt = |row: Vec<String>| {
            let state = if row[3].is_empty() {
                row[2].clone()
            } else {
                format!("{}+{}", row[2], row[3])
            };
            let attempt = Attempt {
                order_id: row[1].clone(),
                state,
                amount: row[4].parse().unwrap(),
            };
            (row[0].clone(), attempt)
        };
        rows.into_iter().map(attempt).collect()
    }

    /// In the store, and as the first shop shows it.
    fn orders_are(&self, expected: &[Stands], attempts: &BTreeMap<String, Attempt>) {
        let rows = self
            .store
            .rows("SELECT order_id, state, total, captured, processing FROM orders");
        assert_eq!(rows.len(), expected.len(), "{rows:?}");
        for stands in expected {
            let row = rows.iter().find(|row| row[0] == stands.order_id).unwrap();
            let of_order = || attempts.values().filter(|it| it.order_id == row[0]);
            let mut states: Vec<&str> = of_order().map(|attempt| &*attempt.state).collect();
            states.sort_unstable();
            assert_eq!((&*row[1], &states), (stands.state, &stands.attempts));
            let captured = of_order().filter(|attempt| attempt.state.starts_with("captured"));
            let captured: i64 = captured.map(|attempt| attempt.amount).sum();
            assert_eq!([&row[3], &row[4]], [&captured.to_string(), "0"], "{row:?}");
            assert_eq!(row[1] == "paid", row[2] == row[3], "{row:?}");
            let view = self.buyer().view(&stands.order_id);
            assert_eq!(view["status"], stands.state);
            let mut shown: Vec<String> = view["payments"]
                .as_array()
                .unwrap()
                .iter()
                .map(|payment| {
                    let state = payment["status"].as_str().unwrap();
                    let refund = payment["refund"].as_str();
                    refund.map_or_else(|| state.to_owned(), |refund| format!("{state}+{refund}"))
                })
                .collect();
            shown.sort_unstable();
            assert_eq!(shown, stands.attempts, "{view}");
        }
    }

    /// Every order was of one piece of one product.
    fn stock_is(&self, expected: &[Stands]) {
        let count = |states: &[&str]| {
            let orders = expected
                .iter()
                .filter(|order| states.contains(&order.state));
            i64::try_from(orders.count()).unwrap()
        };
        let reserved = count(&["pending_payment", "partially_paid"]);
        let sold = count(&["paid"]);
        let available = PIECES - reserved - sold;
        let stock = self.store.rows(
            "SELECT received, available, reserved, sold FROM stock \
             WHERE received <> available OR product_id = 3",
        );
        assert_eq!(
            stock,
            [[PIECES, available, reserved, sold].map(|pieces| pieces.to_string())],
        );
    }

    /// The gateway took and gave back what the store says, once each.
    fn gateway_agrees(&self, attempts: &BTreeMap<String, Attempt>) {
        let lines = self.gateway_lines();
        let events: Vec<Value> = lines[1..]
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let of_kind = |event: &str, result: Option<&str>| {
            let mut found: Vec<(String, String)> = events
                .iter()
                .filter(|it| it["event"] == event && it["result"].as_str() == result)
                .map(|it| {
                    let text = |name: &str| it[name].as_str().unwrap().to_owned();
                    (text("attempt_id"), text("amount"))
                })
                .collect();
            found.sort_unstable();
            found
        };
        let stored = |is_meant: fn(&Attempt) -> bool| {
            let meant = attempts.iter().filter(|(_, attempt)| is_meant(attempt));
            let amount = |minor: i64| format!("{}.{:02}", minor / 100, minor % 100);
            meant
                .map(|(id, attempt)| (id.clone(), amount(attempt.amount)))
                .collect::<Vec<_>>()
        };
        let charges = of_kind("charge", Some("captured"));
        assert_eq!(charges, stored(Attempt::took_money));
        assert_eq!(of_kind("refund", None), stored(Attempt::is_refunded));
    }

    fn audit(&self) {
        let output = Command::new(PROGRAM)
            .args(["audit", "--json", "--complete", "--ledger"])
            .arg(self.folder.path().join("client-ledger.jsonl"))
            .arg("--gateway-ledger")
            .arg(ledger_path(self.folder.path()))
            .env("DOUBLE11_STORE", self.store.url())
            .output()
            .unwrap();
        assert!(!output.stdout.is_empty(), "{}", both(&output));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        for check in report["checks"].as_array().unwrap() {
            // Nobody was refused for want of stock.
            let is_asked = check["id"] != "sold-out-justified";
            assert!(!is_asked || check["status"] == "passed", "{check:#}");
        }
        assert_eq!(output.status.code(), Some(0), "{}", both(&output));
    }
}

/// Where a shop is called back.
fn callbacks_of(shop_port: u16) -> String {
    format!("http://127.0.0.1:{shop_port}/api/payments/callbacks/http")
}
