//! The client ledger against what the server saw.

use std::collections::HashMap;
use std::time::Duration;

use double11_load::plan::Plan;

use crate::support::*;

#[test]
fn every_line_tells_what_became_of_a_write() {
    let server = Server::start(|request| match request.number % 6 {
        0 => Reply::Status(
            201,
            format!(r#"{{"order_id":{},"total":398.10}}"#, request.number),
        ),
        1 => Reply::Status(409, r#"{"code":"sold_out"}"#.to_owned()),
        2 => Reply::Status(503, r#"{"code":"overloaded"}"#.to_owned()),
        3 => Reply::Status(500, "oops".to_owned()),
        4 => Reply::Close,
        _ => Reply::Hang,
    });
    let mut options = options(
        plan(POST),
        server.target(),
        vec![phase("peak_20x", 1.0, 60.0)],
    );
    options.request_timeout = Duration::from_millis(500);
    let (outcome, directory) = run_kept(options);
    let counts = (
        outcome.writes_acknowledged,
        outcome.writes_refused,
        outcome.writes_unknown,
    );
    assert_eq!(counts, (10, 20, 30));
    let lines: HashMap<String, serde_json::Value> = ledger(directory.path())
        .into_iter()
        .map(|line| (line["key"].as_str().unwrap().to_owned(), line))
        .collect();
    let log = server.log();
    assert_eq!((lines.len(), log.requests.len()), (60, 60));
    for request in &log.requests {
        let line = &lines[request.key.as_ref().unwrap()];
        let expected = match request.number % 6 {
            0 => ("acknowledged", Some(201), None),
            1 => ("refused", Some(409), Some("sold_out")),
            2 => ("refused", Some(503), Some("overloaded")),
            3 => ("unknown", Some(500), None),
            _ => ("unknown", None, None),
        };
        let seen = (
            line["outcome"].as_str().unwrap(),
            line["status"].as_u64(),
            line["code"].as_str(),
        );
        assert_eq!(seen, expected, "{line}");
        assert_eq!(line["request"].to_string(), request.body);
        let answer = match request.number % 6 {
            0 => serde_json::json!({"order_id": request.number.to_string(), "total": "398.10"}),
            _ => serde_json::Value::Null,
        };
        assert_eq!(line["answer"], answer);
        assert_eq!(
            (&line["kind"], &line["phase"]),
            (&"order".into(), &"peak_20x".into())
        );
        assert_eq!(line["attempt"], 1);
        let instants: Vec<i64> = ["planned", "sent", "end"]
            .iter()
            .map(|name| line[name].as_i64().unwrap())
            .collect();
        assert!(
            instants.is_sorted() && instants[0] > 1_700_000_000_000_000,
            "{instants:?}"
        );
    }
}

#[test]
fn what_was_never_sent_is_not_in_the_ledger() {
    let server = Server::start(|_| Reply::Hang);
    let mut options = options(plan(POST), server.target(), vec![phase("only", 0.5, 40.0)]);
    options.connections = 1;
    options.max_in_flight = 3;
    options.request_timeout = Duration::from_millis(300);
    let (outcome, directory) = run_kept(options);
    let sent = server.log().requests.len();
    assert!(sent < 5 && outcome.summary.whole.total.failed == 20);
    assert_eq!(ledger(directory.path()).len(), sent);
    assert_eq!(outcome.writes_unknown, u64::try_from(sent).unwrap());
}

#[test]
fn a_payment_sends_the_very_digits_of_the_total() {
    let server = Server::start(|request| match request.path.as_str() {
        "/api/orders" => Reply::Status(
            201,
            format!(
                r#"{{"order_id":"{}","total":1234567890.10}}"#,
                request.number
            ),
        ),
        "/api/payments" => {
            Reply::Status(201, r#"{"payment_id":"8","status":"captured"}"#.to_owned())
        }
        "/api/cart" => Reply::Status(201, r#"{"cart_id":"9"}"#.to_owned()),
        _ => Reply::Status(200, "{}".to_owned()),
    });
    let plan = Plan::built_in("funnel", &[]).unwrap();
    let mut options = options(plan, server.target(), vec![phase("only", 1.0, 100.0)]);
    options.phases[0].peak = true;
    let (outcome, directory) = run_kept(options);
    assert_eq!(outcome.summary.whole.total.failed, 0);
    let log = server.log();
    let payments: Vec<&Received> = log
        .requests
        .iter()
        .filter(|request| request.path == "/api/payments")
        .collect();
    assert!(payments.len() >= 5, "{}", payments.len());
    for payment in &payments {
        assert!(
            payment.body.ends_with(r#""amount":1234567890.10}"#),
            "{}",
            payment.body
        );
    }
    let lines = ledger(directory.path());
    let paid = lines
        .iter()
        .filter(|line| line["kind"] == "payment")
        .count();
    assert_eq!(paid, payments.len());
    let steps = &outcome.summary.whole.steps;
    let attempted = |name: &str| {
        steps
            .iter()
            .find(|step| step.step == name)
            .map_or(0, |step| step.attempted)
    };
    assert_eq!(attempted("payment"), u64::try_from(paid).unwrap());
    assert_eq!(attempted("visit"), 0);
    // The end of the run may cut the last visit short.
    assert_eq!(outcome.summary.sessions.count + outcome.visits_cut, 100);
}

#[test]
fn a_delayed_step_starts_after_its_delay_and_may_be_refused() {
    let text = POST.to_owned()
        + r#"
[[step]]
name = "payment"
weight = 1
within = "order"
[step.request]
method = "POST"
path = "/api/payments"
body = '{"order_id": ${order_id}, "amount": ${total}}'
success = [201]
write = "payment"
[step.delayed]
share = 0.5
min_s = 0.2
max_s = 0.3
expected_refusals = [{ status = 409, code = "order_closed" }]
"#;
    let server = Server::start(|request| match request.path.as_str() {
        "/api/orders" => Reply::Status(
            201,
            format!(r#"{{"order_id":{},"total":1.00}}"#, request.number),
        ),
        _ => Reply::Status(409, r#"{"code":"order_closed"}"#.to_owned()),
    });
    let phases = vec![phase("only", 1.0, 100.0), phase("rest", 0.5, 0.0)];
    let options = options(plan(&text), server.target(), phases);
    let (outcome, directory) = run_kept(options);
    let payments = &outcome.summary.whole.steps[1];
    assert_eq!(payments.attempted, 100);
    assert!(
        (30..=70).contains(&payments.expected_refusals),
        "{payments:?}"
    );
    assert_eq!(payments.failed, 100 - payments.expected_refusals);
    let lines = ledger(directory.path());
    let micros = |line: &serde_json::Value, name: &str| line[name].as_i64().unwrap();
    let ends: HashMap<String, i64> = lines
        .iter()
        .filter(|line| line["kind"] == "order")
        .map(|line| {
            (
                line["answer"]["order_id"].as_str().unwrap().to_owned(),
                micros(line, "end"),
            )
        })
        .collect();
    let mut delayed = 0;
    for line in lines.iter().filter(|line| line["kind"] == "payment") {
        let pause = micros(line, "planned") - ends[&line["request"]["order_id"].to_string()];
        assert!(
            pause == 0 || (200_000..=300_000).contains(&pause),
            "{pause} µs"
        );
        delayed += u64::from(pause > 0);
        assert_eq!(line["outcome"], "refused");
    }
    assert_eq!(delayed, payments.expected_refusals);
}
