//! The whole bench in its shortest form: every row runs, and every figure is a number or says why there is none.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Every row, by how its figures' names begin, and how many figures it has at least.
const ROWS: [(&str, &str, usize); 17] = [
    ("sync", "fdatasync: ", 2),
    ("ceiling", "ceiling: ", 3),
    ("engine", "", 5),
    ("jmeter", "jmeter plan", 1),
    ("users", "virtual user: ", 2),
    ("orders", "orders: ", 8),
    ("latency", "order at ", 8),
    ("payments", "payments: ", 8),
    ("funnel", "funnel", 5),
    ("overload", "overload", 70),
    ("store-bound", "store-bound", 16),
    ("growth", "growth, ", 20),
    ("kill", "kill -9: ", 4),
    ("metrics", "metrics: ", 4),
    ("search", "search, ", 6),
    ("report", "report, ", 2),
    ("start-up", "start-up: ", 2),
];

/// The least that every row can do with.
const SHORT: [&str; 17] = [
    "run",
    "--rounds",
    "1",
    "--seconds",
    "1",
    "--buyers",
    "32",
    "--stored-orders",
    "2000",
    "--products-max",
    "120000",
    "--jtl-rows",
    "20000",
    "--virtual-users",
    "2000",
    "--busy-max",
    "1",
];

/// The program that is measured lies beside the bench.
fn program() -> PathBuf {
    let bench = Path::new(env!("CARGO_BIN_EXE_double11-bench"));
    let program = bench.with_file_name("double11");
    assert!(program.exists(), "build `double11` first: make build");
    program
}

fn bench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_double11-bench"))
        .args(arguments)
        .output()
        .unwrap()
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The value of a figure that must be there, whatever the machine.
fn value(lines: &[Value], name: &str) -> f64 {
    let line = lines.iter().find(|line| line["name"] == name);
    let line = line.unwrap_or_else(|| panic!("no figure `{name}`"));
    line["median"]
        .as_f64()
        .unwrap_or_else(|| panic!("{line:#}"))
}

#[test]
fn every_row_is_measured_or_says_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let program = program().display().to_string();
    let mut arguments = SHORT.to_vec();
    let (parent, out) = (path(""), path("bench.json"));
    arguments.extend(["--folder", &parent, "--program", &program, "--out", &out]);
    let output = bench(&arguments);
    assert!(output.status.success(), "{}", words(&output));
    let record: Value =
        serde_json::from_slice(&std::fs::read(path("bench.json")).unwrap()).unwrap();
    let lines = record["lines"].as_array().unwrap();
    for (row, begin, least) in ROWS {
        let of_row: Vec<&Value> = lines.iter().filter(|line| line["row"] == row).collect();
        assert!(
            of_row.len() >= least,
            "{row}: {} figures: {of_row:#?}",
            of_row.len()
        );
        for line in of_row {
            assert!(
                line["name"].as_str().unwrap().starts_with(begin),
                "{line:#}"
            );
        }
    }
    for line in lines {
        let reasons = line["not_measured"].as_array().unwrap();
        let is_said = reasons.iter().all(|why| !why.as_str().unwrap().is_empty());
        assert!(is_said, "{line:#}");
        assert_eq!(line["median"].is_number(), reasons.is_empty(), "{line:#}");
    }
    for name in [
        "orders: audit findings",
        "payments: audit findings",
        "kill -9: audit findings",
    ] {
        assert!(value(lines, name).abs() < f64::EPSILON, "{name}");
    }
    for name in [
        "ceiling: orders accepted, not stored",
        "orders: durable",
        "payments: durable",
        "funnel: requests",
        "kill -9: orders acknowledged",
        "virtual user: memory without a connection",
        "report, 20,000 rows: time",
        "metrics: record of an order",
    ] {
        assert!(value(lines, name) > 0.0, "{name}");
    }
    for fact in ["commit", "began_unix_s", "versions", "fdatasync_ms"] {
        assert!(record["facts"].get(fact).is_some(), "{fact}");
    }
    assert!(record["facts"]["versions"]["double11"].is_string());
    pictures_are_drawn(&path("bench.json"), &path("picture.svg"));
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 2, "stores and runs were left behind: {left:?}");
}

fn pictures_are_drawn(record: &str, picture: &str) {
    for (which, word) in [("overload", "good answers"), ("growth", "stored")] {
        let output = bench(&["plot", which, record, picture]);
        assert!(output.status.success(), "{which}: {}", words(&output));
        let svg = std::fs::read_to_string(picture).unwrap();
        assert!(svg.starts_with("<svg ") && svg.contains(word), "{which}");
        assert!(
            !svg.contains("NaN") && !svg.contains("inf"),
            "{which}: {svg}"
        );
    }
}

#[test]
fn what_cannot_be_measured_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("bench.json");
    // No program of this name can be a shop.
    let output = bench(&[
        "run",
        "--rounds",
        "2",
        "--seconds",
        "1",
        "--only",
        "start-up",
        "--busy-max",
        "1",
        "--program",
        "/bin/false",
        "--out",
        &out.display().to_string(),
    ]);
    assert!(output.status.success(), "{}", words(&output));
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        table.contains("start-up") && table.contains("not measured because"),
        "{table}"
    );
    let record: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    let reasons = record["lines"][0]["not_measured"].as_array().unwrap();
    assert_eq!(reasons.len(), 2, "{record:#}");
    let output = bench(&["plot", "growth", &out.display().to_string(), "/dev/null"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        words(&output).contains("measure the row growth"),
        "{}",
        words(&output)
    );
}
