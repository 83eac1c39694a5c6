//! Tests of plans as runs of the load engine's kind.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use double11_load::Ending;
use double11_load::engine::read_manifest;
use double11_load::run_directory::{LEDGER, RUN, SUMMARY, TIME_SERIES};

use super::*;

/// A plan of one group whose users ask for a page and place an order, in a parent transaction.
fn plan_file(folder: &Path, class: &str, group: &str) -> PathBuf {
    let sampler = |name: &str, method: &str, path: &str, body: &str| {
        let body = if body.is_empty() {
            String::new()
        } else {
            format!(
                r#"<boolProp name="HTTPSampler.postBodyRaw">true</boolProp>
                <elementProp name="HTTPsampler.Arguments" elementType="Arguments">
                <collectionProp name="Arguments.arguments"><elementProp name="" elementType="HTTPArgument">
                <stringProp name="Argument.value">{body}</stringProp></elementProp></collectionProp>
                </elementProp>"#
            )
        };
        format!(
            r#"<HTTPSamplerProxy testname="{name}"><stringProp name="HTTPSampler.domain">plan.example</stringProp>
            <stringProp name="HTTPSampler.path">{path}</stringProp>
            <stringProp name="HTTPSampler.method">{method}</stringProp>{body}</HTTPSamplerProxy><hashTree/>"#
        )
    };
    let text = format!(
        r#"<jmeterTestPlan version="1.2"><hashTree><TestPlan testname="Sale"/><hashTree>
        <{class} testname="Users">
        <elementProp name="ThreadGroup.main_controller" elementType="LoopController">
        <stringProp name="LoopController.loops">${{__P(loops,-1)}}</stringProp></elementProp>
        <stringProp name="ThreadGroup.num_threads">${{__P(users,2)}}</stringProp>
        <stringProp name="ThreadGroup.ramp_time">${{__P(ramp,0)}}</stringProp>{group}</{class}>
        <hashTree>
        <ConstantTimer testname="Think"><stringProp name="ConstantTimer.delay">5</stringProp></ConstantTimer><hashTree/>
        <TransactionController testname="Session">
        <boolProp name="TransactionController.parent">true</boolProp></TransactionController><hashTree>
        {}{}</hashTree></hashTree></hashTree></hashTree></jmeterTestPlan>"#,
        sampler("Browse", "GET", "/api/products/random", ""),
        sampler(
            "Buy",
            "POST",
            "/api/orders",
            "{&quot;user_id&quot;:\n&quot;u&quot;}"
        ),
    );
    let path = folder.join("plan.jmx");
    std::fs::write(&path, text).unwrap();
    path
}

fn settings(properties: &[(&str, &str)], duration: Option<Duration>) -> PlanSettings {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    PlanSettings {
        properties: properties.iter().map(owned).collect(),
        environment: HashMap::new(),
        duration,
    }
}

/// A server that answers every order with the next number, and everything else with a page.
fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = move || {
        let orders = Arc::new(std::sync::atomic::AtomicU32::new(0));
        for stream in listener.incoming() {
            let (Ok(mut stream), orders) = (stream, Arc::clone(&orders)) else {
                return;
            };
            std::thread::spawn(move || {
                let mut bytes = [0; 4_096];
                while let Ok(1..) = stream.read(&mut bytes) {
                    let (status, body) = if bytes.starts_with(b"POST") {
                        let order = orders.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        let body = format!(r#"{{"order_id":"{order}","total":9.90}}"#);
                        ("201 Created", body)
                    } else {
                        ("200 OK", "page".to_owned())
                    };
                    let length = body.len();
                    let answer =
                        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}");
                    if stream.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    };
    std::thread::spawn(serve);
    format!("http://{address}")
}

fn options(target: String, output: Option<RunDirectory>) -> MeasuredOptions {
    MeasuredOptions {
        target,
        seed: 7,
        workers: Some(1),
        pin_to: Vec::new(),
        request_timeout: Duration::from_secs(5),
        keeps_samples: true,
        output,
        about: RunAbout::default(),
    }
}

#[test]
fn a_plan_leaves_the_run_directory_of_every_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = plan_file(folder.path(), "ThreadGroup", "");
    let plan = MeasuredPlan::read(&path, settings(&[("loops", "20")], None)).unwrap();
    assert_eq!(
        (plan.name(), plan.users(), plan.length()),
        ("Sale", 2, None)
    );
    let out = folder.path().join("run");
    let directory = RunDirectory::create(&out, false).unwrap();
    let mut seen = 0;
    let outcome = run(
        &plan,
        options(server(), Some(directory)),
        &StopHandle::new(),
        &mut |_| seen += 1,
    )
    .unwrap();
    assert_eq!(outcome.ending, Ending::Complete);
    let steady = outcome.summary.phase("steady").unwrap();
    let counts: Vec<_> = steady
        .steps
        .iter()
        .map(|step| (step.step.as_str(), step.attempted, step.failed))
        .collect();
    assert_eq!(counts, [("Browse", 40, 0), ("Buy", 40, 0)]);
    assert!(steady.duration_s < 60.0, "as long as it lasted");
    assert_eq!(
        (outcome.writes_acknowledged, outcome.writes_unknown),
        (40, 0)
    );
    for name in [RUN, SUMMARY, TIME_SERIES, PLAN_LOG] {
        assert!(out.join(name).is_file(), "{name}");
    }
    let rows = std::fs::read_to_string(out.join(SAMPLES)).unwrap();
    let header_transactions_and_parts = 1 + 40 + 80;
    assert_eq!(
        rows.lines().count(),
        header_transactions_and_parts,
        "{rows}"
    );
    let ledger = std::fs::read_to_string(out.join(LEDGER)).unwrap();
    let orders = ledger.matches(r#""outcome":"acknowledged""#).count();
    assert_eq!((ledger.lines().count(), orders), (41, 40), "{ledger}");
    assert!(ledger.contains(r#""answer":{"order_id":"39","total":"9.90"}"#));
    assert!(ledger.contains(r#""step":"Buy""#));
    let manifest = read_manifest(&out).unwrap();
    assert_eq!(
        (manifest.plan.name.as_str(), manifest.users),
        ("Sale", Some(2))
    );
    assert_eq!(manifest.plan.hash, plan.hash());
}

#[test]
fn a_plan_without_an_end_is_bounded_from_outside_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = plan_file(folder.path(), "ThreadGroup", "");
    let refused = MeasuredPlan::read(&path, settings(&[], None)).unwrap_err();
    assert!(
        matches!(&refused, RefusedPlan::Endless { groups, .. } if groups == &["Users"]),
        "{refused}"
    );
    let bound = Duration::from_millis(1_200);
    let bounded = settings(&[("ramp", "1")], Some(bound));
    let plan = MeasuredPlan::read(&path, bounded).unwrap();
    let phases: Vec<_> = plan
        .phases()
        .iter()
        .map(|phase| {
            (
                phase.name.as_str(),
                phase.measured,
                phase.duration.as_millis(),
            )
        })
        .collect();
    assert_eq!(phases, [("ramp", false, 500), ("steady", true, 700)]);
    let outcome = run(
        &plan,
        options(server(), None),
        &StopHandle::new(),
        &mut |_| {},
    )
    .unwrap();
    assert_eq!(outcome.ending, Ending::Complete);
    assert!(
        outcome.duration < Duration::from_secs(20),
        "{:?}",
        outcome.duration
    );
    assert!(outcome.summary.phase("ramp").unwrap().total.attempted > 0);
    assert!(outcome.summary.whole.total.attempted > 0);
}

/// Groups of arrivals make users as they need them, and a bound from outside ends them too.
#[test]
fn arrivals_are_measured_and_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let class = "com.blazemeter.jmeter.threads.arrivals.ArrivalsThreadGroup";
    let rate = r#"<stringProp name="TargetLevel">50</stringProp><stringProp name="Unit">S</stringProp>
        <stringProp name="RampUp">0</stringProp><stringProp name="Hold">3600</stringProp>"#;
    let path = plan_file(folder.path(), class, rate);
    let second = Duration::from_secs(1);
    let whole = MeasuredPlan::read(&path, settings(&[], None)).unwrap();
    assert_eq!(whole.length(), Some(3_600 * second));
    let plan = MeasuredPlan::read(&path, settings(&[], Some(second))).unwrap();
    assert_eq!((plan.length(), plan.has_arrivals()), (Some(second), true));
    let out = folder.path().join("run");
    let directory = RunDirectory::create(&out, false).unwrap();
    let options = options(server(), Some(directory));
    let outcome = run(&plan, options, &StopHandle::new(), &mut |_| {}).unwrap();
    assert_eq!(outcome.ending, Ending::Complete);
    let steps = &outcome.summary.whole.steps;
    for label in ["Browse", "Buy"] {
        let step = steps.iter().find(|step| step.step == label).unwrap();
        assert!((49..=51).contains(&step.attempted), "{}", step.attempted);
    }
    let facts = std::fs::read_to_string(out.join("run.json")).unwrap();
    assert!(facts.contains(r#""model": "arrivals""#), "{facts}");
}

#[test]
fn a_run_can_be_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let path = plan_file(folder.path(), "ThreadGroup", "");
    let bounded = settings(&[], Some(Duration::from_mins(10)));
    let plan = MeasuredPlan::read(&path, bounded).unwrap();
    let stop = StopHandle::new();
    let from_within = stop.clone();
    let outcome = run(&plan, options(server(), None), &stop, &mut |_| {
        from_within.stop();
    })
    .unwrap();
    assert_eq!(outcome.ending, Ending::Stopped);
    assert!(outcome.duration < Duration::from_mins(1));
}

#[test]
fn plans_that_cannot_be_run_as_they_say_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |class: &str, properties: &[(&str, &str)]| {
        let path = plan_file(folder.path(), class, "");
        MeasuredPlan::read(&path, settings(properties, None)).unwrap_err()
    };
    let text = refused("com.example.OwnThreadGroup", &[]).to_string();
    assert!(
        text.contains("cannot be run as it says:\n  line "),
        "{text}"
    );
    let none = refused("ThreadGroup", &[("users", "0"), ("loops", "1")]);
    assert!(matches!(none, RefusedPlan::NoUsers { .. }), "{none}");
    let number = refused("ThreadGroup", &[("users", "many"), ("loops", "1")]);
    assert!(matches!(number, RefusedPlan::Engine(_)), "{number}");
    let missing = MeasuredPlan::read(&folder.path().join("no.jmx"), settings(&[], None));
    assert!(matches!(missing, Err(RefusedPlan::Open(_))));
}

#[test]
fn all_that_decides_what_a_plan_does_is_in_its_hash() {
    let folder = tempfile::tempdir().unwrap();
    let path = plan_file(folder.path(), "ThreadGroup", "");
    let hash = |properties: &[(&str, &str)], seconds| {
        let bound = Some(Duration::from_secs(seconds));
        let plan = MeasuredPlan::read(&path, settings(properties, bound)).unwrap();
        plan.hash().to_owned()
    };
    let first = hash(&[("users", "3")], 5);
    assert_eq!(first, hash(&[("users", "3")], 5));
    assert_ne!(first, hash(&[("users", "4")], 5));
    assert_ne!(first, hash(&[("users", "3")], 6));
    std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + "\n").unwrap();
    assert_ne!(first, hash(&[("users", "3")], 5));
}
