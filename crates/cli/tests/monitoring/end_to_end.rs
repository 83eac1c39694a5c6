//! From a shop that really fails to a message and to the all-clear: the shop, Prometheus with the shipped
//! configuration and rules, Alertmanager with the shipped routes, and a receiver.
//!
//! Debian's Prometheus lives in real time, so that windows of minutes and days are shortened. Every change
//! of a shipped file stands in a table here, and each must still be found in the file.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::harness::{Server, free_port, now, pause, store_path};
use crate::routing;
use crate::servers::{Running, servers_present};
use crate::shipped::{replaced, text};
use crate::sink::Sink;

/// Windows and intervals; their order from short to long is kept, and each holds four scrapes.
const RULES: [(&str, &str); 10] = [
    ("interval: 5s", "interval: 1s"),
    ("interval: 30s", "interval: 1s"),
    ("[1m]", "[5s]"),
    ("[5m]", "[8s]"),
    ("[30m]", "[10s]"),
    ("[1h]", "[12s]"),
    ("[2h]", "[14s]"),
    ("[6h]", "[16s]"),
    ("[1d]", "[18s]"),
    ("[3d]", "[20s]"),
];

/// How long a condition must last.
const ALERTS: [(&str, &str); 6] = [
    ("for: 30s", "for: 1s"),
    ("for: 1m", "for: 1s"),
    ("for: 2m", "for: 1s"),
    ("for: 5m", "for: 1s"),
    ("for: 15m", "for: 1s"),
    ("for: 1h", "for: 1s"),
];

const INTERVALS: [(&str, &str); 4] = [
    ("scrape_interval: 15s", "scrape_interval: 1s"),
    ("evaluation_interval: 15s", "evaluation_interval: 1s"),
    ("scrape_interval: 5s", "scrape_interval: 1s"),
    ("scrape_timeout: 4s", "scrape_timeout: 1s"),
];

/// Twice as many as may wait for the store's writer.
const SHOPPERS: u64 = 8;

#[test]
fn a_shop_that_fails_is_reported_and_so_is_its_recovery() {
    if !servers_present() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let sink = Sink::start();
    let manager = routing::start(folder.path(), &sink);
    let shop = Server::start_on(
        folder.path(),
        port,
        &["--products", "100", "--sale", "--queue-max", "4"],
    );
    let prometheus = prometheus(folder.path(), port, manager.authority());
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _stopping = Stopping(&stop);
        for shopper in 0..SHOPPERS {
            let target = shop.target.clone();
            let stop = &stop;
            scope.spawn(move || buy(&target, shopper, stop));
        }
        a_quiet_sale_is_reported(&sink);
        a_locked_store_is_reported(folder.path(), &sink);
        shop.kill();
        let down = sink.expect("pager", "ShopDown", "firing");
        assert_eq!(down["labels"]["instance"], format!("127.0.0.1:{port}"));
        assert_eq!(down["labels"]["variant"], "optimized");
        // Back, and the sale is over.
        let _shop = Server::start_on(folder.path(), port, &["--products", "100"]);
        sink.expect("pager", "ShopDown", "resolved");
        sink.expect("pager", "SaleTpsLow", "resolved");
        only_the_exporters_are_still_missed(&prometheus);
    });
}

/// Some forty orders a second are no sale; and the heart beat and what is not there come through.
fn a_quiet_sale_is_reported(sink: &Sink) {
    sink.expect("watchdog", "Watchdog", "firing");
    let low = sink.expect("pager", "SaleTpsLow", "firing");
    assert_eq!(low["annotations"]["title"], "TPS 性能告警");
    assert_eq!(
        low["annotations"]["message"],
        "TPS 低於 500，請檢查系統狀態"
    );
    assert_eq!(low["labels"]["variant"], "optimized");
    assert_eq!(
        low["annotations"]["runbook_url"],
        "docs/ALERTS.md#saletpslow"
    );
    for job in ["redis", "mysql", "ecommerce-app"] {
        sink.expect_of("tickets", "TargetDown", ("firing", "job", job));
    }
}

/// Somebody holds the store's write lock: orders fail, and those behind them are shed.
fn a_locked_store_is_reported(folder: &Path, sink: &Sink) {
    let store = rusqlite::Connection::open(store_path(folder)).unwrap();
    store.busy_timeout(Duration::from_secs(5)).unwrap();
    store.execute_batch("BEGIN IMMEDIATE").unwrap();
    for (receiver, name) in [
        ("pager", "RequestSuccessRatioLow"),
        ("tickets", "RequestsShed"),
        ("pager", "AvailabilityBudgetBurn"),
    ] {
        sink.expect(receiver, name, "firing");
    }
    let critical = ("firing", "severity", "critical");
    sink.expect_of("pager", "OrderErrorRatioHigh", critical);
    store.execute_batch("ROLLBACK").unwrap();
    for (receiver, name) in [
        ("pager", "RequestSuccessRatioLow"),
        ("tickets", "RequestsShed"),
        ("pager", "AvailabilityBudgetBurn"),
    ] {
        sink.expect(receiver, name, "resolved");
    }
    let critical = ("resolved", "severity", "critical");
    sink.expect_of("pager", "OrderErrorRatioHigh", critical);
}

/// What Prometheus itself still holds for firing at the end.
fn only_the_exporters_are_still_missed(prometheus: &Running) {
    let mut firing = Vec::new();
    crate::harness::eventually("calm", Duration::from_mins(1), || {
        let answer = prometheus.get("/api/v1/alerts");
        let alerts = answer["data"]["alerts"].as_array().unwrap();
        firing = alerts
            .iter()
            .map(|alert| &alert["labels"])
            .map(|labels| format!("{} {}", labels["alertname"], labels["job"]))
            .collect();
        firing.sort();
        firing.len() == 4
    });
    assert_eq!(
        firing,
        [
            "\"TargetDown\" \"ecommerce-app\"",
            "\"TargetDown\" \"mysql\"",
            "\"TargetDown\" \"redis\"",
            "\"Watchdog\" null",
        ]
    );
}

/// Prometheus with the shipped files and shortened windows. The shop is the optimised one; at the other
/// targets nothing listens.
fn prometheus(folder: &Path, shop: u16, manager: &str) -> Running {
    let nothing = format!("127.0.0.1:{}", free_port());
    let shop = format!("127.0.0.1:{shop}");
    let targets = [
        ("localhost:8080", nothing.as_str()),
        ("localhost:8081", &shop),
        ("redis-exporter:9121", &nothing),
        ("mysql-exporter:9104", &nothing),
        ("alertmanager:9093", manager),
    ];
    let configuration = text("deploy/prometheus/prometheus.yml");
    let configuration = replaced(&replaced(&configuration, &INTERVALS), &targets);
    let rules = replaced(&text("deploy/prometheus/ecommerce_rules.yml"), &RULES);
    let alerts = replaced(&text("deploy/prometheus/ecommerce_alerts.yml"), &ALERTS);
    std::fs::write(folder.join("ecommerce_rules.yml"), rules).unwrap();
    std::fs::write(folder.join("ecommerce_alerts.yml"), alerts).unwrap();
    let file = folder.join("prometheus.yml");
    std::fs::write(&file, configuration).unwrap();
    Running::prometheus(folder, &file)
}

/// One shopper who looks and orders, some five times a second and out of step with the others, until told to
/// stop. What goes wrong is what the test is about.
fn buy(target: &str, shopper: u64, stop: &AtomicBool) {
    let order = json!({"user_id": shopper, "items": [{"product_id": 1 + shopper, "quantity": 1}]});
    let begin = now();
    while !stop.load(Ordering::Relaxed) && begin.elapsed() < Duration::from_mins(5) {
        drop(ureq::get(&format!("{target}/api/products/random")).call());
        drop(ureq::post(&format!("{target}/api/orders")).send_json(&order));
        pause(Duration::from_millis(190 + 7 * shopper));
    }
}

/// Lets the shoppers end, also when the test fails.
struct Stopping<'test>(&'test AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
