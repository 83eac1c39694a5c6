//! `rehearse` with a Prometheus that runs, and with one of its own.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::harness::{PROGRAM, Server, both, eventually, run};
use crate::server::Prometheus;
use crate::servers::prometheus_present;

fn report(out: &Path) -> Value {
    let text = std::fs::read(out.join("improvement_report.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// What was said of Prometheus, variant by variant.
fn asked(report: &Value) -> Vec<&Value> {
    let variants = report["variants"].as_array().unwrap();
    variants
        .iter()
        .map(|variant| &variant["prometheus"])
        .collect()
}

/// The status of every comparison of a kind.
fn statuses<'a>(asked: &'a Value, kind: &str) -> Vec<&'a str> {
    let results = asked["results"].as_array().unwrap();
    let of_kind = results.iter().filter(|result| result["kind"] == kind);
    of_kind
        .map(|result| result["status"].as_str().unwrap())
        .collect()
}

/// What every rehearsal with a Prometheus leaves behind.
fn check_counts(out: &Path, report: &Value) {
    for (asked, name) in asked(report).into_iter().zip(["baseline", "optimized"]) {
        // On a busy machine a scrape may fail; what was counted is at the next one all the same.
        assert_eq!(statuses(asked, "scrapes").len(), 1, "{name}: {asked:#}");
        for kind in ["requests", "orders", "payments"] {
            let statuses = statuses(asked, kind);
            assert!(!statuses.is_empty(), "{name} {kind}: {asked:#}");
            assert!(
                statuses.iter().all(|status| *status == "agrees"),
                "{name}: {asked:#}"
            );
        }
        let points = asked["points"].as_array().unwrap();
        let seen = points
            .iter()
            .filter(|point| point["prometheus_per_second"].is_f64());
        assert!(seen.count() >= 3, "{asked:#}");
        // The file of the metrics is what Prometheus answered: only there a series has a job.
        let text = std::fs::read(out.join(format!("{name}_metrics.json"))).unwrap();
        let answer: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(answer["status"], "success");
        let series = answer["data"]["result"].as_array().unwrap();
        assert!(series.len() > 100, "{} series", series.len());
        assert!(
            series
                .iter()
                .all(|one| one["metric"]["job"] == "ecommerce-app")
        );
    }
    let page = std::fs::read_to_string(out.join("improvement_report.html")).unwrap();
    for words in [
        "As Prometheus saw it",
        "chart-prometheus-throughput",
        "chart-prometheus-p95-1",
    ] {
        assert!(page.contains(words), "{words}");
    }
}

/// Two shops and a Prometheus that somebody else runs: each phase is long enough to be compared.
#[test]
fn a_prometheus_that_runs_is_asked() {
    if !prometheus_present() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let shop = |name: &str, variant: &str| {
        let own = folder.path().join(name);
        std::fs::create_dir(&own).unwrap();
        Server::start(&own, &["--variant", variant, "--products", "500", "--sale"])
    };
    let (one, other) = (shop("one", "optimized"), shop("other", "optimized"));
    let jobs = format!("{}', '{}", one.target, other.target);
    let prometheus = Prometheus::start(folder.path(), &[("ecommerce-app", &jobs)]);
    let out = folder.path().join("results");
    let rehearse = |prometheus: &str| {
        run([
            "rehearse",
            "--quick",
            "--baseline",
            &one.target,
            "--optimized",
            &other.target,
            "--param",
            "products=500",
            "--normal-rate",
            "20",
            "--time-scale",
            "4",
            "--prometheus",
            prometheus,
            "--out",
            &out.display().to_string(),
        ])
    };
    let output = rehearse(&prometheus.url);
    assert!(
        matches!(output.status.code(), Some(0 | 1 | 4)),
        "{}",
        both(&output)
    );
    let report = report(&out);
    check_counts(&out, &report);
    for asked in asked(&report) {
        assert_eq!(asked["started_here"], false);
        assert!(
            (asked["interval_s"].as_f64().unwrap() - 1.0).abs() < 0.1,
            "{asked:#}"
        );
        let rates = statuses(asked, "throughput");
        assert!(rates.contains(&"agrees"), "{asked:#}");
        assert!(!rates.contains(&"differs"), "{asked:#}");
    }
    drop(prometheus);
    let gone = rehearse("http://127.0.0.1:9");
    assert_eq!(gone.status.code(), Some(3), "{}", both(&gone));
    assert!(
        both(&gone).contains("hint: start Prometheus"),
        "{}",
        both(&gone)
    );
}

/// Arguments of a rehearsal in the least time that has anything to say.
fn spawning(out: &Path) -> Vec<String> {
    let words = "rehearse --quick --ports 0,0 --products 500 --normal-rate 10 --time-scale 3 \
                 --prometheus spawn --out";
    let words = words.split_whitespace().map(str::to_owned);
    words.chain([out.display().to_string()]).collect()
}

/// Processes of a Prometheus whose files are in a folder, by their ids.
fn prometheus_in(folder: &Path) -> Vec<String> {
    let folder = folder.canonicalize().unwrap();
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter(|entry| {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).into_owned();
            line.starts_with("prometheus\0") && line.contains(&*folder.to_string_lossy())
        })
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// Folders of runs and of the Prometheus that are left in the folder of a rehearsal.
fn left(out: &Path) -> Vec<PathBuf> {
    let runs = std::fs::read_dir(out.join("runs")).unwrap().flatten();
    let kept = runs.flat_map(|run| std::fs::read_dir(run.path()).unwrap().flatten());
    kept.map(|entry| entry.path()).collect()
}

#[test]
fn a_prometheus_is_started_and_stopped() {
    if !prometheus_present() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("results");
    let output = run(spawning(&out));
    assert!(
        matches!(output.status.code(), Some(0 | 1 | 4)),
        "{}",
        both(&output)
    );
    let said = both(&output);
    assert!(said.contains("optimized: Prometheus agrees in "), "{said}");
    let report = report(&out);
    check_counts(&out, &report);
    for (asked, name) in asked(&report).into_iter().zip(["baseline", "optimized"]) {
        assert_eq!(asked["started_here"], true);
        let target = asked["target"].as_str().unwrap();
        assert!(target.contains(&format!("variant=\"{name}\"")), "{target}");
        assert!(
            (asked["interval_s"].as_f64().unwrap() - 5.0).abs() < 0.1,
            "{asked:#}"
        );
        assert!(asked["scrape_max_ms"].as_f64().unwrap() > 0.0, "{asked:#}");
        assert!(asked["cpu_share"].as_f64().unwrap() < 0.5, "{asked:#}");
    }
    assert_eq!(prometheus_in(&out), Vec::<String>::new());
    assert!(
        left(&out).iter().all(|path| !path.ends_with("prometheus")),
        "{:?}",
        left(&out)
    );
}

#[test]
fn an_interrupted_rehearsal_leaves_no_prometheus_behind() {
    if !prometheus_present() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("results");
    let mut child = rehearsal(&out)
        .arg("--keep-prometheus-data")
        .spawn()
        .unwrap();
    eventually("a Prometheus", Duration::from_secs(30), || {
        !prometheus_in(&out).is_empty()
    });
    let allowed = |process: &str| {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("Cpus_allowed_list:"));
        line.unwrap().to_owned()
    };
    // It has the processors of the load generator, which is the rehearsal's own process.
    let own = child.id().to_string();
    assert_eq!(allowed(&prometheus_in(&out)[0]), allowed(&own));
    kill_process(
        Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(),
        Signal::INT,
    )
    .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(prometheus_in(&out), Vec::<String>::new());
    // Its data were asked for.
    let kept = left(&out)
        .into_iter()
        .find(|path| path.ends_with("prometheus"));
    assert!(kept.unwrap().join("data").is_dir());
}

/// A rehearsal that says nothing, in a folder that is made for it.
fn rehearsal(out: &Path) -> Command {
    std::fs::create_dir(out).unwrap();
    let mut command = Command::new(PROGRAM);
    command
        .args(spawning(out))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// A rehearsal in the background, and what it says.
fn rehearsing(out: &Path) -> Child {
    rehearsal(out)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Nothing of a rehearsal runs after it, not even what cannot be told of its end.
#[test]
fn a_killed_rehearsal_leaves_no_prometheus_behind() {
    if !prometheus_present() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("results");
    let mut child = rehearsing(&out);
    eventually("a Prometheus", Duration::from_secs(30), || {
        !prometheus_in(&out).is_empty()
    });
    child.kill().unwrap();
    child.wait().unwrap();
    eventually("its end", Duration::from_secs(20), || {
        prometheus_in(&out).is_empty()
    });
}

/// The first port that was free is another's when Prometheus would listen on it.
#[test]
fn a_prometheus_whose_port_was_taken_gets_another() {
    if !prometheus_present() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (tools, out) = (folder.path().join("tools"), folder.path().join("results"));
    std::fs::create_dir_all(&tools).unwrap();
    let tried = tools.join("tried");
    let path = std::env::var_os("PATH").unwrap();
    let script = format!(
        "#!/bin/sh\n\
         if ! test -e '{tried}'; then\n\
         touch '{tried}'\n\
         echo 'listen tcp 127.0.0.1:1: bind: address already in use' >&2\n\
         exit 1\n\
         fi\n\
         PATH='{path}' exec prometheus \"$@\"\n",
        tried = tried.display(),
        path = path.display(),
    );
    let program = tools.join("prometheus");
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    let mut search = tools.into_os_string();
    search.push(":");
    search.push(&path);
    let mut child = rehearsal(&out).env("PATH", search).spawn().unwrap();
    eventually("a Prometheus", Duration::from_secs(30), || {
        !prometheus_in(&out).is_empty()
    });
    assert!(tried.exists());
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The first run was compared; the second goes on without, and says so.
#[test]
fn a_prometheus_that_dies_between_two_runs_does_not_end_the_rehearsal() {
    if !prometheus_present() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("results");
    let child = rehearsing(&out);
    // This file is the last that Prometheus is asked for after a run.
    eventually("the end of a run", Duration::from_mins(2), || {
        let begun = out.join("runs").is_dir();
        begun
            && left(&out)
                .iter()
                .any(|run| run.join("prometheus.json").is_file())
    });
    let process: i32 = prometheus_in(&out)[0].parse().unwrap();
    kill_process(Pid::from_raw(process).unwrap(), Signal::KILL).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = both(&output);
    assert!(matches!(output.status.code(), Some(0 | 1 | 4)), "{said}");
    assert!(
        said.contains("warning: optimized runs without Prometheus: "),
        "{said}"
    );
    let report = report(&out);
    let asked = asked(&report);
    assert!(statuses(asked[0], "requests").contains(&"agrees"));
    assert_eq!(statuses(asked[1], "scrapes"), ["cannot_compare"]);
    assert_eq!(statuses(asked[1], "requests"), Vec::<&str>::new());
}

#[test]
fn without_the_program_it_is_said_how_to_get_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("results");
    let output = Command::new(PROGRAM)
        .args(spawning(&out))
        .env("PATH", folder.path())
        .output()
        .unwrap();
    let said = both(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("there is no program `prometheus`"), "{said}");
    assert!(said.contains("hint: install Prometheus"), "{said}");
    assert_eq!(left(&out), Vec::<PathBuf>::new());
}
