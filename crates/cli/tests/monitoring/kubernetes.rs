//! What becomes of the pods, nodes and services of a cluster. Debian's Prometheus does not know
//! `kubernetes_sd_configs`; the test puts the labels that it would find in its place.

use std::path::Path;

use serde_json::{Value, json};

use crate::configuration::job;
use crate::harness::both;
use crate::servers::present;
use crate::shipped::{prometheus_folder, yaml};
use crate::tools::{PROMTOOL, run_in};

const FILE: &str = "deploy/prometheus/kubernetes.yml";

/// A pod as discovery describes it: its address, and what is special about it.
fn pod(address: &str, ip: &str, special: &[(&str, &str)]) -> Value {
    let mut labels = serde_json::Map::new();
    let meta = |name: &str| format!("__meta_kubernetes_{name}");
    for (name, value) in [
        ("namespace", "ecommerce"),
        ("pod_name", "ecommerce-app-optimized-7d9c-x2x4p"),
        ("pod_node_name", "node-1"),
        ("pod_phase", "Running"),
        ("pod_container_init", "false"),
        ("pod_ip", ip),
    ] {
        labels.insert(meta(name), json!(value));
    }
    for (name, value) in special {
        labels.insert(meta(name), json!(value));
    }
    json!({"targets": [address], "labels": labels})
}

const SCRAPE: (&str, &str) = ("pod_annotation_prometheus_io_scrape", "true");
const PORT: (&str, &str) = ("pod_annotation_prometheus_io_port", "8080");
const PATH: (&str, &str) = ("pod_annotation_prometheus_io_path", "/actuator/prometheus");
const NAME: (&str, &str) = ("pod_label_app_kubernetes_io_name", "ecommerce-app");
const VARIANT: (&str, &str) = ("pod_label_variant", "optimized");

#[test]
fn an_annotated_pod_becomes_a_target_as_the_rules_know_it() {
    let special = [SCRAPE, PORT, PATH, NAME, VARIANT];
    let Some(labels) = discovered(
        "kubernetes-pods",
        &pod("10.0.0.7:9999", "10.0.0.7", &special),
    ) else {
        return;
    };
    for (name, value) in [
        ("__address__", "10.0.0.7:8080"),
        ("__metrics_path__", "/actuator/prometheus"),
        ("__scrape_interval__", "5s"),
        ("instance", "10.0.0.7:8080"),
        ("job", "ecommerce-app"),
        ("variant", "optimized"),
        ("namespace", "ecommerce"),
        ("pod", "ecommerce-app-optimized-7d9c-x2x4p"),
        ("node", "node-1"),
    ] {
        assert_eq!(labels[name], value, "{name} of {labels}");
    }
}

#[test]
fn addresses_get_the_annotated_port() {
    let special = [SCRAPE, PORT];
    for (address, ip, expected) in [
        ("10.0.0.7", "10.0.0.7", "10.0.0.7:8080"),
        ("fd00::7", "fd00::7", "[fd00::7]:8080"),
        ("[fd00::7]:9999", "fd00::7", "[fd00::7]:8080"),
    ] {
        let Some(labels) = discovered("kubernetes-pods", &pod(address, ip, &special)) else {
            return;
        };
        assert_eq!(labels["__address__"], expected);
    }
    let Some(labels) = discovered(
        "kubernetes-pods",
        &pod("10.0.0.7:9104", "10.0.0.7", &[SCRAPE]),
    ) else {
        return;
    };
    assert_eq!(labels["__address__"], "10.0.0.7:9104");
    assert_eq!(labels["__metrics_path__"], "/metrics");
    assert_eq!(labels["job"], "kubernetes-pods");
}

#[test]
fn pods_that_did_not_ask_or_do_not_run_are_left_alone() {
    let left = [
        vec![PORT, PATH],
        vec![("pod_annotation_prometheus_io_scrape", "false"), PORT],
        vec![SCRAPE, PORT, ("pod_phase", "Pending")],
        vec![SCRAPE, PORT, ("pod_phase", "Succeeded")],
        vec![SCRAPE, PORT, ("pod_phase", "Failed")],
        vec![SCRAPE, PORT, ("pod_container_init", "true")],
    ];
    for special in left {
        let target = pod("10.0.0.7:8080", "10.0.0.7", &special);
        let Some(labels) = discovered("kubernetes-pods", &target) else {
            return;
        };
        assert_eq!(labels, json!({}), "{special:?}");
    }
}

#[test]
fn nodes_are_asked_for_their_containers_over_tls() {
    let node = json!({
        "targets": ["10.0.0.1:10250"],
        "labels": {"__meta_kubernetes_node_name": "node-1"},
    });
    let Some(labels) = discovered("kubernetes-cadvisor", &node) else {
        return;
    };
    assert_eq!(labels["__address__"], "10.0.0.1:10250");
    assert_eq!(labels["__scheme__"], "https");
    assert_eq!(labels["__metrics_path__"], "/metrics/cadvisor");
    assert_eq!(labels["node"], "node-1");
}

#[test]
fn of_all_services_kube_state_metrics_is_found_by_its_label_and_port() {
    for (service, port, found) in [
        ("kube-state-metrics", "http-metrics", true),
        ("kube-state-metrics", "http", true),
        ("kube-state-metrics", "telemetry", false),
        ("ecommerce-app", "http", false),
    ] {
        let endpoint = json!({
            "targets": ["10.0.0.9:8080"],
            "labels": {
                "__meta_kubernetes_service_label_app_kubernetes_io_name": service,
                "__meta_kubernetes_endpoint_port_name": port,
            },
        });
        let Some(labels) = discovered("kube-state-metrics", &endpoint) else {
            return;
        };
        assert_eq!(labels != json!({}), found, "{service} {port}: {labels}");
    }
}

/// Discovery is confined to the shop's namespace and to that of what it stands on.
#[test]
fn pods_are_looked_for_in_two_namespaces() {
    let pods = job(&yaml(FILE), "kubernetes-pods");
    let expected =
        json!([{"role": "pod", "namespaces": {"names": ["ecommerce", "ecommerce-data"]}}]);
    assert_eq!(pods["kubernetes_sd_configs"], expected);
}

/// The final labels of a target of a job, by promtool; empty if it is dropped.
fn discovered(name: &str, target: &Value) -> Option<Value> {
    if !present(&[PROMTOOL]) {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    write_configuration(folder.path(), name, target);
    let check = [
        "check",
        "service-discovery",
        "--timeout=1s",
        "prometheus.json",
        name,
    ];
    let output = run_in(folder.path(), PROMTOOL, &check);
    assert!(output.status.success(), "{}", both(&output));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    Some(found[0]["labels"].clone())
}

/// The shipped file with every discovery replaced, in one job by `target`, in the others by nothing; and
/// with files of the machine in the place of the cluster's secrets.
fn write_configuration(folder: &Path, name: &str, target: &Value) {
    let mut file = yaml(FILE);
    let jobs = file["scrape_configs"].as_array_mut().unwrap();
    assert_eq!(jobs.len(), 3);
    for job in jobs {
        let job = job.as_object_mut().unwrap();
        assert!(job.remove("kubernetes_sd_configs").is_some(), "{job:?}");
        let targets = if job["job_name"] == name {
            json!([target])
        } else {
            json!([])
        };
        job.insert("static_configs".to_owned(), targets);
        if let Some(authorization) = job.get_mut("authorization") {
            authorization["credentials_file"] = json!("token");
        }
    }
    std::fs::write(folder.join("token"), "of a test").unwrap();
    file["rule_files"] = json!([
        prometheus_folder().join("ecommerce_alerts.yml"),
        prometheus_folder().join("ecommerce_rules.yml"),
    ]);
    std::fs::write(folder.join("prometheus.json"), file.to_string()).unwrap();
    let output = run_in(folder, PROMTOOL, &["check", "config", "prometheus.json"]);
    assert!(output.status.success(), "{}", both(&output));
}
