//! That no alert is without a test that would notice if it were wrong.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{both, soak};
use crate::servers::present;
use crate::shipped::{Alert, alerts, prometheus_folder, rule_tests, yaml};
use crate::tools::{PROMTOOL, run_in};

/// Always fires, so that it has neither a quiet test nor one in which it resolves.
const ALWAYS: &str = "Watchdog";

#[test]
fn every_alert_is_tested_firing_quiet_and_resolving() {
    let timelines = timelines();
    for alert in alerts() {
        let of_alert: Vec<Vec<bool>> = timelines
            .iter()
            .map(|timeline| fires(timeline, &alert))
            .filter(|fires| !fires.is_empty())
            .collect();
        let what = format!("{} {:?}", alert.name, alert.labels);
        if alert.name == ALWAYS {
            assert_eq!(of_alert, [[true, true]], "{what}");
            continue;
        }
        let resolves = of_alert.iter().any(|fires| {
            let first = fires.iter().position(|firing| *firing);
            let last = fires.iter().rposition(|firing| *firing);
            matches!((first, last), (Some(first), Some(last))
                if first > 0 && last + 1 < fires.len())
        });
        assert!(resolves, "no test begins quiet, fires and resolves: {what}");
        let quiet = of_alert.iter().any(|fires| !fires.contains(&true));
        assert!(quiet, "no test in which it does not fire: {what}");
    }
}

/// The check above, of a rule that no test knows.
#[test]
fn an_alert_without_tests_is_noticed() {
    let mut alert = alerts().remove(0);
    alert.labels.insert("severity".to_owned(), json!("info"));
    let firing = timelines()
        .iter()
        .any(|timeline| fires(timeline, &alert).contains(&true));
    assert!(!firing);
}

/// What is done to an alert that its tests must notice.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Removed,
    /// The comparison is turned round.
    TurnedRound,
    /// It does not wait for the condition to last.
    Hasty,
}

/// Plants each fault in each alert, and sees its tests fail. The short form takes the faults in turn,
/// one for each alert, and leaves out the budgets, whose tests run through days.
#[test]
fn the_tests_notice_planted_faults() {
    if !present(&[PROMTOOL]) {
        return;
    }
    let faults = [Fault::Removed, Fault::TurnedRound, Fault::Hasty];
    let mut planted = 0;
    let alerts = alerts();
    for (index, alert) in alerts.iter().enumerate() {
        for (turn, fault) in faults.into_iter().enumerate() {
            let short = index % faults.len() == turn && !alert.name.ends_with("BudgetBurn");
            if !(short || soak()) {
                continue;
            }
            let Some(rules) = with_fault(index, fault) else {
                continue;
            };
            let output = test_with(&alert.name, &rules);
            let said = both(&output);
            assert!(!output.status.success(), "{fault:?} {alert:?}");
            assert!(said.contains("FAILED"), "{fault:?} {alert:?}: {said}");
            planted += 1;
        }
    }
    assert!(planted >= 10, "{planted}");
    if soak() {
        println!(
            "soak: monitoring: {planted} of {planted} faults planted in alerts are noticed by their tests"
        );
    }
}

/// The same without a fault, so that it is the fault that is noticed above.
#[test]
fn the_tests_of_an_alert_pass_alone() {
    if !present(&[PROMTOOL]) {
        return;
    }
    let rules = yaml("deploy/prometheus/ecommerce_alerts.yml");
    let output = test_with("RequestsShed", &rules);
    assert!(output.status.success(), "{}", both(&output));
}

/// The shipped alerts with a fault in the one of this number; none if it has nothing to break.
fn with_fault(index: usize, fault: Fault) -> Option<Value> {
    let mut file = yaml("deploy/prometheus/ecommerce_alerts.yml");
    let groups = file["groups"].as_array_mut().unwrap();
    let mut before = index;
    for group in groups {
        let rules = group["rules"].as_array_mut().unwrap();
        if before >= rules.len() {
            before -= rules.len();
            continue;
        }
        match fault {
            Fault::Removed => drop(rules.remove(before)),
            Fault::TurnedRound => {
                let expression = rules[before]["expr"].as_str().unwrap();
                rules[before]["expr"] = json!(turned_round(expression)?);
            }
            Fault::Hasty => drop(rules[before].as_object_mut().unwrap().remove("for")?),
        }
        return Some(file);
    }
    panic!("there is no alert number {index}");
}

fn turned_round(expression: &str) -> Option<String> {
    let turns = [
        (" < 500", " > 500"),
        ("> 0.8", "< 0.8"),
        ("> 0.9", "< 0.9"),
        (" > 0.0", " < 0.0"),
        (" > (", " < ("),
        (" > 0", " == 0"),
        ("\n>=\n", "\n<\n"),
        (" == 0", " == 1"),
    ];
    let (from, to) = turns.iter().find(|(from, _)| expression.contains(from))?;
    Some(expression.replace(from, to))
}

/// Runs the tests of one alert against other rules.
fn test_with(alert: &str, rules: &Value) -> std::process::Output {
    let folder = tempfile::tempdir().unwrap();
    let (_, file) = rule_tests()
        .into_iter()
        .find(|(_, file)| tests_of(file, alert).next().is_some())
        .unwrap();
    let mut only = file.clone();
    only["tests"] = tests_of(&file, alert).cloned().collect();
    only["rule_files"] = json!([
        prometheus_folder().join("ecommerce_rules.yml"),
        "alerts.json"
    ]);
    write(&folder.path().join("alerts.json"), rules);
    write(&folder.path().join("test.json"), &only);
    run_in(folder.path(), PROMTOOL, &["test", "rules", "test.json"])
}

/// The tests whose name begins with the alert's.
fn tests_of<'file>(file: &'file Value, alert: &'file str) -> impl Iterator<Item = &'file Value> {
    let tests = file["tests"].as_array().unwrap();
    tests.iter().filter(move |test| {
        let name = test["name"].as_str().unwrap();
        name.split(' ').next() == Some(alert)
    })
}

/// JSON is YAML.
fn write(path: &Path, content: &Value) {
    std::fs::write(path, content.to_string()).unwrap();
}

/// What each test expects of the alerts, in the order of time.
fn timelines() -> Vec<Vec<Value>> {
    let of_test = |test: &Value| {
        let mut checks = test["alert_rule_test"].as_array().cloned()?;
        checks.sort_by_key(|check| seconds(check["eval_time"].as_str().unwrap()));
        Some(checks)
    };
    rule_tests()
        .iter()
        .flat_map(|(_, file)| file["tests"].as_array().unwrap())
        .filter_map(of_test)
        .collect()
}

/// Whether the alert fires, at each instant at which the timeline looks at its name.
fn fires(timeline: &[Value], alert: &Alert) -> Vec<bool> {
    let looks = timeline
        .iter()
        .filter(|check| check["alertname"] == alert.name.as_str());
    looks
        .map(|check| {
            let expected = check["exp_alerts"].as_array().unwrap();
            expected.iter().any(|expected| {
                let labels = expected["exp_labels"].as_object().unwrap();
                let same = |(name, value)| labels.get(name) == Some(value);
                alert.labels.iter().all(same)
            })
        })
        .collect()
}

/// A duration such as `2d1h15m`.
fn seconds(duration: &str) -> u64 {
    let mut total = 0;
    let mut number = 0;
    for letter in duration.chars() {
        if let Some(digit) = letter.to_digit(10) {
            number = number * 10 + u64::from(digit);
            continue;
        }
        let unit = match letter {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            other => panic!("`{other}` in `{duration}`"),
        };
        total += number * unit;
        number = 0;
    }
    total
}
