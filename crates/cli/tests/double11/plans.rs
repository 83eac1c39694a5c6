//! Plans on the command line: listed, shown, checked, and run from a file as from the program.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

use double11_load::plan::{BUILT_IN_NAMES, built_in_text};
use double11_load::run_directory::{RunManifest, read_manifest};

use crate::harness::{Server, audit, both, failed_checks, run, settle};

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", both(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Exit code 2, one error, a hint, and these words.
fn check_usage(output: &Output, words: &[&str]) {
    let said = both(output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for word in words {
        assert!(said.contains(word), "`{word}` is missing: {said}");
    }
}

/// Runs `load`; the exit code, which is 4 where this machine was too busy for the generator.
fn load(out: &Path, target: &str, words: &[&str]) -> Output {
    let mut all = vec!["load"];
    all.extend(words);
    let out = out.display().to_string();
    all.extend(["--target", target, "--out", &out]);
    run(all)
}

fn finished(output: &Output) {
    assert!(
        matches!(output.status.code(), Some(0 | 4)),
        "{}",
        both(output)
    );
}

#[test]
fn every_built_in_plan_is_listed_shown_and_checked() {
    let list = stdout(&run(["plan", "list"]));
    for name in BUILT_IN_NAMES {
        assert!(list.contains(name), "{list}");
        let shown = stdout(&run(["plan", "show", name]));
        assert_eq!(shown, built_in_text(name).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.toml");
        std::fs::write(&file, shown).unwrap();
        let checked = stdout(&run(["plan".as_ref(), "check".as_ref(), file.as_os_str()]));
        assert_eq!(checked, stdout(&run(["plan", "check", name])));
        assert!(checked.contains("hash "), "{checked}");
    }
    assert!(list.contains("2.300") && list.contains("2.770"), "{list}");
    let day = stdout(&run(["plan", "check", "day"]));
    assert!(
        day.contains("hour_00") && day.contains("360.0 visits/s"),
        "{day}"
    );
    let smaller = stdout(&run(["plan", "check", "day", "--param", "products=7"]));
    assert!(smaller.contains("products = 7") && smaller != day);
}

#[test]
fn what_is_wrong_with_a_plan_is_located() {
    let folder = tempfile::tempdir().unwrap();
    let check = |text: &str, words: &[&str]| {
        let file = folder.path().join("shop.toml");
        std::fs::write(&file, text).unwrap();
        let file = file.display().to_string();
        for command in [
            vec!["plan", "check", &file],
            vec!["load", &file, "--target", "http://127.0.0.1:1"],
        ] {
            check_usage(&run(command), words);
        }
    };
    let funnel = built_in_text("funnel").unwrap();
    let line = |marker: &str| {
        let before = funnel.split_once(marker).unwrap().0;
        before.matches('\n').count() + 1
    };
    let at = |marker: &str| format!("shop.toml:{}:", line(marker));
    check(
        &funnel.replace("weight = 0.85", "weight = 1.85"),
        &[&at("weight = 0.85"), "from 0 to 1"],
    );
    check(
        &funnel.replace("weight = 0.12", "weight = 0.19"),
        &[
            &at("weight = 0.12"),
            "cannot be above the 0.18 of `add_cart`",
        ],
    );
    check(
        &funnel.replace("peak_factor = 2.5", "peek_factor = 2.5"),
        &[&at("peak_factor = 2.5"), "unknown field `peek_factor`"],
    );
    check(
        &funnel.replace("within = \"add_cart\"", "within = \"payment\""),
        &[
            &at("within = \"add_cart\""),
            "`checkout` is nested in itself through `payment`",
        ],
    );
    check(
        &funnel.replace("order_id = \"/order_id\"", "order_id = \"order_id\""),
        &[&at("order_id = \"/order_id\""), "starts with `/`"],
    );
    // Without the pointer the payment has nothing to take its order from; it stands a line higher then.
    let payment = line("body = '{\"order_id\": ${order_id}") - 1;
    check(
        &funnel.replace("order_id = \"/order_id\"\n", ""),
        &[
            &format!("shop.toml:{payment}:"),
            "no extracted value `order_id`",
        ],
    );
    check(
        &format!("{funnel}\n[profile]\nusers = 3\nhours = [1, 2, 3]\n"),
        &["24 multipliers", "cannot follow", "has 2 problems"],
    );
    check_usage(
        &run(["plan", "check", "/no/such.toml"]),
        &["/no/such.toml", "hint: "],
    );
    check_usage(
        &run(["plan", "show", "fun"]),
        &["`fun`", "funnel, session, day, flash-sale, orders"],
    );
    let jmx = run(["load", "peak.jmx", "--target", "http://127.0.0.1:1"]);
    check_usage(&jmx, &["the plan `peak.jmx`", "hint: "]);
}

#[test]
fn options_that_do_not_fit_the_plan_are_refused_before_anything_is_sent() {
    let load = |words: &[&str]| {
        let mut all = vec!["load"];
        all.extend(words);
        all.extend(["--target", "http://127.0.0.1:1"]);
        run(all)
    };
    let paced = ["funnel", "--rate", "5"];
    let with = |more: &[&str]| load(&[&paced, more].concat());
    check_usage(&with(&["--hour", "3"]), &["`--hour`", "no hours", "hint: "]);
    check_usage(
        &with(&["--param", "product=3"]),
        &["no parameter `product`"],
    );
    check_usage(&with(&["--param", "products"]), &["products=1000"]);
    check_usage(
        &with(&["--fail-if", "p95>50"]),
        &["`50` needs a unit of time"],
    );
    check_usage(
        &with(&["--fail-if", "p95(pay)>50ms"]),
        &["`pay` is no step", "payment"],
    );
    check_usage(
        &with(&["-H", "Content-Length: 3"]),
        &["`Content-Length`", "hint: "],
    );
    check_usage(&with(&["-H", "X-Key"]), &["Name: value"]);
    check_usage(
        &with(&["--ca-cert", "/no/such.pem"]),
        &["/no/such.pem", "without TLS"],
    );
    let folder = tempfile::tempdir().unwrap();
    let pem = folder.path().join("ca.pem");
    std::fs::write(&pem, "no certificate").unwrap();
    let pem = pem.display().to_string();
    let tls = [
        "load",
        "funnel",
        "--rate",
        "5",
        "--target",
        "https://127.0.0.1:1",
        "--ca-cert",
    ];
    check_usage(
        &run([&tls[..], &[&pem]].concat()),
        &[&pem, "BEGIN CERTIFICATE"],
    );
    check_usage(
        &run([&tls[..], &["/no/such.pem"]].concat()),
        &["/no/such.pem", "No such file"],
    );
    check_usage(
        &load(&["day", "--users", "3"]),
        &["`--users`", "pick one hour"],
    );
    check_usage(
        &load(&["day", "--time-scale", "0"]),
        &["`--time-scale`", "above 0"],
    );
    check_usage(
        &load(&["flash-sale", "--peak"]),
        &["`--peak`", "profile says"],
    );
}

/// By the random part of its key: the planned instant of an order since the start, and its body.
fn orders(folder: &Path, manifest: &RunManifest) -> BTreeMap<String, (i64, String)> {
    let ledger = std::fs::read_to_string(folder.join("client-ledger.jsonl")).unwrap();
    let lines = ledger.lines().skip(1);
    lines
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let key = line["key"].as_str().unwrap().get(14..).unwrap().to_owned();
            let planned = line["planned"].as_i64().unwrap() - manifest.started_unix_us;
            (key, (planned, line["request"].to_string()))
        })
        .collect()
}

#[test]
fn a_plan_from_a_file_makes_the_run_of_the_built_in_one() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--products", "1000"]);
    let file = folder.path().join("x.toml");
    std::fs::write(&file, stdout(&run(["plan", "show", "orders"]))).unwrap();
    let file = file.display().to_string();
    let run_of = |plan: &str, out: &str| {
        let out = folder.path().join(out);
        let words = [
            plan,
            "--param",
            "products=1000",
            "--rate",
            "30",
            "--duration",
            "2s",
        ];
        let output = load(
            &out,
            &server.target,
            &[&words[..], &["--seed", "5"]].concat(),
        );
        finished(&output);
        let manifest = read_manifest(&out).unwrap();
        let orders = orders(&out, &manifest);
        (manifest, orders)
    };
    let (built_in, ours) = run_of("orders", "built-in");
    let (from_file, theirs) = run_of(&file, "from-file");
    assert!(ours.len() > 30, "{}", ours.len());
    assert_eq!(ours, theirs, "instants and choices");
    assert_eq!(
        built_in.plan, from_file.plan,
        "name, hash, parameters, overrides"
    );
    assert_eq!(built_in.phases, from_file.phases);
    assert_eq!(
        (built_in.seed, built_in.model),
        (from_file.seed, from_file.model)
    );
    assert!(server.terminate().success());
}

#[test]
fn a_flash_sale_sells_out_and_the_audit_finds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--products", "10", "--stock", "3"]);
    let out = folder.path().join("run");
    let words = [
        "flash-sale",
        "--duration",
        "4s",
        "--rate",
        "300",
        "-H",
        "X-Key: s3cret",
    ];
    let output = load(&out, &server.target, &words);
    finished(&output);
    let manifest = read_manifest(&out).unwrap();
    assert_eq!(manifest.plan.name, "flash-sale");
    let phases: Vec<&str> = manifest
        .phases
        .iter()
        .map(|phase| phase.name.as_str())
        .collect();
    assert_eq!(phases, ["before", "opening", "rush", "rest"]);
    let overrides = &manifest.plan.overrides;
    assert_eq!(
        (overrides.rate, overrides.duration_s),
        (Some(300.0), Some(4.0))
    );
    assert_eq!(manifest.headers, ["X-Key"]);
    assert!(
        !std::fs::read_to_string(out.join("run.json"))
            .unwrap()
            .contains("s3cret")
    );
    settle(folder.path());
    assert!(server.terminate().success());
    let (passed, report) = audit(folder.path(), &[out.join("client-ledger.jsonl")]);
    assert!(passed, "{:?}", failed_checks(&report));
    let ledger = std::fs::read_to_string(out.join("client-ledger.jsonl")).unwrap();
    let of = |word: &str| ledger.lines().filter(|line| line.contains(word)).count();
    assert_eq!(
        of("\"kind\":\"order\",\"step\":\"order\"") - of("\"code\":\"sold_out\""),
        30
    );
}

/// The gateway takes longer than the shopper waits: every payment is tried again under its key, finds
/// itself done, and the audit reads several attempts as one write.
#[test]
fn attempts_under_one_key_are_one_write_to_the_audit() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(
        folder.path(),
        &[
            "--products",
            "10",
            "--stock",
            "5000",
            "--gateway-latency",
            "120ms",
        ],
    );
    let out = folder.path().join("run");
    let words = [
        "flash-sale",
        "--duration",
        "4s",
        "--rate",
        "60",
        "--timeout",
        "60ms",
    ];
    let output = load(&out, &server.target, &words);
    finished(&output);
    settle(folder.path());
    assert!(server.terminate().success());
    let ledger = std::fs::read_to_string(out.join("client-ledger.jsonl")).unwrap();
    let mut attempts = BTreeMap::<String, Vec<(u64, String)>>::new();
    for line in ledger.lines().skip(1) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        if line["kind"] == "payment" {
            let key = line["key"].as_str().unwrap().to_owned();
            let attempt = line["attempt"].as_u64().unwrap();
            let outcome = line["outcome"].as_str().unwrap().to_owned();
            attempts.entry(key).or_default().push((attempt, outcome));
        }
    }
    let again = attempts
        .values()
        .filter(|lines| {
            lines
                .first()
                .is_some_and(|(_, outcome)| outcome == "unknown")
        })
        .filter(|lines| {
            lines
                .iter()
                .any(|(attempt, outcome)| *attempt > 1 && outcome == "acknowledged")
        })
        .count();
    assert!(
        again > 5,
        "{again} payments were acknowledged at a later attempt: {attempts:?}"
    );
    let (passed, report) = audit(folder.path(), &[out.join("client-ledger.jsonl")]);
    assert!(passed, "{:?}", failed_checks(&report));
}

#[test]
fn the_session_and_the_day_are_run_by_their_profiles() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--products", "1000"]);
    let out = folder.path().join("session");
    let words = [
        "session",
        "--hour",
        "10",
        "--users",
        "1",
        "--duration",
        "2s",
    ];
    let output = load(&out, &server.target, &words);
    finished(&output);
    let manifest = read_manifest(&out).unwrap();
    assert_eq!(
        (manifest.model.as_str(), manifest.users),
        ("closed", Some(5))
    );
    assert_eq!(manifest.phases[0].name, "hour_10");
    let summary = std::fs::read(out.join("summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
    assert!(summary["whole"]["total"]["succeeded"].as_u64().unwrap() > 0);
    assert_eq!(summary["whole"]["total"]["failed"], 0, "{summary:#}");

    let out = folder.path().join("day");
    let words = [
        "day",
        "--products",
        "1000",
        "--duration",
        "6s",
        "--rate",
        "4.6",
    ];
    let output = load(&out, &server.target, &words);
    finished(&output);
    let manifest = read_manifest(&out).unwrap();
    let rates: Vec<f64> = manifest
        .phases
        .iter()
        .map(|phase| phase.visits_per_second.unwrap().0.round())
        .collect();
    let expected = [
        40, 40, 40, 2, 2, 2, 2, 2, 2, 10, 10, 10, 2, 2, 2, 2, 2, 2, 2, 10, 10, 10, 10, 2,
    ];
    assert_eq!(rates, expected.map(f64::from));
    assert!((manifest.duration_s - 6.0).abs() < 1e-6);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("hour_23") && text.contains("whole ("),
        "{text}"
    );
    assert!(server.terminate().success());
}

#[test]
fn thresholds_decide_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--products", "100"]);
    let judged = |name: &str, thresholds: &[&str]| {
        let mut words = vec![
            "funnel",
            "--products",
            "100",
            "--rate",
            "20",
            "--duration",
            "2s",
        ];
        for threshold in thresholds {
            words.extend(["--fail-if", threshold]);
        }
        let output = load(&folder.path().join(name), &server.target, &words);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), text)
    };
    let (kept, text) = judged("kept", &["dropped>0", "p99>4s"]);
    assert!(text.contains("fail if dropped>0: "), "{text}");
    let (violated, more) = judged("violated", &["dropped>0", "attempted>0"]);
    // A busy machine makes the generator the bottleneck, and then nothing is judged.
    assert!(
        matches!((kept, violated), (Some(0 | 4), Some(1 | 4))),
        "{kept:?} {violated:?}: {text}{more}"
    );
    if violated == Some(1) {
        assert!(more.contains("fail if attempted>0: VIOLATED ("), "{more}");
        assert!(more.contains("fail if dropped>0: kept (0)"), "{more}");
    } else {
        assert!(more.contains("cannot be judged"), "{more}");
    }
    assert!(server.terminate().success());
}

#[test]
fn the_step_table_is_there_for_any_plan() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    let text = built_in_text("funnel")
        .unwrap()
        .replace("\"checkout\"", "\"checkout-with-a-long-name\"");
    std::fs::write(&file, text).unwrap();
    let file = file.display().to_string();
    let table = stdout(&run(["load", &file, "--base-users", "100", "--peak"]));
    let users: Vec<&str> = table
        .lines()
        .skip(1)
        .map(|row| row.split_whitespace().nth(1).unwrap())
        .collect();
    assert_eq!(
        users,
        ["100", "85", "60", "45", "45", "24", "18"],
        "{table}"
    );
    let session = stdout(&run(["load", "session", "--base-users", "1000"]));
    assert!(
        session.contains("purchase") && session.contains("10"),
        "{session}"
    );
}
