//! The main job as a newcomer runs it, and its report as a reader sees it.
//!
//! A test binary of its own, so that nothing else runs on the machine meanwhile.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test that cannot set itself up has failed"
)]

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use harness::{Server, both, now, run, soak};

#[path = "../../report/tests/browser_check/check.rs"]
mod browser_check;
#[expect(
    dead_code,
    reason = "the other test binary of the program uses the rest"
)]
#[path = "double11/harness.rs"]
mod harness;

/// What a rehearsal leaves in its folder, as the design names it.
const FILES: [&str; 10] = [
    "baseline_normal.jtl",
    "baseline_peak.jtl",
    "optimized_normal.jtl",
    "optimized_peak.jtl",
    "baseline_metrics.json",
    "optimized_metrics.json",
    "improvement_report.html",
    "improvement_report.json",
    "improvement_report.svg",
    "improvement_report.md",
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

/// Tests of this file take turns: each needs the whole machine.
static MACHINE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    // A test that failed leaves the machine as good as one that passed.
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn rehearse_quick_measures_audits_and_reports() {
    let _alone = alone();
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

/// Rehearses with these options beside the fixed ones and hands over its exit code and its data.
fn rehearsed(out: &Path, arguments: &[&str]) -> (i32, Value) {
    let mut all = vec!["rehearse", "--ports", "0,0"];
    let path = out.display().to_string();
    all.extend(["--out", &path]);
    all.extend(arguments);
    let output = run(all);
    let data = std::fs::read(out.join("improvement_report.json"));
    let data = data.unwrap_or_else(|_| panic!("no report: {}", both(&output)));
    (
        output.status.code().unwrap_or(-1),
        serde_json::from_slice(&data).unwrap(),
    )
}

fn array(value: &Value) -> &Vec<Value> {
    value
        .as_array()
        .unwrap_or_else(|| panic!("no list: {value:#}"))
}

/// The whole rehearsal with phases of a few seconds: what is judged is its structure, not its figures.
#[test]
fn pairs_capacities_and_ladder_of_a_compressed_rehearsal() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let (code, report) = rehearsed(
        folder.path(),
        &[
            "--pairs",
            "5",
            "--levers",
            "--time-scale",
            "14",
            "--normal-rate",
            "20",
            "--products",
            "2000",
            "--lang",
            "zh-TW",
        ],
    );
    // 400 requests a second cannot meet the target of 500, and the load engine may have been late.
    assert!(matches!(code, 1 | 4), "exit code {code}");
    let runs = array(&report["runs"]);
    let order: Vec<_> = runs.iter().map(|run| run["variant"].as_str()).collect();
    let pair = [Some("baseline"), Some("optimized")];
    let reversed = [pair[1], pair[0]];
    assert_eq!(order, [pair, reversed, pair, reversed, pair].concat());
    for run in runs {
        assert_eq!(run["audit_passed"], true, "{run:#}");
        assert!(run["judged"]["attempted"].as_u64().unwrap() > 400);
    }
    let comparison = &report["comparison"];
    assert_eq!(comparison["pairs"], 5);
    let cpu = &comparison["metrics"][2];
    assert_eq!(cpu["metric"], "cpu_per_request");
    let interval = &cpu["ratio"];
    let end = |name: &str| interval[name].as_f64().unwrap();
    assert!(end("low") < end("estimate") && end("estimate") < end("high"));
    assert!(end("estimate") < 0.8, "{cpu:#}");
    check_capacities(&report);
    let rungs = array(&report["ladder"]["rungs"]);
    assert_eq!(rungs.len(), 9);
    for (count, rung) in rungs.iter().enumerate() {
        assert_eq!(array(&rung["levers"]).len(), count, "{rung:#}");
        assert_eq!(rung["audit_passed"], true);
    }
    assert!(!array(&report["ladder"]["tuned_between"]).is_empty());
    let page = std::fs::read_to_string(folder.path().join("improvement_report.html")).unwrap();
    assert!(page.contains("每秒交易數") && page.contains("lang=\"zh-Hant"));
}

fn check_capacities(report: &Value) {
    let capacities = array(&report["capacity"]);
    assert_eq!(capacities.len(), 2);
    for capacity in capacities {
        let probes = array(&capacity["probes"]);
        assert!(probes.len() >= 4, "{capacity:#}");
        let rates = probes
            .iter()
            .map(|probe| probe["offered_per_second"].as_f64().unwrap());
        assert!(rates.is_sorted());
        let bracket = &capacity["relaxed"];
        let held = bracket["holds_at"].as_f64().unwrap();
        match bracket["fails_at"].as_f64() {
            Some(failed) => assert!(held < failed && failed / held < 1.2, "{bracket:#}"),
            None => assert_eq!(bracket["generator_limited"], true, "{bracket:#}"),
        }
    }
}

#[test]
fn two_shops_of_ones_own_are_rehearsed_by_their_addresses() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let shop = |variant| {
        let store = folder.path().join(variant);
        std::fs::create_dir(&store).unwrap();
        Server::start(&store, &["--variant", variant, "--products", "500"])
    };
    let (first, second) = (shop("baseline"), shop("optimized"));
    let plan = folder.path().join("mine.toml");
    let shown = run(["plan", "show", "funnel"]);
    std::fs::write(&plan, &shown.stdout).unwrap();
    let out = folder.path().join("out");
    let (code, report) = rehearsed(
        &out,
        &[
            "--baseline",
            &first.target,
            "--optimized",
            &second.target,
            "--plan",
            &plan.display().to_string(),
            "--param",
            "products=500",
            "-H",
            "X-Rehearsal: s3cret",
            "--pairs",
            "1",
            "--no-capacity",
            "--time-scale",
            "14",
            "--normal-rate",
            "20",
        ],
    );
    check_foreign(code, &report);
    let page = std::fs::read_to_string(out.join("improvement_report.html")).unwrap();
    assert!(
        page.to_lowercase()
            .contains("not available: no store access"),
        "the audit's absence is said"
    );
    // Both shops still run: a rehearsal ends only what it started.
    for shop in [&first, &second] {
        assert!(
            run([
                "load",
                "funnel",
                "--target",
                &shop.target,
                "--rate",
                "5",
                "--duration",
                "1s",
                "--out",
                &folder.path().join("again").display().to_string(),
                "--force"
            ])
            .status
            .code()
            .is_some_and(|code| code == 0 || code == 4)
        );
    }
}

fn check_foreign(code: i32, report: &Value) {
    assert!(matches!(code, 1 | 4), "exit code {code}");
    assert!(
        !report["run"]["command"]
            .as_str()
            .unwrap()
            .contains("s3cret")
    );
    for variant in array(&report["variants"]) {
        assert_eq!(variant["audit"], Value::Null);
        assert_eq!(variant["audit_missing"], "no_store_access");
        let judged = array(&variant["phases"]).last().unwrap();
        assert!(judged["succeeded"].as_u64().unwrap() > 100, "{judged:#}");
        assert!(judged["cpu_per_request_us"].as_f64().unwrap() > 0.0);
        assert_eq!(judged["cpu_share"], Value::Null);
    }
}

/// The default form and the A/A test, both about a quarter of an hour long: in `make soak` only. The
/// report of the first stays in the folder for temporary files of tests below `target`.
#[test]
fn the_default_rehearsal_shows_better_and_the_same_shop_twice_shows_nothing() {
    if !soak() {
        return;
    }
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("default-rehearsal");
    if kept.exists() {
        std::fs::remove_dir_all(&kept).unwrap();
    }
    let begun = now();
    let (code, report) = rehearsed(&kept, &[]);
    let took = begun.elapsed();
    print_verdicts(&format!("rehearse: {took:.0?}, exit code {code}"), &report);
    assert!(took <= Duration::from_mins(20), "it took {took:?}");
    for metric in array(&report["comparison"]["metrics"]) {
        assert_eq!(metric["verdict"], "better", "{metric:#}");
    }
    let same = |number: u32| {
        let out = folder.path().join(format!("same-{number}"));
        let arguments = ["--variants", "baseline,baseline", "--no-capacity"];
        let (_, report) = rehearsed(&out, &arguments);
        print_verdicts("rehearse --variants baseline,baseline", &report);
        let metrics = array(&report["comparison"]["metrics"]).clone();
        let shown = metrics.into_iter().filter(|m| m["verdict"] != "not_shown");
        shown
            .map(|metric| (metric["metric"].clone(), metric["verdict"].clone()))
            .collect::<Vec<_>>()
    };
    let first = same(1);
    if !first.is_empty() {
        let second = same(2);
        let repeated = first.iter().filter(|claim| second.contains(claim));
        assert_eq!(repeated.count(), 0, "{first:?} and again {second:?}");
    }
}

/// One closing line, as `make soak` keeps it.
fn print_verdicts(what: &str, report: &Value) {
    let figure = |value: &Value| {
        let value = value.as_f64();
        value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"))
    };
    let metrics = array(&report["comparison"]["metrics"]).iter();
    let metrics: Vec<String> = metrics
        .map(|metric| {
            let ratio = &metric["ratio"];
            format!(
                "{} x {} ({} to {}) {}",
                metric["metric"].as_str().unwrap(),
                figure(&ratio["estimate"]),
                figure(&ratio["low"]),
                figure(&ratio["high"]),
                metric["verdict"].as_str().unwrap()
            )
        })
        .collect();
    println!("soak: {what}: {}", metrics.join("; "));
}

/// A plan of virtual users has more of them than the load engine has connections for other plans, and
/// `flash-sale` keeps its own few products.
#[test]
fn plans_with_a_profile_of_their_own_are_rehearsed() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&str, &str, &str, u64); 2] = [
        ("session", "600", "products=500", 100),
        ("flash-sale", "10", "products=5", 50),
    ];
    for (plan, time_scale, parameter, least) in cases {
        let (code, report) = rehearsed(
            &folder.path().join(plan),
            &[
                "--pairs",
                "1",
                "--no-capacity",
                "--plan",
                plan,
                "--time-scale",
                time_scale,
                "--param",
                parameter,
                "--stock",
                "20000",
            ],
        );
        assert!(matches!(code, 0 | 1 | 4), "{plan}: exit code {code}");
        assert_eq!(report["plan"]["name"], plan);
        for variant in array(&report["variants"]) {
            assert_eq!(
                variant["audit"]["passed"], true,
                "{plan}: {:#}",
                variant["audit"]
            );
            let phases = array(&variant["phases"]).iter();
            let asked: u64 = phases
                .map(|phase| phase["attempted"].as_u64().unwrap())
                .sum();
            assert!(asked > least, "{plan}: {asked} requests");
        }
    }
}
