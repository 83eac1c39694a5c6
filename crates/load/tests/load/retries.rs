//! Requests that are sent again because the plan says so.

use std::collections::HashMap;
use std::time::Duration;

use double11_load::LoadModel;
use double11_load::transport::Target;

use crate::support::*;

/// One order a visit, tried three times.
fn persistent(retry: &str) -> String {
    format!("{POST}[step.retry]\nattempts = 3\nmin_s = 0.02\nmax_s = 0.06\n{retry}\n")
}

/// The number of a request under its key, from 1, when the server sees every key for the first time
/// in `seen`.
fn nth(seen: &std::sync::Mutex<HashMap<String, usize>>, key: &str) -> usize {
    let mut seen = seen.lock().unwrap();
    let count = seen.entry(key.to_owned()).or_default();
    *count += 1;
    *count
}

#[test]
fn an_attempt_repeats_key_and_body_and_counts_by_itself() {
    let seen = std::sync::Mutex::default();
    let server = Server::start(
        move |request| match nth(&seen, request.key.as_ref().unwrap()) {
            1 => Reply::Status(503, r#"{"code":"overloaded"}"#.to_owned()),
            2 => Reply::Close,
            _ => Reply::Status(201, r#"{"order_id":7,"total":1.50}"#.to_owned()),
        },
    );
    let text = persistent("statuses = [503]\ntransport = true")
        + "[[step]]\nname = \"after\"\nweight = 1\nwithin = \"order\"\n[step.request]\nmethod = \"GET\"\n\
           path = \"/after\"\nsuccess = [201]\n";
    // The server knows requests by their keys; a step without one is not asked here.
    let text = text.replace(
        "method = \"GET\"",
        "method = \"POST\"\nidempotency_key = true",
    ) + "[step.retry]\nattempts = 3\nstatuses = [503]\ntransport = true\nmin_s = 0.01\nmax_s = 0.01\n";
    let phases = vec![phase("only", 0.5, 40.0), phase("rest", 1.0, 0.0)];
    let (outcome, directory) = run_kept(options(plan(&text), server.target(), phases));
    let steps = &outcome.summary.whole.steps;
    for step in steps {
        // Twenty visits, three attempts each: the first two failed, the third succeeded.
        let counts = (step.attempted, step.succeeded, step.failed);
        assert_eq!(counts, (60, 20, 40), "{}", step.step);
    }
    assert_eq!(
        outcome.summary.sessions.count, 20,
        "the visits went on to their ends"
    );
    let log = server.log();
    let mut by_key: HashMap<&str, Vec<&Received>> = HashMap::new();
    for request in &log.requests {
        by_key
            .entry(request.key.as_deref().unwrap())
            .or_default()
            .push(request);
    }
    assert_eq!(by_key.len(), 40);
    for requests in by_key.values() {
        assert_eq!(requests.len(), 3);
        assert!(requests.iter().all(|request| request.body == requests[0].body
            && request.path == requests[0].path));
    }
    // Every attempt is a row of the samples and, being a write, a line of the ledger.
    let rows = rows(&directory.path().join("samples.jtl"));
    assert_eq!(rows.len(), 120);
    check_attempts(&ledger(directory.path()));
    let writes = (
        outcome.writes_acknowledged,
        outcome.writes_refused,
        outcome.writes_unknown,
    );
    assert_eq!(writes, (20, 20, 20));
}

/// Twenty keys of three attempts each, one after the other with a pause in between.
fn check_attempts(lines: &[serde_json::Value]) {
    let mut attempts: HashMap<String, Vec<(i64, i64, u64, String)>> = HashMap::new();
    for line in lines {
        assert_eq!(line["kind"], "order");
        attempts
            .entry(line["key"].as_str().unwrap().to_owned())
            .or_default()
            .push((
                line["planned"].as_i64().unwrap(),
                line["end"].as_i64().unwrap(),
                line["attempt"].as_u64().unwrap(),
                line["outcome"].as_str().unwrap().to_owned(),
            ));
    }
    assert_eq!(attempts.len(), 20);
    for lines in attempts.values() {
        let told: Vec<(u64, &str)> = lines.iter().map(|line| (line.2, line.3.as_str())).collect();
        assert_eq!(told, [(1, "refused"), (2, "unknown"), (3, "acknowledged")]);
        for pair in lines.windows(2) {
            let pause = pair[1].0 - pair[0].1;
            assert!(
                (20_000..=60_000).contains(&pause),
                "{pause} µs between two attempts"
            );
        }
    }
}

/// The system refuses to connect to a broadcast address at once, without sending anything.
#[test]
fn attempts_end_where_no_connection_can_even_be_asked_for() {
    let target = Target::parse("http://255.255.255.255:9").unwrap();
    for (attempts, retry) in [
        (2, "attempts = 2"),
        (3, "attempts = 3"),
        (5, "attempts = 5"),
    ] {
        let text = persistent("transport = true").replace("attempts = 3", retry);
        let phases = vec![phase("only", 0.2, 50.0), phase("rest", 0.8, 0.0)];
        let outcome = run(&options(plan(&text), target.clone(), phases));
        let total = &outcome.summary.whole.total;
        assert_eq!(
            (total.attempted, total.failed),
            (10 * attempts, 10 * attempts)
        );
        assert_eq!(failures(&outcome), [("connect".to_owned(), 10 * attempts)]);
        assert_eq!(
            (outcome.summary.sessions.count, outcome.visits_cut),
            (10, 0)
        );
    }
}

#[test]
fn attempts_end_and_other_failures_are_not_tried_again() {
    for (retry, status, attempts) in [
        ("statuses = [503]", 503, 3),
        ("statuses = [429, 503]", 429, 3),
        ("statuses = [503]", 500, 1),
        ("transport = true", 503, 1),
        // A refusal that the step expects is an answer, not a failure.
        ("statuses = [409]", 409, 1),
    ] {
        let body = r#"{"code":"sold_out"}"#;
        let server = Server::start(move |_| Reply::Status(status, body.to_owned()));
        let phases = vec![phase("only", 0.2, 50.0), phase("rest", 0.5, 0.0)];
        let outcome = run(&options(plan(&persistent(retry)), server.target(), phases));
        let total = &outcome.summary.whole.total;
        assert_eq!(total.attempted, 10 * attempts, "{retry}, {status}");
        assert_eq!(
            total.failed,
            if status == 409 { 0 } else { total.attempted }
        );
        assert_eq!(outcome.summary.sessions.count, 10);
    }
}

#[test]
fn nothing_is_tried_again_unless_the_plan_says_so() {
    let server = Server::start(|request| match request.number % 2 {
        0 => Reply::Status(503, String::new()),
        _ => Reply::Close,
    });
    let outcome = run(&options(
        plan(POST),
        server.target(),
        vec![phase("only", 0.5, 40.0)],
    ));
    assert_eq!(outcome.summary.whole.total.attempted, 20);
    assert_eq!(server.log().requests.len(), 20);
}

#[test]
fn retry_after_is_honoured_up_to_its_bound() {
    for (asked, least) in [("0", 20), ("1", 220), ("3600", 220), ("soon", 20)] {
        let seen = std::sync::Mutex::default();
        let answer = format!("HTTP/1.1 503 X\r\nRetry-After: {asked}\r\nContent-Length: 0\r\n\r\n");
        let server =
            Server::start(
                move |request| match nth(&seen, request.key.as_ref().unwrap()) {
                    1 => Reply::Raw(answer.clone().into_bytes()),
                    _ => Reply::Status(201, r#"{"order_id":7,"total":1.50}"#.to_owned()),
                },
            );
        let text = persistent("statuses = [503]\nretry_after_max_s = 0.2");
        let phases = vec![phase("only", 0.2, 50.0), phase("rest", 0.8, 0.0)];
        let (outcome, directory) = run_kept(options(plan(&text), server.target(), phases));
        assert_eq!(outcome.summary.whole.total.succeeded, 10, "{asked}");
        let lines = ledger(directory.path());
        for first in lines.iter().filter(|line| line["attempt"] == 1) {
            let second = lines
                .iter()
                .find(|line| line["attempt"] == 2 && line["key"] == first["key"])
                .unwrap();
            let pause = second["planned"].as_i64().unwrap() - first["end"].as_i64().unwrap();
            let range = least * 1_000..=(least + 40) * 1_000;
            assert!(range.contains(&pause), "{asked}: {pause} µs");
        }
    }
}

#[test]
fn what_never_reached_the_shop_is_tried_again_too() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let target = double11_load::transport::Target::parse(&url).unwrap();
    let phases = vec![phase("only", 0.2, 50.0), phase("rest", 0.5, 0.0)];
    let (outcome, directory) = run_kept(options(
        plan(&persistent("transport = true")),
        target,
        phases,
    ));
    assert_eq!(failures(&outcome), [("connect".to_owned(), 30)]);
    assert_eq!(ledger(directory.path()).len(), 0, "nothing was sent");
}

#[test]
fn virtual_users_try_again_and_go_on() {
    let server = Server::start(|request| match request.number % 3 {
        0 => Reply::Status(201, r#"{"order_id":7,"total":1.50}"#.to_owned()),
        _ => Reply::Status(503, String::new()),
    });
    let mut only = phase("only", 1.0, 0.0);
    only.rate = None;
    let mut options = options(
        plan(&persistent("statuses = [503]")),
        server.target(),
        vec![only],
    );
    options.model = LoadModel::Closed { users: 4 };
    options.request_timeout = Duration::from_secs(1);
    let outcome = run(&options);
    let total = &outcome.summary.whole.total;
    assert!(
        total.succeeded > 20 && total.failed > total.succeeded,
        "{total:?}"
    );
    assert_eq!(server.busy_max().min(4), server.busy_max());
    // Each user's last visit may be cut short by the end.
    assert!(outcome.visits_cut <= 4, "{}", outcome.visits_cut);
    assert!(outcome.summary.sessions.count >= total.succeeded);
}
