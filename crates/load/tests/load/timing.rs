//! Whether the clock of the engine can be believed.

use std::time::Duration;

use crate::support::*;

/// P95 of the response times of a queue with one server: 100 starts a second for 10 s, `service` for
/// each but a stall of a second for one.
fn queue_p95(stalled: usize, service: f64) -> f64 {
    let mut free_at: f64 = 0.0;
    let mut responses: Vec<f64> = (0..1_000)
        .map(|index| {
            let planned = (f64::from(index) + 0.5) / 100.0;
            let is_stalled = usize::try_from(index).unwrap() == stalled;
            free_at = free_at.max(planned) + if is_stalled { 1.0 } else { service };
            free_at - planned
        })
        .collect();
    percentile(&mut responses, 95.0) * 1_000.0
}

#[test]
fn a_stall_is_not_omitted() {
    const STALLED: usize = 400;
    let server = Server::start(|request| {
        let stall = if request.number == STALLED {
            Duration::from_secs(1)
        } else {
            Duration::ZERO
        };
        Reply::After(stall, 200, String::new())
    });
    let mut options = options(plan(GET), server.target(), vec![phase("only", 10.0, 100.0)]);
    options.connections = 1;
    let (outcome, directory) = run_kept(options);
    let total = &outcome.summary.whole.total;
    assert_eq!(
        (total.attempted, total.failed, total.dropped),
        (1_000, 0, 0)
    );
    assert_eq!(server.connections(), 1);
    let rows = rows(&directory.path().join("samples.jtl"));
    let stalled = rows.iter().filter(|row| row.1 >= 1_000).count();
    assert_eq!(stalled, 1, "service times of a second");
    let service = total.service_time.p50_ms.unwrap() / 1_000.0;
    let expected = queue_p95(STALLED, service);
    let measured = total.response_time.p95_ms.unwrap();
    assert!(
        (measured / expected - 1.0).abs() <= 0.05,
        "P95 of the response time {measured} ms, of the queue {expected} ms"
    );
    assert!(
        total.service_time.p95_ms.unwrap() < 100.0,
        "the service time hides the stall"
    );
    // The hundred behind the stall, and what a busy machine holds up besides.
    assert!((95..=200).contains(&total.late), "{} late", total.late);
}

/// Runs once against a server that logs its delays; relative or absolute error of P50 and P95.
fn errors_against_known_delays() -> [(f64, f64); 2] {
    let server = Server::start(|request| {
        // Between 5 and 25 ms, most of them short.
        let step = u64::try_from(request.number * 7_919 % 1_000).unwrap();
        let delay = Duration::from_micros(5_000 + step * step / 50);
        Reply::After(delay, 200, "x".repeat(500))
    });
    let options = options(plan(GET), server.target(), vec![phase("only", 5.0, 200.0)]);
    let outcome = run(&options);
    let measured = &outcome.summary.whole.total.service_time;
    assert_eq!(outcome.summary.whole.total.failed, 0);
    let mut delays: Vec<f64> = server
        .log()
        .delays
        .iter()
        .map(|delay| delay.as_secs_f64() * 1_000.0)
        .collect();
    assert_eq!(u64::try_from(delays.len()).unwrap(), measured.count);
    [(50.0, measured.p50_ms), (95.0, measured.p95_ms)].map(|(rank, measured)| {
        let known = percentile(&mut delays, rank);
        let error = (measured.unwrap() - known).abs();
        (error / known, error)
    })
}

#[test]
fn service_times_agree_with_a_server_that_logs_its_delays() {
    let mut seen = Vec::new();
    for _ in 0..3 {
        let errors = errors_against_known_delays();
        if errors
            .iter()
            .all(|(relative, absolute_ms)| *relative <= 0.02 || *absolute_ms <= 1.0)
        {
            return;
        }
        seen.push(errors);
    }
    panic!("relative error and error in ms of P50 and P95 in three runs: {seen:?}");
}

#[test]
fn starts_keep_their_schedule_while_the_server_is_slow() {
    // Ten starts each wait 300 ms; in an open model that delays none of the others.
    let server = Server::start(|_| Reply::After(Duration::from_millis(300), 200, String::new()));
    let options = options(plan(GET), server.target(), vec![phase("only", 1.0, 50.0)]);
    let outcome = run(&options);
    let total = &outcome.summary.whole.total;
    assert_eq!((total.attempted, total.succeeded), (50, 50));
    let p50 = total.response_time.p50_ms.unwrap();
    assert!((299.0..350.0).contains(&p50), "{p50}");
    assert!(server.busy_max() >= 12, "{} at once", server.busy_max());
}

#[test]
fn time_to_first_byte_is_apart_from_the_end() {
    let server = Server::start(|_| {
        // A head that promises a body which never ends is cut by the time-out.
        Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf".to_vec())
    });
    let mut options = options(plan(GET), server.target(), vec![phase("only", 0.5, 10.0)]);
    options.request_timeout = Duration::from_millis(200);
    let outcome = run(&options);
    let total = &outcome.summary.whole.total;
    assert_eq!(failures(&outcome), [("time-out".to_owned(), 5)]);
    assert!(total.service_time.p50_ms.unwrap() >= 200.0);
    assert!(
        total
            .time_to_first_byte
            .p50_ms
            .is_none_or(|first| first < 100.0)
    );
}
