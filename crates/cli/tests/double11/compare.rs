//! `compare` on run directories and on JTL files, good and bad.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{Server, both, run};

/// A JTL with JMeter's default columns: `count` requests of 20 ms, four a second.
fn jtl(folder: &Path, name: &str, label: &str, count: u64) -> PathBuf {
    const HEADER: &str = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,\
                          success,failureMessage,bytes,sentBytes,grpThreads,allThreads,URL,Latency,\
                          IdleTime,Connect";
    let rows = (0..count).map(|row| {
        let sent = 1_700_000_000_000 + row * 250;
        format!(
            "\n{sent},20,{label},200,OK,Peak_Hour_Users 1-1,text,true,,300,120,1,1,\
             http://127.0.0.1/,18,0,1"
        )
    });
    let path = folder.join(name);
    std::fs::write(&path, HEADER.to_owned() + &rows.collect::<String>() + "\n").unwrap();
    path
}

/// Runs `compare`; hands over its exit code, what it said, and the data beside the page.
fn compare(folder: &Path, baseline: &[&Path], optimized: &[&Path]) -> (i32, String, Value) {
    let page = folder.join("report.html");
    let mut arguments = vec!["compare".to_owned()];
    for (option, paths) in [("--baseline", baseline), ("--optimized", optimized)] {
        for path in paths {
            arguments.extend([option.to_owned(), path.display().to_string()]);
        }
    }
    arguments.extend(["--output".to_owned(), page.display().to_string()]);
    let data = page.with_extension("json");
    drop(std::fs::remove_file(&data));
    let output = run(arguments);
    let report = std::fs::read(&data).map_or(Value::Null, |data| {
        serde_json::from_slice(&data).expect("the data is JSON")
    });
    let code = output.status.code().unwrap_or(-1);
    (code, both(&output), report)
}

fn codes(report: &Value) -> Vec<&str> {
    let reasons = report["incomparable"].as_array().unwrap();
    let codes = reasons.iter().filter_map(|reason| reason["code"].as_str());
    codes.collect()
}

#[test]
fn sample_files_of_another_tool_are_compared_by_service_time_and_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let before = jtl(folder.path(), "before.jtl", "Browse_Product", 400);
    let after = jtl(folder.path(), "after.jtl", "Browse_Product", 400);
    let (code, said, report) = compare(folder.path(), &[&before], &[&after]);
    // 4 requests a second are far from the target of 500.
    assert_eq!(code, 1, "{said}");
    assert_eq!(report["method"]["time_basis"], "service_time_only");
    assert_eq!(report["method"]["source"], "sample_files");
    assert_eq!(codes(&report), [""; 0]);
    for variant in [0, 1] {
        let phase = &report["variants"][variant]["phases"][0];
        assert_eq!(phase["attempted"], 400);
        // Percentiles have three significant digits.
        let p95 = phase["service_time"]["p95_ms"].as_f64().unwrap();
        assert!((p95 - 20.0).abs() < 0.1, "{p95} ms");
        assert_eq!(phase["response_time"]["count"], 0);
        assert_eq!(
            report["variants"][variant]["audit_missing"],
            "not_from_samples"
        );
    }
    let page = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.to_lowercase().contains("service time only"));
}

#[test]
fn five_pairs_of_equal_files_show_nothing_and_other_steps_are_not_compared() {
    let folder = tempfile::tempdir().unwrap();
    let file = jtl(folder.path(), "run.jtl", "Browse_Product", 100);
    let five: Vec<PathBuf> = (1..=5)
        .map(|run| {
            jtl(
                folder.path(),
                &format!("run-{run}.jtl"),
                "Browse_Product",
                100,
            )
        })
        .collect();
    let five: Vec<&Path> = five.iter().map(PathBuf::as_path).collect();
    let (_, said, report) = compare(folder.path(), &five, &five);
    for metric in report["comparison"]["metrics"].as_array().unwrap() {
        assert_eq!(metric["verdict"], "not_shown", "{said}");
    }
    let ratio = &report["comparison"]["metrics"][0]["ratio"];
    assert_eq!((&ratio["low"], &ratio["high"]), (&1.0.into(), &1.0.into()));
    let other = jtl(folder.path(), "other.jtl", "Search", 100);
    let (code, said, report) = compare(folder.path(), &[&file], &[&other]);
    assert_eq!(
        (code, codes(&report)),
        (4, vec!["different_steps"]),
        "{said}"
    );
}

#[test]
fn damaged_and_foreign_files_are_refused_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let good = jtl(folder.path(), "good.jtl", "Browse_Product", 10);
    let text = std::fs::read_to_string(&good).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let mut unsorted = lines.clone();
    unsorted[1..].reverse();
    let huge = text.replace(",OK,", &format!(",{},", "x".repeat(1 << 22)));
    let other_columns = format!("{text}timeStamp,elapsed,label,success\n");
    let cut = text.get(..text.len() - 40).unwrap().to_owned();
    // (what, content, exit code, what has to be said)
    let cases: [(&str, String, i32, &str); 9] = [
        ("empty", String::new(), 2, "bad.jtl"),
        ("foreign", "id;name\n1;a\n".to_owned(), 2, "line 1"),
        (
            "foreign xml",
            "<?xml version=\"1.0\"?>\n<html/>".to_owned(),
            2,
            "line 2",
        ),
        (
            "xml without a number",
            "<testResults>\n<sample ts=\"1\" t=\"fast\" lb=\"a\" s=\"true\"/>\n</testResults>"
                .to_owned(),
            2,
            "line 2",
        ),
        ("no number", text.replace(",20,", ",fast,"), 2, "line 2"),
        ("huge field", huge, 2, "line 2"),
        ("other columns", other_columns, 2, "line 12"),
        ("cut off", cut, 1, "cut off"),
        ("unsorted", unsorted.join("\n") + "\n", 1, ""),
    ];
    for (what, content, code, place) in cases {
        let bad = folder.path().join("bad.jtl");
        std::fs::write(&bad, content).unwrap();
        let (got, said, _) = compare(folder.path(), &[&good], &[&bad]);
        assert_eq!(got, code, "{what}: {said}");
        assert!(said.contains(place), "{what} without `{place}`: {said}");
        assert_eq!(said.contains("hint:"), code == 2, "{what}: {said}");
    }
    let (code, said, _) = compare(folder.path(), &[&good], &[folder.path()]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("without `run.json`"), "{said}");
    let (code, said, _) = compare(folder.path(), &[&good, &good], &[&good]);
    assert_eq!(code, 2, "{said}");
    let again = folder.path().join(".").join("good.jtl");
    let other = jtl(folder.path(), "other.jtl", "Browse_Product", 10);
    let (code, said, _) = compare(folder.path(), &[&good, &again], &[&good, &other]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("given more than once"), "{said}");
}

#[test]
fn run_directories_are_compared_and_those_of_other_seeds_plans_and_phases_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--products", "500"]);
    let load = |name: &str, arguments: &[&str]| {
        let out = folder.path().join(name);
        let path = out.display().to_string();
        let mut all = vec!["load"];
        all.extend(arguments);
        let fixed = ["--target", &server.target, "--rate", "100", "--out", &path];
        all.extend(fixed);
        all.extend(["--param", "products=500"]);
        let output = run(all);
        let code = output.status.code();
        // Beside other tests the load engine may be late; the figures are not looked at here.
        assert!(matches!(code, Some(0 | 4)), "{}", both(&output));
        out
    };
    let first = load("first", &["funnel", "--duration", "1s"]);
    let second = load("second", &["funnel", "--duration", "1s"]);
    let (_, said, report) = compare(folder.path(), &[&first], &[&second]);
    let other = |code: &&str| *code != "generator_limited";
    assert_eq!(
        codes(&report).iter().filter(|code| other(code)).count(),
        0,
        "{said}"
    );
    assert_eq!(report["method"]["time_basis"], "response_time");
    assert_eq!(report["method"]["judged_phase"], "steady");
    let cpu = &report["variants"][0]["phases"][0]["cpu_per_request_us"];
    assert!(cpu.as_f64().is_some(), "the shop tells its processor time");
    assert_eq!(report["variants"][0]["audit_missing"], "no_store_access");

    assert_eq!(report["improvement"][0]["reason"]["code"], "not_offered");
    check_interrupted(folder.path(), &first, &second);

    let cases = [
        (
            "seed",
            &["funnel", "--duration", "1s", "--seed", "5"][..],
            "different_seed",
        ),
        ("plan", &["orders", "--duration", "1s"], "different_plan"),
        (
            "phases",
            &["funnel", "--duration", "2s"],
            "different_schedule",
        ),
        (
            "limits",
            &["funnel", "--duration", "1s", "--connections", "9"],
            "different_limits",
        ),
    ];
    for (name, arguments, expected) in cases {
        let unlike = load(name, arguments);
        let (code, said, report) = compare(folder.path(), &[&first], &[&unlike]);
        assert_eq!(code, 4, "{said}");
        assert!(
            codes(&report).contains(&expected),
            "{name}: {:?}",
            codes(&report)
        );
        let sides = ([first.as_path(), &unlike], [second.as_path(), &unlike]);
        let (_, said, report) = compare(folder.path(), &sides.0, &sides.1);
        // Pairs of a rehearsal have shoppers of their own.
        let alike = name == "seed";
        let unlike = codes(&report).contains(&"unlike_first_pair");
        assert_eq!(unlike, !alike, "{name}: {said}");
    }
    let (code, said, _) = compare(folder.path(), &[&first], &[&first.join("samples.jtl")]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("not of one kind"), "{said}");
    check_unknown_phase(&first, &second);
}

/// A run that ended early is no whole run, and one whose machine had a few megabytes less is.
fn check_interrupted(folder: &Path, first: &Path, second: &Path) {
    let copy = folder.join("copy");
    std::fs::create_dir(&copy).unwrap();
    for file in std::fs::read_dir(second).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
    }
    let manifest = copy.join("run.json");
    let mut run: Value = serde_json::from_slice(&std::fs::read(&manifest).unwrap()).unwrap();
    let memory = run["host"]["memory_bytes"].as_u64().unwrap();
    run["host"]["memory_bytes"] = (memory - (4 << 20)).into();
    std::fs::write(&manifest, run.to_string()).unwrap();
    let (_, said, report) = compare(folder, &[first], &[&copy]);
    assert!(!codes(&report).contains(&"different_host"), "{said}");
    run["ending"] = "stopped".into();
    run["host"]["memory_bytes"] = (memory / 2).into();
    std::fs::write(&manifest, run.to_string()).unwrap();
    let (code, said, report) = compare(folder, &[first], &[&copy]);
    assert_eq!(code, 4, "{said}");
    for expected in ["different_host", "interrupted"] {
        assert!(codes(&report).contains(&expected), "{said}");
    }
}

fn check_unknown_phase(first: &Path, second: &Path) {
    let output = run([
        "compare",
        "--baseline",
        &first.display().to_string(),
        "--optimized",
        &second.display().to_string(),
        "--phase",
        "midnight",
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert!(both(&output).contains("no phase `midnight`; it has steady"));
}
