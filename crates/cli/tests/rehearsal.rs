//! The main job as a newcomer runs it, and its report as a reader sees it.
//!
//! A test binary of its own, so that nothing else runs on the machine meanwhile.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot set itself up has failed"
)]

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use harness::{both, now, run};

#[path = "../../report/tests/browser_check/check.rs"]
mod browser_check;
#[expect(
    dead_code,
    reason = "the other test binary of the program uses the rest"
)]
#[path = "double11/harness.rs"]
mod harness;

/// What a rehearsal leaves in its folder, as the design names it.
const FILES: [&str; 8] = [
    "baseline_normal.jtl",
    "baseline_peak.jtl",
    "optimized_normal.jtl",
    "optimized_peak.jtl",
    "baseline_metrics.json",
    "optimized_metrics.json",
    "improvement_report.html",
    "improvement_report.json",
];

/// Rows of the table by metric: the judged variant's figure.
fn optimised(report: &Value, metric: &str) -> f64 {
    let rows = report["improvement"].as_array().unwrap();
    let row = rows.iter().find(|row| row["metric"] == metric).unwrap();
    row["optimised"]["value"].as_f64().unwrap()
}

fn judged_phase(report: &Value, variant: usize) -> &Value {
    let phases = report["variants"][variant]["phases"].as_array().unwrap();
    phases
        .iter()
        .find(|phase| phase["name"] == report["method"]["judged_phase"])
        .unwrap()
}

#[test]
fn rehearse_quick_measures_audits_and_reports() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("results");
    let begun = now();
    let output = run([
        "rehearse",
        "--quick",
        "--ports",
        "0,0",
        "--out",
        &out.display().to_string(),
    ]);
    let took = begun.elapsed();
    println!(
        "rehearse --quick took {:.0} s\n{}",
        took.as_secs_f64(),
        both(&output)
    );
    check_files(&out);
    let report: Value =
        serde_json::from_slice(&std::fs::read(out.join("improvement_report.json")).unwrap())
            .unwrap();
    check_figures(&report);
    assert_eq!(output.status.code(), Some(0), "{}", both(&output));
    assert!(took <= Duration::from_mins(3), "it took {took:?}");
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    browser_check::assert_page_is_sound(&out.join("improvement_report.html"), Some(&pictures));
}

fn check_files(out: &Path) {
    for name in FILES {
        let size = std::fs::metadata(out.join(name)).map_or(0, |data| data.len());
        assert!(size > 500, "`{name}` has {size} bytes");
    }
    let jtl = std::fs::read_to_string(out.join("optimized_peak.jtl")).unwrap();
    assert!(jtl.starts_with("timeStamp,elapsed,label,responseCode,"));
    assert!(
        jtl.lines().count() > 30_000,
        "{} samples",
        jtl.lines().count()
    );
    let metrics = std::fs::read(out.join("baseline_metrics.json")).unwrap();
    let metrics: Value = serde_json::from_slice(&metrics).unwrap();
    assert_eq!(metrics["data"]["resultType"], "matrix");
}

fn check_figures(report: &Value) {
    assert!(optimised(report, "throughput") >= 940.0, "{report:#}");
    assert!(optimised(report, "order_rate") >= 58.0);
    assert!(optimised(report, "payment_rate") >= 25.0);
    assert!(optimised(report, "response_time_p95") < 50.0);
    assert!(optimised(report, "error_rate") < 0.01);
    assert!(
        (optimised(report, "availability") - 1.0).abs() < 1e-9,
        "a window was bad"
    );
    for variant in [0, 1] {
        let audit = &report["variants"][variant]["audit"];
        assert_eq!(audit["passed"], true, "{audit:#}");
        assert!(audit["checks"].as_array().unwrap().len() > 20);
        assert!(judged_phase(report, variant)["attempted"].as_u64().unwrap() > 5_000);
    }
    let checks = report["variants"][1]["cross_check"]["results"]
        .as_array()
        .unwrap();
    assert!(
        checks.iter().all(|check| check["status"] != "differs"),
        "{checks:#?}"
    );
    assert!(
        checks
            .iter()
            .filter(|check| check["status"] == "agrees")
            .count()
            >= 8
    );
}
