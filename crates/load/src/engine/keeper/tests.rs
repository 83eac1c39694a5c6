//! Tests of runs that another engine makes.

use double11_measure::sample::{Outcome, PhaseId};

use super::*;
use crate::plan::Write;
use crate::run_directory::{LEDGER, RUN, SUMMARY, TIME_SERIES};

fn phase(name: &str, seconds: u64, measured: bool) -> Phase {
    Phase {
        name: name.to_owned(),
        duration: Duration::from_secs(seconds),
        rate: None,
        peak: measured,
        measured,
        samples_file: None,
    }
}

fn run() -> KeptRun {
    KeptRun {
        plan: PlanFacts {
            name: "Peak".to_owned(),
            hash: "1234".to_owned(),
            ..PlanFacts::default()
        },
        seed: 7,
        target: "http://127.0.0.1:8080".to_owned(),
        users: 3,
        has_arrivals: false,
        phases: vec![phase("ramp", 2, false), phase("steady", 8, true)],
        threads: 1,
        pin_to: Vec::new(),
        request_timeout: Duration::from_secs(5),
        connect_timeout: Duration::from_secs(2),
        samples: "all".to_owned(),
        about: RunAbout::default(),
    }
}

fn sample(start_ms: u64, elapsed_ms: u64) -> Sample {
    let start = Duration::from_millis(start_ms);
    Sample {
        step: StepId(0),
        phase: PhaseId(0),
        thread: 0,
        shopper: 1,
        planned: start,
        sent: Some(start),
        first_byte: Some(start),
        connect: None,
        end: start + Duration::from_millis(elapsed_ms),
        outcome: Outcome::Success,
        status: Some(200),
        bytes_received: 1,
        bytes_sent: 1,
        late: false,
        in_flight: 1,
    }
}

fn write(kind: Write, status: Option<u16>, request: &str, answer: &str) -> KeptWrite {
    KeptWrite {
        kind,
        step: "Place_Order".into(),
        key: Some("k-1".to_owned()),
        sent: Duration::from_secs(3),
        end: Duration::from_secs(4),
        status,
        request: request.into(),
        answer: answer.into(),
    }
}

#[test]
fn a_run_of_another_engine_leaves_the_files_of_every_run() {
    let parent = tempfile::tempdir().unwrap();
    let directory = RunDirectory::create(&parent.path().join("run"), false).unwrap();
    let mut keeper = RunKeeper::create(run(), Some(directory), RunClock::start()).unwrap();
    keeper.take("before", sample(0, 1));
    assert_eq!(keeper.observe(), None, "nothing is counted yet");
    keeper.begin(&run().phases);
    keeper.take("Browse", sample(1_000, 5));
    keeper.take("Browse", sample(3_000, 5));
    keeper.take("Place_Order", sample(4_000, 20));
    let order = r#"{"order_id":"9","total":398.00,"items":[]}"#;
    keeper.take_write(&write(
        Write::Order,
        Some(201),
        "{\"user_id\":\n\"u1\"}",
        order,
    ));
    let page = AskedPath {
        method: "GET".to_owned(),
        path: "/api/products/random".to_owned(),
    };
    let asked = BTreeMap::from([("Browse".to_owned(), page.clone())]);
    let outcome = keeper.finish((Duration::from_secs(10), false), asked, None);
    assert_eq!(outcome.ending, Ending::Complete);
    let steady = outcome.summary.phase("steady").unwrap();
    let attempted: Vec<_> = steady
        .steps
        .iter()
        .map(|step| (step.step.as_str(), step.attempted))
        .collect();
    assert_eq!(attempted, [("Browse", 1), ("Place_Order", 1)]);
    assert_eq!(
        outcome.summary.whole.total.attempted, 2,
        "the ramp is left out"
    );
    assert_eq!(outcome.writes, [("Place_Order".to_owned(), Write::Order)]);
    let folder = parent.path().join("run");
    for name in [SUMMARY, TIME_SERIES, RUN] {
        assert!(folder.join(name).is_file(), "{name}");
    }
    let manifest = super::super::read_manifest(&folder).unwrap();
    assert_eq!(
        (manifest.model.as_str(), manifest.users),
        ("closed", Some(3))
    );
    assert_eq!(manifest.plan.steps, ["Browse", "Place_Order"]);
    assert_eq!(manifest.plan.writes["Place_Order"], Write::Order);
    assert_eq!(manifest.plan.asked["Browse"], page);
    let ledger = std::fs::read_to_string(folder.join(LEDGER)).unwrap();
    let lines: Vec<&str> = ledger.lines().collect();
    assert_eq!(lines.len(), 2, "{ledger}");
    let line: serde_json::Value = serde_json::from_str(lines[1]).unwrap();
    assert_eq!(line["phase"], "steady");
    assert_eq!(line["request"]["user_id"], "u1");
    assert_eq!(
        line["answer"],
        serde_json::json!({"order_id": "9", "total": "398.00"})
    );
}

#[test]
fn what_became_of_a_write_is_told_by_its_status() {
    let check = |status, answer: &str, expected: &str, code: Option<&str>| {
        let mut out = Vec::new();
        let write = write(Write::Payment, status, "no JSON", answer);
        write.line(None, &RunClock::start(), &mut out);
        let line: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(line["outcome"], expected, "{status:?} {answer}");
        assert_eq!(line["code"].as_str(), code, "{status:?} {answer}");
        assert!(line["request"].is_null());
        assert_eq!(line["answer"].is_null(), expected != "acknowledged");
    };
    check(Some(201), r#"{"payment_id":"1"}"#, "acknowledged", None);
    check(Some(200), "no JSON", "acknowledged", None);
    check(Some(202), r#"{"status":"processing"}"#, "unknown", None);
    check(
        Some(409),
        r#"{"code":"sold_out"}"#,
        "refused",
        Some("sold_out"),
    );
    check(
        Some(503),
        r#"{"code":"overloaded"}"#,
        "refused",
        Some("overloaded"),
    );
    check(Some(503), "", "unknown", None);
    check(Some(500), "", "unknown", None);
    check(None, "", "unknown", None);
}

#[test]
fn more_steps_than_can_be_told_apart_are_counted_together() {
    let mut keeper = RunKeeper::create(run(), None, RunClock::start()).unwrap();
    keeper.begin(&run().phases);
    for number in 0..=STEPS_MAX + 1 {
        keeper.take(&format!("step {number}"), sample(3_000, 1));
    }
    let outcome = keeper.finish((Duration::from_secs(10), true), BTreeMap::new(), None);
    assert_eq!(outcome.ending, Ending::Stopped);
    let steps = &outcome.summary.whole.steps;
    assert_eq!(steps.len(), STEPS_MAX + 1);
    let last = steps.last().unwrap();
    assert_eq!((last.step.as_str(), last.attempted), (OTHER_STEPS, 2));
}
