//! Virtual users.

use std::time::Duration;

use double11_load::LoadModel;
use double11_load::transport::Target;

use crate::support::*;

#[test]
fn users_never_have_more_in_flight_than_they_are() {
    for threads in [1, 2] {
        let server = Server::start(|_| Reply::After(Duration::from_millis(5), 200, String::new()));
        let mut only = phase("only", 1.0, 0.0);
        only.rate = None;
        let mut options = options(plan(GET), server.target(), vec![only]);
        options.model = LoadModel::Closed { users: 7 };
        options.threads = Some(threads);
        options.connections = 7;
        let outcome = run(&options);
        let total = &outcome.summary.whole.total;
        assert_eq!((total.failed, total.late), (0, 0));
        assert_eq!(server.busy_max(), 7);
        assert_eq!(server.connections(), 7);
        // 7 users, 5 ms a request, one second.
        assert!(
            (300..=1_400).contains(&total.attempted),
            "{}",
            total.attempted
        );
        assert_eq!(outcome.summary.sessions.count, total.attempted);
        let difference = total.response_time.p50_ms.unwrap() - total.service_time.p50_ms.unwrap();
        assert!(
            difference.abs() < 0.1,
            "planned is sent: {difference} ms apart"
        );
    }
}

#[test]
fn users_who_share_connections_are_late_and_measured_from_their_planned_instants() {
    let server = Server::start(|_| Reply::After(Duration::from_millis(20), 200, String::new()));
    let mut only = phase("only", 1.0, 0.0);
    only.rate = None;
    let mut options = options(plan(GET), server.target(), vec![only]);
    options.model = LoadModel::Closed { users: 6 };
    options.threads = Some(1);
    options.connections = 2;
    let outcome = run(&options);
    let total = &outcome.summary.whole.total;
    assert_eq!((server.connections(), server.busy_max()), (2, 2));
    assert_eq!(total.failed, 0);
    assert!(total.late > total.attempted / 2, "{total:?}");
    let waited = total.response_time.p50_ms.unwrap() - total.service_time.p50_ms.unwrap();
    assert!(waited > 20.0, "two others come first: {waited} ms");
}

#[test]
fn users_think_between_steps() {
    let text = GET.replace(
        "weight = 1",
        "weight = 1\nthink_time = { min_s = 0.1, max_s = 0.1 }",
    );
    let server = Server::start(|_| Reply::Status(200, String::new()));
    let mut only = phase("only", 1.05, 0.0);
    only.rate = None;
    let mut options = options(plan(&text), server.target(), vec![only]);
    options.model = LoadModel::Closed { users: 4 };
    let outcome = run(&options);
    // Ten visits each, the last one cut by the end.
    let count = outcome.summary.whole.total.attempted;
    assert!((32..=40).contains(&count), "{count}");
    assert!(
        (1..=4).contains(&outcome.visits_cut),
        "{}",
        outcome.visits_cut
    );
}

#[test]
fn users_whose_visits_are_mostly_empty_do_not_spin_for_ever() {
    let text = GET.replace("weight = 1", "weight = 0.001");
    let server = Server::start(|_| Reply::Status(200, String::new()));
    let mut only = phase("only", 0.3, 0.0);
    only.rate = None;
    let mut options = options(plan(&text), server.target(), vec![only]);
    options.model = LoadModel::Closed { users: 2 };
    let outcome = run(&options);
    assert!(outcome.summary.whole.total.succeeded > 0);
}

#[test]
fn users_who_get_no_connection_rest_before_the_next_visit() {
    let refusing = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    // One refuses by an answer of the other side, the other by the system itself.
    for target in [refusing.to_string(), "255.255.255.255:9".to_owned()] {
        let target = Target::parse(&format!("http://{target}")).unwrap();
        let mut only = phase("only", 1.05, 0.0);
        only.rate = None;
        let mut options = options(plan(GET), target, vec![only]);
        options.model = LoadModel::Closed { users: 3 };
        let outcome = run(&options);
        let total = &outcome.summary.whole.total;
        // At 0 s, 0.1 s and so on, at most up to 1 s.
        assert!((9..=33).contains(&total.attempted), "{}", total.attempted);
        assert_eq!(
            failures(&outcome),
            [("connect".to_owned(), total.attempted)]
        );
        assert_eq!(outcome.summary.sessions.count, total.attempted);
    }
}
