//! Both scripts with `--local`, from the first line to the report: real shops under limits, a real Prometheus, our own
//! runner of plans.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::{PROGRAM, both, free_port};
use crate::rendered::{VARIANTS, root};

#[test]
fn both_scripts_end_with_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("results");
    for variant in VARIANTS {
        let output = Command::new("bash")
            .arg(root().join(format!("scripts/{variant}_test.sh")))
            .args(["--local", "--quick", "--products", "1000"])
            .args(["--port", &free_port().to_string()])
            .args(["--prometheus-port", &free_port().to_string()])
            .arg("--out")
            .arg(&out)
            .env("DOUBLE11", PROGRAM)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = both(&output);
        // The report of so short a run may say that it cannot judge, or that a target was missed.
        let code = output.status.code().unwrap();
        let expected: &[i32] = if variant == "baseline" {
            &[0]
        } else {
            &[0, 1, 4]
        };
        assert!(expected.contains(&code), "{variant}: {code}: {said}");
        for step in ["平常流量", "峰值流量", "監控數據", "測試完成"] {
            assert!(said.contains(step), "{variant}: {step}: {said}");
        }
        for plan in ["normal", "peak"] {
            let results =
                std::fs::read_to_string(out.join(format!("{variant}_{plan}.jtl"))).unwrap();
            assert!(results.lines().count() > 20, "{variant} {plan}: {said}");
        }
        assert!(
            orders_seen(&out.join(format!("{variant}_metrics.json"))) > 0.0,
            "{variant}"
        );
    }
    let report = std::fs::read_to_string(out.join("improvement_report.html")).unwrap();
    assert!(report.contains("<html"));
}

/// The greatest rate of orders that Prometheus saw.
fn orders_seen(file: &Path) -> f64 {
    let answer: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(answer["status"], "success");
    let series = answer["data"]["result"].as_array().unwrap();
    let values = series
        .iter()
        .flat_map(|it| it["values"].as_array().unwrap());
    let numbers = values.map(|it| it[1].as_str().unwrap().parse::<f64>().unwrap());
    numbers.fold(0.0, f64::max)
}

/// A port that is taken ends the script, and leaves nothing running.
#[test]
fn a_shop_that_does_not_start_is_said() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("bash")
        .arg(root().join("scripts/baseline_test.sh"))
        .args([
            "--local",
            "--quick",
            "--cpu-limit",
            "none",
            "--memory-limit",
            "none",
        ])
        .args(["--port", &taken.local_addr().unwrap().port().to_string()])
        .arg("--out")
        .arg(folder.path())
        .env("DOUBLE11", PROGRAM)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", both(&output));
    assert!(
        both(&output).contains("the shop did not start"),
        "{}",
        both(&output)
    );
}
