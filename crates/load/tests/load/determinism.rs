//! The same seed makes the same run, whatever the number of threads.

use std::collections::BTreeMap;

use double11_load::LoadModel;
use double11_load::plan::Plan;
use double11_load::schedule::Spread;
use double11_load::shard::Shard;

use crate::support::*;

/// Planned instants in microseconds and bodies by the random part of the key, and all paths received.
type Seen = (BTreeMap<String, (i64, String)>, Vec<String>);

fn requests_of(plan: Plan, threads: usize, seed: u64) -> Seen {
    requests_of_shard(plan, threads, seed, Shard::WHOLE)
}

fn requests_of_shard(plan: Plan, threads: usize, seed: u64, shard: Shard) -> Seen {
    let server = Server::start(|request| match request.path.as_str() {
        "/api/orders" => {
            let body = r#"{"order_id":"7","total":12.30}"#;
            Reply::Status(201, body.to_owned())
        }
        "/api/payments" => {
            Reply::Status(201, r#"{"payment_id":"8","status":"captured"}"#.to_owned())
        }
        "/api/cart" => Reply::Status(201, r#"{"cart_id":"9"}"#.to_owned()),
        _ => Reply::Status(200, "{}".to_owned()),
    });
    // Time enough for every visit to come to its end, however slow the machine is today.
    let phases = vec![phase("only", 1.0, 200.0), phase("rest", 2.0, 0.0)];
    let mut options = options(plan, server.target(), phases);
    options.model = LoadModel::Open {
        spread: Spread::Poisson,
    };
    options.phases[0].peak = true;
    options.threads = Some(threads);
    (options.seed, options.shard) = (seed, shard);
    let (outcome, directory) = run_kept(options);
    assert_eq!(outcome.summary.whole.total.failed, 0);
    assert_eq!(outcome.health.threads, threads);
    let start = outcome.started.get();
    let mut planned = BTreeMap::new();
    for line in ledger(directory.path()) {
        // Only first steps are planned beforehand; later ones follow an answer.
        let at = if line["step"] == "order" {
            line["planned"].as_i64().unwrap() - start
        } else {
            0
        };
        if let Some(key) = line["key"].as_str() {
            planned.insert(
                key.get(14..).unwrap().to_owned(),
                (at, line["request"].to_string()),
            );
        }
    }
    let mut paths: Vec<String> = server
        .log()
        .requests
        .iter()
        .map(|request| format!("{} {}", request.path, request.body))
        .collect();
    paths.sort();
    (planned, paths)
}

#[test]
fn one_thread_and_two_send_the_same() {
    for name in ["orders", "funnel"] {
        let plan = || Plan::built_in(name, &[]).unwrap();
        let one = requests_of(plan(), 1, 7);
        assert!(
            one.0.len() > 30 && one.1.len() > 100,
            "{} {}",
            one.0.len(),
            one.1.len()
        );
        assert_eq!(one, requests_of(plan(), 2, 7), "{name}");
        assert_ne!(one, requests_of(plan(), 2, 8), "{name}");
    }
}

#[test]
fn shards_together_send_the_same() {
    for (name, count) in [("orders", 3), ("funnel", 2)] {
        let plan = || Plan::built_in(name, &[]).unwrap();
        let whole = requests_of(plan(), 2, 7);
        let (mut planned, mut paths) = Seen::default();
        for index in 0..count {
            let shard = Shard::new(index, count).unwrap();
            let part = requests_of_shard(plan(), 2, 7, shard);
            assert!(part.1.len() > 20, "{name} {shard}: {}", part.1.len());
            let before = planned.len();
            let own = part.0.len();
            planned.extend(part.0);
            assert_eq!(planned.len(), before + own, "{name} {shard}: no key twice");
            paths.extend(part.1);
        }
        paths.sort();
        assert_eq!((planned, paths), whole, "{name}");
    }
}
