//! What happens when there is too little of something: room in flight, connections, time.

use std::time::Duration;

use double11_load::LoadModel;
use double11_load::schedule::Spread;
use double11_load::{LoadError, StopHandle};

use crate::support::*;

#[test]
fn starts_beyond_the_room_in_flight_are_dropped_and_failed() {
    let server = Server::start(|_| Reply::After(Duration::from_millis(400), 200, String::new()));
    let mut options = options(plan(GET), server.target(), vec![phase("only", 1.0, 100.0)]);
    options.connections = 2;
    options.max_in_flight = 5;
    let (outcome, directory) = run_kept(options);
    let total = &outcome.summary.whole.total;
    assert_eq!(total.attempted, 100, "every planned start is counted");
    assert!(total.dropped >= 80, "{} dropped", total.dropped);
    assert_eq!(total.failed, total.dropped);
    assert_eq!(total.succeeded + total.dropped, 100);
    assert_eq!(failures(&outcome), [("dropped".to_owned(), total.dropped)]);
    assert!(server.busy_max() <= 2);
    let sent = u64::try_from(server.log().requests.len()).unwrap();
    assert_eq!(sent, total.succeeded, "a dropped start is never sent");
    let rows = rows(&directory.path().join("samples.jtl"));
    let dropped = rows
        .iter()
        .filter(|row| row.3 == "Non HTTP response code: dropped")
        .count();
    assert_eq!(
        (rows.len(), u64::try_from(dropped).unwrap()),
        (100, total.dropped)
    );
}

#[test]
fn what_waits_for_a_connection_is_late_and_measured_from_its_plan() {
    let server = Server::start(|_| Reply::After(Duration::from_millis(50), 200, String::new()));
    let mut options = options(plan(GET), server.target(), vec![phase("only", 0.2, 100.0)]);
    options.connections = 1;
    let outcome = run(&options);
    let total = &outcome.summary.whole.total;
    // 20 starts, each 50 ms on the one connection: the last ends at 1.0 s, planned at 0.195 s.
    assert_eq!((total.attempted, total.succeeded, total.late), (20, 20, 19));
    let worst = total.response_time.max_ms.unwrap();
    assert!((800.0..1_200.0).contains(&worst), "{worst}");
    assert!(total.service_time.p50_ms.unwrap() < 100.0);
}

#[test]
fn no_answer_is_a_time_out() {
    let server = Server::start(|_| Reply::Hang);
    let mut options = options(plan(GET), server.target(), vec![phase("only", 0.5, 40.0)]);
    options.request_timeout = Duration::from_millis(250);
    let since = now();
    let outcome = run(&options);
    assert!(
        since.elapsed() < Duration::from_secs(2),
        "the drain is over after the time-out"
    );
    let total = &outcome.summary.whole.total;
    assert_eq!(failures(&outcome), [("time-out".to_owned(), 20)]);
    let p50 = total.service_time.p50_ms.unwrap();
    assert!((250.0..400.0).contains(&p50), "{p50}");
    assert!(total.verdict_p95_is_lower_bound);
}

#[test]
fn a_start_that_waits_as_long_as_a_request_may_take_is_given_up() {
    let server = Server::start(|_| Reply::Hang);
    let mut options = options(plan(GET), server.target(), vec![phase("only", 0.5, 40.0)]);
    options.request_timeout = Duration::from_millis(300);
    options.connections = 1;
    let outcome = run(&options);
    let total = &outcome.summary.whole.total;
    assert_eq!(failures(&outcome), [("time-out".to_owned(), 20)]);
    let sent = u64::try_from(server.log().requests.len()).unwrap();
    assert!(sent <= 3, "{sent} sent");
    assert_eq!(total.service_time.count, sent);
    assert!(total.never_sent >= 17);
}

#[test]
fn a_closed_port_fails_every_start_or_refuses_the_run() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let target = double11_load::transport::Target::parse(&url).unwrap();
    let mut options = options(plan(GET), target, vec![phase("only", 0.2, 100.0)]);
    let outcome = run(&options);
    assert_eq!(failures(&outcome), [("connect".to_owned(), 20)]);
    options.require_reachable = true;
    let error = double11_load::run(&options, &StopHandle::new(), &mut |_| {}).unwrap_err();
    assert!(matches!(error, LoadError::Target(_)), "{error}");
    assert!(error.to_string().contains("cannot be reached"), "{error}");
}

#[test]
fn a_connection_that_never_opens_is_given_up() {
    // A listener whose backlog is full does not answer further connections.
    let listener =
        socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
    listener.bind(&any.into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let held: Vec<_> = (0..4)
        .map(|_| std::net::TcpStream::connect_timeout(&address, Duration::from_millis(100)))
        .collect();
    let target = double11_load::transport::Target::parse(&format!("http://{address}")).unwrap();
    let mut options = options(plan(GET), target, vec![phase("only", 0.1, 50.0)]);
    options.connect_timeout = Duration::from_millis(200);
    let outcome = run(&options);
    assert_eq!(failures(&outcome), [("connect".to_owned(), 5)]);
    let p50 = outcome.summary.whole.total.service_time.p50_ms.unwrap();
    assert!((200.0..400.0).contains(&p50), "{p50}");
    drop(held);
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let target = || double11_load::transport::Target::parse("http://127.0.0.1:1").unwrap();
    let base = || options(plan(GET), target(), vec![phase("only", 1.0, 1.0)]);
    let check = |change: &dyn Fn(&mut double11_load::RunOptions), expected: &str| {
        let mut options = base();
        change(&mut options);
        let error = double11_load::run(&options, &StopHandle::new(), &mut |_| {}).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    check(&|options| options.connections = 0, "`connections`");
    check(&|options| options.max_in_flight = 0, "`max_in_flight`");
    check(&|options| options.threads = Some(0), "`threads`");
    check(
        &|options| options.request_timeout = Duration::ZERO,
        "`request_timeout`",
    );
    check(&|options| options.phases.clear(), "`phases`");
    check(
        &|options| options.phases[0].rate = None,
        "needs an arrival rate",
    );
    check(
        &|options| options.phases[0].name = "../x".to_owned(),
        "a name of its own",
    );
    check(
        &|options| options.phases[0].samples_file = Some("a/b".to_owned()),
        "sample file",
    );
    check(
        &|options| options.phases.push(phase("only", 1.0, 1.0)),
        "a name of its own",
    );
    check(
        &|options| options.model = LoadModel::Closed { users: 2 },
        "no arrival rate",
    );
    check(
        &|options| options.connections = 100_000_000,
        "descriptors are needed",
    );
    check(
        &|options| options.phases = vec![phase("nan", 1.0, f64::NAN)],
        "a rate is",
    );
    check(
        &|options| options.pin_to = vec![100_000],
        "the operating system refused",
    );
}

#[test]
fn a_run_stops_when_it_is_asked_to_and_keeps_what_it_has() {
    let server = Server::start(|_| Reply::Status(200, String::new()));
    let mut options = options(plan(GET), server.target(), vec![phase("long", 60.0, 100.0)]);
    options.model = LoadModel::Open {
        spread: Spread::Poisson,
    };
    options.threads = Some(2);
    let stop = StopHandle::new();
    let since = now();
    let mut observed = Vec::new();
    let outcome = double11_load::run(&options, &stop, &mut |observation| {
        observed.push(observation.clone());
        stop.stop();
    })
    .unwrap();
    assert!(since.elapsed() < Duration::from_secs(5));
    assert_eq!(outcome.ending, double11_load::Ending::Stopped);
    assert!((0.9..2.0).contains(&outcome.duration.as_secs_f64()));
    let total = &outcome.summary.whole.total;
    assert!((60..200).contains(&total.attempted), "{}", total.attempted);
    assert_eq!(observed.len(), 1);
    assert!(observed[0].progress.attempted > 0);
    assert_eq!(observed[0].planned_end, Duration::from_mins(1));
    assert!((observed[0].offered_per_second.unwrap() - 100.0).abs() < 1e-9);
    let steps = &observed[0].visits.steps;
    assert_eq!(steps.len(), 1);
    assert!(steps[0].attempted > 0 && steps[0].failed == 0, "{steps:?}");
}

#[test]
fn a_pinned_run_stays_on_its_processors_and_gives_the_caller_its_own_back() {
    let before = rustix::thread::sched_getaffinity(None).unwrap();
    let first = (0..1_024)
        .find(|processor| before.is_set(*processor))
        .unwrap();
    let server = Server::start(|_| Reply::Status(200, String::new()));
    let mut options = options(plan(GET), server.target(), vec![phase("only", 0.2, 50.0)]);
    options.threads = None;
    options.pin_to = vec![first];
    let outcome = run(&options);
    assert_eq!((outcome.health.threads, outcome.health.processors), (1, 1));
    assert_eq!(outcome.summary.whole.total.succeeded, 10);
    let after = rustix::thread::sched_getaffinity(None).unwrap();
    assert_eq!(after.count(), before.count());
}
