use std::error::Error as _;
use std::net::TcpListener;

use super::*;
use crate::loopback::{Reply, Server, TickingClock};

const PATIENT: Duration = Duration::from_secs(30);

fn scrape_of(reply: Reply, timeout: Duration) -> Result<Scrape, ScrapeError> {
    let server = Server::start(vec![reply]);
    let scraped = Scraper::new(server.url(), timeout).scrape();
    server.join();
    scraped
}

fn check_error(reply: Reply, expected: &str) -> ScrapeError {
    let error = scrape_of(reply, PATIENT).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
    error
}

#[test]
fn a_scrape_holds_the_answer_and_its_instant() {
    let server = Server::start(vec![Reply::Body(b"# TYPE up gauge\nup 1\n".to_vec())]);
    let clock = Arc::new(TickingClock::starting_at(1_700_000_000_000_000));
    let scraper = Scraper::with_clock(server.url(), PATIENT, clock);
    let scrape = scraper.scrape().unwrap();
    assert_eq!(scrape.at, UnixMicros::new(1_700_000_000_000_000));
    assert_eq!(scrape.took, Duration::from_millis(1));
    assert_eq!(scrape.exposition.samples().count(), 1);
    assert!(
        server
            .next_request()
            .starts_with("GET /actuator/prometheus HTTP/1.1\r\n")
    );
    server.join();
}

#[test]
fn the_system_clock_is_past_the_time_of_writing() {
    assert!(SystemClock.now() > UnixMicros::new(1_700_000_000_000_000));
}

#[test]
fn an_unreachable_target_is_told_with_its_cause() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let error = Scraper::new(url.clone(), PATIENT).scrape().unwrap_err();
    assert!(
        matches!(error, ScrapeError::Unreachable { .. }),
        "{error:?}"
    );
    assert_eq!(error.to_string(), format!("cannot scrape `{url}`"));
    assert!(error.source().is_some());
    let error = Scraper::new("no address", PATIENT).scrape().unwrap_err();
    assert!(
        matches!(error, ScrapeError::Unreachable { .. }),
        "{error:?}"
    );
}

#[test]
fn a_silent_target_is_given_up() {
    let error = scrape_of(Reply::Silence, Duration::from_millis(50)).unwrap_err();
    assert!(matches!(error, ScrapeError::TimeOut { .. }), "{error:?}");
    assert!(error.to_string().ends_with("did not answer within 50 ms"));
}

#[test]
fn a_garbage_answer_is_refused() {
    let no_http = check_error(Reply::Raw(b"SSH-2.0-OpenSSH\r\n".to_vec()), "cannot scrape");
    assert!(matches!(no_http, ScrapeError::Unreachable { .. }));
    let page = b"<!doctype html>\n<p>hello".to_vec();
    let page = check_error(Reply::Body(page), "not in the Prometheus text format");
    assert_eq!(
        page.source().unwrap().to_string(),
        "line 1: expected the name of a metric"
    );
    check_error(Reply::Body(vec![b'u', b'p', 0xff]), "not UTF-8");
    let absent = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec();
    check_error(Reply::Raw(absent), "status 404, expected 200");
    let elsewhere = b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n".to_vec();
    check_error(Reply::Raw(elsewhere), "status 302");
    let torn = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nup 1\n".to_vec();
    check_error(Reply::Raw(torn), "cannot scrape");
    check_error(Reply::Body(vec![b'#'; BYTES_MAX + 1]), "longer than");
}
