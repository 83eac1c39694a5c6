//! The files that a run leaves.

use std::num::NonZeroU64;

use double11_load::run_directory::RunDirectory;
use double11_load::{Ending, SamplePolicy, read_manifest};
use double11_measure::run::{Summary, TimeSeries};

use crate::support::*;

fn names(directory: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_run_leaves_its_files_and_they_agree() {
    let server = Server::start(|_| Reply::Status(200, "ok".to_owned()));
    let phases = vec![phase("first", 0.5, 100.0), phase("second", 0.5, 200.0)];
    let mut options = options(plan(GET), server.target(), phases);
    options.about.command_line = vec!["double11".to_owned(), "load".to_owned()];
    options.phases[0].measured = false;
    let (outcome, directory) = run_kept(options);
    assert_eq!(
        names(directory.path()),
        [
            "client-ledger.jsonl",
            "run.json",
            "samples.jtl",
            "summary.json",
            "tallies.json",
            "timeseries.json"
        ]
    );
    let read = |name: &str| std::fs::read(directory.path().join(name)).unwrap();
    let summary: Summary = serde_json::from_slice(&read("summary.json")).unwrap();
    let written = String::from_utf8(read("summary.json")).unwrap();
    assert_eq!(
        written.trim_end(),
        serde_json::to_string_pretty(&outcome.summary).unwrap()
    );
    let series: TimeSeries = serde_json::from_slice(&read("timeseries.json")).unwrap();
    assert_eq!(series, outcome.time_series);
    assert_eq!(series.start_unix_ms, Some(outcome.started.millis()));
    let attempted: Vec<u64> = summary
        .phases
        .iter()
        .map(|phase| phase.total.attempted)
        .collect();
    assert_eq!(attempted, [50, 100]);
    let rows = rows(&directory.path().join("samples.jtl"));
    assert_eq!(rows.len(), 150);
    assert!(
        rows.iter()
            .all(|row| row.2 && row.0 == "get" && row.3 == "200")
    );
    assert_eq!(rows[0].4, format!("{}/", server.target()));
    let manifest = read_manifest(directory.path()).unwrap();
    assert_eq!(manifest.plan.name, "get");
    assert_eq!(
        (manifest.seed, manifest.model.as_str()),
        (20_261_111, "open-even")
    );
    assert_eq!(manifest.phases.len(), 2);
    assert_eq!(manifest.phases[1].offered_per_second, Some(200.0));
    assert_eq!(manifest.ending, Ending::Complete);
    assert_eq!(manifest.command_line, ["double11", "load"]);
    assert!(manifest.versions.contains_key("double11-load"));
    assert!(manifest.host.processors >= 1);
    assert_eq!(
        manifest.generator.seconds.len(),
        outcome.health.seconds.len()
    );
}

#[test]
fn a_run_says_what_it_was_without_saying_secrets() {
    let server = Server::start(|_| Reply::Status(200, "ok".to_owned()));
    let mut options = options(plan(GET), server.target(), vec![phase("only", 0.2, 50.0)]);
    let mut headers = double11_load::transport::Headers::default();
    headers.add("Authorization: Bearer s3cret").unwrap();
    options.target = options.target.with_headers(headers);
    options.plan = options
        .plan
        .with_overrides(double11_load::plan::ProfileOverrides {
            rate: Some(150.0),
            duration: Some(std::time::Duration::from_secs(1)),
            ..Default::default()
        });
    let (_, directory) = run_kept(options);
    let read = |name: &str| std::fs::read(directory.path().join(name)).unwrap();
    let manifest = read_manifest(directory.path()).unwrap();
    assert_eq!(manifest.plan.hash, plan(GET).hash());
    assert_eq!(manifest.plan.profile, None);
    let overrides = &manifest.plan.overrides;
    assert_eq!(
        (overrides.rate, overrides.duration_s),
        (Some(150.0), Some(1.0))
    );
    assert_eq!((overrides.hour, overrides.peak), (None, false));
    assert_eq!(manifest.headers, ["Authorization"]);
    for name in names(directory.path()) {
        let text = String::from_utf8_lossy(&read(&name)).into_owned();
        assert!(!text.contains("s3cret"), "{name} holds a secret");
    }
    // A file of an earlier version knows nothing of these.
    let mut earlier: serde_json::Value = serde_json::from_slice(&read("run.json")).unwrap();
    earlier.as_object_mut().unwrap().remove("headers");
    for field in ["parameters", "profile", "overrides"] {
        earlier["plan"].as_object_mut().unwrap().remove(field);
    }
    let earlier: double11_load::run_directory::RunManifest =
        serde_json::from_value(earlier).unwrap();
    assert_eq!(earlier.plan.hash, manifest.plan.hash);
}

#[test]
fn phases_may_have_sample_files_of_their_own() {
    let server = Server::start(|_| Reply::Status(200, String::new()));
    let phases = ["warm_up", "normal", "peak_10x", "peak_20x"].map(|name| phase(name, 0.2, 50.0));
    let mut options = options(plan(GET), server.target(), phases.to_vec());
    options.phases[1].samples_file = Some("normal".to_owned());
    options.phases[2].samples_file = Some("peak".to_owned());
    options.phases[3].samples_file = Some("peak".to_owned());
    let (_, directory) = run_kept(options);
    for (name, count) in [("samples.jtl", 10), ("normal.jtl", 10), ("peak.jtl", 20)] {
        assert_eq!(rows(&directory.path().join(name)).len(), count, "{name}");
    }
}

#[test]
fn the_policy_chooses_the_samples_and_no_figure_depends_on_it() {
    for (policy, count) in [
        (SamplePolicy::All, 40),
        (SamplePolicy::Errors, 10),
        (SamplePolicy::OneIn(NonZeroU64::new(8).unwrap()), 5),
        (SamplePolicy::None, 0),
    ] {
        let server = Server::start(|request| match request.number % 4 {
            0 => Reply::Status(500, String::new()),
            _ => Reply::Status(200, String::new()),
        });
        let mut options = options(plan(GET), server.target(), vec![phase("only", 0.4, 100.0)]);
        options.samples = policy;
        let (outcome, directory) = run_kept(options);
        let total = &outcome.summary.whole.total;
        assert_eq!((total.attempted, total.failed), (40, 10), "{policy:?}");
        assert_eq!(
            rows(&directory.path().join("samples.jtl")).len(),
            count,
            "{policy:?}"
        );
    }
}

#[test]
fn a_second_run_into_the_same_directory_needs_force() {
    let server = Server::start(|_| Reply::Status(200, String::new()));
    let make = || options(plan(GET), server.target(), vec![phase("only", 0.1, 50.0)]);
    let (_, directory) = run_kept(make());
    assert!(RunDirectory::create(directory.path(), false).is_err());
    let mut again = make();
    again.output = Some(RunDirectory::create(directory.path(), true).unwrap());
    assert_eq!(run(&again).ending, Ending::Complete);
    assert_eq!(rows(&directory.path().join("samples.jtl")).len(), 5);
}
