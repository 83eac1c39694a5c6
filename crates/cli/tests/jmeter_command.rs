//! The command `jmeter` from outside: what it prints, what it exits with, what it leaves behind.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stopped"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_double11");

/// A folder with a plan of one user who takes two Debug samples, the second of which has the name `B`.
struct Case {
    folder: tempfile::TempDir,
}

impl Case {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("plan.jmx"), plan("DebugSampler", "")).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new(PROGRAM);
        command.arg("jmeter").args(words).current_dir(&self.folder);
        command.output().unwrap()
    }

    /// Runs and expects this exit code; standard output and standard error.
    fn expect(&self, words: &[&str], code: i32) -> (String, String) {
        let output = self.run(words);
        let out = String::from_utf8(output.stdout).unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{words:?}\n{out}\n{err}");
        (out, err)
    }
}

/// A plan of a thread group with two samplers of this class.
fn plan(class: &str, more: &str) -> String {
    let sampler = |name: &str| {
        format!(
            r#"<{class} guiclass="TestBeanGUI" testclass="{class}" testname="{name}" enabled="true">
            <boolProp name="displayJMeterProperties">false</boolProp>
            <boolProp name="displayJMeterVariables">true</boolProp>
            <boolProp name="displaySystemProperties">false</boolProp></{class}><hashTree/>"#
        )
    };
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<jmeterTestPlan version="1.2" properties="5.0" jmeter="5.6.3"><hashTree>
<TestPlan guiclass="TestPlanGui" testclass="TestPlan" testname="Plan" enabled="true"/>
<hashTree>
<ThreadGroup guiclass="ThreadGroupGui" testclass="ThreadGroup" testname="Users" enabled="true">
<stringProp name="ThreadGroup.on_sample_error">continue</stringProp>
<elementProp name="ThreadGroup.main_controller" elementType="LoopController">
<boolProp name="LoopController.continue_forever">false</boolProp>
<stringProp name="LoopController.loops">${{__P(loops,1)}}</stringProp></elementProp>
<stringProp name="ThreadGroup.num_threads">${{__P(users,1)}}</stringProp>
<stringProp name="ThreadGroup.ramp_time">0</stringProp>
</ThreadGroup>
<hashTree>{}{}{more}</hashTree>
</hashTree></hashTree></jmeterTestPlan>"#,
        sampler("A"),
        sampler("B"),
    )
}

fn lines(text: &str) -> usize {
    text.lines().count()
}

#[test]
fn a_plan_runs_with_the_lines_that_parsers_read() {
    let case = Case::new();
    let (out, _) = case.expect(&["-n", "-t", "plan.jmx", "-l", "out.jtl"], 0);
    let starts = [
        "Creating summariser <summary>",
        "Created the tree successfully using plan.jmx",
        "Starting standalone test @ ",
        "summary =      2 in 00:00:0",
        "Tidying up ...    @ ",
        "... end of run",
    ];
    let mut rest = out.lines();
    for start in starts {
        assert!(
            rest.any(|line| line.starts_with(start)),
            "`{start}` in\n{out}"
        );
    }
    assert!(out.contains(" Err:     0 (0.00%)"), "{out}");
    assert_eq!(lines(&case.text("out.jtl")), 3);
    assert!(
        case.text("jmeter.log")
            .contains("INFO o.a.j.r.Summariser: summary =")
    );
    assert!(case.text("jmeter.log").contains("A: 1 samples, 0 failed"));
}

#[test]
fn properties_and_long_options_work_as_in_jmeter() {
    let case = Case::new();
    let words = [
        "--nongui",
        "--testfile",
        "plan.jmx",
        "--logfile",
        "out.jtl",
        "-Jusers=3",
        "-J",
        "loops=2",
        "-Jsummariser.name",
        "--jmeterlogfile",
        "run.log",
    ];
    let (out, _) = case.expect(&words, 0);
    assert!(!out.contains("summary"), "{out}");
    assert_eq!(lines(&case.text("out.jtl")), 1 + 3 * 2 * 2);
    assert!(case.path("run.log").is_file());
    assert!(case.text("out.jtl").contains("Users 1-3"));
}

#[test]
fn a_result_file_is_appended_to_unless_it_is_to_be_replaced() {
    let case = Case::new();
    let words = ["-n", "-t", "plan.jmx", "-l", "out.jtl"];
    case.expect(&words, 0);
    case.expect(&words, 0);
    assert_eq!(lines(&case.text("out.jtl")), 5);
    case.expect(&[&words[..], &["-f"]].concat(), 0);
    assert_eq!(lines(&case.text("out.jtl")), 3);
}

#[test]
fn wrong_usage_is_refused_with_a_hint() {
    let case = Case::new();
    for (words, says) in [
        (&["-t", "plan.jmx"][..], "there is no window"),
        (&["-n"], "there is no plan to run"),
        (
            &["-n", "-t", "missing.jmx"],
            "cannot read the plan `missing.jmx`",
        ),
        (&["-n", "-r", "-t", "plan.jmx"], "Kubernetes"),
        (&["-n", "-Rhost", "-t", "plan.jmx"], "remote"),
        (&["-s"], "no server mode"),
        (&["-n", "-t", "plan.jmx", "-e"], "`-e` needs a result file"),
        (&["-n", "-t", "plan.jmx", "-Jusers=many"], "Users"),
        (
            &["-n", "-t", "plan.jmx", "-q", "none.properties"],
            "none.properties",
        ),
        (&["-n", "-t", "plan.jmx", "-L", "LOUD"], "no level `LOUD`"),
        (
            &["-n", "-t", "plan.jmx", "--fail-if", "orders<1"],
            "unknown of such a run",
        ),
        (
            &[
                "-n",
                "-t",
                "plan.jmx",
                "-Jjmeter.save.saveservice.default_delimiter=ab",
            ],
            "default_delimiter",
        ),
        (
            &["-g", "none.jtl", "-o", "report"],
            "cannot read the result file",
        ),
    ] {
        let (_, err) = case.expect(words, 2);
        assert!(err.contains(says), "{words:?}\n{err}");
        assert!(err.contains("error: "), "{err}");
    }
}

#[test]
fn a_plan_with_something_unknown_runs_only_when_told_to() {
    let case = Case::new();
    let script = r#"<JSR223Sampler guiclass="TestBeanGUI" testclass="JSR223Sampler" testname="Script"
        enabled="true"><stringProp name="script">1</stringProp></JSR223Sampler><hashTree/>"#;
    std::fs::write(case.path("script.jmx"), plan("DebugSampler", script)).unwrap();
    let (out, err) = case.expect(&["-n", "-t", "script.jmx", "-l", "out.jtl"], 2);
    assert!(
        err.contains("JSR223Sampler") && err.contains("line "),
        "{err}"
    );
    assert_eq!(out, "");
    assert!(!case.path("out.jtl").exists());
    let (_, err) = case.expect(&["-n", "-t", "script.jmx", "-l", "out.jtl", "--lenient"], 0);
    assert!(err.contains("warning: left out: line "), "{err}");
    assert_eq!(lines(&case.text("out.jtl")), 3);
    let (out, _) = case.expect(&["--check", "script.jmx"], 2);
    assert!(out.contains("JSR223Sampler"), "{out}");
    case.expect(&["--check", "plan.jmx"], 0);
    let (out, _) = case.expect(&["--check", "plan.jmx", "--json"], 0);
    assert!(out.contains("\"runs\": true"), "{out}");
}

#[test]
fn a_gate_that_holds_fails_the_run() {
    let case = Case::new();
    let words = |gate| ["-n", "-t", "plan.jmx", "-l", "out.jtl", "--fail-if", gate];
    let (out, _) = case.expect(&words("attempted<2"), 0);
    assert!(out.contains("fail if attempted<2: kept (2)"), "{out}");
    let (out, _) = case.expect(&words("attempted>1"), 1);
    assert!(out.contains("VIOLATED"), "{out}");
    case.expect(&words("attempted(A)>1"), 0);
    let (out, _) = case.expect(&words("p95(C)>1s"), 1);
    assert!(out.contains("no such samples"), "{out}");
}

#[test]
fn the_dashboard_has_a_page_and_jmeters_statistics() {
    let case = Case::new();
    case.expect(
        &[
            "-n", "-t", "plan.jmx", "-l", "out.jtl", "-e", "-o", "report",
        ],
        0,
    );
    holds_a_dashboard(&case.path("report"));
    let (_, err) = case.expect(&["-g", "out.jtl", "-o", "report"], 2);
    assert!(err.contains("not empty"), "{err}");
    case.expect(&["-g", "out.jtl", "-o", "report", "-f"], 0);
    case.expect(&["-g", "out.jtl", "-o", "other"], 0);
    holds_a_dashboard(&case.path("other"));
    let (_, err) = case.expect(
        &["-n", "-t", "plan.jmx", "-l", "out.jtl", "-e", "-o", "x"],
        2,
    );
    assert!(err.contains("not empty"), "{err}");
}

fn holds_a_dashboard(folder: &Path) {
    let page = std::fs::read_to_string(folder.join("index.html")).unwrap();
    assert!(page.contains("Statistics") && page.contains("uPlot"));
    let json = std::fs::read(folder.join("statistics.json")).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["Total"]["sampleCount"], 2);
    let keys: Vec<&str> = json["A"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let mut expected = vec![
        "transaction",
        "sampleCount",
        "errorCount",
        "errorPct",
        "meanResTime",
        "medianResTime",
        "minResTime",
        "maxResTime",
        "pct1ResTime",
        "pct2ResTime",
        "pct3ResTime",
        "throughput",
        "receivedKBytesPerSec",
        "sentKBytesPerSec",
    ];
    let mut keys = keys;
    keys.sort_unstable();
    expected.sort_unstable();
    assert_eq!(keys, expected);
}

#[test]
fn help_and_version_are_printed() {
    let case = Case::new();
    let (out, _) = case.expect(&["-h"], 0);
    assert!(
        out.contains("--testfile") && !out.contains("--runremote"),
        "{out}"
    );
    let (out, _) = case.expect(&["-v"], 0);
    assert!(out.contains("5.6.3"), "{out}");
}
