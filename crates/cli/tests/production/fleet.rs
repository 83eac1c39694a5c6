//! Several shops on one database, one cache and one gateway, each a process of its own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::asking::{Answer, Asked};
use crate::ground::{Cache, Database, Ground, USUAL};
use crate::harness::{PROGRAM, both, eventually, free_port, run};

/// Shops on one store.
pub(crate) const SHOPS: usize = 3;

/// How the shops of a fleet are started.
#[derive(Clone, Copy)]
pub(crate) struct Sale {
    /// Products in the catalogue.
    pub(crate) products: &'static str,
    /// Pieces of each.
    pub(crate) stock: &'static str,
    /// How long an unpaid order holds its stock.
    pub(crate) payment_window: &'static str,
    /// Requests that a shop has in process at a time.
    pub(crate) in_flight_max: &'static str,
}

/// A program that listens; killed when dropped.
pub(crate) struct Listening {
    child: Child,
    pub(crate) target: String,
}

impl Listening {
    pub(crate) fn start(command: &mut Command, log: &Path) -> Self {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .unwrap();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .unwrap();
        let target = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("listening on ").map(str::to_owned));
        let Some(target) = target else {
            drop(child.kill());
            drop(child.wait());
            panic!("not started: {}", std::fs::read_to_string(log).unwrap());
        };
        Self { child, target }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Three shops and all that they share.
pub(crate) struct Fleet {
    shops: Vec<Option<Listening>>,
    ports: Vec<u16>,
    gateway: Listening,
    gateway_url: String,
    pub(crate) database: Database,
    pub(crate) cache: Cache,
    /// The store's address, around any proxy.
    store: String,
    sale: Sale,
    pub(crate) folder: TempDir,
    asked: Asked,
    /// Ledgers of what was asked and of the storms that were sent, with which the audit is to agree.
    ledgers: Vec<PathBuf>,
}

impl Fleet {
    /// Starts everything; none, said aloud, where a server is missing.
    pub(crate) fn start(sale: Sale) -> Option<Self> {
        Self::start_on(USUAL, sale)
    }

    /// The same on servers of these kinds.
    pub(crate) fn start_on(ground: Ground, sale: Sale) -> Option<Self> {
        if !ground.is_present() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let database = Database::start(ground.database, folder.path());
        let cache = Cache::start(ground.cache);
        let store = database.create("shop");
        let migrated = run(["migrate", "--store", &store]);
        assert!(migrated.status.success(), "{}", both(&migrated));
        let gateway = Listening::start(
            Command::new(PROGRAM)
                .args(["gateway", "--addr", "127.0.0.1:0"])
                .arg("--ledger")
                .arg(folder.path().join("gateway.ledger")),
            &folder.path().join("gateway.log"),
        );
        let asked = folder.path().join("asked.jsonl");
        let mut fleet = Self {
            shops: (0..SHOPS).map(|_| None).collect(),
            ports: (0..SHOPS).map(|_| free_port()).collect(),
            gateway_url: gateway.target.clone(),
            gateway,
            database,
            cache,
            store,
            sale,
            folder,
            asked: Asked::at(&asked),
            ledgers: vec![asked],
        };
        for shop in 0..SHOPS {
            fleet.open_shop(shop);
        }
        Some(fleet)
    }

    /// Starts a shop, again on the port that it had before.
    pub(crate) fn open_shop(&mut self, shop: usize) {
        let mut command = Command::new(PROGRAM);
        command
            .args(["serve", "--payment-window", self.sale.payment_window])
            .args(["--addr", &format!("127.0.0.1:{}", self.ports[shop])])
            .args(["--gateway", &self.gateway_url, "--gateway-deadline", "1s"])
            .args(["--in-flight-max", self.sale.in_flight_max])
            .args(["--products", self.sale.products])
            .args(["--stock", self.sale.stock])
            // Addresses with passwords do not belong on a command line.
            .env("DOUBLE11_STORE", self.database.through(&self.store))
            .env("DOUBLE11_CACHE", self.cache.url());
        let log = self.folder.path().join(format!("shop-{shop}.log"));
        self.shops[shop] = Some(Listening::start(&mut command, &log));
    }

    /// `kill -9`.
    pub(crate) fn kill_shop(&mut self, shop: usize) {
        self.shops[shop] = None;
    }

    /// Stops the gateway in its tracks: it takes questions and answers none.
    pub(crate) fn pause_gateway(&self) {
        self.gateway.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn resume_gateway(&self) {
        self.gateway.signal(Signal::CONT);
    }

    /// Where a shop answers, whether it runs now or not.
    pub(crate) fn target(&self, shop: usize) -> String {
        format!("http://127.0.0.1:{}", self.ports[shop])
    }

    /// An order of one piece at a shop, which the audit will know of.
    pub(crate) fn order(&self, shop: usize, product: u32) -> Answer {
        self.asked.order(&self.target(shop), product)
    }

    /// Shoppers of a plan at one shop, as a process of their own.
    pub(crate) fn storm(&mut self, shop: usize, seed: u64, arguments: &[&str]) -> Child {
        let out = self.folder.path().join(format!("run-{shop}-{seed}"));
        self.ledgers.push(out.join("client-ledger.jsonl"));
        Command::new(PROGRAM)
            .arg("load")
            .args(arguments)
            .args(["--target", &self.target(shop)])
            .args(["--products", self.sale.products])
            .args(["--connections", "64", "--timeout", "3s"])
            .args(["--samples", "errors"])
            .args(["--seed", &(seed * 100 + shop as u64).to_string()])
            .arg("--out")
            .arg(out)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Storms at every shop.
    pub(crate) fn storms(&mut self, seed: u64, arguments: &[&str]) -> Vec<Child> {
        (0..SHOPS)
            .map(|shop| self.storm(shop, seed, arguments))
            .collect()
    }

    /// A number from the database.
    pub(crate) fn count(&self, sql: &str) -> i64 {
        let answer = self.database.sql(&format!("USE shop; {sql}")).unwrap();
        answer.trim().parse().unwrap()
    }

    /// Waits until the shoppers have gone and nothing is in process any more.
    pub(crate) fn calm(&self, storms: Vec<Child>) {
        for storm in storms {
            let storm = storm.wait_with_output().unwrap();
            assert!(
                matches!(storm.status.code(), Some(0 | 4)),
                "{}",
                both(&storm)
            );
        }
        eventually("settling", Duration::from_secs(30), || {
            self.count(
                "SELECT (SELECT COUNT(*) FROM payments WHERE state = 'processing') \
                 + (SELECT COUNT(*) FROM refunds WHERE state = 'pending')",
            ) == 0
        });
    }

    /// Audits the store against what all shoppers were told and the gateway did; the numbers of writes
    /// that were acknowledged and of those with an unknown outcome.
    pub(crate) fn assert_clean(&self, what: &str) -> (usize, usize) {
        let mut command = Command::new(PROGRAM);
        command
            .args(["audit", "--json", "--complete"])
            .arg("--gateway-ledger")
            .arg(self.folder.path().join("gateway.ledger"))
            .env("DOUBLE11_STORE", &self.store);
        for ledger in &self.ledgers {
            command.arg("--ledger").arg(ledger);
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{what}: {}", both(&output));
        (self.told(r#""acknowledged""#), self.told(r#""unknown""#))
    }

    /// How many writes ended in this, of all that were sent.
    pub(crate) fn told(&self, words: &str) -> usize {
        let lines = |ledger| std::fs::read_to_string(ledger).unwrap();
        let count = |text: String| text.lines().filter(|line| line.contains(words)).count();
        self.ledgers.iter().map(lines).map(count).sum()
    }
}
