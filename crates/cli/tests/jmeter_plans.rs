//! Plans of `JMeter` as plans of `load` and `rehearse`: the same run directory, ledger, audit and report as
//! those of the program's own plans.
//!
//! A test binary of its own, so that nothing else runs on the machine meanwhile.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot set itself up has failed"
)]

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use harness::{Server, audit, both, failed_checks, run, settle};

#[expect(
    dead_code,
    reason = "the other test binaries of the program use the rest"
)]
#[path = "double11/harness.rs"]
mod harness;

/// A plan that the repository ships.
fn shipped(name: &str) -> String {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = repository.join("tests").join(name);
    path.display().to_string()
}

fn json(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap()
}

fn texts(values: &Value, name: &str) -> Vec<String> {
    let values = values.as_array().unwrap().iter();
    let named = values.map(|value| value[name].as_str().unwrap().to_owned());
    named.collect()
}

#[test]
fn a_jmeter_plan_loads_a_shop_and_its_ledger_is_audited() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Server::start(folder.path(), &["--products", "200", "--stock", "1000000"]);
    let out = folder.path().join("run");
    let (plan, written) = (shipped("normal_traffic.jmx"), out.display().to_string());
    let words = [
        "load",
        &plan,
        "--target",
        &shop.target,
        "--products",
        "200",
        "--out",
        &written,
        "-Jusers=6",
        "-Jramp=1",
        "-Jloops=30",
        "-J",
        "duration=120",
        "-Jthink_delay=2",
        "-Jthink_range=4",
        "-Jtps=1000",
        "--fail-if",
        "failed>0",
        "--fail-if",
        "orders<0.1",
    ];
    let output = run(words);
    let said = both(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("Place_Order") && said.contains("fail if orders<0.1: kept"),
        "{said}"
    );
    let manifest = json(&out.join("run.json"));
    assert_eq!(manifest["plan"]["name"], "Double11_Normal_Traffic");
    assert_eq!(manifest["users"], 6);
    assert_eq!(manifest["plan"]["writes"]["Place_Order"], "order");
    assert_eq!(manifest["plan"]["writes"]["Pay_Order"], "payment");
    assert_eq!(texts(&manifest["phases"], "name"), ["ramp", "steady"]);
    let summary = json(&out.join("summary.json"));
    let steps = &summary["whole"]["steps"];
    assert!(
        texts(steps, "step").contains(&"Pay_Order".to_owned()),
        "{steps}"
    );
    let orders = manifest["writes"]["acknowledged"].as_u64().unwrap();
    assert!(orders > 10, "{manifest}");
    // Every sample is in the result file, those of the rise too.
    let rows = std::fs::read_to_string(out.join("samples.jtl")).unwrap();
    let counted = summary["whole"]["total"]["attempted"].as_u64().unwrap();
    assert!(
        rows.lines().count() as u64 > counted,
        "{} rows, {counted}",
        rows.lines().count()
    );
    settle(folder.path());
    let ledger = out.join("client-ledger.jsonl");
    let (passed, report) = audit(folder.path(), std::slice::from_ref(&ledger));
    assert!(passed, "{:?}", failed_checks(&report));
    // A ledger that lacks an order tells of it: the audit did look.
    let whole = std::fs::read_to_string(&ledger).unwrap();
    let is_order = |line: &&str| line.contains(r#""kind":"order""#);
    let first = whole.lines().find(is_order).unwrap();
    std::fs::write(&ledger, whole.replacen(&format!("{first}\n"), "", 1)).unwrap();
    let (passed, report) = audit(folder.path(), &[ledger]);
    assert!(!passed);
    assert!(
        failed_checks(&report).contains(&"stored-orders-explained".to_owned()),
        "{:?}",
        failed_checks(&report)
    );
}

#[test]
fn a_jmeter_plan_is_rehearsed_before_and_after() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("results");
    let (plan, written) = (shipped("peak_traffic.jmx"), out.display().to_string());
    let output = run([
        "rehearse",
        "--quick",
        "--plan",
        &plan,
        "--ports",
        "0,0",
        "--products",
        "200",
        "--stock",
        "1000000",
        "--out",
        &written,
        "-Jusers=8",
        "-Jramp=2",
        "-Jduration=7",
        "-Jthink_delay=5",
        "-Jthink_range=10",
    ]);
    let said = both(&output);
    // A machine that stalls may miss a target; that the shop is judged is what counts here.
    assert!(matches!(output.status.code(), Some(0 | 1 | 4)), "{said}");
    let report = json(&out.join("improvement_report.json"));
    assert_eq!(report["plan"]["name"], "Double11_Peak_Traffic");
    assert_eq!(report["method"]["judged_phase"], "steady");
    assert!(report["method"]["warm_up_s"].as_f64().unwrap() > 1.0);
    let variants = report["variants"].as_array().unwrap();
    assert_eq!(
        texts(&report["variants"], "name"),
        ["baseline", "optimized"]
    );
    for variant in variants {
        assert_eq!(variant["audit"]["passed"], true, "{}", variant["audit"]);
        assert_eq!(texts(&variant["phases"], "name"), ["ramp", "steady"]);
        let steady = &variant["phases"][1];
        assert!(
            steady["orders_per_second"].as_f64().unwrap() > 0.0,
            "{steady}"
        );
        assert!(
            steady["payments_per_second"].as_f64().unwrap() > 0.0,
            "{steady}"
        );
        assert_eq!(steady["failed"], 0, "{steady}");
        let steps = texts(&variant["steps"], "step");
        assert!(steps.contains(&"Browse_Product".to_owned()), "{steps:?}");
        assert!(!variant["seconds"].as_array().unwrap().is_empty());
    }
    let page = std::fs::read_to_string(out.join("improvement_report.html")).unwrap();
    assert!(page.contains("Double11_Peak_Traffic") && page.contains("Browse_Product"));
    for name in ["baseline_samples.jtl", "optimized_samples.jtl"] {
        let rows = std::fs::read_to_string(out.join(name)).unwrap();
        assert!(
            rows.lines().count() > 50,
            "{name}: {} rows",
            rows.lines().count()
        );
    }
    let runs = runs_of(&out);
    assert_eq!(runs.len(), 2, "{runs:?}");
    compared(folder.path(), &runs);
}

/// The run directories of a rehearsal, the baseline's first.
fn runs_of(out: &Path) -> Vec<PathBuf> {
    let rehearsals = std::fs::read_dir(out.join("runs")).unwrap();
    let kept = rehearsals
        .map(|entry| entry.unwrap().path())
        .next()
        .unwrap();
    let entries = std::fs::read_dir(kept).unwrap();
    let mut runs: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("run.json").is_file())
        .collect();
    runs.sort();
    runs
}

/// The same runs put side by side afterwards.
fn compared(folder: &Path, runs: &[PathBuf]) {
    let page = folder.join("compared.html");
    let out = page.display().to_string();
    let [baseline, optimized] = [0, 1].map(|at: usize| runs[at].display().to_string());
    let words = [
        "compare",
        "--baseline",
        &baseline,
        "--optimized",
        &optimized,
        "--output",
        &out,
    ];
    let output = run(words);
    assert!(
        matches!(output.status.code(), Some(0 | 1 | 4)),
        "{}",
        both(&output)
    );
    let report = json(&page.with_extension("json"));
    assert_eq!(report["incomparable"], Value::Array(Vec::new()));
    let phase = &report["variants"][0]["phases"][1];
    assert!(
        phase["orders_per_second"].as_f64().unwrap() > 0.0,
        "{phase}"
    );
}

fn refused(output: &Output, says: &[&str]) {
    let text = both(output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for part in says.iter().chain(&["hint: "]) {
        assert!(text.contains(part), "`{part}` in\n{text}");
    }
}

/// A folder with small plans, and where runs of them would go.
struct Case {
    folder: tempfile::TempDir,
    out: PathBuf,
}

/// What ends a thread group after a second.
const ENDS: &str = r#"<boolProp name="ThreadGroup.scheduler">true</boolProp>
<stringProp name="ThreadGroup.duration">1</stringProp>"#;
const HTTP: &str = r#"<HTTPSamplerProxy testname="H"><stringProp name="HTTPSampler.path">/</stringProp></HTTPSamplerProxy>"#;
const SCRIPT: &str = r#"<JSR223Sampler testname="Script"/>"#;

impl Case {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        Self { folder, out }
    }

    /// A plan of one user who goes on for ever, unless `group` says otherwise.
    fn plan(&self, group: &str, element: &str) -> String {
        let text = format!(
            r#"<jmeterTestPlan version="1.2"><hashTree><TestPlan testname="P"/><hashTree>
<ThreadGroup testname="Buyers"><elementProp name="ThreadGroup.main_controller" elementType="LoopController">
<stringProp name="LoopController.loops">-1</stringProp></elementProp>
<stringProp name="ThreadGroup.num_threads">1</stringProp>{group}</ThreadGroup><hashTree>
{element}<hashTree/></hashTree></hashTree></hashTree></jmeterTestPlan>"#
        );
        let path = self.folder.path().join("plan.jmx");
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn rehearse(&self, plan: &str, more: &[&str]) -> Output {
        let out = self.out.display().to_string();
        let words = ["rehearse", "--quick", "--ports", "0,0", "--out", &out];
        run(words.iter().chain(&["--plan", plan]).chain(more))
    }

    /// `load` where nobody answers.
    fn load(&self, plan: &str, more: &[&str]) -> Output {
        let out = self.out.display().to_string();
        let nobody = "http://127.0.0.1:1";
        let words = ["load", plan, "--target", nobody, "--out", &out];
        run(words.iter().chain(more))
    }
}

#[test]
fn what_cannot_be_run_is_refused_before_any_shop_starts() {
    let case = Case::new();
    let scripted = case.plan(ENDS, SCRIPT);
    for said in [case.rehearse(&scripted, &[]), case.load(&scripted, &[])] {
        refused(&said, &["line 6: ", "`Script`", "jmeter --check"]);
    }
    let endless = case.plan("", HTTP);
    for said in [case.rehearse(&endless, &[]), case.load(&endless, &[])] {
        refused(&said, &["has no end: `Buyers`", "--duration"]);
    }
    let missing = case.load("missing.jmx", &[]);
    refused(&missing, &["cannot read the plan `missing.jmx`"]);
    assert!(!case.out.exists(), "nothing was begun");
    // Nobody is there to be asked.
    let nobody = case.load(&case.plan(ENDS, HTTP), &[]);
    assert_eq!(nobody.status.code(), Some(3), "{}", both(&nobody));
}

#[test]
fn options_without_a_meaning_for_the_plan_are_refused() {
    let case = Case::new();
    let good = case.plan(ENDS, HTTP);
    let not_for = |option: &str| format!("`{option}` is not for plans of JMeter");
    for (words, says) in [
        (&["--rate", "5"][..], not_for("--rate")),
        (&["-H", "A: b"], not_for("--header")),
        (&["--samples", "errors"], not_for("--samples errors")),
        (
            &["--fail-if", "late>0"],
            "users who wait for answers".to_owned(),
        ),
        (&["-J", "users"], "`-J users` sets nothing".to_owned()),
    ] {
        refused(&case.load(&good, words), &[&says]);
    }
    for option in ["--levers", "--full"] {
        let said = run(["rehearse", "--plan", &good, option, "--ports", "0,0"]);
        refused(&said, &[&not_for(option)]);
    }
    let scaled = case.rehearse(&good, &["--time-scale", "2"]);
    refused(&scaled, &[&not_for("--time-scale")]);
    let funnel = case.rehearse("funnel", &["-Jusers=5"]);
    refused(&funnel, &["`-J users=5` is for plans of JMeter"]);
    let funnel = case.rehearse("funnel", &["--duration", "5s"]);
    refused(&funnel, &["`--duration` is for plans of JMeter"]);
    assert!(!case.out.exists(), "nothing was begun");
}
