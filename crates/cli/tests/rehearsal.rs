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

/// Times that the figures may be spoilt by a machine that stalls for a second. What the audit, the
/// cross-check and the files say must be right every time.
const ATTEMPTS: u32 = 3;

#[test]
fn rehearse_quick_measures_audits_and_reports() {
    let folder = tempfile::tempdir().unwrap();
    let mut spoilt = Vec::new();
    for attempt in 1..=ATTEMPTS {
        let out = folder.path().join(format!("results-{attempt}"));
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
        check_files(&out);
        let report = std::fs::read(out.join("improvement_report.json")).unwrap();
        let report: Value = serde_json::from_slice(&report).unwrap();
        check_truth(&report);
        assert!(took <= Duration::from_mins(3), "it took {took:?}");
        let page = out.join("improvement_report.html");
        let missed = missed_figures(&report);
        if missed.is_empty() && output.status.success() {
            let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
            browser_check::assert_page_is_sound(&page, Some(&pictures));
            return;
        }
        spoilt.push(format!(
            "attempt {attempt} missed {missed:?}: {}",
            both(&output)
        ));
    }
    panic!(
        "the targets were missed {ATTEMPTS} times:\n{}",
        spoilt.join("\n")
    );
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

/// What no noise of the machine may change.
fn check_truth(report: &Value) {
    for variant in [0, 1] {
        let audit = &report["variants"][variant]["audit"];
        assert_eq!(audit["passed"], true, "{audit:#}");
        assert!(audit["checks"].as_array().unwrap().len() > 20);
        assert!(judged_phase(report, variant)["attempted"].as_u64().unwrap() > 5_000);
    }
    for variant in [0, 1] {
        let checks = report["variants"][variant]["cross_check"]["results"]
            .as_array()
            .unwrap();
        let counts = checks.iter().filter(|check| {
            let what = check["what"].as_str().unwrap();
            ["requests ", "orders ", "payments "]
                .iter()
                .any(|kind| what.starts_with(kind))
        });
        assert!(counts.clone().count() >= 8, "{checks:#?}");
        assert!(
            counts.clone().all(|check| check["status"] == "agrees"),
            "{checks:#?}"
        );
    }
}

/// The targets that the optimised shop missed in this run.
fn missed_figures(report: &Value) -> Vec<&'static str> {
    let targets = [
        ("throughput", optimised(report, "throughput") >= 940.0),
        ("order_rate", optimised(report, "order_rate") >= 58.0),
        ("payment_rate", optimised(report, "payment_rate") >= 25.0),
        (
            "response_time_p95",
            optimised(report, "response_time_p95") < 50.0,
        ),
        ("error_rate", optimised(report, "error_rate") < 0.01),
        (
            "availability",
            optimised(report, "availability") > 0.999_999,
        ),
    ];
    targets
        .into_iter()
        .filter(|(_, met)| !met)
        .map(|(target, _)| target)
        .collect()
}
