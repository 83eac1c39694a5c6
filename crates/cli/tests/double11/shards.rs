//! Shards on the command line: parts of one run made at the same time, and merged.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, SystemTime};

use double11_load::run_directory::{RunManifest, read_manifest};
use double11_measure::histogram::LatencyHistogram;
use double11_measure::jtl::Reader;
use double11_measure::run::{RunTallies, StepTallies, Summary};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::harness::{PROGRAM, Server, audit, both, eventually, failed_checks, run, settle};

/// The traffic of every test here.
const TRAFFIC: [&str; 8] = [
    "orders",
    "--param",
    "products=1000",
    "--rate",
    "60",
    "--duration",
    "3s",
    "--seed=5",
];

/// An instant so long after now, as `--start-at` reads it.
#[expect(
    clippy::disallowed_methods,
    reason = "a start instant is one of the wall clock"
)]
fn soon(after: Duration) -> String {
    let instant = time::OffsetDateTime::from(SystemTime::now() + after);
    instant
        .format(&time::format_description::well_known::Rfc3339)
        .unwrap()
}

fn load(out: &Path, target: &str, words: &[&str]) -> Child {
    Command::new(PROGRAM)
        .arg("load")
        .args(TRAFFIC)
        .args(words)
        .args(["--target", target, "--out"])
        .arg(out)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Makes all shards of a run at once; their folders and what each said.
fn shards(folder: &Path, target: &str, words: &[&str]) -> Vec<(PathBuf, Output)> {
    let start_at = soon(Duration::from_secs(2));
    let children: Vec<(PathBuf, Child)> = (0..2)
        .map(|index| {
            let out = folder.join(format!("part-{index}"));
            let shard = format!("{index}/2");
            let own = ["--shard", &shard, "--start-at", &start_at];
            let child = load(&out, target, &[&own[..], words].concat());
            (out, child)
        })
        .collect();
    let finished = children.into_iter();
    finished
        .map(|(out, child)| (out, child.wait_with_output().unwrap()))
        .collect()
}

fn merge(parts: &[&Path], out: &Path, words: &[&str]) -> Output {
    let paths = parts.iter().copied().chain([Path::new("--out"), out]);
    let words = words.iter().map(Path::new);
    run([Path::new("merge")].into_iter().chain(paths).chain(words))
}

/// By the random part of its key: the planned instant of an order since the start, and its body.
fn orders(folder: &Path) -> BTreeMap<String, (i64, String)> {
    let started = read_manifest(folder).unwrap().started_unix_us;
    let ledger = std::fs::read_to_string(folder.join("client-ledger.jsonl")).unwrap();
    let lines = ledger.lines().skip(1);
    let orders = lines.map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        let key = line["key"].as_str().unwrap().get(14..).unwrap().to_owned();
        let planned = line["planned"].as_i64().unwrap() - started;
        (key, (planned, line["request"].to_string()))
    });
    orders.collect()
}

fn read<T: serde::de::DeserializeOwned>(folder: &Path, name: &str) -> T {
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

/// Rows of the sample file, and whether they are about in the order of their ends.
fn samples(folder: &Path) -> (usize, bool) {
    let file = std::fs::File::open(folder.join("samples.jtl")).unwrap();
    let mut reader = Reader::new(std::io::BufReader::new(file)).unwrap();
    let (mut count, mut latest, mut ordered) = (0, 0, true);
    while let Some(row) = reader.next_row().unwrap() {
        let end = row.time_stamp_ms + i64::try_from(row.elapsed_ms).unwrap();
        // Two workers of one generator hand their rows over every tenth of a second.
        ordered &= end + 500 > latest;
        latest = latest.max(end);
        count += 1;
    }
    (count, ordered)
}

/// The buckets of each step of each phase: response times of what succeeded.
fn buckets(folder: &Path) -> BTreeMap<(String, String, Duration), u64> {
    let tallies: RunTallies = read(folder, "tallies.json");
    let steps = tallies.phases.iter().flat_map(|phase| {
        let steps = phase.steps.iter();
        steps.map(move |step: &StepTallies| (&phase.name, step))
    });
    let mut all = BTreeMap::new();
    for (phase, step) in steps {
        for (value, count) in LatencyHistogram::from_base64(&step.kept_time)
            .unwrap()
            .buckets()
        {
            all.insert((phase.clone(), step.step.clone(), value), count);
        }
    }
    all
}

/// Exit code 2, one error, and these words.
fn check_usage(output: &Output, words: &[&str]) {
    let said = both(output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for word in words {
        assert!(said.contains(word), "`{word}` is missing: {said}");
    }
}

/// What reads a run reads the merged one, and finds nothing that keeps it from the other.
fn reads_as_a_run(folder: &Path, whole: &Path, merged: &Path) {
    let (one, merged_run): (RunManifest, RunManifest) = (
        read_manifest(whole).unwrap(),
        read_manifest(merged).unwrap(),
    );
    assert_eq!((merged_run.plan, merged_run.phases), (one.plan, one.phases));
    let validated = run([Path::new("validate"), Path::new("--run"), merged]);
    assert!(
        matches!(validated.status.code(), Some(0 | 4)),
        "{}",
        both(&validated)
    );
    let report = folder.join("report.html");
    let words = ["compare", "--baseline"].map(Path::new);
    let words = words.into_iter().chain([whole]);
    let words = words.chain([
        Path::new("--optimized"),
        merged,
        Path::new("--output"),
        &report,
    ]);
    let compared = run(words);
    assert!(
        matches!(compared.status.code(), Some(0 | 1 | 4)),
        "{}",
        both(&compared)
    );
    let report: Value =
        serde_json::from_slice(&std::fs::read(report.with_extension("json")).unwrap()).unwrap();
    let reasons = report["incomparable"].as_array().unwrap().iter();
    let reasons: Vec<_> = reasons
        .filter_map(|reason| reason["code"].as_str())
        .collect();
    assert!(
        reasons.iter().all(|code| *code == "generator_limited"),
        "{reasons:?}"
    );
}

#[test]
fn two_shards_merged_are_the_run_of_one_generator() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--products", "1000"]);
    let whole = folder.path().join("whole");
    let said = load(&whole, &server.target, &[])
        .wait_with_output()
        .unwrap();
    assert!(matches!(said.status.code(), Some(0 | 4)), "{}", both(&said));
    let made = shards(folder.path(), &server.target, &[]);
    for (part, said) in &made {
        assert_eq!(
            said.status.code(),
            Some(0),
            "{}: {}",
            part.display(),
            both(said)
        );
    }
    let parts: Vec<&Path> = made.iter().map(|(part, _)| part.as_path()).collect();
    let merged = folder.path().join("merged");
    let said = merge(&parts, &merged, &[]);
    assert!(matches!(said.status.code(), Some(0 | 4)), "{}", both(&said));

    // The same shoppers at the same planned instants, none twice.
    let expected = orders(&whole);
    assert!(expected.len() > 100, "{}", expected.len());
    assert_eq!(orders(&merged), expected);
    let own: Vec<_> = parts.iter().map(|part| orders(part)).collect();
    assert_eq!(own[0].len() + own[1].len(), expected.len());
    assert!(own.iter().all(|orders| orders.len() > 30));
    let summary = |folder: &Path| read::<Summary>(folder, "summary.json");
    let counted = |summary: Summary| (summary.whole.total.attempted, summary.sessions.count);
    assert_eq!(counted(summary(&merged)), counted(summary(&whole)));
    assert_eq!(samples(&merged), (expected.len(), true));

    // Histograms are sums, bucket by bucket.
    let mut sum = buckets(parts[0]);
    for (bucket, count) in buckets(parts[1]) {
        *sum.entry(bucket).or_default() += count;
    }
    assert_eq!(buckets(&merged), sum);
    assert_eq!(
        sum.values().sum::<u64>(),
        summary(&merged).whole.total.succeeded
    );

    reads_as_a_run(folder.path(), &whole, &merged);
    settle(folder.path());
    assert!(server.terminate().success());
    let ledgers = [&whole, &merged].map(|run| run.join("client-ledger.jsonl"));
    let (passed, report) = audit(folder.path(), &ledgers);
    assert!(passed, "{:?}", failed_checks(&report));
}

#[test]
fn thresholds_are_judged_by_the_merge_alone() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--products", "1000"]);
    let always = ["--fail-if", "attempted>0"];
    let made = shards(folder.path(), &server.target, &always);
    for (_, said) in &made {
        assert_eq!(said.status.code(), Some(0), "{}", both(said));
        assert!(
            both(said).contains("`--fail-if` was not judged"),
            "{}",
            both(said)
        );
    }
    assert!(server.terminate().success());
    let parts: Vec<&Path> = made.iter().map(|(part, _)| part.as_path()).collect();
    let out = |name: &str| folder.path().join(name);
    let judged = merge(
        &parts,
        &out("a"),
        &["--fail-if", "orders>0", "--fail-if", "p95(order)<0ms"],
    );
    let said = both(&judged);
    match judged.status.code() {
        Some(1) => assert!(said.contains("fail if orders>0: VIOLATED"), "{said}"),
        // Where this machine was too busy for a generator.
        Some(4) => assert!(
            said.contains("the load engine was the bottleneck"),
            "{said}"
        ),
        code => panic!("{code:?}: {said}"),
    }
    misused(&parts, out);
}

/// Refusals of `merge` on the two parts of a run.
fn misused(parts: &[&Path], out: impl Fn(&str) -> PathBuf) {
    check_usage(
        &merge(parts, &out("b"), &["--fail-if", "p95(pay)>50ms"]),
        &["`pay` is no step", "order"],
    );
    check_usage(
        &merge(&parts[..1], &out("c"), &[]),
        &["shard 1/2 is missing", "--partial"],
    );
    let partial = merge(
        &parts[..1],
        &out("d"),
        &["--partial", "--fail-if", "orders>0"],
    );
    assert_eq!(partial.status.code(), Some(4), "{}", both(&partial));
    assert!(
        both(&partial).contains("partial: without shard 1/2"),
        "{}",
        both(&partial)
    );
    assert!(
        both(&partial).contains("the run is not whole"),
        "{}",
        both(&partial)
    );
    check_usage(
        &merge(&[&out("d")], &out("e"), &[]),
        &["was merged already"],
    );
    check_usage(
        &merge(&[parts[0], parts[0]], &out("f"), &[]),
        &["both shard 0/2"],
    );
    check_usage(
        &merge(parts, parts[0], &["--force"]),
        &["is one of the shards"],
    );
    assert!(
        parts[0].join("run.json").exists(),
        "the shard is still there"
    );
    check_usage(&merge(parts, &out("d"), &[]), &["is not empty", "--force"]);
    check_usage(
        &merge(&[&out("nowhere")], &out("g"), &[]),
        &["nowhere/run.json", "cannot be read"],
    );
    assert!(!out("g").exists(), "nothing is made for a refusal");
}

#[test]
fn a_shard_that_cannot_be_made_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--products", "1000"]);
    let out = folder.path().join("run");
    let refused = |words: &[&str]| {
        let child = load(&out, &server.target, words);
        child.wait_with_output().unwrap()
    };
    check_usage(&refused(&["--shard", "2/2"]), &["no shard 2 of 2", "1/2"]);
    check_usage(&refused(&["--shard", "1"]), &["is no shard", "0/4"]);
    check_usage(&refused(&["--start-at", "noon"]), &["`noon` is no instant"]);
    check_usage(
        &refused(&["--start-at", "2026-01-01T00:00:00Z"]),
        &["the start was missed by", "a later instant"],
    );
    check_usage(
        &refused(&["--shard", "0/300"]),
        &["`connections`", "among 300 shards"],
    );
    let later = folder.path().join("later");
    let waiting = load(
        &later,
        &server.target,
        &["--start-at", &soon(Duration::from_mins(9))],
    );
    eventually("the folder", Duration::from_secs(20), || {
        later.join("samples.jtl").exists()
    });
    let pid = Pid::from_raw(i32::try_from(waiting.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let said = waiting.wait_with_output().unwrap();
    assert_eq!(said.status.code(), Some(130), "{}", both(&said));
    assert!(!later.join("run.json").exists(), "nothing was run");
    assert!(server.terminate().success());
}
