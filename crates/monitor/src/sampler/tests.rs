use std::net::TcpListener;
use std::sync::Arc;

use super::*;
use crate::loopback::{Reply, Server, TickingClock};
use crate::matrix::Selector;

const PATIENT: Duration = Duration::from_secs(30);
const NEVER: Duration = Duration::from_hours(24);

fn counted(value: u32) -> Reply {
    let text = format!("ecommerce_cart_additions_total {value}\nhttp_other 1\n");
    Reply::Body(text.into_bytes())
}

fn scraper(url: String) -> Scraper {
    Scraper::with_clock(
        url,
        PATIENT,
        Arc::new(TickingClock::starting_at(1_000_000_000)),
    )
}

fn values(matrix: &Matrix) -> Vec<f64> {
    matrix
        .select(Selector::new("ecommerce_cart_additions_total", &[]))
        .flat_map(|(_, points)| points)
        .map(|point| point.value)
        .collect()
}

#[test]
fn scrapes_at_once_and_then_at_the_interval() {
    let server = Server::start((1..=4).map(counted).collect());
    let sampler = Sampler::start(scraper(server.url()), Duration::from_millis(1)).unwrap();
    for _ in 0..4 {
        server.next_request();
    }
    // The fourth answer is on its way; stopping waits for the scrape under way. With the port
    // closed, whatever the schedule still asks for fails.
    server.join();
    let matrix = sampler.stop();
    assert_eq!(values(&matrix), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(matrix.scrapes().len(), 4);
    assert_eq!(matrix.select(Selector::new("http_other", &[])).count(), 0);
    for warning in matrix.warnings() {
        assert!(
            warning.contains("failed: cannot scrape `http://127.0.0.1:"),
            "{warning}"
        );
    }
}

/// A scrape that would still be under way when a run begins counts some of its requests as earlier ones.
#[test]
fn a_scrape_on_demand_counts_for_what_was_due() {
    let server = Server::start(vec![counted(1), counted(2)]);
    let (commands, received) = sync_channel(COMMANDS_WAITING_MAX);
    let ask = || {
        let (answer, answered) = sync_channel(1);
        commands.send(Command::ScrapeNow(answer)).unwrap();
        answered
    };
    let first = ask();
    let scraper = scraper(server.url());
    let thread = thread::spawn(move || run(&scraper, NEVER, &received));
    first.recv().unwrap().unwrap();
    ask().recv().unwrap().unwrap();
    server.join();
    commands.send(Command::Stop).unwrap();
    assert_eq!(values(&thread.join().unwrap()), [1.0, 2.0]);
}

#[test]
fn scrapes_on_demand_and_keeps_a_failure_as_a_gap() {
    let garbage = Reply::Body(b"<html>".to_vec());
    let server = Server::start(vec![counted(1), counted(2), garbage, counted(9)]);
    let sampler = Sampler::start(scraper(server.url()), NEVER).unwrap();
    server.next_request();
    let second = sampler.scrape_now().unwrap();
    let error = sampler.scrape_now().unwrap_err();
    assert!(
        matches!(error, SampleError::Scrape(ScrapeError::Format { .. })),
        "{error:?}"
    );
    let last = sampler.scrape_now().unwrap();
    server.join();
    let matrix = sampler.stop();
    assert_eq!(values(&matrix), [1.0, 2.0, 9.0], "the gap is no value");
    assert_eq!(matrix.scrapes()[1..], [second, last]);
    let [warning] = matrix.warnings() else {
        panic!("{:?}", matrix.warnings())
    };
    assert!(warning.starts_with("scrape at 1000.0"), "{warning}");
    assert!(
        warning.ends_with("0.0.4: line 1: expected the name of a metric"),
        "{warning}"
    );
}

#[test]
fn a_target_that_is_gone_leaves_an_empty_matrix_with_warnings() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let sampler = Sampler::start(scraper(url), NEVER).unwrap();
    assert!(sampler.scrape_now().is_err());
    let matrix = sampler.stop();
    assert!(matrix.scrapes().is_empty());
    assert!(!matrix.warnings().is_empty());
}

#[test]
fn dropping_the_sampler_ends_its_thread() {
    let server = Server::start(vec![counted(1)]);
    let clock = Arc::new(TickingClock::starting_at(0));
    let scraper = Scraper::with_clock(server.url(), PATIENT, Arc::clone(&clock) as _);
    let sampler = Sampler::start(scraper, NEVER).unwrap();
    server.next_request();
    drop(sampler);
    assert_eq!(
        Arc::strong_count(&clock),
        1,
        "the thread and its scraper are gone"
    );
    server.join();
}

#[test]
fn due_instants_are_counted_from_the_start() {
    let start = steady_now();
    let interval = Duration::from_secs(5);
    let check = |now_ms: u64, due_ms: u64| {
        let due = next_due(start, interval, start + Duration::from_millis(now_ms));
        assert_eq!(due, start + Duration::from_millis(due_ms), "at {now_ms} ms");
    };
    check(0, 5_000);
    check(120, 5_000);
    check(4_999, 5_000);
    check(5_000, 10_000);
    check(5_040, 10_000);
    check(17_300, 20_000);
}
