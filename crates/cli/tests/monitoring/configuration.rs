//! What Prometheus and Alertmanager themselves say of the shipped files, and the names that the
//! requirements give.

use serde_json::{Value, json};

use crate::harness::both;
use crate::servers::present;
use crate::shipped::{
    alertmanager_file, prometheus_folder, replaced, rule_tests, rules, text, yaml,
};
use crate::tools::{AMTOOL, PROMTOOL, run_in};

#[test]
fn promtool_accepts_configuration_and_rules() {
    if !present(&[PROMTOOL]) {
        return;
    }
    let folder = prometheus_folder();
    for arguments in [
        &["check", "config", "--lint=all", "--lint-fatal"][..],
        &["check", "rules", "--lint=all", "--lint-fatal"][..],
    ] {
        let files: &[&str] = match arguments[1] {
            "config" => &["prometheus.yml"],
            _ => &["ecommerce_rules.yml", "ecommerce_alerts.yml"],
        };
        let output = run_in(&folder, PROMTOOL, &[arguments, files].concat());
        assert!(output.status.success(), "{}", both(&output));
    }
}

/// A rule twice is what `--lint` finds; planted, so that the check is seen to work.
#[test]
fn promtool_refuses_a_planted_fault() {
    if !present(&[PROMTOOL]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let shipped = text("deploy/prometheus/ecommerce_rules.yml");
    let twice = "      - record: ecommerce_orders_total_optimized\n        \
                 expr: ecommerce_orders_total{variant=\"optimized\"}\n";
    for planted in [
        replaced(&shipped, &[(twice, &twice.repeat(2))]),
        replaced(
            &shipped,
            &[("sum by (job, variant) (", "sum by (job, variant ")],
        ),
    ] {
        std::fs::write(folder.path().join("rules.yml"), planted).unwrap();
        let check = ["check", "rules", "--lint=all", "--lint-fatal", "rules.yml"];
        let output = run_in(folder.path(), PROMTOOL, &check);
        assert!(!output.status.success(), "{}", both(&output));
    }
}

#[test]
fn unit_tests_of_the_rules_pass() {
    if !present(&[PROMTOOL]) {
        return;
    }
    let folder = prometheus_folder().join("tests");
    let files = rule_tests();
    assert!(files.len() >= 5);
    std::thread::scope(|scope| {
        let runs: Vec<_> = files
            .iter()
            .map(|(name, _)| scope.spawn(|| run_in(&folder, PROMTOOL, &["test", "rules", name])))
            .collect();
        for run in runs {
            let output = run.join().unwrap();
            assert!(output.status.success(), "{}", both(&output));
        }
    });
}

#[test]
fn amtool_accepts_the_configuration() {
    if !present(&[AMTOOL]) {
        return;
    }
    let file = alertmanager_file();
    let folder = file.parent().unwrap();
    let output = run_in(folder, AMTOOL, &["check-config", "alertmanager.yml"]);
    assert!(output.status.success(), "{}", both(&output));
}

/// Requirements 3.2: jobs, paths, intervals, exporters, rule file and Alertmanager.
#[test]
fn the_configuration_has_the_names_of_the_requirements() {
    let file = yaml("deploy/prometheus/prometheus.yml");
    assert_eq!(file["global"]["scrape_interval"], "15s");
    assert_eq!(file["global"]["evaluation_interval"], "15s");
    let shop = job(&file, "ecommerce-app");
    assert_eq!(shop["metrics_path"], "/actuator/prometheus");
    assert_eq!(shop["scrape_interval"], "5s");
    assert_eq!(
        shop["static_configs"],
        json!([
            {"targets": ["localhost:8080"], "labels": {"variant": "baseline"}},
            {"targets": ["localhost:8081"], "labels": {"variant": "optimized"}},
        ])
    );
    for (name, target) in [
        ("redis", "redis-exporter:9121"),
        ("mysql", "mysql-exporter:9104"),
    ] {
        let expected = json!([{"targets": [target]}]);
        assert_eq!(job(&file, name)["static_configs"], expected);
    }
    assert_eq!(
        file["rule_files"],
        json!(["ecommerce_alerts.yml", "ecommerce_rules.yml"])
    );
    assert_eq!(
        file["alerting"]["alertmanagers"],
        json!([{"static_configs": [{"targets": ["alertmanager:9093"]}]}])
    );
}

/// The two configurations differ in what they find, not in what they make of it.
#[test]
fn a_cluster_has_the_same_rules_and_the_same_interval() {
    let alone = yaml("deploy/prometheus/prometheus.yml");
    let cluster = yaml("deploy/prometheus/kubernetes.yml");
    for part in ["global", "rule_files", "alerting"] {
        assert_eq!(alone[part], cluster[part], "{part}");
    }
    assert_eq!(
        job(&alone, "ecommerce-app")["scrape_interval"],
        job(&cluster, "kubernetes-pods")["scrape_interval"]
    );
}

/// A rate over fewer than four scrapes comes and goes with their timing.
#[test]
fn every_window_holds_at_least_four_scrapes() {
    const SCRAPE_SECONDS: u64 = 15;
    let mut windows = 0;
    for file in ["ecommerce_rules.yml", "ecommerce_alerts.yml"] {
        for rule in rules(&format!("deploy/prometheus/{file}")) {
            let expression = rule["expr"].as_str().unwrap();
            for window in expression.split('[').skip(1) {
                let window = window.split(']').next().unwrap();
                let (number, unit) = window.split_at(window.len() - 1);
                let factor = match unit {
                    "s" => 1,
                    "m" => 60,
                    "h" => 3_600,
                    "d" => 86_400,
                    other => panic!("`{other}` in `{window}`"),
                };
                let seconds = number.parse::<u64>().unwrap() * factor;
                assert!(seconds >= 4 * SCRAPE_SECONDS, "{expression}");
                windows += 1;
            }
        }
    }
    assert!(windows > 20, "{windows}");
}

/// Recorded names that are not the bridge are `level:metric:operations`.
#[test]
fn recorded_series_are_named_by_the_convention() {
    for rule in rules("deploy/prometheus/ecommerce_rules.yml") {
        let name = rule["record"].as_str().unwrap();
        if name.starts_with("ecommerce_") {
            assert!(name.contains("_optimized"), "{name}");
            continue;
        }
        let parts: Vec<&str> = name.split(':').collect();
        assert_eq!(parts.len(), 3, "{name}");
        assert!(parts[0].starts_with("job_variant"), "{name}");
        assert!(parts[1].starts_with("ecommerce_"), "{name}");
        assert!(!parts[1].ends_with("_total"), "{name}");
    }
}

pub(crate) fn job(file: &Value, name: &str) -> Value {
    let jobs = file["scrape_configs"].as_array().unwrap();
    let found = jobs.iter().find(|job| job["job_name"] == name);
    found.unwrap_or_else(|| panic!("no job {name}")).clone()
}
