//! A rehearsal under limits: what holds them, how often the shops were throttled, and what is then not
//! judged.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::alone;
use crate::harness::{both, run};
use crate::shop::in_a_group;

/// Whether control groups can be written here.
fn has_groups() -> bool {
    let folder = tempfile::tempdir().unwrap();
    let options = [
        "--products",
        "200",
        "--memory-limit",
        "256Mi",
        "--cpu-limit",
        "0.5",
    ];
    in_a_group(folder.path(), &options).is_some()
}

fn json(path: &Path) -> Value {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).unwrap()
}

fn judged(variant: &Value, phase: &Value) -> Value {
    let phases = variant["phases"].as_array().unwrap();
    let found = phases.iter().find(|one| one["name"] == *phase);
    found.unwrap()["throttling"].clone()
}

fn p95_of(report: &Value) -> Value {
    let rows = report["improvement"].as_array().unwrap();
    let row = rows.iter().find(|row| row["metric"] == "response_time_p95");
    row.unwrap().clone()
}

#[test]
fn throttling_is_shown_and_no_latency_is_judged_under_it() {
    let _alone = alone();
    if !has_groups() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().display().to_string();
    let mut words = vec![
        "rehearse",
        "--pairs",
        "1",
        "--no-capacity",
        "--ports",
        "0,0",
    ];
    words.extend(["--out", &out, "--products", "2000", "--time-scale", "14"]);
    words.extend([
        "--normal-rate",
        "20",
        "--cpu-limit",
        "0.1",
        "--memory-limit",
        "256Mi",
    ]);
    let output = run(words);
    assert_eq!(output.status.code(), Some(4), "{}", both(&output));
    let report = json(&folder.path().join("improvement_report.json"));
    let limits = &report["host"]["shop_limits"];
    assert_eq!(limits["cpus"], 0.1);
    assert_eq!(limits["memory_bytes"], 256 << 20);
    let version = limits["held_by"].as_str().unwrap();
    assert!(["cgroup_v1", "cgroup_v2"].contains(&version), "{version}");
    let phase = &report["method"]["judged_phase"];
    for variant in report["variants"].as_array().unwrap() {
        let seen = judged(variant, phase);
        assert!(seen["periods"].as_u64().unwrap() > 5, "{seen}");
        assert!(seen["throttled"].as_u64().unwrap() > 0, "{seen}");
        let memory = &variant["group_memory"];
        let peak = memory["peak_bytes"].as_u64().unwrap();
        assert!((1 << 20..=256 << 20).contains(&peak), "{peak}");
        assert_eq!(memory["oom_kills"], 0);
    }
    let row = &p95_of(&report);
    assert_eq!(row["verdict"], "not_judged", "{row}");
    assert_eq!(row["reason"]["code"], "throttled", "{row}");
    assert_eq!(row["baseline_meets_target"], Value::Null, "{row}");
    let page = std::fs::read_to_string(folder.path().join("improvement_report.html")).unwrap();
    for words in ["because the shop was throttled in", "0.1 CPU", "cgroup v"] {
        assert!(page.contains(words), "`{words}` is not in the page");
    }
    let kept = std::fs::read_dir(folder.path().join("runs"))
        .unwrap()
        .next();
    let kept = kept.unwrap().unwrap().path();
    let names = report["method"]["run_folders"].as_array().unwrap();
    let names = names.iter().map(|name| name.as_str().unwrap());
    let folders: Vec<PathBuf> = names.map(|name| kept.join(name)).collect();
    for run in &folders {
        let manifest = json(&run.join("run.json"));
        let told = manifest["target_limits"].as_str().unwrap();
        assert!(
            told.starts_with("0.1 CPU, 256Mi of memory (cgroup v"),
            "{told}"
        );
    }
    let compared = compared(&folders, phase.as_str().unwrap());
    assert_eq!(
        p95_of(&compared),
        *row,
        "compared later, as little is judged"
    );
}

/// The report of a comparison of two folders of runs, which judges nothing.
fn compared(folders: &[PathBuf], phase: &str) -> Value {
    let page = folders[0].with_file_name("compared.html");
    let named = |path: &Path| path.display().to_string();
    let output = run([
        "compare",
        "--baseline",
        &named(&folders[0]),
        "--optimized",
        &named(&folders[1]),
        "--phase",
        phase,
        "--output",
        &named(&page),
    ]);
    assert_eq!(output.status.code(), Some(4), "{}", both(&output));
    json(&page.with_extension("json"))
}

#[test]
fn a_shop_without_enough_memory_is_named_as_such() {
    let _alone = alone();
    if !has_groups() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().display().to_string();
    let output = run([
        "rehearse",
        "--quick",
        "--ports",
        "0,0",
        "--out",
        &out,
        "--products",
        "1000000",
        "--memory-limit",
        "24Mi",
    ]);
    let said = both(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("ran out of memory") && said.contains("24Mi"),
        "{said}"
    );
    assert!(
        said.contains("hint: give the shops more with `--memory-limit`"),
        "{said}"
    );
}

#[test]
fn limits_are_for_shops_that_the_rehearsal_starts() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let output = run([
        "rehearse",
        "--baseline",
        &url,
        "--optimized",
        &url,
        "--memory-limit",
        "1Gi",
    ]);
    let said = both(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("for shops that the rehearsal starts"),
        "{said}"
    );
}
