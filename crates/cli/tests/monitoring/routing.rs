//! Who hears of what: the shipped routes, grouping and inhibition.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{both, eventually};
use crate::servers::{Running, present, servers_present};
use crate::shipped::{alertmanager_file, alerts, replaced, text};
use crate::sink::Sink;
use crate::tools::{AMTOOL, run_in};

/// What a test changes in the shipped configuration: where the receivers are, and how long to wait for
/// company. Routes, grouping, inhibition and the order of everything stay.
const QUICK: [(&str, &str); 4] = [
    ("group_wait: 30s", "group_wait: 1s"),
    ("group_wait: 10s", "group_wait: 1s"),
    ("group_interval: 5m", "group_interval: 1s"),
    ("group_interval: 1m", "group_interval: 1s"),
];

/// Alertmanager with the shipped configuration, whose receivers are this sink.
pub(crate) fn start(folder: &Path, sink: &Sink) -> Running {
    let shipped = text("deploy/alertmanager/alertmanager.yml");
    let quick = replaced(&shipped, &QUICK);
    let ours = replaced(&quick, &[("http://alert-receiver:8088", &sink.url)]);
    let file = folder.join("alertmanager.yml");
    std::fs::write(&file, ours).unwrap();
    Running::alertmanager(folder, &file)
}

#[test]
fn every_alert_reaches_the_receiver_of_its_severity() {
    if !present(&[AMTOOL]) {
        return;
    }
    for alert in alerts() {
        let receiver = match (alert.name.as_str(), alert.severity()) {
            ("Watchdog", _) => "watchdog",
            (_, "critical") => "pager",
            (_, "warning") => "tickets",
            (_, "info") => "record",
            other => panic!("{other:?}"),
        };
        let mut labels = vec![format!("alertname={}", alert.name)];
        for (name, value) in &alert.labels {
            labels.push(format!("{name}={}", value.as_str().unwrap()));
        }
        assert_eq!(routed(&labels), receiver, "{labels:?}");
    }
}

/// What the shipped alerts do not cover: other severities, and none.
#[test]
fn what_no_route_knows_is_not_lost() {
    if !present(&[AMTOOL]) {
        return;
    }
    for (labels, receiver) in [
        (&["alertname=Other", "severity=info"][..], "record"),
        (&["alertname=Other", "severity=odd"][..], "tickets"),
        (&["alertname=Other"][..], "tickets"),
        // The heart beat is told by its name, whatever its severity.
        (&["alertname=Watchdog", "severity=critical"][..], "watchdog"),
    ] {
        let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
        assert_eq!(routed(&labels), receiver, "{labels:?}");
    }
}

fn routed(labels: &[String]) -> String {
    let file = alertmanager_file();
    let mut arguments = vec!["config", "routes", "test", "--config.file"];
    arguments.push(file.to_str().unwrap());
    arguments.extend(labels.iter().map(String::as_str));
    let output = run_in(file.parent().unwrap(), AMTOOL, &arguments);
    assert!(output.status.success(), "{}", both(&output));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// An alert as Prometheus posts it.
fn alert(name: &str, severity: &str, variant: &str, instance: &str) -> Value {
    json!({"labels": {
        "alertname": name,
        "severity": severity,
        "job": "ecommerce-app",
        "variant": variant,
        "instance": instance,
    }})
}

/// An Alertmanager with the shipped routes that has been told of some alerts.
struct Told {
    manager: Running,
    sink: Sink,
    _folder: TempDir,
}

/// Tells an Alertmanager of these alerts; none, said aloud, where there is no Alertmanager.
fn told(alerts: &[Value]) -> Option<Told> {
    if !servers_present() {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::start();
    let manager = start(folder.path(), &sink);
    let address = format!("{}/api/v2/alerts", manager.url);
    ureq::post(&address).send_json(alerts).unwrap();
    Some(Told {
        manager,
        sink,
        _folder: folder,
    })
}

#[test]
fn worse_news_mutes_the_same_news() {
    let Some(told) = told(&[
        alert("OrderErrorRatioHigh", "critical", "optimized", "a:1"),
        alert("OrderErrorRatioHigh", "warning", "optimized", "a:1"),
        alert("OrderErrorRatioHigh", "warning", "baseline", "b:1"),
        alert("LatencyBudgetBurn", "warning", "baseline", "b:1"),
        alert("RequestSuccessRatioLow", "critical", "optimized", "a:1"),
        alert("RequestLatencyHigh", "warning", "optimized", "a:1"),
        alert("LatencyBudgetBurn", "warning", "optimized", "a:1"),
        alert("AvailabilityBudgetBurn", "warning", "optimized", "a:1"),
        alert("AvailabilityBudgetBurn", "critical", "baseline", "a:1"),
        alert("RequestsShed", "warning", "optimized", "a:1"),
    ]) else {
        return;
    };
    let mut muted = Vec::new();
    eventually("ten alerts judged", Duration::from_secs(30), || {
        let alerts = told.manager.get("/api/v2/alerts");
        let alerts = alerts.as_array().unwrap().clone();
        let judged = alerts
            .iter()
            .all(|alert| alert["status"]["state"] != "unprocessed");
        muted = alerts
            .iter()
            .filter(|alert| alert["status"]["state"] == "suppressed")
            .map(|alert| {
                let label = |name: &str| alert["labels"][name].as_str().unwrap().to_owned();
                [label("alertname"), label("severity"), label("variant")].join(" ")
            })
            .collect();
        muted.sort();
        alerts.len() == 10 && judged && muted.len() >= 4
    });
    assert_eq!(
        muted,
        [
            "AvailabilityBudgetBurn warning optimized",
            "LatencyBudgetBurn warning optimized",
            "OrderErrorRatioHigh warning optimized",
            "RequestLatencyHigh warning optimized",
        ]
    );
    told.sink.expect("tickets", "RequestsShed", "firing");
    told.sink
        .expect("pager", "RequestSuccessRatioLow", "firing");
}

#[test]
fn the_instances_of_a_shop_share_a_message_and_the_variants_do_not() {
    let Some(told) = told(&[
        alert("ShopDown", "critical", "optimized", "a:1"),
        alert("ShopDown", "critical", "optimized", "b:1"),
        alert("ShopDown", "critical", "tuned", "c:1"),
    ]) else {
        return;
    };
    eventually("two messages", Duration::from_secs(30), || {
        told.sink.messages().len() >= 2
    });
    let mut sizes: Vec<(String, usize)> = told
        .sink
        .messages()
        .iter()
        .map(|message| {
            assert_eq!(message.receiver, "pager");
            let variant = message.body["groupLabels"]["variant"].as_str().unwrap();
            let count = message.alerts("ShopDown", "firing").count();
            (variant.to_owned(), count)
        })
        .collect();
    sizes.sort();
    assert_eq!(
        sizes,
        [("optimized".to_owned(), 2), ("tuned".to_owned(), 1)]
    );
}
