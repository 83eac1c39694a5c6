//! Runs in parts, and the parts made one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use double11_load::merge::{MergeError, Shards};
use double11_load::run_directory::RunDirectory;
use double11_load::shard::Shard;
use double11_load::{
    Ending, LoadError, LoadModel, RunManifest, RunOptions, RunOutcome, StopHandle, read_manifest,
};
use double11_measure::histogram::LatencyHistogram;
use double11_measure::run::{RunTallies, Summary, TimeSeries};
use double11_units::UnixMicros;

use crate::support::*;

/// What makes a shard one of another run.
type Spoil = fn(&mut RunManifest);

/// The wall clock, so long after now.
#[expect(
    clippy::disallowed_methods,
    reason = "a start instant is one of the wall clock"
)]
fn soon(after: Duration) -> UnixMicros {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    UnixMicros::new(i64::try_from((now.unwrap() + after).as_micros()).unwrap())
}

fn answering() -> Server {
    Server::start(|request| {
        let number = request.number;
        match number % 10 {
            3 => Reply::Status(500, "{}".to_owned()),
            7 => Reply::Status(409, r#"{"code":"sold_out"}"#.to_owned()),
            rest => {
                let delay = Duration::from_millis(u64::try_from(rest).unwrap());
                let body = format!(r#"{{"order_id":"{number}","total":1.00}}"#);
                Reply::After(delay, 201, body)
            }
        }
    })
}

/// Makes all shards of a run at the same time, each into a folder of this name.
fn shards(folder: &Path, count: u32, change: impl Fn(&mut RunOptions)) -> (Server, Vec<PathBuf>) {
    let server = answering();
    let start_at = soon(Duration::from_millis(600));
    let directories: Vec<PathBuf> = (0..count)
        .map(|index| folder.join(format!("part-{index}")))
        .collect();
    std::thread::scope(|scope| {
        for (index, directory) in (0..).zip(&directories) {
            let phases = vec![phase("first", 0.5, 60.0), phase("second", 1.0, 150.0)];
            let mut options = options(plan(POST), server.target(), phases);
            options.phases[0].measured = false;
            options.shard = Shard::new(index, count).unwrap();
            options.start_at = Some(start_at);
            change(&mut options);
            options.output = Some(RunDirectory::create(directory, false).unwrap());
            scope.spawn(move || assert_eq!(run(&options).started, start_at));
        }
    });
    (server, directories)
}

fn merge(directories: &[PathBuf], out: &Path, partial: bool) -> (RunManifest, RunOutcome) {
    let shards = Shards::read(directories, partial).unwrap();
    let output = RunDirectory::create(out, false).unwrap();
    shards.merge(&output, vec!["merge".to_owned()]).unwrap()
}

fn read<T: serde::de::DeserializeOwned>(directory: &Path, name: &str) -> T {
    serde_json::from_slice(&std::fs::read(directory.join(name)).unwrap()).unwrap()
}

/// Buckets of a histogram, and of several together.
fn buckets(texts: &[&str]) -> Vec<(Duration, u64)> {
    let mut all: Vec<(Duration, u64)> = Vec::new();
    for text in texts {
        for (value, count) in LatencyHistogram::from_base64(text).unwrap().buckets() {
            match all.binary_search_by_key(&value, |(value, _)| *value) {
                Ok(place) => all[place].1 += count,
                Err(place) => all.insert(place, (value, count)),
            }
        }
    }
    all
}

#[test]
fn shards_make_every_planned_start_once() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, parts) = shards(folder.path(), 3, |_| {});
    let out = folder.path().join("merged");
    let (manifest, outcome) = merge(&parts, &out, false);
    // Thirty and a hundred and fifty visits, as even as the plan says.
    let shoppers: Vec<u64> = ledger(&out)
        .iter()
        .map(|line| line["request"]["shopper"].as_u64().unwrap())
        .collect();
    let distinct: BTreeSet<u64> = shoppers.iter().copied().collect();
    assert_eq!(shoppers.len(), 180);
    assert_eq!(distinct, (0..180).collect());
    let planned: BTreeSet<i64> = ledger(&out)
        .iter()
        .map(|line| line["planned"].as_i64().unwrap() - manifest.started_unix_us)
        .collect();
    assert_eq!(planned.first(), Some(&8_333), "half of a sixtieth second");
    assert_eq!(planned.len(), 180);
    let ends: Vec<i64> = ledger(&out)
        .iter()
        .map(|line| line["end"].as_i64().unwrap())
        .collect();
    let moved = ends.windows(2).filter(|pair| pair[0] > pair[1]).count();
    assert!(moved < 20, "{moved} lines stand before an earlier one");
    let attempted = outcome.summary.phases.iter();
    let attempted: Vec<u64> = attempted.map(|phase| phase.total.attempted).collect();
    assert_eq!(attempted, [30, 150]);
    assert_eq!(rows(&out.join("samples.jtl")).len(), 180);
    assert_eq!(outcome.ending, Ending::Complete);
    let merged = manifest.merged.as_ref().unwrap();
    assert_eq!((merged.shards, merged.missing.len()), (3, 0));
    assert_eq!(merged.start_spread_s.to_bits(), 0.0_f64.to_bits());
    assert_eq!(manifest.phases[1].offered_per_second, Some(150.0));
    assert_eq!(outcome.summary.phases[1].offered_per_second, Some(150.0));
    let own: Summary = read(&parts[0], "summary.json");
    assert_eq!(own.phases[1].offered_per_second, Some(50.0));
    let text = std::fs::read_to_string(out.join("samples.jtl")).unwrap();
    for name in ["double11 1-1", "double11 2-1", "double11 3-1"] {
        assert!(text.contains(name), "no thread {name}");
    }
    // What was written is what was returned.
    assert_eq!(read::<Summary>(&out, "summary.json"), outcome.summary);
    assert_eq!(read_manifest(&out).unwrap(), manifest);
}

#[test]
fn histograms_are_added_bucket_by_bucket() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, parts) = shards(folder.path(), 2, |_| {});
    let out = folder.path().join("merged");
    let (_, outcome) = merge(&parts, &out, false);
    let tallies: Vec<RunTallies> = parts
        .iter()
        .map(|part| read(part, "tallies.json"))
        .collect();
    let merged: RunTallies = read(&out, "tallies.json");
    for (index, phase) in merged.phases.iter().enumerate() {
        let of = |run: &RunTallies| run.phases[index].steps[0].clone();
        let (one, other, sum) = (of(&tallies[0]), of(&tallies[1]), &phase.steps[0]);
        assert_eq!(sum.attempted, one.attempted + other.attempted);
        assert!(one.attempted > 0 && other.attempted > 0);
        for (sum, one, other) in [
            (&sum.kept_time, &one.kept_time, &other.kept_time),
            (&sum.service_time, &one.service_time, &other.service_time),
            (
                &sum.time_to_first_byte,
                &one.time_to_first_byte,
                &other.time_to_first_byte,
            ),
        ] {
            assert_eq!(buckets(&[sum]), buckets(&[one, other]));
            assert!(!buckets(&[sum]).is_empty());
        }
        let failed = sum.failed_verdict.as_deref().unwrap_or_default();
        let parts = [one.failed_verdict, other.failed_verdict];
        let parts: Vec<&str> = parts.iter().filter_map(Option::as_deref).collect();
        assert_eq!(buckets(&[failed]), buckets(&parts));
    }
    let series: Vec<TimeSeries> = parts
        .iter()
        .map(|part| read(part, "timeseries.json"))
        .collect();
    for second in &outcome.time_series.seconds {
        let parts = series.iter().flat_map(|one| &one.seconds);
        let steps = parts.filter(|one| one.second == second.second);
        let steps: Vec<_> = steps.map(|one| one.steps[0].clone()).collect();
        let sum = &second.steps[0];
        let attempted: u64 = steps.iter().map(|step| step.attempted).sum();
        let completed: u64 = steps.iter().map(|step| step.completed).sum();
        assert_eq!((sum.attempted, sum.completed), (attempted, completed));
        let texts = steps
            .iter()
            .filter_map(|step| step.response_time.as_deref());
        let own = sum.response_time.as_deref().into_iter().collect::<Vec<_>>();
        assert_eq!(buckets(&own), buckets(&texts.collect::<Vec<_>>()));
    }
    assert!(outcome.time_series.seconds.len() >= 2);
}

#[test]
fn virtual_users_are_shared_out_and_keep_their_shoppers() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, parts) = shards(folder.path(), 2, |options| {
        options.model = LoadModel::Closed { users: 5 };
        options.connections = 5;
        options.threads = Some(2);
        for phase in &mut options.phases {
            phase.rate = None;
        }
    });
    let mut users = Vec::new();
    for (index, part) in (0_u64..).zip(&parts) {
        let lines = ledger(part);
        let shoppers = lines
            .iter()
            .map(|line| line["request"]["shopper"].as_u64().unwrap());
        let own: BTreeSet<u64> = shoppers.map(|shopper| shopper % 5).collect();
        assert!(own.iter().all(|user| user % 2 == index), "{own:?}");
        users.extend(own);
    }
    users.sort_unstable();
    assert_eq!(users, [0, 1, 2, 3, 4]);
    let (manifest, _) = merge(&parts, &folder.path().join("merged"), false);
    assert_eq!((manifest.users, manifest.limits.threads), (Some(5), 4));
    assert_eq!(manifest.limits.connections, 5);
}

#[test]
fn a_run_that_was_not_divided_is_merged_to_itself() {
    let server = answering();
    let phases = vec![phase("first", 0.5, 60.0), phase("second", 0.5, 150.0)];
    let (outcome, directory) = run_kept(options(plan(POST), server.target(), phases));
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("merged");
    let (mut manifest, merged) = merge(&[directory.path().to_owned()], &out, false);
    for name in [
        "client-ledger.jsonl",
        "samples.jtl",
        "summary.json",
        "tallies.json",
        "timeseries.json",
    ] {
        let bytes = |folder: &Path| std::fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(bytes(&out), bytes(directory.path()), "{name}");
    }
    assert_eq!(merged.time_series, outcome.time_series);
    assert_eq!(merged.health, outcome.health);
    assert_eq!(manifest.merged.take().unwrap().parts.len(), 1);
    manifest.command_line.clear();
    assert_eq!(manifest, read_manifest(directory.path()).unwrap());
}

/// Changes `run.json` of a directory.
fn change(directory: &Path, change: impl FnOnce(&mut RunManifest)) {
    let mut manifest = read_manifest(directory).unwrap();
    change(&mut manifest);
    let text = serde_json::to_string(&manifest).unwrap();
    std::fs::write(directory.join("run.json"), text).unwrap();
}

fn refusal(directories: &[PathBuf]) -> String {
    Shards::read(directories, false).unwrap_err().to_string()
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, parts) = shards(folder.path(), 2, |_| {});
    let other = &parts[1];
    let good = read_manifest(other).unwrap();
    let missing = refusal(&parts[..1]);
    assert_eq!(missing, "shard 1/2 is missing");
    let (manifest, outcome) = merge(&parts[1..], &folder.path().join("half"), true);
    assert_eq!(manifest.merged.unwrap().missing, [0]);
    assert_eq!(outcome.summary.phases[1].offered_per_second, Some(75.0));
    assert_eq!(outcome.summary.phases[1].total.attempted, 75);
    let again = refusal(&[folder.path().join("half")]);
    assert!(again.contains("was merged already"), "{again}");
    let twice = refusal(&[parts[0].clone(), other.clone(), parts[0].clone()]);
    assert!(twice.contains("are both shard 0/2"), "{twice}");
    let cases: [(Spoil, &str); 8] = [
        (|run| run.seed = 3, "the seed is 20261111 and 3"),
        (|run| run.plan.hash.clear(), "the plan is post ("),
        (
            |run| run.phases[0].duration_s = 9.0,
            "the list of phases is",
        ),
        (|run| run.target.push('0'), "the target is http"),
        (
            |run| {
                run.versions.insert("double11".to_owned(), "9".to_owned());
            },
            "the program is",
        ),
        (
            |run| run.shard = Some(Shard::new(1, 3).unwrap()),
            "the number of shards is 2 and 3",
        ),
        (
            |run| run.limits.connections = 1,
            "the limit of connections is 64 and 1",
        ),
        (
            |run| run.started_unix_us += 1_500_000,
            "part-1` began 1.5 s after `",
        ),
    ];
    for (spoil, said) in cases {
        change(other, spoil);
        let error = refusal(&parts);
        assert!(error.contains(said), "{error}");
        change(other, |run| *run = good.clone());
    }
}

#[test]
fn shards_a_second_apart_are_moved_and_damaged_ones_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, parts) = shards(folder.path(), 2, |_| {});
    let other = &parts[1];
    change(other, |run| run.started_unix_us += 999_000);
    let (_, moved) = merge(&parts, &folder.path().join("apart"), false);
    let series: TimeSeries = read(other, "timeseries.json");
    let last = |series: &TimeSeries| series.seconds.last().unwrap().second;
    assert_eq!(last(&moved.time_series), last(&series) + 1);
    for (name, said) in [
        ("tallies.json", "tallies.json` is not of the form"),
        ("timeseries.json", "timeseries.json` is not of the form"),
        ("samples.jtl", "samples.jtl`, line 1: not the header"),
        (
            "client-ledger.jsonl",
            "client-ledger.jsonl`, line 1: not the first line",
        ),
    ] {
        let kept = std::fs::read(other.join(name)).unwrap();
        std::fs::write(other.join(name), "nonsense\n").unwrap();
        let output = RunDirectory::create(&folder.path().join("spoilt"), true).unwrap();
        let error = Shards::read(&parts, false)
            .unwrap()
            .merge(&output, Vec::new());
        let error = error.unwrap_err();
        assert!(
            error.to_string().contains(said) && error.is_input(),
            "{error}"
        );
        assert!(!output.file("run.json").exists(), "no run was left");
        std::fs::remove_file(other.join(name)).unwrap();
        let output = RunDirectory::create(&folder.path().join("spoilt"), true).unwrap();
        let error = Shards::read(&parts, false)
            .unwrap()
            .merge(&output, Vec::new());
        assert!(matches!(error, Err(MergeError::Read { .. })), "{name}");
        std::fs::write(other.join(name), kept).unwrap();
    }
}

#[test]
fn a_start_that_was_missed_or_given_up_is_no_run() {
    let server = answering();
    let begin = |start_at, stop: &StopHandle| {
        let phases = vec![phase("only", 0.2, 50.0)];
        let mut options = options(plan(POST), server.target(), phases);
        options.start_at = Some(start_at);
        double11_load::run(&options, stop, &mut |_| {})
    };
    let missed = begin(UnixMicros::new(1), &StopHandle::new()).unwrap_err();
    assert!(matches!(missed, LoadError::StartMissed { .. }), "{missed}");
    let far = begin(soon(Duration::from_hours(25)), &StopHandle::new()).unwrap_err();
    assert!(far.to_string().contains("at most a day ahead"), "{far}");
    let stop = StopHandle::new();
    stop.stop();
    let given_up = begin(soon(Duration::from_mins(1)), &stop).unwrap_err();
    assert!(
        matches!(given_up, LoadError::StoppedBeforeStart),
        "{given_up}"
    );
    assert!(server.log().requests.is_empty(), "nothing was sent");
}

#[test]
fn more_shards_than_there_is_to_share_are_refused() {
    let mut only = phase("only", 0.1, 1.0);
    let target = || double11_load::transport::Target::parse("http://127.0.0.1:1").unwrap();
    for option in ["connections", "max_in_flight", "users"] {
        let mut options = options(plan(GET), target(), vec![only.clone()]);
        options.shard = Shard::new(0, 3).unwrap();
        match option {
            "connections" => options.connections = 2,
            "max_in_flight" => options.max_in_flight = 2,
            _ => {
                only.rate = None;
                options.phases = vec![only.clone()];
                options.model = LoadModel::Closed { users: 2 };
            }
        }
        let error = double11_load::run(&options, &StopHandle::new(), &mut |_| {}).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains(option) && error.contains("among 3 shards"),
            "{error}"
        );
    }
}
