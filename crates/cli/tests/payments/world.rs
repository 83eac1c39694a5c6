//! A shop, its gateway, and a buyer who asks them.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::harness::{
    PROGRAM, Server, both, eventually, free_port, run, settle, store_path, store_url,
};

/// What shop and gateway share.
pub(crate) const SECRET: &str = "a secret of shop and gateway";

/// A gateway that runs as a process of its own; killed when dropped.
pub(crate) struct Gateway {
    child: Child,
}

impl Gateway {
    pub(crate) fn start(folder: &Path, port: u16, arguments: &[String]) -> Self {
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

/// The ledger, where the audit looks for it.
fn ledger_path(folder: &Path) -> PathBuf {
    let mut name = store_path(folder).into_os_string();
    name.push(".gateway");
    name.into()
}

fn secret_path(folder: &Path) -> PathBuf {
    folder.join("secret.txt")
}

/// A shop and its gateway.
pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    gateway: Option<Gateway>,
    gateway_port: u16,
    gateway_arguments: Vec<String>,
    shop: Option<Server>,
    pub(crate) shop_port: u16,
    shop_arguments: Vec<String>,
}

impl World {
    /// With a gateway that does not call back.
    pub(crate) fn start(gateway_arguments: &[&str], shop_arguments: &[&str]) -> Self {
        Self::start_on(free_port(), gateway_arguments, shop_arguments)
    }

    /// With a gateway that calls back.
    pub(crate) fn with_callbacks(gateway_arguments: &[&str], shop_arguments: &[&str]) -> Self {
        let shop_port = free_port();
        let callbacks = callbacks_of(shop_port);
        let mut arguments = vec!["--callbacks", callbacks.as_str()];
        arguments.extend(gateway_arguments);
        Self::start_on(shop_port, &arguments, shop_arguments)
    }

    fn start_on(shop_port: u16, gateway_arguments: &[&str], shop_arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // With the line end that an editor leaves.
        std::fs::write(secret_path(folder.path()), format!("{SECRET}\n")).unwrap();
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let mut world = Self {
            gateway: None,
            gateway_port: free_port(),
            gateway_arguments: owned(gateway_arguments),
            shop: None,
            shop_port,
            shop_arguments: owned(shop_arguments),
            folder,
        };
        world.start_gateway();
        world.start_shop();
        world
    }

    pub(crate) fn start_gateway(&mut self) {
        let folder = self.folder.path();
        self.gateway = Some(Gateway::start(
            folder,
            self.gateway_port,
            &self.gateway_arguments,
        ));
    }

    pub(crate) fn kill_gateway(&mut self) {
        self.gateway.take().unwrap().kill();
    }

    pub(crate) fn terminate_gateway(&mut self) -> bool {
        self.gateway.take().unwrap().terminate()
    }

    /// From now on the gateway is started with other options.
    pub(crate) fn gateway_arguments(&mut self, arguments: &[&str]) {
        self.gateway_arguments = arguments.iter().map(|word| (*word).to_owned()).collect();
    }

    pub(crate) fn start_shop(&mut self) {
        let secret = secret_path(self.folder.path()).display().to_string();
        let gateway = format!("http://127.0.0.1:{}", self.gateway_port);
        let mut arguments = vec![
            "--products",
            "1000",
            "--gateway",
            &gateway,
            "--gateway-secret-file",
            &secret,
        ];
        arguments.extend(self.shop_arguments.iter().map(String::as_str));
        self.shop = Some(Server::start_on(
            self.folder.path(),
            self.shop_port,
            &arguments,
        ));
    }

    pub(crate) fn kill_shop(&mut self) {
        self.shop.take().unwrap().kill();
    }

    pub(crate) fn buyer(&self) -> Buyer {
        Buyer {
            shop: format!("http://127.0.0.1:{}", self.shop_port),
            agent: ureq::Agent::config_builder()
                .http_status_as_error(false)
                .timeout_global(Some(Duration::from_secs(40)))
                .build()
                .into(),
        }
    }

    /// The lines of the gateway's ledger that hold this text.
    pub(crate) fn in_ledger(&self, text: &str) -> usize {
        let ledger = File::open(ledger_path(self.folder.path())).unwrap();
        let lines = BufReader::new(ledger).lines().map_while(Result::ok);
        lines.filter(|line| line.contains(text)).count()
    }

    pub(crate) fn settle(&self) {
        settle(self.folder.path());
    }

    /// Waits until nothing is open, ends both in good order and audits; returns how many payments the
    /// shop counted as captured since its start.
    pub(crate) fn end(mut self) -> u64 {
        self.settle();
        let counted = self.buyer().counted("success");
        assert!(self.shop.take().unwrap().terminate().success());
        assert!(self.terminate_gateway(), "the gateway ends in good order");
        let output = run(["audit", "--store", &store_url(self.folder.path())]);
        assert!(output.status.success(), "{}", both(&output));
        let said = both(&output);
        assert!(said.contains("gateway"), "the ledger was audited: {said}");
        counted
    }
}

/// Somebody who asks the shop.
#[derive(Clone)]
pub(crate) struct Buyer {
    shop: String,
    agent: ureq::Agent,
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
}

impl Buyer {
    pub(crate) fn get(&self, path: &str) -> Answer {
        let answered = self.agent.get(format!("{}{path}", self.shop)).call();
        read(answered.unwrap())
    }

    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.shop))
            .content_type("application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request.send(body).unwrap())
    }

    /// An order and its total.
    pub(crate) fn order(&self) -> (String, f64) {
        let body = r#"{"user_id":7,"items":[{"product_id":3,"quantity":1}]}"#;
        let answer = self.post("/api/orders", &[], body);
        assert_eq!(answer.status, 201, "{answer:?}");
        let total = answer.body["total"].as_f64().unwrap();
        (answer.text("order_id").to_owned(), total)
    }

    pub(crate) fn pay(&self, order_id: &str, amount: f64, key: Option<&str>) -> Answer {
        let headers: Vec<_> = key
            .map(|key| ("idempotency-key", key))
            .into_iter()
            .collect();
        self.post("/api/payments", &headers, &payment(order_id, amount))
    }

    pub(crate) fn view(&self, order_id: &str) -> Value {
        self.get(&format!("/api/orders/{order_id}")).body
    }

    /// Payments that the shop counted since its start.
    pub(crate) fn counted(&self, status: &str) -> u64 {
        let answered = self
            .agent
            .get(format!("{}/actuator/prometheus", self.shop))
            .call();
        let page = answered.unwrap().body_mut().read_to_string().unwrap();
        let series = format!(
            "ecommerce_payments_total{{currency=\"CNY\",gateway=\"http\",status=\"{status}\"}} "
        );
        let mut lines = page.lines();
        let count = lines.find_map(|line| line.strip_prefix(&series));
        count.unwrap().parse().unwrap()
    }

    /// Waits until the shop says this of its gateway.
    pub(crate) fn until_gateway_is(&self, status: &str) {
        eventually(status, Duration::from_secs(20), || {
            let health = self.get("/actuator/health").body;
            health["components"]["gateway"]["status"] == json!(status)
        });
    }
}

/// Where a shop is called back.
pub(crate) fn callbacks_of(shop_port: u16) -> String {
    format!("http://127.0.0.1:{shop_port}/api/payments/callbacks/http")
}

pub(crate) fn payment(order_id: &str, amount: f64) -> String {
    format!(r#"{{"order_id":"{order_id}","amount":{amount:.2}}}"#)
}

fn read(mut answer: ureq::http::Response<ureq::Body>) -> Answer {
    let text = answer.body_mut().read_to_string().unwrap();
    Answer {
        status: answer.status().as_u16(),
        replayed: answer.headers().contains_key("idempotent-replayed"),
        body: serde_json::from_str(&text).unwrap(),
    }
}
